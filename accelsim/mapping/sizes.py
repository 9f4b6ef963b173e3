"""What the planner is told about stored tensors: how many bits a window of each costs.

Sizes are means, so that a plan does not hang on single values. All are whole bits: sums
are exact, and equal plans compare equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from accelsim.mapping.stage import StoredMap
from accelsim.mapping.window import Block

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MapSize:
    """How one map is stored.

    ``block`` None: linear, exact windows, ``bits`` is the width of a value, and values lie
    in groups of ``channel_group`` channels, then rows, columns, channels of the group.
    Otherwise ``bits`` is the mean of one whole block with its padding and index entry.
    """

    block: Block | None
    bits: int
    channel_group: int = 1


@dataclass(frozen=True)
class Sizes:
    """The stored sizes of a network."""

    maps: Mapping[str, MapSize]
    """By ``StoredMap.name``."""
    line_bytes: int
    """Bytes of one DRAM burst; 1 models exact bytes."""
    weight_bits: Mapping[str, int] = field(default_factory=dict)
    """By stage: bits of all its stored weights. Stages that are not named store them raw."""

    @classmethod
    def raw(cls, maps: Iterable[StoredMap], line_bytes: int = 1, channel_group: int = 1) -> Sizes:
        """Every map linear and uncompressed."""
        return cls({m.name: MapSize(None, m.bits, channel_group) for m in maps}, line_bytes)


def window_bits(
    stored: StoredMap, size: MapSize, line_bytes: int, channels: Ints, rows: Ints, cols: Ints
) -> Floats:
    """[n_channels, n_rows, n_cols] bits on the bus for windows of all these extents (>= 1).

    Compressed maps: every block touched, for windows that are aligned to blocks. Linear
    maps: runs of consecutive values, each with the line that it wastes on average (a run
    of L bits at a random place touches lines of L + line - value bits); runs whose gaps
    are smaller than that are moved as one.
    """
    c: Floats = channels.astype(np.float64)[:, None, None]
    r: Floats = rows.astype(np.float64)[None, :, None]
    q: Floats = cols.astype(np.float64)[None, None, :]
    if size.block is not None:
        bc, br, bq = size.block
        blocks: Floats = np.ceil(c / bc) * np.ceil(r / br) * np.ceil(q / bq)
        return blocks * size.bits
    depth = min(size.channel_group, stored.channels)
    rest = c % depth
    # The last group of a map may be thinner than the others.
    rest_pitch = np.where(rest == stored.channels % depth, rest, depth)
    slack = max(0, line_bytes * 8 - size.bits)
    found = _runs(stored, size.bits, slack, (c // depth, np.full_like(c, depth), depth), r, q)
    found = found + _runs(stored, size.bits, slack, (np.sign(rest), rest, rest_pitch), r, q)
    line_bits = line_bytes * 8
    everything = -(-stored.n_values * size.bits // line_bits) * line_bits
    return np.minimum(found, everything)


def _runs(
    stored: StoredMap,
    bits: int,
    slack: int,
    channels: tuple[Floats, Floats, Floats | int],
    rows: Floats,
    cols: Floats,
) -> Floats:
    """Bits of windows of (channel groups, values of each, values from pixel to pixel)."""
    groups, depth, pitch = channels
    span = depth * bits
    found = span + slack
    row_pitch = stored.cols * pitch * bits
    for count, distance in (
        (cols, pitch * bits),
        (rows, row_pitch),
        (groups, stored.rows * row_pitch),
    ):
        span = (count - 1) * distance + span
        found = np.minimum(count * found, span + slack)
    return found * (groups > 0)
