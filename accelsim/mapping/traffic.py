"""Modelled DRAM traffic of all cuts of a stage, in bits.

An operand whose tile did not change is not read again; rows that the next tile down needs
again stay in the buffer. Each sum of one sweep over the map is a product of tallies.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from accelsim.mapping.cuts import StageCuts, per_pair
from accelsim.mapping.occurrences import Floats, Ints, occurrences, weighted_sum
from accelsim.mapping.sizes import window_bits
from accelsim.mapping.stage import StoredMap
from accelsim.workload.layer import Conv


class Traffic:
    """What each operand of each cut moves."""

    def __init__(self, cuts: StageCuts) -> None:
        self._cuts = cuts

    def ifmap_bits(self, order: str, resident: bool) -> Floats:
        """Input windows, in whole blocks, as often as they are loaded."""
        channels, (new, whole) = self._cuts.channels, self._sweep
        if resident:
            return new
        split = per_pair(channels.n_in_passes > 1)
        again = whole * per_pair(channels.revisits)
        if order == "weights_outer":
            sweeps = np.where(self._cuts.n_places == 1, 1, per_pair(channels.revisits))
            return np.where(split, again, new * sweeps)
        once = np.where(per_pair(channels.alternates), whole, new)
        return np.where(split, again, once)

    def weight_bits(self, order: str, resident: bool) -> Floats:
        """Weights as often as they are loaded."""
        several = (
            per_pair(self._cuts.channels.n_in_passes) > 1
            if order == "weights_outer"
            else self._cuts.n_channel_steps > 1
        )
        times = np.where(several & (not resident), self._cuts.n_places, 1)
        return times * float(self.stored_weight_bits)

    @cached_property
    def ofmap_bits(self) -> Floats:
        """The output, written once."""
        stored, tiles = self._cuts.stage.output, self._cuts.out_tiles
        out = occurrences(tiles.extent, tiles.stop - tiles.start, tiles.n_extents)
        rows, cols = self._cuts.rows.stored, self._cuts.cols.stored
        cost = self._window_bits(stored, out.extents, rows.extents, cols.extents)
        summed = weighted_sum(cost, out.counts, rows.counts, cols.counts)
        return summed[tiles.extent_of_pair]

    @cached_property
    def shortcut_bits(self) -> Floats:
        """What the drain path adds: the shortcut tile by tile, in whole blocks."""
        cuts, tiles = self._cuts, self._cuts.out_tiles
        total = np.zeros((tiles.n_extents, 1, 1))
        for part, extents in zip(cuts.stage.shortcut, cuts.shortcut_channels, strict=True):
            c = occurrences(tiles.extent, extents, tiles.n_extents)
            _, block_rows, block_cols = cuts.block(part) or (1, 1, 1)
            rows = cuts.shortcut_row_reads(block_rows).whole
            cols = cuts.shortcut_col_reads(block_cols).whole
            cost = self._window_bits(part, c.extents, rows.extents, cols.extents)
            total = total + weighted_sum(cost, c.counts, rows.counts, cols.counts)
        return total[tiles.extent_of_pair]

    @cached_property
    def drain_bits(self) -> Floats:
        """What the drain path moves: the output, and the shortcut if it adds one."""
        if not self._cuts.stage.shortcut:
            return self.ofmap_bits
        return self.ofmap_bits + self.shortcut_bits

    @cached_property
    def stored_weight_bits(self) -> int:
        """All weights of the stage as they lie in DRAM."""
        layer = self._cuts.stage.layer
        if not isinstance(layer, Conv):
            return 0
        raw = layer.n_weights * layer.weight_bits
        return self._cuts.sizes.weight_bits.get(layer.name, raw)

    def exposed_bits(self, pairs: Ints, rows: Ints, cols: Ints) -> Floats:
        """What no computation hides, for these cuts [n] together: the mean bits of a window,
        a weight tile, a shortcut tile and an output tile."""
        cuts, c = self._cuts, self._cuts.channels
        places = cuts.rows.n_tiles[rows] * cuts.cols.n_tiles[cols]
        ranges = np.bincount(c.range_of_set)[c.range_set[pairs]]
        _, whole = self._sweep
        exposed: Floats = (
            whole[pairs, rows, cols] / (ranges * places)
            + self.stored_weight_bits / (c.n_out_tiles[pairs] * c.n_in_passes[pairs])
            + self.drain_bits[pairs, rows, cols] / (c.n_out_tiles[pairs] * places)
        )
        return exposed

    @cached_property
    def _sweep(self) -> tuple[Floats, Floats]:
        """One sweep over the input, with halo rows kept, and with all windows whole."""
        cuts = self._cuts
        new = whole = np.zeros(())
        for part, extents in zip(cuts.parts, cuts.part_channels, strict=True):
            c = occurrences(cuts.channels.range_of_set, extents, cuts.n_range_sets)
            _, block_rows, block_cols = cuts.block(part) or (1, 1, 1)
            rows, cols = cuts.row_reads(block_rows), cuts.col_reads(block_cols).whole
            cost = self._window_bits(part, c.extents, rows.new.extents, cols.extents)
            new = new + weighted_sum(cost, c.counts, rows.new.counts, cols.counts)
            cost = self._window_bits(part, c.extents, rows.whole.extents, cols.extents)
            whole = whole + weighted_sum(cost, c.counts, rows.whole.counts, cols.counts)
        return new[cuts.channels.range_set], whole[cuts.channels.range_set]

    def _window_bits(self, stored: StoredMap, c: Ints, r: Ints, q: Ints) -> Floats:
        sizes = self._cuts.sizes
        return window_bits(stored, sizes.maps[stored.name], sizes.line_bytes, c, r, q)
