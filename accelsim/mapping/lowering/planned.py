"""A stage as its plan cuts it, for all images: passes, their work, and the place of weights."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from accelsim.hardware.chip import Chip
from accelsim.mapping.dataflow import DATAFLOWS, PassCost
from accelsim.mapping.placing.place import Placement
from accelsim.mapping.placing.weights import WeightTiles
from accelsim.mapping.stages.stage import StagePlan
from accelsim.mapping.tiling.fetch import Fetches, fetches
from accelsim.mapping.tiling.passes import passes
from accelsim.mapping.tiling.plan import psum_bytes_per_value, vector_operations
from accelsim.mapping.windows.window import Block, Ints, n_values
from accelsim.program.table import Kind
from accelsim.units import ceil_div
from accelsim.workload.layer import Conv


class PlannedStage:
    """What the rows of a stage are made of. Columns are [n_passes]."""

    def __init__(self, plan: StagePlan, chip: Chip, placement: Placement) -> None:
        """Takes a place for the weights, if the stage has any."""
        self.stage, self.tiling = plan.stage, plan.tiling
        layer, self.passes = plan.stage.layer, passes(plan.stage, plan.tiling)
        self.tiles = self.passes.output[self.passes.last]
        self.psum_bytes = psum_bytes_per_value(plan, chip)
        self._fetches: dict[tuple[Block | None, ...], Fetches] = {}
        self.cost: PassCost[Ints] | None = None
        """Of the passes on the array; None on the vector unit."""
        self.weights: WeightTiles | None = None
        self.operations = np.zeros(0, np.int64)
        """Of the passes on the vector unit."""
        if isinstance(layer, Conv):
            n_weights = self.passes.parts.n_weights
            self.weights = placement.weights(layer.name, n_weights, layer.weight_bits)
            found = DATAFLOWS[chip.array.dataflow].cost(self.passes.of(layer), chip.array)
            self.cost = PassCost(
                *(np.broadcast_to(getattr(found, f.name), self.n_passes) for f in fields(found))
            )
            self.kind, self.cycles = Kind.COMPUTE, self.cost.cycles
        else:
            self.operations = vector_operations(layer, n_values(self.passes.output))
            self.kind, self.cycles = Kind.VECTOR, ceil_div(self.operations, chip.vector.lanes)

    @property
    def n_passes(self) -> int:
        return self.passes.n_passes

    def fetches(self, placement: Placement) -> Fetches:
        """What its passes bring of the maps as they are placed."""
        blocks = {part: placement[part].layout.block for part in self.stage.reads}
        key = tuple(blocks.values())
        if key not in self._fetches:
            self._fetches[key] = fetches(self.stage, self.passes, blocks.__getitem__)
        return self._fetches[key]
