"""All candidate tilings of one stage at once: the cost of each in each loop order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from accelsim.array.dataflow import DATAFLOWS, ConvPass
from accelsim.dram.reach import reachable_gb_s
from accelsim.hardware.chip import Chip
from accelsim.mapping.stages.stage import Stage
from accelsim.mapping.tiling.cuts import StageCuts, per_pair
from accelsim.mapping.tiling.needs import BufferNeeds
from accelsim.mapping.tiling.sizes import Sizes
from accelsim.mapping.tiling.traffic import ModelledTraffic
from accelsim.mapping.windows.occurrences import Floats, Ints, weighted_sum
from accelsim.units import FS_PER_S
from accelsim.workload.layer import Conv


@dataclass(frozen=True)
class Variant:
    """One loop order with its resident operands, over all cuts. Arrays broadcast to them."""

    order: str
    ifmap_resident: bool
    weights_resident: bool
    ifmap_bits: Floats
    """Modelled DRAM traffic of the operand."""
    weight_bits: Floats
    drain_bits: Floats
    """The output, and the shortcut."""
    ifmap_need_bytes: Floats
    """Buffer space, double buffering included."""
    weight_need_bytes: Floats
    ofmap_need_bytes: Floats


class StageSearch:
    """The candidates of ``stage`` on ``chip``."""

    def __init__(self, stage: Stage, chip: Chip, sizes: Sizes) -> None:
        self._chip = chip
        self.cuts = StageCuts(stage, chip, sizes)
        self.traffic = ModelledTraffic(self.cuts)
        self.needs = BufferNeeds(self.cuts, chip.array)

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        """Both loop orders, each without residents and with the operand that it would reread."""
        orders = [("weights_outer", False, False), ("weights_outer", True, False)]
        if isinstance(self.cuts.stage.layer, Conv):
            orders += [("ifmap_outer", False, False), ("ifmap_outer", False, True)]
        return tuple(
            Variant(
                order=order,
                ifmap_resident=ifmap_resident,
                weights_resident=weights_resident,
                ifmap_bits=self.traffic.ifmap_bits(order, ifmap_resident),
                weight_bits=self.traffic.weight_bits(order, weights_resident),
                drain_bits=self.traffic.drain_bits(order),
                ifmap_need_bytes=self.needs.ifmap_bytes(order, ifmap_resident),
                weight_need_bytes=self.needs.weight_bytes(weights_resident),
                ofmap_need_bytes=self.needs.ofmap_bytes(order),
            )
            for order, ifmap_resident, weights_resident in orders
        )

    def traffic_bits(self, variant: Variant) -> Floats:
        """All operands and tables, for every cut."""
        operands = variant.ifmap_bits + variant.weight_bits + variant.drain_bits
        return np.broadcast_to(operands + self.traffic.codec_table_bits, self.cuts.shape)

    def stream_bits(self, variant: Variant) -> Floats:
        """The larger of both operands, which one DMA engine reads each, for every cut."""
        return np.broadcast_to(np.maximum(variant.ifmap_bits, variant.weight_bits), self.cuts.shape)

    def time_cycles(
        self, traffic_bits: Floats, stream_bits: Floats, where: tuple[Ints, Ints, Ints]
    ) -> Floats:
        """[n] modelled core cycles of the cuts ``where`` (pairs, rows, columns, each [n]).

        The longest of the array's cycles, the DRAM time of all bytes at peak bandwidth, and that of
        one operand at the bandwidth that its engine reaches; plus the time that none of them
        hides, tile by tile at the bandwidth that an engine reaches.
        """
        axes = [np.unique(i, return_inverse=True) for i in where]
        table = self.compute_cycles(*(distinct for distinct, _ in axes))
        compute = table[tuple(which for _, which in axes)]
        port = self._chip.dram
        reached = self._bits_per_cycle(
            reachable_gb_s(port.config, port.outstanding_reads, port.policy)
        )
        moving = np.maximum(self.bus_cycles(traffic_bits), stream_bits / reached)
        time: Floats = np.maximum(compute, moving) + self.traffic.exposed_bits(*where) / reached
        return time

    def bus_cycles(self, bits: Floats) -> Floats:
        """Core cycles that so many bits take on the memory's bus at peak bandwidth."""
        cycles: Floats = bits / self._bits_per_cycle(self._chip.dram.config.peak_gb_s)
        return cycles

    def compute_cycles(self, pairs: Ints, rows: Ints, cols: Ints) -> Floats:
        """[len(pairs), len(rows), len(cols)] cycles of the array for all these cuts."""
        cuts, array, layer = self.cuts, self._chip.array, self.cuts.stage.layer
        if not isinstance(layer, Conv):
            return np.zeros((len(pairs), len(rows), len(cols)))
        *sizes, counts = cuts.pass_sizes
        occur = counts[pairs].any(axis=0)
        row_tiles, col_tiles = cuts.rows.computed, cuts.cols.computed
        out_channels, in_channels, kernel_rows, kernel_cols, groups, accumulate = (
            per_pair(size[occur]) for size in sizes
        )
        work = ConvPass(
            row_tiles.extents[:, None],
            col_tiles.extents,
            out_channels,
            in_channels,
            kernel_rows,
            kernel_cols,
            groups,
            accumulate,
            layer.window.stride,
            layer.window.dilation,
        )
        cycles = DATAFLOWS[array.dataflow].cost(work, array).cycles
        shape = occur.sum(), len(row_tiles.extents), len(col_tiles.extents)
        return weighted_sum(
            np.broadcast_to(cycles, shape).astype(np.float64),
            counts[pairs][:, occur],
            row_tiles.counts[rows],
            col_tiles.counts[cols],
        )

    def _bits_per_cycle(self, gb_s: float) -> float:
        """Per core clock cycle."""
        return gb_s * 8e9 * self._chip.core.period_fs / FS_PER_S
