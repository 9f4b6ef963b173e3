"""Batch normalisation that no convolution took in: where it is done, and what it costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from accelsim import read_hardware
from accelsim.mapping.lowering.lower import lower
from accelsim.mapping.stages.form import stages, stored_maps
from accelsim.mapping.stages.stage import Stage
from accelsim.mapping.tiling.plan import plan
from accelsim.mapping.tiling.sizes import Sizes
from accelsim.program.table import Kind, Program
from accelsim.workload.graph import Edge, Graph
from accelsim.workload.layer import Add, Concat, Conv, Layer, Pool, Scale, Window
from tests.mapping.small_stages import graph_of, square

ONE = Window((1, 1))


def norm(name: str, source: str, channels: int) -> Conv:
    """Batch normalisation and ReLU as graphs hold them."""
    return Conv(name, source, name, channels, channels, ONE, groups=channels, activation="relu")


def dense() -> Graph:
    """A layer of a DenseNet: the norm of a stacked map, which the next layer stacks, too."""
    layers: list[Layer] = [
        Conv("a", "x", "a", 32, 16, square(3, 1, 1)),
        Concat("both", ("x", "a"), "both"),
        norm("norm", "both", 48),
        Conv("b", "norm", "b", 48, 16, ONE),
        Concat("all", ("both", "b"), "all"),
    ]
    return graph_of(layers, [Edge("x", 32, 14, 14)])


def by_name(graph: Graph, *unfused: str) -> dict[str, Stage]:
    return {s.name: s for s in stages(graph, frozenset(unfused))}


def program_of(graph: Graph, *unfused: str) -> Program:
    work = stages(graph, frozenset(unfused))
    chip = read_hardware("edge_npu", ["dram.policy=ideal", "codec.name=raw"])
    plans = plan(work, chip, Sizes.raw(stored_maps(work), 16, 16), chip.mapping.objective)
    return lower(plans, [{}], chip)


def test_a_convolution_with_one_weight_to_a_channel_is_a_scale() -> None:
    found = norm("n", "x", 8)
    assert found.scale == Scale("n", "x", "n", "relu") and found.kind == "scale"
    assert graph_of([found], [Edge("x", 8, 3, 3)]).macs(found) == 0
    for other in (
        replace(found, groups=1),
        replace(found, out_channels=16),
        replace(found, window=square(1, 2)),
        replace(found, window=square(3, 1, 1)),
        replace(found, fully_connected=True),
    ):
        assert other.scale is None


def test_one_reader_scales_what_it_reads() -> None:
    found = by_name(dense())
    assert list(found) == ["a", "b"]
    assert found["b"].read_scale == Scale("norm", "both", "norm", "relu")
    assert [part.edge for part in found["b"].reads] == ["x", "a"]
    assert found["b"].fusions == ("norm",)


def test_the_array_works_on_the_scaled_word() -> None:
    edges = tuple(replace(e, bits=5) if e.name == "norm" else e for e in dense().edges)
    found = by_name(replace(dense(), edges=edges))
    assert (found["a"].value_bits, found["b"].value_bits) == (8, 5)


def test_a_pooling_scales_what_it_reads() -> None:
    layers = [Pool("m", "x", "m", square(2, 2)), norm("n", "m", 4), Pool("p", "n", "p", square(2))]
    found = by_name(graph_of(layers, [Edge("x", 4, 9, 9)]))
    assert list(found) == ["m", "p"] and found["p"].read_scale is not None


def test_the_drain_path_scales_what_nobody_else_reads_and_pools_behind() -> None:
    layers: list[Layer] = [
        Conv("c", "x", "c", 8, 8, ONE, activation="relu"),
        norm("n", "c", 8),
        Pool("p", "n", "p", square(2, 2)),
    ]
    (stage,) = stages(graph_of(layers, [Edge("x", 8, 8, 8)]))
    assert stage.fusions == ("n", "p") and stage.output.edge == "p"
    assert stage.fused_scale == Scale("n", "c", "n", "relu") and stage.read_scale is None


def test_it_follows_an_addition_in_the_drain_path() -> None:
    layers: list[Layer] = [
        Conv("c", "x", "c", 8, 8, ONE), Add("s", ("x", "c"), "s"), norm("n", "s", 8),
    ]  # fmt: skip
    (stage,) = stages(graph_of(layers, [Edge("x", 8, 8, 8)]))
    assert stage.fusions == ("s", "n") and stage.output.edge == "n"


@pytest.mark.parametrize("why", ["two readers", "output", "sum", "stacked", "width", "asked"])
def test_otherwise_the_vector_unit_scales(why: str) -> None:
    readers: list[Layer] = [Conv("r", "n", "r", 8, 8, ONE)]
    outputs: tuple[str, ...] = ("r",)
    match why:
        case "two readers":
            readers.append(Conv("r2", "n", "r2", 8, 8, ONE))
        case "output":
            outputs = ("r", "n")
        case "sum":
            readers = [Add("r", ("n", "x"), "r")]
        case "stacked":
            readers = [Concat("r", ("n", "x"), "r")]
    graph = graph_of([norm("n", "x", 8), *readers], [Edge("x", 8, 5, 5)], outputs)
    if why == "width":  # the buffer would have to hold wider values than come from memory
        edges = tuple(replace(e, bits=16) if e.name == "x" else e for e in graph.edges)
        graph = replace(graph, edges=edges)
    unfused = ("n",) if why == "asked" else ()
    found = by_name(graph, *unfused)
    assert found["n"].layer == Scale("n", "x", "n", "relu")
    assert all(stage.read_scale is None for stage in found.values())


def moved(program: Program) -> list[tuple[int, int]]:
    return [
        (sum(b.read_bytes for b in s.bytes_by_tensor.values()),
         sum(b.written_bytes for b in s.bytes_by_tensor.values()))
        for s in program.stages
    ]  # fmt: skip


def test_a_scale_in_the_read_path_moves_nothing_and_takes_no_cycle_of_the_array() -> None:
    with_norm = program_of(dense())
    layers = tuple(x for x in dense().layers if x.name != "norm")
    layers = tuple(replace(x, input="both") if x.name == "b" else x for x in layers)
    edges = tuple(e for e in dense().edges if e.name != "norm")
    without = program_of(replace(dense(), layers=layers, edges=edges))
    assert moved(with_norm) == moved(without)
    assert with_norm.rows.cycles.tolist() == without.rows.cycles.tolist()
    # 48 x 14 x 14 values are read once, and scaled once: one operation each.
    assert [s.vector_values for s in with_norm.stages] == [0, 48 * 14 * 14]
    assert [s.macs for s in with_norm.stages] == [s.macs for s in without.stages]


def test_apart_the_vector_unit_reads_scales_and_writes_every_value() -> None:
    program = program_of(dense(), "norm")
    values = 48 * 14 * 14
    assert moved(program)[1] == (values, values)
    assert (program.stages[1].vector_values, program.stages[1].macs) == (values, 0)
    assert program.stages[1].kind == "scale"
    vector = program.rows.kind == Kind.VECTOR
    lanes = 16
    assert program.rows.cycles[vector].sum() == values // lanes
    assert set(program.rows.stage[vector]) == {1}


def test_the_drain_path_scales_every_value_that_the_array_makes() -> None:
    layers: list[Layer] = [Conv("c", "x", "c", 16, 16, ONE, activation="relu"), norm("n", "c", 16)]
    program = program_of(graph_of(layers, [Edge("x", 16, 8, 8)]))
    assert len(program.stages) == 1 and program.stages[0].vector_values == 16 * 64
    assert moved(program) == [(16 * 64 + 256, 16 * 64)]
    assert np.count_nonzero(program.rows.kind == Kind.VECTOR) == 0
