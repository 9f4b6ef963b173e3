"""Stages by hand: what is fused, what vanishes, and which parts a consumer reads."""

from __future__ import annotations

from accelsim.mapping.stages import stages, stored_maps
from accelsim.workload.graph import Edge
from accelsim.workload.layer import Add, Concat, Conv, Pool
from tests.mapping.small_stages import graph_of, square

X = Edge("x", 3, 12, 12)


def conv(name: str, source: str, channels: int, out: int) -> Conv:
    return Conv(name, source, f"{name}_map", channels, out, square(1))


def test_a_pooling_joins_the_convolution_that_only_it_reads() -> None:
    graph = graph_of([conv("a", "x", 3, 8), Pool("p", "a_map", "y", square(3, 2))], [X])
    (stage,) = stages(graph)
    assert (stage.name, stage.fused_pool) == ("a", graph.layers[1])
    assert (stage.conv_size, stage.output.edge) == ((12, 12), "y")
    assert (stage.output.rows, stage.output.cols, stage.output.channels) == (5, 5, 8)


def test_a_pooling_stays_alone_when_asked_or_when_others_read_the_map() -> None:
    layers = [conv("a", "x", 3, 8), Pool("p", "a_map", "y", square(2, 2))]
    alone = stages(graph_of(layers, [X]), frozenset({"p"}))
    assert [s.name for s in alone] == ["a", "p"]
    assert alone[1].inputs == ((alone[0].output,),)
    shared = stages(graph_of([*layers, conv("b", "a_map", 8, 2)], [X]))
    assert [(s.name, s.fused_pool) for s in shared] == [("a", None), ("p", None), ("b", None)]
    kept = graph_of(layers, [X], outputs=("a_map", "y"))
    assert [s.name for s in stages(kept)] == ["a", "p"]


def test_a_pooling_of_the_network_input_or_of_a_sum_is_a_stage() -> None:
    graph = graph_of(
        [
            Pool("p", "x", "px", square(2, 2)),
            conv("a", "px", 3, 3),
            Add("s", ("px", "a_map"), "sum"),
            Pool("q", "sum", "y", square(6)),
        ],
        [X],
    )
    found = stages(graph, frozenset({"s"}))
    assert [s.name for s in found] == ["p", "a", "s", "q"]
    assert [[p.edge for p in s.reads] for s in found] == [["x"], ["px"], ["px", "a_map"], ["sum"]]


def test_consumers_of_a_concatenation_read_its_parts_where_they_lie() -> None:
    graph = graph_of(
        [
            conv("a", "x", 3, 8),
            conv("b", "x", 3, 4),
            Concat("cat", ("b_map", "a_map"), "both"),
            conv("c", "both", 12, 2),
        ],
        [X],
    )
    a, b, c = stages(graph)
    assert c.inputs == ((b.output, a.output),)
    assert stored_maps((a, b, c)) == (a.inputs[0][0], a.output, b.output, c.output)


def test_a_pooling_behind_a_private_concatenation_is_done_by_every_producer() -> None:
    graph = graph_of(
        [
            conv("a", "x", 3, 8),
            conv("b", "x", 3, 4),
            Concat("cat", ("b_map", "a_map"), "both"),
            Pool("p", "both", "y", square(3, 2)),
            conv("c", "y", 12, 2),
        ],
        [X],
    )
    a, b, c = stages(graph)
    assert a.fused_pool == b.fused_pool == graph.layers[3]
    assert (b.output.name, a.output.name) == ("y[0:4]", "y[4:12]")
    # Execution order is a, b; the consumer still sees channels in order.
    assert c.inputs == ((b.output, a.output),)
    apart = stages(graph, frozenset({"p"}))
    assert [s.name for s in apart] == ["a", "b", "p", "c"]
    assert [m.name for m in apart[2].inputs[0]] == ["b_map[0:4]", "a_map[0:8]"]


def test_a_pooling_behind_a_concatenation_with_a_shared_part_is_not_fused() -> None:
    layers = [
        conv("a", "x", 3, 8),
        conv("b", "a_map", 8, 4),
        Concat("cat", ("a_map", "b_map"), "both"),
        Pool("p", "both", "y", square(2, 2)),
    ]
    assert [s.name for s in stages(graph_of(layers, [X]))] == ["a", "b", "p"]


def test_concatenations_of_concatenations_vanish_too() -> None:
    graph = graph_of(
        [
            conv("a", "x", 3, 1),
            conv("b", "x", 3, 2),
            conv("c", "x", 3, 4),
            Concat("inner", ("a_map", "b_map"), "ab"),
            Concat("outer", ("ab", "c_map"), "abc"),
            Pool("p", "abc", "y", square(2, 2)),
        ],
        [X],
    )
    assert [s.output.name for s in stages(graph)] == ["y[0:1]", "y[1:3]", "y[3:7]"]
    apart = stages(graph, frozenset({"p"}))
    assert [m.edge for m in apart[-1].inputs[0]] == ["a_map", "b_map", "c_map"]
