"""A stage as its plan cuts it, for all images: passes, their work, weights, and buffer space."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from accelsim.array.dataflow import DATAFLOWS, PassCost
from accelsim.hardware.chip import Chip
from accelsim.mapping.lowering.units import In
from accelsim.mapping.lowering.zeros import costs_of
from accelsim.mapping.measuring.operands import Operands
from accelsim.mapping.measuring.weights import tiles_of
from accelsim.mapping.placing.layout import Moves
from accelsim.mapping.placing.place import Placement
from accelsim.mapping.placing.weights import window_of
from accelsim.mapping.stages.stage import StagePlan
from accelsim.mapping.tiling.fetch import Fetches, KeptWindows, fetches, kept_windows
from accelsim.mapping.tiling.passes import passes
from accelsim.mapping.tiling.plan import psum_bytes_per_value, vector_operations
from accelsim.mapping.windows.window import Block, Ints, n_values
from accelsim.program.table import Kind
from accelsim.units import bits_to_bytes, ceil_div
from accelsim.workload.layer import Conv


class Held(NamedTuple):
    """Bytes of buffers that COMPUTE rows take or give: each [n]."""

    step: Ints
    """The pass."""
    pool: Ints
    n_bytes: Ints


class PlannedStage:
    """What the rows of a stage are made of. Columns are [n_passes]."""

    def __init__(self, plan: StagePlan, chip: Chip, placement: Placement) -> None:
        """Takes a place for the weights, if the stage has any."""
        self.stage, self.tiling, self.kept = plan.stage, plan.tiling, plan.on_chip
        layer, self.passes = plan.stage.layer, passes(plan.stage, plan.tiling)
        (self.last,) = np.nonzero(self.passes.last)
        """The passes that finish a tile."""
        self.tiles = self.passes.output[self.last]
        self.psum_bytes = psum_bytes_per_value(plan, chip)
        self._array = chip.array
        self._fetches: dict[tuple[Block | None, ...], Fetches] = {}
        self.cost: PassCost[Ints] | None = None
        """Of the passes on the array, every product made; None on the vector unit."""
        self.weights: Moves | None = None
        """What the passes ``weight_loads`` load."""
        self.operations = np.zeros(0, np.int64)
        """Of the passes on the vector unit."""
        (self.weight_loads,) = np.nonzero(self.passes.loads_weights)
        if isinstance(layer, Conv):
            n_weights = self.passes.parts.n_weights
            layout = placement.weights(layer.name, n_weights, layer.weight_bits)
            tiles = window_of(self.passes.part[self.weight_loads])
            self.weights = layout.reads(tiles, tiles)
            found = DATAFLOWS[chip.array.dataflow].cost(self.passes.of(layer), chip.array)
            columns = np.empty((len(PassCost.__slots__), self.n_passes), np.int64)
            for column, name in zip(columns, PassCost.__slots__, strict=True):
                column[:] = getattr(found, name)
            self.cost = PassCost(*columns)
            self.kind, self.cycles = Kind.COMPUTE, self.cost.cycles
        else:
            self.operations = vector_operations(layer, n_values(self.passes.output))
            self.kind, self.cycles = Kind.VECTOR, ceil_div(self.operations, chip.vector.lanes)

    @property
    def n_passes(self) -> int:
        return self.passes.n_passes

    def cost_with(self, operands: Operands | None, image: int) -> PassCost[Ints] | None:
        """``cost`` for one image where the array leaves out products of zeros among ``operands``;
        None: it makes every product."""
        layer = self.stage.layer
        if operands is None or not isinstance(layer, Conv):
            return self.cost
        tiles = tiles_of(self.stage, self.tiling)
        return costs_of(layer, self.passes, tiles, operands.of(layer, image), self._array)

    def fetches(self, placement: Placement) -> Fetches:
        """What its passes bring of the maps as they are placed."""
        blocks = {part: placement[part].layout.block for part in self.stage.reads}
        key = tuple(blocks.values())
        if key not in self._fetches:
            self._fetches[key] = fetches(self.stage, self.passes, blocks.__getitem__, self.kept)
        return self._fetches[key]

    @property
    def keeps_output(self) -> bool:
        """Whether the map that it makes stays on the chip."""
        return self.stage.output in self.kept

    @property
    def kept_drain_bytes(self) -> int:
        """Bytes of sums that the drain path reads to make a map that stays on the chip: where they
        are wide, or something is added, scaled or pooled. Others are made in their place."""
        stage = self.stage
        finished = bits_to_bytes(stage.output.bits)
        if not stage.fusions and self.psum_bytes == finished:
            return 0
        return int(n_values(self.passes.computed[self.last]).sum()) * self.psum_bytes

    @property
    def kept_windows(self) -> tuple[KeptWindows, ...]:
        """What its passes read of maps that stay on the chip."""
        return tuple(kept_windows(self.stage, self.passes, self.kept))

    def takes(self) -> Held:
        """A tile of the ofmap buffer with its first pass; rows that pooling keeps with that of
        all."""
        (first,) = np.nonzero(self.passes.first)
        n_bytes = np.full(len(first), self.tiling.ofmap_tile_bytes)
        n_bytes[0] += self.tiling.line_buffer_bytes
        return Held(first, np.full(len(first), In.OFMAP), n_bytes)

    def gives(self, found: Fetches) -> Held:
        """What is given back with the last pass that uses it. A tile of the ofmap buffer is only
        among it where the map stays on the chip: otherwise its WRITE gives it back."""
        tiling = self.tiling
        (loads,) = np.nonzero(self.passes.loads_ifmap)
        new, window = found.new_bytes[loads], found.window_bytes[loads]
        kept = np.append((window - new)[1:], 0)  # what the next window uses again
        unused = new if tiling.ifmap_resident else window - kept
        added = self.last if self.stage.shortcut else self.last[:0]
        drained = self.last if self.keeps_output else self.last[:0]
        weight_bytes = self.weights.counts.needed_bytes if self.weights else self.last[:0]
        parts = (
            (self._last_users(loads, tiling.ifmap_resident), In.IFMAP, unused),
            (added, In.IFMAP, found.shortcut_bytes[added]),
            (self._last_users(self.weight_loads, tiling.weights_resident), In.WEIGHT, weight_bytes),
            (np.array([self.n_passes - 1]), In.OFMAP, np.array([tiling.line_buffer_bytes])),
            (drained, In.OFMAP, np.full(len(drained), tiling.ofmap_tile_bytes)),
        )
        pools = np.repeat([pool for _, pool, _ in parts], [len(step) for step, *_ in parts])
        steps, n_bytes = (np.concatenate([part[i] for part in parts]) for i in (0, 2))
        return Held(steps, pools, n_bytes)

    def _last_users(self, loads: Ints, resident: bool) -> Ints:
        """[n_loads] the last pass that uses what each of ``loads`` brings: that before the next
        load, or the last of all."""
        if resident or not len(loads):
            return np.full(len(loads), self.n_passes - 1)
        return np.append(loads[1:] - 1, self.n_passes - 1)
