"""Integer convolution and requantisation against naive loops and exact fractions."""

from fractions import Fraction
from itertools import product
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.errors import TraceError
from accelsim.workload.arithmetic import LayerArithmetic, convolve, requantise
from accelsim.workload.graph import Edge, Graph
from accelsim.workload.layer import Add, Conv, Window
from accelsim.workload.replay import replay
from accelsim.workload.trace import Values


def constants(weights: Values, bias: list[int]) -> LayerArithmetic:
    one = np.ones(1)
    return LayerArithmetic(weights, one, np.array(bias, np.int32), one.astype(np.int32), 1)


@settings(deadline=None, max_examples=60)
@given(
    groups=st.integers(1, 3),
    depth=st.integers(1, 2),
    width=st.integers(1, 2),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    padding=st.tuples(*[st.integers(0, 2)] * 4),
    zero_point=st.integers(-128, 127),
    seed=st.integers(0, 999),
)
def test_convolution_equals_the_naive_sum(
    groups: int,
    depth: int,
    width: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    padding: tuple[int, int, int, int],
    zero_point: int,
    seed: int,
) -> None:
    window = Window(kernel, stride, padding, dilation)
    layer = Conv("c", "x", "y", groups * depth, groups * width, window, groups)
    rng = np.random.default_rng(seed)
    x = rng.integers(-128, 128, (groups * depth, 6, 7)).astype(np.int8)
    w = rng.integers(-128, 128, (groups * width, depth, *kernel)).astype(np.int8)
    bias = rng.integers(-1000, 1000, groups * width)
    found = convolve(layer, x, zero_point, constants(w, list(bias)))
    rows, cols = window.out_size(6, 7)
    assert found.shape == (groups * width, rows, cols)
    out, row, col = (int(rng.integers(n)) for n in found.shape)
    total = int(bias[out])
    for c, r, s in product(range(depth), range(kernel[0]), range(kernel[1])):
        y = row * stride[0] - padding[0] + r * dilation[0]
        z = col * stride[1] - padding[2] + s * dilation[1]
        if 0 <= y < 6 and 0 <= z < 7:
            total += (int(x[out // width * depth + c, y, z]) - zero_point) * int(w[out, c, r, s])
    assert found[out, row, col] == total


@settings(deadline=None)
@given(
    accumulator=st.integers(-(2**31) + 1, 2**31 - 1),
    multiplier=st.integers(0, 2**31 - 1),
    shift=st.integers(1, 62),
    zero_point=st.integers(-128, 127),
)
def test_requantisation_rounds_to_nearest_with_ties_up(
    accumulator: int, multiplier: int, shift: int, zero_point: int
) -> None:
    edge = Edge("y", 1, 1, 1, signed=True, zero_point=zero_point)
    given_constants = LayerArithmetic(
        np.zeros((1, 1, 1, 1), np.int8),
        np.ones(1),
        np.zeros(1, np.int32),
        np.array([multiplier], np.int32),
        shift,
    )
    q = requantise(np.array([[[accumulator]]], np.int32), given_constants, "none", edge)
    exact = floor(Fraction(accumulator * multiplier, 2**shift) + Fraction(1, 2)) + zero_point
    assert q.item() == max(-128, min(127, exact))


def test_a_relu_clips_at_the_zero_point_and_a_relu6_at_six() -> None:
    edge = Edge("y", 1, 1, 1, scale=0.05, zero_point=10)
    half = LayerArithmetic(
        np.zeros((1, 1, 1, 1), np.int8),
        np.ones(1),
        np.zeros(1, np.int32),
        np.array([1], np.int32),
        1,
    )
    sums = np.array([[[-40, 0, 40, 480]]], np.int32)
    assert requantise(sums, half, "none", edge).ravel().tolist() == [0, 10, 30, 250]
    assert requantise(sums, half, "relu", edge).ravel().tolist() == [10, 10, 30, 250]
    assert requantise(sums, half, "relu6", edge).ravel().tolist() == [10, 10, 30, 130]


def test_an_accumulator_overflow_is_named() -> None:
    layer = Conv("big", "x", "y", 1, 1, Window((1, 1)))
    with pytest.raises(TraceError, match="big: overflows a 32-bit accumulator"):
        convolve(
            layer,
            np.full((1, 1, 1), 255, np.uint8),
            0,
            constants(np.ones((1, 1, 1, 1), np.int8), [2**31 - 1]),
        )


def test_a_sum_of_maps_is_not_replayed_and_says_so() -> None:
    edges = (Edge("x", 1, 1, 1), Edge("y", 1, 1, 1))
    graph = Graph((Add("sum", ("x", "x"), "y"),), edges, ("x",), ("y",))
    with pytest.raises(TraceError, match="cannot replay this add layer"):
        replay(graph, {}, {"x": np.zeros((1, 1, 1), np.uint8)})
