"""Which poolings join the drain path: all, but those that make their convolution read again.

A fused pooling needs whole windows of sums on chip. With small buffers (or a global
average over a large map) the convolution must then be cut into many channel tiles, and
reads its input once for each. Storing the unpooled map can be cheaper. So where a fused
stage moves more than the raw size of its tensors, the plan without that fusion is made as
well, and the one with less modelled traffic is taken.
"""

from __future__ import annotations

from collections.abc import Callable

from accelsim.errors import MappingError
from accelsim.mapping.stage import Stage, StagePlan
from accelsim.mapping.stages import stages
from accelsim.units import bits_to_bytes
from accelsim.workload.graph import Graph
from accelsim.workload.layer import Conv

Plans = tuple[StagePlan, ...]


def plan_poolings(graph: Graph, plan_of: Callable[[tuple[Stage, ...]], Plans]) -> Plans:
    """The plan of ``graph`` with the better choice for each pooling.

    ``plan_of`` plans given stages. Raises ``MappingError`` when a stage fits in no way.
    """
    unfused, best = frozenset[str](), _first_plan(graph, plan_of)
    for pool in _doubtful(best):
        without = plan_of(stages(graph, unfused | {pool}))
        if _traffic_bytes(without) < _traffic_bytes(best):
            unfused, best = unfused | {pool}, without
    return best


def _first_plan(graph: Graph, plan_of: Callable[[tuple[Stage, ...]], Plans]) -> Plans:
    """With every pooling fused, or with none if that does not fit."""
    fused = stages(graph)
    try:
        return plan_of(fused)
    except MappingError:
        pools = frozenset(s.fused_pool.name for s in fused if s.fused_pool)
        if not pools:
            raise
        return plan_of(stages(graph, pools))


def _doubtful(plans: Plans) -> list[str]:
    """Fused poolings whose stages move more than all their tensors, raw, once."""
    return list(
        dict.fromkeys(
            p.stage.fused_pool.name
            for p in plans
            if p.stage.fused_pool and p.tiling.traffic_bytes > _raw_bytes(p.stage)
        )
    )


def _raw_bytes(stage: Stage) -> int:
    read = sum(part.n_values * part.bits for parts in stage.inputs for part in parts)
    layer = stage.layer
    weights = layer.n_weights * layer.weight_bits if isinstance(layer, Conv) else 0
    # Half as much again for the started bursts of small windows.
    return bits_to_bytes(read + weights + stage.output.n_values * stage.output.bits) * 3 // 2


def _traffic_bytes(plans: Plans) -> int:
    return sum(p.tiling.traffic_bytes for p in plans)
