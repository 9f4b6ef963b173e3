"""Pooling in the drain path or on its own: whichever moves less."""

import pytest

from accelsim import read_hardware
from accelsim.errors import MappingError
from accelsim.hardware.chip import Chip
from accelsim.mapping.fuse import Plans, plan_fusions
from accelsim.mapping.plan import plan
from accelsim.mapping.sizes import Sizes
from accelsim.mapping.stage import Stage
from accelsim.mapping.stages import stages, stored_maps
from accelsim.workload.graph import Graph
from accelsim.workload.layer import Conv, Pool, Window
from tests.mapping.test_lower import graph_of


def classifier() -> Graph:
    """A wide 1x1 convolution and the average over its whole map, as SqueezeNet ends."""
    return graph_of(
        [
            Conv("conv", "x", "conv", 256, 500, Window((1, 1))),
            Pool("mean", "conv", "mean", Window((13, 13)), "avg"),
        ],
        256,
        13,
        13,
    )


def chip(kib: int, *settings: str) -> Chip:
    sizes = [f"buffers.{name}_kib={kib}" for name in ("ifmap", "weight", "ofmap")]
    return read_hardware("edge_npu", [*sizes, *settings])


def raw_plan(work: tuple[Stage, ...], on: Chip) -> Plans:
    return plan(work, on, Sizes.raw(stored_maps(work), 16, 16))


def traffic_bytes(plans: Plans) -> int:
    return sum(p.tiling.traffic_bytes for p in plans)


def test_with_room_the_pooling_joins_its_convolution() -> None:
    plans = plan_fusions(classifier(), lambda work: raw_plan(work, chip(96)))
    assert [p.stage.name for p in plans] == ["conv"]


def test_where_the_input_would_be_read_again_and_again_the_map_is_stored() -> None:
    plans = plan_fusions(classifier(), lambda work: raw_plan(work, chip(16)))
    assert [p.stage.name for p in plans] == ["conv", "mean"]
    assert traffic_bytes(plans) < traffic_bytes(raw_plan(stages(classifier()), chip(16)))


def test_what_fits_only_apart_is_planned_apart() -> None:
    """Weight stationary sums lie in the ofmap buffer: 13 x 13 x 4 bytes, twice, exceed 1 KiB."""
    small = chip(16, "array.dataflow=weight_stationary", "buffers.ofmap_kib=1")
    with pytest.raises(MappingError, match="ofmap"):
        raw_plan(stages(classifier()), small)
    plans = plan_fusions(classifier(), lambda work: raw_plan(work, small))
    assert [p.stage.name for p in plans] == ["conv", "mean"]
