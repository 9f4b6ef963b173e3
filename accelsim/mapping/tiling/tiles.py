"""The tiles of a stage along its channels, and the parts of each: what one pass can add to it.

A part is a range of input channels and a range of kernel positions. A tile covers whole groups
of channels, or lies inside one; only then can its input channels be split into several parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from accelsim.mapping.stages.stage import Stage, Tiling
from accelsim.mapping.tiling.spans import position_ranges
from accelsim.mapping.windows.window import Ints
from accelsim.workload.layer import Add, Conv, Scale

Kernel: TypeAlias = tuple[int, int]
"""Kernel rows and columns of one pass."""
Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""[start, stop) of each, rising."""


def channel_groups(stage: Stage) -> tuple[int, int, int]:
    """(groups, input channels of each, output channels of each).

    Poolings, sums and scales work channel by channel: a group for each.
    """
    layer = stage.layer
    if isinstance(layer, Conv):
        return (
            layer.groups,
            layer.in_channels // layer.groups,
            layer.out_channels // layer.groups,
        )
    return stage.output.channels, 1, 1


def kernel_of(stage: Stage) -> Kernel:
    """Kernel rows and columns of the stage's layer; sums and scales read value by value."""
    return (1, 1) if isinstance(stage.layer, Add | Scale) else stage.layer.window.kernel


def kernel_sides(stage: Stage, kernel: Kernel | None) -> tuple[Ranges, Ranges]:
    """Ranges of kernel rows, and of kernel columns; None: all in one."""
    whole = kernel_of(stage)
    rows, cols = map(position_ranges, whole, kernel or whole)
    return rows, cols


def kernel_ranges(stage: Stage, kernel: Kernel | None) -> tuple[Ranges, ...]:
    """Rows and columns of the kernel positions of each pass."""
    return tuple(product(*kernel_sides(stage, kernel)))


@dataclass(frozen=True, eq=False)
class TileParts:
    """The parts of all tiles, tile after tile. Parts of one tile add up to its sums, in order.

    Tile t has the parts ``first[t]`` to ``first[t] + n_each[t] - 1``; other columns are
    [n_parts].
    """

    first: Ints  # [n_tiles]
    n_each: Ints  # [n_tiles]
    out_channels: Ints
    """[n_parts, 2], [start, stop) of the tile."""
    in_channels: Ints
    """[n_parts, 2], [start, stop)."""
    groups: Ints
    positions: Ints
    """[n_parts, 2] which ranges of kernel rows and columns."""
    kernel: Ints
    """[n_parts, 2] kernel rows and columns; none on the vector unit, which has no products."""
    reads: Ints
    """Parts of one number read the same values of a place."""
    reads_first: NDArray[np.bool_]
    """Whether no part before reads them."""

    @cached_property
    def is_first(self) -> NDArray[np.bool_]:
        """Whether no part of its tile comes before it."""
        found = np.zeros(len(self.reads), np.bool_)
        found[self.first] = True
        return found

    @cached_property
    def is_last(self) -> NDArray[np.bool_]:
        """Whether no part of its tile comes after it."""
        found = np.zeros(len(self.reads), np.bool_)
        found[self.first + self.n_each - 1] = True
        return found

    @cached_property
    def out_per_group(self) -> Ints:
        """Output channels of each group."""
        found: Ints = (self.out_channels[:, 1] - self.out_channels[:, 0]) // self.groups
        return found

    @cached_property
    def in_per_group(self) -> Ints:
        """Input channels of each group."""
        found: Ints = (self.in_channels[:, 1] - self.in_channels[:, 0]) // self.groups
        return found

    @cached_property
    def n_weights(self) -> Ints:
        """Of all groups."""
        per_group = self.out_per_group * self.in_per_group
        found: Ints = per_group * self.groups * self.kernel[:, 0] * self.kernel[:, 1]
        return found


def tile_parts(stage: Stage, tiling: Tiling) -> TileParts:
    """The parts that a tiling makes. Raises ``ValueError`` where a tile cuts a group in two."""
    _, group_in, group_out = channel_groups(stage)
    total = stage.output.channels
    start = np.arange(0, total, tiling.out_channels)
    stop = np.minimum(start + tiling.out_channels, total)
    first, last = start // group_out, -(-stop // group_out)
    groups = last - first
    cut = (groups > 1) & ((start % group_out > 0) | ((stop % group_out > 0) & (stop < total)))
    for a, b in zip(start[cut].tolist(), stop[cut].tolist(), strict=True):
        raise ValueError(f"{stage.name}: channels [{a}, {b}) cut a group in two")
    ranges = kernel_sides(stage, tiling.kernel)
    n_rows, n_cols = map(len, ranges)
    n_positions = n_rows * n_cols
    n_each = np.where(groups == 1, -(-group_in // tiling.in_channels), 1) * n_positions
    first_part = np.cumsum(n_each) - n_each
    tile = np.repeat(np.arange(len(start)), n_each)
    step, position = np.divmod(np.arange(len(tile)) - first_part[tile], n_positions)
    in_start = first[tile] * group_in + step * tiling.in_channels
    in_stop = np.minimum(in_start + tiling.in_channels, last[tile] * group_in)
    in_stop = np.where(groups[tile] == 1, in_stop, last[tile] * group_in)
    positions, kernel = np.zeros((2, len(tile), 2), np.int64)
    positions[:, 0], positions[:, 1] = np.divmod(position, n_cols)
    if isinstance(stage.layer, Conv):
        for i, of_axis in enumerate(ranges):
            kernel[:, i] = np.array([b - a for a, b in of_axis])[positions[:, i]]
    reads = in_start * n_positions + position
    reads_first = np.zeros(len(tile), np.bool_)
    reads_first[np.unique(reads, return_index=True)[1]] = True
    return TileParts(
        first=first_part,
        n_each=n_each,
        out_channels=np.stack([start, stop], axis=1)[tile],
        in_channels=np.stack([in_start, in_stop], axis=1),
        groups=groups[tile],
        positions=positions,
        kernel=kernel,
        reads=reads,
        reads_first=reads_first,
    )
