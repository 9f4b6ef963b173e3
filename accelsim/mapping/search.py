"""All candidate tilings of one stage at once: their traffic, buffers and time, as arrays.

Every array is [n_channel_pairs, n_row_cuts, n_col_cuts], or broadcasts to it. There is one
``Variant`` for each loop order and resident operand.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelsim.hardware.chip import Chip
from accelsim.mapping.axes import (
    ChannelAxis,
    PlaceAxis,
    Reads,
    channel_axis,
    place_axis,
    products,
    reads,
)
from accelsim.mapping.candidates import (
    channel_extents,
    col_extents,
    pooling_overlaps,
    row_extents,
)
from accelsim.mapping.dataflow import DATAFLOWS, Dataflow
from accelsim.mapping.occurrences import Floats, Ints, occurrences, weighted_sum
from accelsim.mapping.sizes import Sizes, window_bits
from accelsim.mapping.spans import col_axis, row_axis
from accelsim.mapping.stage import Stage, StoredMap
from accelsim.mapping.window import Block
from accelsim.units import FS_PER_S, bits_to_bytes
from accelsim.workload.layer import Conv

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Variant:
    """One loop order with its resident operands, over all cuts."""

    order: str
    ifmap_resident: bool
    weights_resident: bool
    ifmap_bits: Floats
    """Modelled DRAM traffic of each operand."""
    weight_bits: Floats
    ifmap_need_bytes: Floats
    """Buffer space, double buffering included."""
    weight_need_bytes: Floats
    line_buffer_bytes: Floats
    ofmap_need_bytes: Floats


def accumulates_in_buffer(dataflow: Dataflow, k: int, rows: int, cols: int) -> bool:
    """Whether the dataflow reads partial sums back within a pass of ``k`` products."""
    return dataflow.cost(1, 1, k, rows, cols, overlap=True, accumulate=False).psum_reads > 0


class StageSearch:
    """The candidates of ``stage`` on ``chip``."""

    def __init__(self, stage: Stage, chip: Chip, sizes: Sizes) -> None:
        self.stage, self._chip, self._sizes = stage, chip, sizes
        self._parts = [part for parts in stage.inputs for part in parts]
        out_block = self._block(stage.output)
        in_block = max(b[0] if b else 1 for b in map(self._block, self._parts))
        array_cols = chip.array.cols if isinstance(stage.layer, Conv) else chip.codec.block[0]
        pairs = channel_extents(stage, out_block[0] if out_block else 1, in_block, array_cols)
        self.channels: ChannelAxis = channel_axis(stage, pairs)
        self.row_extents = tuple(row_extents(stage, out_block))
        self.col_extents = tuple(col_extents(stage, out_block))
        self._row_axis, self._col_axis = row_axis(stage), col_axis(stage)
        self.rows: PlaceAxis = place_axis(self._row_axis, self.row_extents)
        self.cols: PlaceAxis = place_axis(self._col_axis, self.col_extents)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Candidates along channels, rows and columns."""
        counts = (self.channels.out_channels, self.rows.n_tiles, self.cols.n_tiles)
        return len(counts[0]), len(counts[1]), len(counts[2])

    @cached_property
    def n_places(self) -> Ints:
        """Tiles of each cut of rows and columns."""
        return self.rows.n_tiles[None, :, None] * self.cols.n_tiles[None, None, :]

    @cached_property
    def n_channel_steps(self) -> Ints:
        """Passes at each place."""
        return _column(self.channels.n_out_tiles * self.channels.n_in_passes)

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        """Without resident operands in both loop orders, then with each operand resident."""
        moved = self._ifmap_bits
        new, whole = (bits[self.channels.range_set] for bits in moved)
        revisits, split = _column(self.channels.revisits), _column(self.channels.n_in_passes > 1)
        alternates = _column(self.channels.alternates)
        weights = float(self.stored_weight_bits)
        once = np.where(self.n_places == 1, 1, revisits)
        swept = np.where(split, whole * revisits, new * once)
        placed = np.where(split, whole * revisits, np.where(alternates, whole, new))
        streamed = weights * np.where(split, self.n_places, 1)
        repeated = weights * np.where(self.n_channel_steps > 1, self.n_places, 1)
        kept = np.full((1, 1, 1), weights)
        found = [
            self._variant("weights_outer", False, False, swept, streamed),
            self._variant("weights_outer", True, False, new, streamed),
        ]
        if isinstance(self.stage.layer, Conv):
            found += [
                self._variant("ifmap_outer", False, False, placed, repeated),
                self._variant("ifmap_outer", False, True, placed, kept),
            ]
        return tuple(found)

    @cached_property
    def stored_weight_bits(self) -> int:
        """All weights of the stage as they lie in DRAM."""
        layer = self.stage.layer
        if not isinstance(layer, Conv):
            return 0
        return self._sizes.weight_bits.get(layer.name, layer.n_weights * layer.weight_bits)

    @cached_property
    def ofmap_bits(self) -> Floats:
        """Traffic of the output, written once."""
        distinct, which = np.unique(self.channels.out_channels, return_inverse=True)
        total = self.stage.output.channels
        cuts = [(i, min(e, total - a)) for i, e in enumerate(distinct) for a in range(0, total, e)]
        candidate, extents = (np.array(c, np.int64) for c in zip(*cuts, strict=True))
        out = occurrences(candidate, extents, len(distinct))
        rows, cols = self.rows.stored, self.cols.stored
        cost = self._window_bits(self.stage.output, out.extents, rows.extents, cols.extents)
        return weighted_sum(cost, out.counts, rows.counts, cols.counts)[which]

    @cached_property
    def ofmap_tile_bytes(self) -> Floats:
        """Psums where partial sums wait in the buffer, otherwise stored values, of a tile."""
        stored = (
            self.channels.out_channels[:, None, None]
            * self.rows.largest_stored[:, None]
            * self.cols.largest_stored
            * bits_to_bytes(self.stage.output.bits)
        )
        if not isinstance(self.stage.layer, Conv):
            return stored.astype(np.float64)
        psums = (
            self.channels.out_channels[:, None, None]
            * self.rows.largest_computed[:, None]
            * self.cols.largest_computed
            * bits_to_bytes(self._chip.array.psum_bits)
        )
        return np.where(_column(self._keeps_psums), psums, stored).astype(np.float64)

    @cached_property
    def weight_tile_bytes(self) -> Floats:
        """Weights of the largest pass, decoded."""
        layer = self.stage.layer
        if not isinstance(layer, Conv):
            return np.zeros((1, 1, 1))
        kernel = layer.window.kernel[0] * layer.window.kernel[1]
        n_weights = self.channels.out_channels * self.channels.in_channels * kernel
        return _column(-(-n_weights * layer.weight_bits // 8)).astype(np.float64)

    def compute_cycles(self, pairs: Ints, rows: Ints, cols: Ints) -> Floats:
        """[len(pairs), len(rows), len(cols)] cycles of the array for these cuts."""
        if not isinstance(self.stage.layer, Conv):
            return np.zeros((len(pairs), len(rows), len(cols)))
        kernel = self.stage.layer.window.kernel[0] * self.stage.layer.window.kernel[1]
        out, ins = (
            c[pairs].tolist() for c in (self.channels.out_channels, self.channels.in_channels)
        )
        found, counts = products(self.stage, zip(out, ins, strict=True))
        n, k, groups = (_column(c) for c in found)
        m = self.rows.computed.extents[:, None] * self.cols.computed.extents
        array = self._chip.array
        cycles = DATAFLOWS[array.dataflow].cycles(
            m[None], n, k * kernel, groups, array.rows, array.cols, array.fold_overlap
        )
        return weighted_sum(
            cycles.astype(np.float64),
            counts,
            self.rows.computed.counts[rows],
            self.cols.computed.counts[cols],
        )

    @property
    def peak_bits_per_cycle(self) -> float:
        """Of the DRAM, in core clock cycles."""
        bits_per_s = self._chip.dram.config.peak_gb_s * 8e9
        return bits_per_s * self._chip.core.period_fs / FS_PER_S

    def exposed_bits(self, pairs: Ints, rows: Ints, cols: Ints) -> Floats:
        """What no computation hides, for these cuts [n] together: the mean bits of a window,
        a weight tile and an output tile."""
        c = self.channels
        places = self.rows.n_tiles[rows] * self.cols.n_tiles[cols]
        ranges = np.bincount(c.range_of_set)[c.range_set[pairs]]
        weight_tiles = c.n_out_tiles[pairs] * c.n_in_passes[pairs]
        _, whole = self._ifmap_bits
        exposed: Floats = (
            whole[c.range_set[pairs], rows, cols] / (ranges * places)
            + self.stored_weight_bits / weight_tiles
            + self.ofmap_bits[pairs, rows, cols] / (c.n_out_tiles[pairs] * places)
        )
        return exposed

    def _variant(
        self,
        order: str,
        ifmap_resident: bool,
        weights_resident: bool,
        ifmap_bits: Floats,
        weight_bits: Floats,
    ) -> Variant:
        layer = self.stage.layer
        weight_need = 2 * self.weight_tile_bytes
        if weights_resident and isinstance(layer, Conv):
            weight_need = np.full(
                (1, 1, 1), 2.0 * bits_to_bytes(layer.n_weights * layer.weight_bits)
            )
        line_buffer = self._line_buffer_bytes(order)
        return Variant(
            order=order,
            ifmap_resident=ifmap_resident,
            weights_resident=weights_resident,
            ifmap_bits=ifmap_bits,
            weight_bits=weight_bits,
            ifmap_need_bytes=self._ifmap_need(order, ifmap_resident),
            weight_need_bytes=weight_need,
            line_buffer_bytes=line_buffer,
            ofmap_need_bytes=2 * self.ofmap_tile_bytes + line_buffer,
        )

    def _ifmap_need(self, order: str, resident: bool) -> Floats:
        """A window and what the next one adds; the whole map when it is resident."""
        if resident:
            whole = _column(self._range_bytes[1][self.channels.range_set]) * self._place_size
            narrow = self.cols.n_tiles > 1  # halo columns of a neighbour would come twice
            return np.where(narrow, np.inf, whole.astype(np.float64))
        c, rows, cols = self.channels, self._buffer_rows, self._buffer_cols.largest[None, None, :]
        alternates, split = _column(c.alternates), _column(c.n_in_passes > 1)
        fresh = 2 * rows.largest[None, :, None]
        down = rows.largest_with_next[None, :, None]
        around = np.maximum(down, rows.last_with_first[None, :, None])
        several_cols = self.cols.n_tiles[None, None, :] > 1
        if order == "weights_outer":
            moving = np.where(several_cols | _column(c.revisits > 1) | alternates, around, down)
        else:
            moving = np.where(alternates, fresh, np.where(several_cols, around, down))
        moving = np.where(split, fresh, moving)
        alone = (self.n_places == 1) & ~alternates & ~split
        window = np.where(alone, rows.largest[None, :, None], moving)
        return _column(self._range_bytes[0][c.range_set]) * window * cols

    def _line_buffer_bytes(self, order: str) -> Floats:
        """Rows of overlapping pooling windows, kept from one row of tiles to the next."""
        pool = self.stage.fused_pool
        if pool is None or not pooling_overlaps(self.stage):
            return np.zeros((1, 1, 1))
        n_rows = max(0, pool.window.extent[0] - pool.window.stride[0])
        row_bytes = n_rows * self.stage.conv_size[1] * bits_to_bytes(self.stage.output.bits)
        channels = self.channels.out_channels
        if order == "ifmap_outer":
            channels = np.full_like(channels, self.stage.output.channels)
        several = self.rows.n_tiles[None, :, None] > 1
        return np.where(several, _column(channels * row_bytes), 0).astype(np.float64)

    @cached_property
    def _keeps_psums(self) -> Bools:
        layer, array = self.stage.layer, self._chip.array
        assert isinstance(layer, Conv)
        kernel = layer.window.kernel[0] * layer.window.kernel[1]
        dataflow = DATAFLOWS[array.dataflow]
        k = layer.in_channels // layer.groups * kernel
        folds = accumulates_in_buffer(dataflow, k, array.rows, array.cols)
        result: Bools = (self.channels.n_in_passes > 1) | folds
        return result

    @cached_property
    def _ifmap_bits(self) -> tuple[Floats, Floats]:
        """[n_sets, rows, cols] traffic of one sweep, halo rows kept and all windows whole."""
        new = whole = np.zeros(())
        for part, block, extents in self._part_channels():
            c = occurrences(self.channels.range_of_set, extents, self._n_sets)
            rows = reads(self._row_axis, self.row_extents, block[1] if block else 1)
            cols = reads(self._col_axis, self.col_extents, block[2] if block else 1).whole
            cost = self._window_bits(part, c.extents, rows.new.extents, cols.extents)
            new = new + weighted_sum(cost, c.counts, rows.new.counts, cols.counts)
            cost = self._window_bits(part, c.extents, rows.whole.extents, cols.extents)
            whole = whole + weighted_sum(cost, c.counts, rows.whole.counts, cols.counts)
        return new, whole

    @cached_property
    def _range_bytes(self) -> tuple[Ints, Ints]:
        """[n_sets] bytes of one pixel, over all parts: of the widest range, and of all ranges."""
        total = np.zeros(len(self.channels.range_start), np.int64)
        for part, _, extents in self._part_channels():
            total += extents * bits_to_bytes(part.bits)
        first = np.flatnonzero(np.diff(self.channels.range_of_set, prepend=-1))
        return np.maximum.reduceat(total, first), np.add.reduceat(total, first)

    @property
    def _place_size(self) -> int:
        return self._parts[0].rows * self._parts[0].cols

    def _part_channels(self) -> list[tuple[StoredMap, Block | None, Ints]]:
        """Each part of each input with the channels of it, in whole blocks, of each range."""
        found = []
        for parts in self.stage.inputs:
            offset = 0
            for part in parts:
                block = self._block(part)
                depth = block[0] if block else 1
                start = np.maximum(self.channels.range_start - offset, 0)
                stop = np.minimum(self.channels.range_stop - offset, part.channels)
                aligned = np.minimum(-(-stop // depth) * depth, part.channels)
                extents = np.where(stop > start, aligned - start // depth * depth, 0)
                found.append((part, block, extents))
                offset += part.channels
        return found

    @property
    def _n_sets(self) -> int:
        return int(self.channels.range_of_set[-1]) + 1

    @cached_property
    def _buffer_rows(self) -> Reads:
        """Windows in the buffer: parts with unequal blocks count with the largest."""
        return reads(self._row_axis, self.row_extents, self._coarsest(1))

    @cached_property
    def _buffer_cols(self) -> Reads:
        return reads(self._col_axis, self.col_extents, self._coarsest(2))

    def _coarsest(self, i: int) -> int:
        return max(b[i] if b else 1 for b in map(self._block, self._parts))

    def _block(self, stored: StoredMap) -> Block | None:
        return self._sizes.maps[stored.name].block

    def _window_bits(self, stored: StoredMap, c: Ints, r: Ints, q: Ints) -> Floats:
        size = self._sizes.maps[stored.name]
        return window_bits(stored, size, self._sizes.line_bytes, c, r, q)


def _column(values: NDArray[Any]) -> NDArray[Any]:
    return values[:, None, None]
