"""DRAM traffic of all cuts of a stage, in bits: what their programs will move.

An operand whose tile did not change is not read again; rows that the next tile down needs
again stay in the buffer. Each sum of one sweep over the map is a product of tallies.
Exact but for the lines of block tables, whose cache is only modelled (``_index_bits``).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np

from accelsim.mapping.stages.stage import StoredMap
from accelsim.mapping.tiling.cuts import StageCuts, of_parts, per_pair
from accelsim.mapping.tiling.sizes import BlockedSize, MapSize
from accelsim.mapping.tiling.tiles import Kernel, kernel_ranges
from accelsim.mapping.windows.occurrences import Floats, Ints
from accelsim.mapping.windows.ranges import Ranges
from accelsim.units import ceil_div
from accelsim.workload.layer import Conv


class Sweep(NamedTuple):
    """What one sweep over a map moves. Arrays broadcast to all cuts."""

    new: Floats
    """Halo rows stay in the buffer."""
    whole: Floats
    """Every window whole."""


class ModelledTraffic:
    """What each operand of each cut moves."""

    def __init__(self, cuts: StageCuts) -> None:
        self._cuts = cuts
        self._line_bits = cuts.sizes.line_bits

    def ifmap_bits(self, order: str, resident: bool) -> Floats:
        """Input windows, in whole blocks, as often as they are loaded, and their table entries."""
        moved = self._as_loaded(order, resident, self._sweep)
        if not any(isinstance(self._size(part), BlockedSize) for part in self._cuts.parts):
            return moved
        return moved + self._index_bits(order, resident)

    def weight_bits(self, order: str, resident: bool) -> Floats:
        """Weights as often as they are loaded."""
        several = (
            per_pair(self._cuts.channels.n_in_passes) > 1
            if order == "weights_outer"
            else self._cuts.n_channel_steps > 1
        )
        times = np.where(several & (not resident), self._cuts.n_places, 1)
        moved: Floats = times * per_pair(self.stored_weight_bits)
        return moved

    @cached_property
    def ofmap_bits(self) -> Floats:
        """The output and its table, written once."""
        cuts, size = self._cuts, self._size(self._cuts.stage.output)
        rows, cols = cuts.rows.stored, cuts.cols.stored
        moved = size.moved_bits(self._line_bits, cuts.out_tiles.channels, rows, cols)
        if isinstance(size, BlockedSize):
            moved = moved + size.table_lines(self._line_bits) * self._line_bits
        written: Floats = moved[cuts.out_tiles.extent_of_pair]
        return written

    def drain_bits(self, order: str) -> Floats:
        """What the drain path moves: the output, and the shortcut if it adds one, tile by tile
        and in whole blocks, with its table entries."""
        if not any(isinstance(self._size(part), BlockedSize) for part in self._cuts.stage.shortcut):
            return self._drained_bits
        each, once = self._shortcut_entries
        index: Floats = np.where(self._cache_holds(order), once, each) * self._line_bits
        return self._drained_bits + index

    @cached_property
    def codec_table_bits(self) -> int:
        """Tables of the codec, loaded once for each map that the stage reads or writes."""
        stage = self._cuts.stage
        maps = map(self._size, dict.fromkeys((*stage.reads, stage.output)))
        lines = sum(m.codec_table_lines for m in maps if isinstance(m, BlockedSize))
        return lines * self._line_bits

    @cached_property
    def stored_weight_bits(self) -> Floats:
        """[n_channel_pairs] all weights as they lie in DRAM: each tile in whole lines."""
        cuts, layer = self._cuts, self._cuts.stage.layer
        c = cuts.channels
        if not isinstance(layer, Conv):
            return np.zeros(len(c.out_channels))
        passes = cuts.pass_sizes
        lines = -(-passes.n_weights * layer.weight_bits // self._line_bits)
        stored: Floats = passes.counts @ (lines * float(self._line_bits))
        return stored

    def exposed_bits(self, pairs: Ints, rows: Ints, cols: Ints) -> Floats:
        """What no computation hides, for these cuts [n] together: the mean bits of a window,
        a weight tile, a shortcut tile and an output tile."""
        cuts, c = self._cuts, self._cuts.channels
        places = cuts.rows.n_tiles[rows] * cuts.cols.n_tiles[cols]
        exposed: Floats = (
            self._sweep.whole[pairs, rows, cols] / (self._n_ranges[pairs] * places)
            + self.stored_weight_bits[pairs] / (c.n_out_tiles[pairs] * c.n_in_passes[pairs])
            + self._drained_bits[pairs, rows, cols] / (c.n_out_tiles[pairs] * places)
        )
        return exposed

    def _as_loaded(self, order: str, resident: bool, sweep: Sweep) -> Floats:
        """Windows as often as the loop order loads them."""
        channels = self._cuts.channels
        if resident:
            return sweep.new
        split = per_pair(channels.n_in_passes > 1)
        again = sweep.whole * per_pair(channels.revisits)
        if order == "weights_outer":
            sweeps = np.where(self._cuts.n_places == 1, 1, per_pair(channels.revisits))
            return np.where(split, again, sweep.new * sweeps)
        once = np.where(per_pair(channels.alternates), sweep.whole, sweep.new)
        return np.where(split, again, once)

    @cached_property
    def _sweep(self) -> Sweep:
        """The input."""
        cuts = self._cuts

        def of_kernel(kernel: Kernel) -> tuple[Floats, Floats]:
            new = whole = np.zeros(())
            for part, size, channels in self._inputs():
                _, block_rows, block_cols = cuts.block(part) or (1, 1, 1)
                rows = cuts.row_reads(block_rows, kernel)
                cols = cuts.col_reads(block_cols, kernel).whole
                new = new + size.moved_bits(self._line_bits, channels, rows.new, cols)
                whole = whole + size.moved_bits(self._line_bits, channels, rows.whole, cols)
            return new, whole

        return Sweep(*self._of_pairs(of_kernel))

    @cached_property
    def _drained_bits(self) -> Floats:
        """The output with its table, and the shortcut tile by tile."""
        cuts, tiles = self._cuts, self._cuts.out_tiles
        total = self.ofmap_bits
        for part, channels in of_parts(cuts.stage.shortcut, tiles.channels):
            _, block_rows, block_cols = cuts.block(part) or (1, 1, 1)
            rows = cuts.shortcut_row_reads(block_rows).whole
            cols = cuts.shortcut_col_reads(block_cols).whole
            moved = self._size(part).moved_bits(self._line_bits, channels, rows, cols)
            total = total + moved[tiles.extent_of_pair]
        return total

    def _index_bits(self, order: str, resident: bool) -> Floats:
        """Lines of block tables. The chip keeps the entries used last: a line is fetched once
        on the way down a column of tiles where it holds those of a whole place, for every
        window where it does not, and once in all where it holds the table."""
        windows, once, tables = self._entry_lines
        each = self._as_loaded(order, resident, windows)
        kept = self._as_loaded(order, resident, Sweep(once, once))
        lines = np.where(self._cache_holds(order), kept, each)
        if tables * self._entries_per_line <= self._cuts.sizes.cached_entries:
            lines = np.minimum(lines, tables)
        return lines * self._line_bits

    @cached_property
    def _entry_lines(self) -> tuple[Sweep, Floats, int]:
        """Table lines of the input's windows; once for each range of channels and column of
        tiles; of the whole tables."""
        cuts, bits = self._cuts, self._line_bits

        def of_kernel(kernel: Kernel) -> tuple[Floats, Floats, Floats]:
            new = whole = once = np.zeros((cuts.n_range_sets, 1, 1))
            for _, size, channels in self._inputs():
                if isinstance(size, BlockedSize):
                    rows = cuts.row_reads(size.block[1], kernel)
                    cols = cuts.col_reads(size.block[2], kernel).whole
                    new = new + size.entry_lines(bits, channels, rows.new, cols)
                    whole = whole + size.entry_lines(bits, channels, rows.whole, cols)
                    once = once + size.entry_lines(bits, channels, rows.whole.joined(), cols)
            return new, whole, once

        new, whole, once = self._of_pairs(of_kernel)
        sizes = (size for _, size, _ in self._inputs())
        tables = sum(size.table_lines(bits) for size in sizes if isinstance(size, BlockedSize))
        return Sweep(new, whole), once, tables

    def _of_pairs(self, of_kernel: Callable[[Kernel], tuple[Floats, ...]]) -> list[Floats]:
        """[n_channel_pairs, ...] from [n_range_sets, ...] of each way to cut the kernel."""
        c = self._cuts.channels
        by_kernel = zip(*map(of_kernel, c.kernels), strict=True)
        return [np.stack(found)[c.kernel_of_pair, c.range_set] for found in by_kernel]

    @cached_property
    def _shortcut_entries(self) -> tuple[Floats, Floats]:
        """Table lines of the shortcut's tiles; once for each range of channels and column."""
        cuts, tiles = self._cuts, self._cuts.out_tiles
        each = once = np.zeros((tiles.channels.n_candidates, 1, 1))
        for part, channels in of_parts(cuts.stage.shortcut, tiles.channels):
            size = self._size(part)
            if isinstance(size, BlockedSize):
                rows = cuts.shortcut_row_reads(size.block[1]).whole
                cols = cuts.shortcut_col_reads(size.block[2]).whole
                each = each + size.entry_lines(self._line_bits, channels, rows, cols)
                once = once + size.entry_lines(self._line_bits, channels, rows.joined(), cols)
        return each[tiles.extent_of_pair], once[tiles.extent_of_pair]

    def _cache_holds(self, order: str) -> Floats:
        """Whether the entries of all windows between two visits of a range of channels fit."""
        cuts, c = self._cuts, self._cuts.channels
        alone = (order == "weights_outer") & (c.n_in_passes == 1)
        n_ranges = per_pair(np.where(alone, self._n_ranges, 1))
        n_tiles = per_pair(np.where(alone, c.n_out_tiles, 1))
        windows, _, _ = self._entry_lines
        lines = windows.whole / n_ranges
        if cuts.stage.shortcut:
            lines = lines + self._shortcut_entries[0] / n_tiles
        entries = lines / cuts.n_places * self._entries_per_line
        holds: Floats = entries <= cuts.sizes.cached_entries
        return holds

    @cached_property
    def _entries_per_line(self) -> int:
        """Of the table with the smallest entries: what a line takes of the cache."""
        tables = [m for m in map(self._size, self._cuts.stage.reads) if isinstance(m, BlockedSize)]
        return max(ceil_div(self._line_bits, m.entry_bits) for m in tables)

    @cached_property
    def _n_ranges(self) -> Ints:
        """[n_channel_pairs] ranges of input channels that the passes read, for each range of
        kernel positions."""
        c = self._cuts.channels
        n_positions = [len(kernel_ranges(self._cuts.stage, kernel)) for kernel in c.kernels]
        counted: Ints = np.bincount(c.ranges.candidate)[c.range_set]
        counted *= np.array(n_positions)[c.kernel_of_pair]
        return counted

    def _inputs(self) -> list[tuple[StoredMap, MapSize, Ranges]]:
        """Every part of every input, and what of each range of channels lies on it."""
        ranges = self._cuts.channels.ranges
        return [
            (part, self._size(part), inside)
            for parts in self._cuts.stage.inputs
            for part, inside in of_parts(parts, ranges)
        ]

    def _size(self, stored: StoredMap) -> MapSize:
        return self._cuts.sizes.maps[stored.name]
