"""All candidate cuts of one stage along its three axes, and the input channels they read.

Arrays over candidates are [n_channel_pairs, n_row_cuts, n_col_cuts], or broadcast to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from accelsim.hardware.chip import Chip
from accelsim.mapping.stages.stage import Stage, StoredMap
from accelsim.mapping.tiling.axes import (
    ChannelAxis,
    PassSizes,
    PlaceAxis,
    Reads,
    channel_axis,
    pass_sizes,
    place_axis,
    reads,
)
from accelsim.mapping.tiling.candidates import (
    channel_extents,
    col_extents,
    kernel_extents,
    row_extents,
)
from accelsim.mapping.tiling.sizes import Sizes
from accelsim.mapping.tiling.spans import col_axis, row_axis, shortcut_axis
from accelsim.mapping.tiling.tiles import Kernel
from accelsim.mapping.windows.occurrences import Ints
from accelsim.mapping.windows.ranges import Ranges
from accelsim.mapping.windows.window import Block
from accelsim.workload.layer import Conv


class OutTiles(NamedTuple):
    """The tiles of the output channels, for each distinct extent of the candidates."""

    extent_of_pair: Ints  # [n_channel_pairs] number of the pair's extent
    channels: Ranges
    """Candidates are the extents."""


class StageCuts:
    """The cuts of ``stage``: what they are, not what they cost."""

    def __init__(self, stage: Stage, chip: Chip, sizes: Sizes) -> None:
        self.stage, self.sizes = stage, sizes
        self.parts = [part for parts in stage.inputs for part in parts]
        out_block = self.block(stage.output)
        in_unit = max(sizes.maps[part.name].unit for part in self.parts)
        width = chip.array.cols if isinstance(stage.layer, Conv) else chip.codec.block[0]
        out_unit = sizes.maps[stage.output.name].unit
        in_block = next((b for b in map(self.block, self.parts) if b), (1, 1, 1))
        kernels = kernel_extents(stage, in_block)
        pairs = channel_extents(stage, out_unit, out_block is not None, in_unit, width, kernels)
        self.channels: ChannelAxis = channel_axis(stage, pairs)
        self.row_extents = tuple(row_extents(stage, out_block))
        self.col_extents = tuple(col_extents(stage, out_block))
        self._row_axis, self._col_axis = row_axis(stage), col_axis(stage)
        self.rows: PlaceAxis = place_axis(self._row_axis, self.row_extents)
        self.cols: PlaceAxis = place_axis(self._col_axis, self.col_extents)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Candidates along channels, rows and columns."""
        return len(self.channels.out_channels), len(self.row_extents), len(self.col_extents)

    @cached_property
    def pass_sizes(self) -> PassSizes:
        """Distinct passes at one place, and how often each pair has them."""
        return pass_sizes(self.stage, self.channels.pairs())

    @cached_property
    def n_places(self) -> Ints:
        """Tiles of each cut of rows and columns."""
        return self.rows.n_tiles[None, :, None] * self.cols.n_tiles[None, None, :]

    @cached_property
    def n_channel_steps(self) -> Ints:
        """Passes at each place."""
        return per_pair(self.channels.n_out_tiles * self.channels.n_in_passes)

    @property
    def n_range_sets(self) -> int:
        """Sets of input channel ranges; see ``ChannelAxis``."""
        return self.channels.ranges.n_candidates

    def block(self, stored: StoredMap) -> Block | None:
        """The block of a compressed map."""
        return self.sizes.maps[stored.name].block

    def row_reads(self, block: int, kernel: Kernel) -> Reads:
        """Rows read, in whole blocks, by passes of so many kernel positions."""
        return reads(self._row_axis, self.row_extents, block, kernel[0])

    def col_reads(self, block: int, kernel: Kernel) -> Reads:
        """Columns read, in whole blocks, by passes of so many kernel positions."""
        return reads(self._col_axis, self.col_extents, block, kernel[1])

    def shortcut_row_reads(self, block: int) -> Reads:
        """Rows of the shortcut that tiles add, in whole blocks."""
        return reads(shortcut_axis(self._row_axis), self.row_extents, block)

    def shortcut_col_reads(self, block: int) -> Reads:
        """Columns of the shortcut that tiles add, in whole blocks."""
        return reads(shortcut_axis(self._col_axis), self.col_extents, block)

    @cached_property
    def part_channels(self) -> list[Ints]:
        """For each part of each input [n_ranges]: its channels in each range, in whole blocks."""
        found = []
        for parts in self.stage.inputs:
            found += self._channels_in(parts, self.channels.ranges)
        return found

    @cached_property
    def out_tiles(self) -> OutTiles:
        """How the output channels are cut; several pairs cut them alike."""
        distinct, which = np.unique(self.channels.out_channels, return_inverse=True)
        total = self.stage.output.channels
        starts = [np.arange(0, total, e, dtype=np.int64) for e in distinct.tolist()]
        extent = np.repeat(np.arange(len(distinct)), [len(s) for s in starts])
        start = np.concatenate(starts)
        stop = np.minimum(start + distinct[extent], total)
        return OutTiles(which, Ranges(extent, start, stop, len(distinct)))

    @cached_property
    def shortcut_channels(self) -> list[Ints]:
        """For each part of the shortcut [n_tiles]: its channels in each of ``out_tiles``."""
        return self._channels_in(self.stage.shortcut, self.out_tiles.channels)

    def _channels_in(self, parts: Sequence[StoredMap], ranges: Ranges) -> list[Ints]:
        """For each of ``parts`` [n_ranges]: its channels in each range, in whole blocks."""
        found = []
        for part, inside in of_parts(parts, ranges):
            block = self.block(part)
            depth = block[0] if block else 1
            aligned = np.minimum(-(-inside.stop // depth) * depth, part.channels)
            empty = inside.stop <= inside.start
            found.append(np.where(empty, 0, aligned - inside.start // depth * depth))
        return found


def of_parts(parts: Sequence[StoredMap], ranges: Ranges) -> Iterator[tuple[StoredMap, Ranges]]:
    """What of each range of channels lies on each of the parts of one map."""
    offset = 0
    for part in parts:
        yield part, ranges.within(offset, part.channels)
        offset += part.channels


def per_pair(values: NDArray[Any]) -> NDArray[Any]:
    """Spread [n_channel_pairs] over rows and columns."""
    return values[:, None, None]
