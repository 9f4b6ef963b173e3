"""Small stages for the tests of the mapping: by hand, and at random."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from accelsim.mapping.stages.form import stages
from accelsim.mapping.stages.stage import Stage
from accelsim.workload.graph import Edge, Graph
from accelsim.workload.layer import Add, Concat, Conv, Layer, Pool, Window


def graph_of(layers: list[Layer], inputs: list[Edge], outputs: tuple[str, ...] = ()) -> Graph:
    """A graph whose edges have the shapes that the layers compute."""
    from accelsim.workload.graph import output_shape

    edges = {e.name: e for e in inputs}
    for layer in layers:
        shape = output_shape(layer, [edges[n] for n in layer.inputs])
        edges[layer.output] = Edge(layer.output, *shape)
    outputs = outputs or (layers[-1].output,)
    return Graph(tuple(layers), tuple(edges.values()), tuple(e.name for e in inputs), outputs)


def square(kernel: int, stride: int = 1, padding: int = 0) -> Window:
    return Window((kernel, kernel), (stride, stride), (padding,) * 4)


def conv_stage(
    channels: int,
    rows: int,
    cols: int,
    out_channels: int,
    window: Window,
    groups: int = 1,
    pool: Pool | None = None,
    shortcut: tuple[int, ...] = (),
) -> Stage:
    """One convolution; perhaps with a fused addition of ``s0``, ``s1``, ..., stacked maps of
    these channels, or with a fused pooling that reads ``y``, or with both."""
    conv = Conv("conv", "x", "y", channels, out_channels, window, groups=groups)
    sources = tuple(f"s{i}" for i in range(len(shortcut)))
    layers: list[Layer] = [conv]
    if shortcut:
        conv = replace(conv, output="before")
        layers = [Concat("cat", sources, "s"), conv, Add("add", ("s", "before"), "y")]
    layers += [pool] if pool else []
    size = window.out_size(rows, cols)
    inputs = [Edge(n, c, *size) for n, c in zip(sources, shortcut, strict=True)]
    # With one weight to a channel it is a scale, and a stage of its own before the others.
    *_, stage = stages(graph_of(layers, [Edge("x", channels, rows, cols), *inputs]))
    return stage


@st.composite
def windows(draw: st.DrawFn, rows: int, cols: int) -> Window:
    """A window with padding and dilation that has at least one position on the map."""
    sides = []
    for size in (rows, cols):
        kernel = draw(st.integers(1, 3))
        dilation = draw(st.integers(1, 2)) if kernel > 1 else 1
        before, after = draw(st.integers(0, kernel - 1)), draw(st.integers(0, kernel - 1))
        if (kernel - 1) * dilation + 1 > size + before + after:
            kernel, dilation, before, after = 1, 1, 0, 0
        sides.append((kernel, draw(st.integers(1, 3)), dilation, before, after))
    (kr, sr, dr, top, bottom), (kc, sc, dc, left, right) = sides
    return Window((kr, kc), (sr, sc), (top, bottom, left, right), (dr, dc))


@st.composite
def small_stages(draw: st.DrawFn) -> Stage:
    """Convolutions (grouped, with shortcut, with pooling), poolings and sums on small odd maps."""
    rows, cols = draw(st.integers(1, 11)), draw(st.integers(1, 9))
    kind = draw(st.sampled_from(["conv", "conv", "pool", "add"]))
    if kind == "add":
        edges = [Edge(n, draw(st.shared(st.integers(1, 9), key="c")), rows, cols) for n in "ab"]
        return stages(graph_of([Add("add", ("a", "b"), "y")], edges))[0]
    window = draw(windows(rows, cols))
    if kind == "pool":
        edge = Edge("x", draw(st.integers(1, 9)), rows, cols)
        return stages(graph_of([Pool("pool", "x", "y", window)], [edge]))[0]
    groups = draw(st.sampled_from([1, 1, 1, 2, 3]))
    depth = draw(st.integers(1, 6))
    out = groups * draw(st.integers(1, 6))
    pool = None
    if draw(st.booleans()):
        pool = Pool("pool", "y", "z", draw(windows(*window.out_size(rows, cols))))
    shortcut: tuple[int, ...] = ()
    if draw(st.booleans()):
        first = draw(st.integers(1, out))
        shortcut = (first, out - first) if first < out else (out,)
    return conv_stage(groups * depth, rows, cols, out, window, groups, pool, shortcut)
