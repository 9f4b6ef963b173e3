"""Which poolings and additions are fused into the drain path: all that fit and do not cost more.

A fused pooling needs whole windows of sums on chip, a fused addition a tile of the
shortcut. With small buffers (or a global average over a large map) the convolution must
then be cut into many channel tiles, and reads its input once for each. Storing the map
between them can be cheaper. So if a fused stage moves more than the raw size of its
tensors, the plan without that fusion is made as well, and the one with less modelled
traffic is taken.
"""

from __future__ import annotations

from accelsim.errors import MappingError
from accelsim.hardware.chip import Chip
from accelsim.mapping.stages.form import stages
from accelsim.mapping.stages.stage import Stage, StagePlan
from accelsim.mapping.tiling.plan import plan
from accelsim.mapping.tiling.sizes import Sizes
from accelsim.units import bits_to_bytes
from accelsim.workload.graph import Graph
from accelsim.workload.layer import Conv

Plans = tuple[StagePlan, ...]


def plan_graph(graph: Graph, chip: Chip, sizes: Sizes) -> Plans:
    """The plan of ``graph``, with the better choice for each pooling and addition.

    ``sizes`` has every map of ``form.storable_maps``. Raises ``MappingError`` when a stage
    fits in no way.
    """
    planner = _Planner(chip, sizes)
    unfused = _too_large(graph, planner)
    best = planner.plan(stages(graph, unfused))
    for name in _doubtful(best):
        without = planner.plan(stages(graph, unfused | {name}))
        if _traffic_bytes(without) < _traffic_bytes(best):
            unfused, best = unfused | {name}, without
    return best


class _Planner:
    """Plans every stage once, however many networks it occurs in."""

    def __init__(self, chip: Chip, sizes: Sizes) -> None:
        self._chip, self._sizes = chip, sizes
        self._known = dict[Stage, StagePlan]()

    def plan(self, work: tuple[Stage, ...]) -> Plans:
        new = tuple(stage for stage in work if stage not in self._known)
        plans = plan(new, self._chip, self._sizes, self._chip.mapping.objective)
        self._known |= zip(new, plans, strict=True)
        return tuple(self._known[stage] for stage in work)

    def fits(self, stage: Stage) -> bool:
        try:
            self.plan((stage,))
        except MappingError:
            return False
        return True


def _too_large(graph: Graph, planner: _Planner) -> frozenset[str]:
    """Fusions to give up so that every stage fits; the last one of a drain path goes first."""
    unfused = frozenset[str]()
    while True:
        work = stages(graph, unfused)
        try:
            planner.plan(work)
            return unfused
        except MappingError:
            given_up = {s.fusions[-1] for s in work if s.fusions and not planner.fits(s)}
            if not given_up:
                raise
            unfused |= given_up


def _doubtful(plans: Plans) -> list[str]:
    """Fusions of stages that move more than their raw tensors would take when moved once."""
    return list(
        dict.fromkeys(
            name
            for p in plans
            if p.tiling.traffic_bytes > _raw_bytes(p.stage)
            for name in reversed(p.stage.fusions)
        )
    )


def _raw_bytes(stage: Stage) -> int:
    read = sum(part.n_values * part.bits for part in stage.reads)
    layer = stage.layer
    weights = layer.n_weights * layer.weight_bits if isinstance(layer, Conv) else 0
    # Half as much again allows for the partial bursts of small windows.
    return bits_to_bytes(read + weights + stage.output.n_values * stage.output.bits) * 3 // 2


def _traffic_bytes(plans: Plans) -> int:
    return sum(p.tiling.traffic_bytes for p in plans)
