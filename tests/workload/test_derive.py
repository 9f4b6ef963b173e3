"""Derived maps against naive loops, and the rules that say what can be derived."""

from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.workload.derive import average_pool, derive, is_derivable, max_pool
from accelsim.workload.graph import Edge, Graph
from accelsim.workload.layer import Concat, Pool, Window
from accelsim.workload.trace import Values


@st.composite
def maps_and_windows(draw: st.DrawFn) -> tuple[Values, Window]:
    """A map and a window that fits; padding is smaller than the kernel, as frameworks ask."""
    kernel = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    dilation = draw(st.tuples(st.integers(1, 2), st.integers(1, 2)))
    padding = tuple(draw(st.integers(0, k - 1)) for k in (kernel[0],) * 2 + (kernel[1],) * 2)
    window = Window(
        kernel, draw(st.tuples(st.integers(1, 3), st.integers(1, 3))), padding, dilation
    )
    rows = draw(st.integers(window.extent[0], 8))
    cols = draw(st.integers(window.extent[1], 8))
    dtype = draw(st.sampled_from([np.uint8, np.int8, np.uint16, np.int16]))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    info = np.iinfo(dtype)
    values = rng.integers(info.min, info.max, (draw(st.integers(1, 3)), rows, cols), endpoint=True)
    return values.astype(dtype), window


def seen_by(values: Values, window: Window, row: int, col: int) -> list[int]:
    """Channel 0's values inside the map that one output position sees."""
    top, left = (
        row * window.stride[0] - window.padding[0],
        col * window.stride[1] - window.padding[2],
    )
    found = []
    for r, c in product(range(window.kernel[0]), range(window.kernel[1])):
        y, x = top + r * window.dilation[0], left + c * window.dilation[1]
        if 0 <= y < values.shape[1] and 0 <= x < values.shape[2]:
            found.append(int(values[0, y, x]))
    return found


@settings(deadline=None, max_examples=100)
@given(maps_and_windows())
def test_max_pool_equals_the_naive_loop(case: tuple[Values, Window]) -> None:
    values, window = case
    pooled = max_pool(values, window)
    assert pooled.dtype == values.dtype
    rows, cols = window.out_size(*values.shape[1:])
    for row, col in product(range(rows), range(cols)):
        lowest = int(np.iinfo(values.dtype).min)
        assert pooled[0, row, col] == max(seen_by(values, window, row, col), default=lowest)


@settings(deadline=None, max_examples=100)
@given(maps_and_windows(), st.integers(0, 8))
def test_average_pool_equals_exact_fractions(case: tuple[Values, Window], extra_bits: int) -> None:
    values, window = case
    pooled = average_pool(values, window, extra_bits)
    rows, cols = window.out_size(*values.shape[1:])
    for row, col in product(range(rows), range(cols)):
        seen = seen_by(values, window, row, col)
        mean = Fraction(sum(seen) * 2**extra_bits, len(seen)) if seen else Fraction(0)
        assert pooled[0, row, col] == floor(mean + Fraction(1, 2))


def pooled_graph(op: str, out: Edge) -> Graph:
    layer = Pool("p", "x", "p", Window((2, 2), (2, 2)), "max" if op == "max" else "avg")
    return Graph((layer,), (Edge("x", 1, 4, 4, scale=0.5, zero_point=3), out), ("x",), ("p",))


SAME = Edge("p", 1, 2, 2, scale=0.5, zero_point=3)
FINER = Edge("p", 1, 2, 2, bits=12, scale=0.5 / 16, zero_point=3 * 16)


@pytest.mark.parametrize(
    ("op", "out", "derivable"),
    [
        ("max", SAME, True),
        ("max", replace(SAME, scale=0.25), False),
        ("max", replace(SAME, zero_point=0), False),
        ("max", FINER, False),
        ("avg", SAME, True),
        ("avg", FINER, True),
        ("avg", replace(FINER, zero_point=3), False),
        ("avg", replace(FINER, scale=0.5), False),
        ("avg", replace(SAME, bits=7), False),
    ],
)
def test_a_pooled_map_is_derivable_only_in_the_scale_of_its_input(
    op: str, out: Edge, derivable: bool
) -> None:
    assert is_derivable(pooled_graph(op, out), "p") == derivable


def test_inputs_are_never_derivable() -> None:
    assert not is_derivable(pooled_graph("max", SAME), "x")


def test_a_finer_average_means_the_same_real_number() -> None:
    values = np.array([[[3, 4, 0, 0], [4, 4, 0, 1], [9, 9, 9, 9], [9, 9, 9, 9]]], np.uint8)
    graph = pooled_graph("avg", FINER)
    q = derive(graph, "p", lambda n: values if n == "x" else None)
    assert q.dtype == np.uint16
    real = (q.astype(float) - FINER.zero_point) * FINER.scale
    exact = ((values.astype(float) - 3) * 0.5).reshape(1, 2, 2, 2, 2).mean((2, 4))
    np.testing.assert_array_equal(real, exact)


def test_a_long_chain_of_derived_maps_neither_recurses_nor_repeats_work() -> None:
    # Each concatenation reads the last map twice: 2**12 paths, 2000 more layers above.
    layers: list[Concat | Pool] = []
    edges = [Edge("e0", 1, 1, 1)]
    for i in range(1, 13):
        layers.append(Concat(f"c{i}", (f"e{i - 1}", f"e{i - 1}"), f"e{i}"))
        edges.append(Edge(f"e{i}", 2**i, 1, 1))
    for i in range(13, 2013):
        layers.append(Pool(f"p{i}", f"e{i - 1}", f"e{i}", Window((1, 1))))
        edges.append(Edge(f"e{i}", 4096, 1, 1))
    graph = Graph(tuple(layers), tuple(edges), ("e0",), ("e2012",))
    reads: list[str] = []

    def stored(name: str) -> Values | None:
        reads.append(name)
        return np.array([[[5]]], np.uint8) if name == "e0" else None

    assert (derive(graph, "e2012", stored) == 5).all()
    assert reads.count("e0") == 1
