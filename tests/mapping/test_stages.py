"""Stages by hand: what is fused, what vanishes, and which parts a consumer reads."""

from __future__ import annotations

from accelsim.mapping.stages.form import stages, stored_maps
from accelsim.mapping.stages.stage import Stage
from accelsim.workload.graph import Edge
from accelsim.workload.layer import Add, Concat, Conv, Layer, Pool
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


def block(*more: Layer, shortcut: str = "x", outputs: tuple[str, ...] = ()) -> list[Stage]:
    """A residual block of two convolutions on X, then ``more``."""
    layers = [conv("a", "x", 3, 4), conv("b", "a_map", 4, 3), Add("s", (shortcut, "b_map"), "sum")]
    return list(stages(graph_of([*layers, *more], [X], outputs)))


def test_an_addition_joins_the_convolution_that_only_it_reads() -> None:
    a, b = block()
    assert (b.name, b.fused_add and b.fused_add.name, b.fusions) == ("b", "s", ("s",))
    assert b.shortcut == a.inputs[0] and b.inputs == ((a.output,),)
    assert (b.output.edge, b.conv_size) == ("sum", (12, 12))
    assert [m.edge for m in stored_maps((a, b))] == ["x", "a_map", "sum"]
    assert (a.fused_add, a.shortcut) == (None, ())


def test_the_later_of_two_convolutions_takes_the_addition_whatever_the_operands_order() -> None:
    for operands in (("a_map", "b_map"), ("b_map", "a_map")):
        layers = [conv("a", "x", 3, 4), conv("b", "x", 3, 4), Add("s", operands, "sum")]
        a, b = stages(graph_of(layers, [X]))
        assert (a.fusions, b.fusions) == ((), ("s",))
        assert b.shortcut == (a.output,), "the map of the earlier one is stored"


def test_an_addition_stays_alone_when_asked_or_when_the_map_before_it_is_needed() -> None:
    alone = ["a", "b", "s"]
    assert [s.name for s in block(outputs=("b_map", "sum"))] == alone
    assert [s.name for s in block(conv("c", "b_map", 3, 3))] == [*alone, "c"]
    layers = [conv("a", "x", 3, 4), conv("b", "a_map", 4, 3), Add("s", ("x", "b_map"), "sum")]
    graph = graph_of(layers, [X])
    assert [s.name for s in stages(graph, frozenset({"s"}))] == alone
    assert stages(graph, frozenset({"s"}))[2].inputs[1][0].edge == "b_map"


def test_additions_of_three_maps_and_of_a_map_to_itself_stay_alone() -> None:
    for operands in (("x", "b_map", "x"), ("x", "x", "b_map"), ("b_map", "b_map")):
        layers = [conv("a", "x", 3, 4), conv("b", "a_map", 4, 3), Add("s", operands, "sum")]
        assert [s.name for s in stages(graph_of(layers, [X]))] == ["a", "b", "s"]


def test_a_convolution_cannot_add_what_is_made_after_it() -> None:
    window = square(3, 1, 1)
    layers = [conv("a", "x", 3, 3), Pool("p", "x", "px", window), Add("s", ("a_map", "px"), "sum")]
    assert [s.name for s in stages(graph_of(layers, [X]))] == ["a", "p", "s"]


def test_one_convolution_takes_one_addition() -> None:
    """The second sum of a chain has no convolution of its own."""
    layers = [
        conv("a", "x", 3, 3),
        conv("b", "x", 3, 3),
        Add("s", ("x", "b_map"), "sum"),
        Add("t", ("a_map", "sum"), "total"),
    ]
    assert [(s.name, s.fusions) for s in stages(graph_of(layers, [X]))] == [
        ("a", ()), ("b", ("s",)), ("t", ()),
    ]  # fmt: skip


def test_a_pooling_behind_a_fused_addition_joins_it() -> None:
    a, b = block(Pool("q", "sum", "y", square(12)))
    assert (b.fusions, b.output.edge, b.output.rows) == (("s", "q"), "y", 1)
    assert (b.conv_size, b.shortcut[0].rows) == ((12, 12), 12)
    read_by_others = block(Pool("q", "sum", "y", square(12)), conv("c", "sum", 3, 3))
    assert [(s.name, s.fusions) for s in read_by_others] == [
        ("a", ()), ("b", ("s",)), ("q", ()), ("c", ()),
    ]  # fmt: skip
    assert a.output.edge == "a_map"


def test_a_stacked_map_is_a_shortcut_of_several_parts() -> None:
    layers = [
        conv("a", "x", 3, 8),
        conv("b", "x", 3, 4),
        Concat("cat", ("b_map", "a_map"), "both"),
        conv("c", "both", 12, 12),
        Add("s", ("c_map", "both"), "sum"),
    ]
    a, b, c = stages(graph_of(layers, [X]))
    assert c.shortcut == (b.output, a.output)
    assert c.reads == (b.output, a.output) * 2


def test_sums_that_are_stacked_and_pooled_are_pooled_by_their_convolutions() -> None:
    layers = [
        conv("a", "x", 3, 3),
        Add("s", ("x", "a_map"), "sa"),
        conv("b", "x", 3, 4),
        Concat("cat", ("sa", "b_map"), "both"),
        Pool("p", "both", "y", square(2, 2)),
    ]
    a, b = stages(graph_of(layers, [X]))
    assert (a.fusions, b.fusions) == (("s", "p"), ("p",))
    assert [m.name for m in (a.output, b.output)] == ["y[0:3]", "y[3:7]"]
