"""Poolings and additions in the drain path or on their own: whichever moves less."""

import random
from collections.abc import Sequence
from typing import Any

import pytest

from accelsim import read_hardware
from accelsim.errors import MappingError
from accelsim.hardware.chip import Chip
from accelsim.mapping.stages.form import stages, storable_maps, stored_maps
from accelsim.mapping.stages.stage import Stage
from accelsim.mapping.tiling import fuse
from accelsim.mapping.tiling.fuse import Plans, plan_graph
from accelsim.mapping.tiling.plan import plan
from accelsim.mapping.tiling.sizes import Sizes
from accelsim.workload.graph import Graph
from accelsim.workload.layer import Add, Concat, Conv, Layer, Pool, Window
from tests.mapping.test_lower import graph_of

SUM = frozenset({"sum"})


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


def best_plan(graph: Graph, on: Chip) -> Plans:
    return plan_graph(graph, on, Sizes.raw(storable_maps(graph), 16, 16))


def traffic_bytes(plans: Plans) -> int:
    return sum(p.tiling.traffic_bytes for p in plans)


def test_with_room_the_pooling_joins_its_convolution() -> None:
    plans = best_plan(classifier(), chip(96))
    assert [p.stage.name for p in plans] == ["conv"]


def test_where_the_input_would_be_read_again_and_again_the_map_is_stored() -> None:
    plans = best_plan(classifier(), chip(16))
    assert [p.stage.name for p in plans] == ["conv", "mean"]
    assert traffic_bytes(plans) < traffic_bytes(raw_plan(stages(classifier()), chip(16)))


def test_what_fits_only_apart_is_planned_apart() -> None:
    """Weight stationary sums lie in the ofmap buffer: 13 x 13 x 4 bytes, twice, exceed 1 KiB."""
    small = chip(16, "array.dataflow=weight_stationary", "buffers.ofmap_kib=1")
    with pytest.raises(MappingError, match="ofmap"):
        raw_plan(stages(classifier()), small)
    plans = best_plan(classifier(), small)
    assert [p.stage.name for p in plans] == ["conv", "mean"]


def residual(channels: int = 256, out: int = 256, mean: bool = False) -> Graph:
    """A 1x1 convolution around which the map goes, perhaps with the average of the sums."""
    layers: list[Layer] = [
        Conv("conv", "x", "conv", channels, out, Window((1, 1))),
        Conv("side", "x", "side", channels, out, Window((1, 1))),
        Add("sum", ("conv", "side"), "sum"),
    ]
    layers += [Pool("mean", "sum", "mean", Window((13, 13)), "avg")] if mean else []
    return graph_of(layers, channels, 13, 13)


def test_with_room_addition_and_pooling_join_their_convolution() -> None:
    plans = best_plan(residual(mean=True), chip(128))
    assert [(p.stage.name, p.stage.fusions) for p in plans] == [
        ("conv", ()), ("side", ("sum", "mean")),
    ]  # fmt: skip


def test_an_addition_saves_the_map_before_it_twice() -> None:
    """Written by the convolution, and read by the addition."""
    on, graph = chip(128), residual()
    fused = best_plan(graph, on)
    apart = raw_plan(stages(graph, SUM), on)
    assert traffic_bytes(apart) - traffic_bytes(fused) == 2 * 256 * 13 * 13


def test_an_addition_whose_tiles_leave_no_room_for_the_windows_is_done_apart() -> None:
    """Two tiles of the shortcut in 4 KiB: many small tiles, each with all weights again."""
    on = chip(16, "buffers.ifmap_kib=4", "buffers.ofmap_kib=64")
    plans = best_plan(residual(), on)
    assert [p.stage.name for p in plans] == ["conv", "side", "sum"]
    assert traffic_bytes(plans) < traffic_bytes(raw_plan(stages(residual()), on))


def test_only_what_does_not_fit_is_given_up_and_the_pooling_first() -> None:
    """Weight stationary: the pooling needs 13 x 13 sums of 4 bytes twice, the addition a row."""
    small = chip(16, "array.dataflow=weight_stationary", "buffers.ofmap_kib=1")
    graph = residual(mean=True)
    with pytest.raises(MappingError, match="run 'mean' on the vector unit"):
        raw_plan(stages(graph), small)
    plans = best_plan(graph, small)
    assert [(p.stage.name, p.stage.fusions) for p in plans] == [
        ("conv", ()), ("side", ("sum",)), ("mean", ()),
    ]  # fmt: skip


def test_a_stage_that_does_not_fit_leaves_the_others_fused() -> None:
    small = chip(16, "array.dataflow=weight_stationary", "buffers.ofmap_kib=1")
    layers: list[Layer] = [
        Conv("first", "x", "first", 64, 64, Window((1, 1))),
        Add("early", ("x", "first"), "early"),
        Conv("last", "early", "last", 64, 64, Window((1, 1))),
        Pool("mean", "last", "mean", Window((13, 13)), "avg"),
    ]
    plans = best_plan(graph_of(layers, 64, 13, 13), small)
    assert [(p.stage.name, p.stage.fusions) for p in plans] == [
        ("first", ("early",)), ("last", ()), ("mean", ()),
    ]  # fmt: skip


def test_every_stage_is_planned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    planned: list[Stage] = []

    def counted(work: Sequence[Stage], *rest: Any) -> Plans:
        planned.extend(work)
        return plan(work, *rest)

    monkeypatch.setattr(fuse, "plan", counted)
    plans = best_plan(classifier(), chip(16))
    assert [p.stage.name for p in plans] == ["conv", "mean"]
    assert len(planned) == len(set(planned)) == 3, "fused, and both apart"


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_fused_only_storable_maps_are_stored(seed: int) -> None:
    rng = random.Random(seed)
    layers: list[Layer] = [
        Conv("a", "x", "a", 8, 8, Window((1, 1))),
        Conv("b", "x", "b", 8, 8, Window((1, 1))),
        Concat("ab", ("a", "b"), "ab"),
        Pool("pool", "ab", "pool", Window((2, 2), (2, 2)), "max"),
        Conv("c", "pool", "c", 16, 16, Window((1, 1))),
        Add("sum", ("pool", "c"), "sum"),
        Pool("mean", "sum", "mean", Window((2, 2)), "avg"),
    ]
    graph = graph_of(layers, 8, 4, 4)
    unfused = frozenset(name for name in ("pool", "sum", "mean") if rng.random() < 0.5)
    assert set(stored_maps(stages(graph, unfused))) <= set(storable_maps(graph))
