"""Integer convolution and requantisation against naive loops and exact fractions."""

from fractions import Fraction
from itertools import product
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.errors import TraceError
from accelsim.workload.arithmetic import (
    AddArithmetic,
    ConvArithmetic,
    PoolArithmetic,
    add,
    average,
    convolve,
    requantise,
)
from accelsim.workload.graph import Edge, Graph
from accelsim.workload.layer import Add, Concat, Conv, Pool, Window
from accelsim.workload.replay import replay
from accelsim.workload.trace import Values


def constants(weights: Values, bias: list[int]) -> ConvArithmetic:
    one = np.ones(1)
    return ConvArithmetic(weights, one, np.array(bias, np.int32), one.astype(np.int32), 1)


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
    given_constants = ConvArithmetic(
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
    half = ConvArithmetic(
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


def test_a_sum_of_maps_without_constants_is_not_replayed_and_says_so() -> None:
    edges = (Edge("x", 1, 1, 1), Edge("y", 1, 1, 1))
    graph = Graph((Add("sum", ("x", "x"), "y"),), edges, ("x",), ("y",))
    with pytest.raises(TraceError, match="cannot replay this add layer"):
        replay(graph, {}, {"x": np.zeros((1, 1, 1), np.uint8)})


def test_a_residual_sum_by_hand() -> None:
    # Steps of 1/2 and 1/8 into steps of 1/4: multipliers 2 and 1/2, as 4 and 1 over 2**1.
    edges = (
        Edge("a", 1, 1, 4, signed=True, scale=0.5, zero_point=3),
        Edge("b", 1, 1, 4, signed=True, scale=0.125),
        Edge("y", 1, 1, 4, scale=0.25, zero_point=10),
    )
    graph = Graph((Add("sum", ("a", "b"), "y", "relu"),), edges, ("a", "b"), ("y",))
    two_and_half = AddArithmetic(np.array([4, 1], np.int32), 1)
    a = np.array([[[3, 5, -7, 127]]], np.int8)  # 0, 1, -5 and 62 in real values
    b = np.array([[[1, -3, 8, 127]]], np.int8)  # 1/8, -3/8, 1 and 15 7/8
    made = replay(graph, {"sum": two_and_half}, {"a": a, "b": b})["y"]
    # Quarters: 1/2 up to 1; 4 - 1.5 = 2.5 up to 3; -16 clips at zero; 248 + 63.5 clips at 255.
    assert made.ravel().tolist() == [10 + 1, 10 + 3, 10, 255]
    assert made.dtype == np.uint8


@settings(deadline=None)
@given(
    values=st.lists(st.integers(-(2**15), 2**15 - 1), min_size=2, max_size=4),
    multipliers=st.lists(st.integers(0, 2**31 - 1), min_size=4, max_size=4),
    shift=st.integers(1, 62),
    zero_points=st.lists(st.integers(-(2**15), 2**15 - 1), min_size=5, max_size=5),
)
def test_a_sum_is_the_exact_sum_rounded_once(
    values: list[int], multipliers: list[int], shift: int, zero_points: list[int]
) -> None:
    n = len(values)
    out = Edge("y", 1, 1, 1, bits=16, signed=True, zero_point=zero_points[4])
    constants = AddArithmetic(np.array(multipliers[:n], np.int32), shift)
    parts = [np.array([[[v]]], np.int16) for v in values]
    made = add(parts, zero_points[:n], constants, "none", out)
    exact = sum(
        Fraction((v - z) * m, 2**shift)
        for v, z, m in zip(values, zero_points, multipliers, strict=False)
    )
    rounded = floor(exact + Fraction(1, 2)) + zero_points[4]
    assert made.item() == max(-(2**15), min(2**15 - 1, rounded))


def test_a_sum_of_a_thousand_extreme_maps_stays_in_64_bits() -> None:
    n = 1000  # the most that a trace may have
    out = Edge("y", 1, 1, 1, bits=16, signed=True)
    largest = AddArithmetic(np.full(n, 2**31 - 1, np.int32), 62)
    parts = [np.array([[[2**16 - 1]]], np.uint16)] * n
    exact = Fraction(n * (2**16 - 1) * (2**31 - 1), 2**62)
    made = add(parts, [0] * n, largest, "none", out)
    assert made.item() == floor(exact + Fraction(1, 2))


@settings(deadline=None, max_examples=40)
@given(
    excess=st.integers(-3, 3),
    reach=st.integers(1, 255),
    weight=st.integers(1, 127),
    negative=st.booleans(),
)
def test_float32_sums_are_exact_up_to_their_bound_and_not_used_beyond(
    excess: int, reach: int, weight: int, negative: bool
) -> None:
    # A 1 x 1 convolution whose sum lies at 2**24, where float32 starts to lose odd numbers.
    n = max(1, 2**24 // (reach * weight) + excess)
    layer = Conv("c", "x", "y", n, 1, Window((1, 1)))
    w = np.full((1, n, 1, 1), -weight if negative else weight, np.int8)
    x = np.full((n, 1, 1), reach, np.uint8)
    x[0] = max(0, reach - 1)  # an odd remainder
    expected = int((x.ravel().astype(int) * w.ravel().astype(int)).sum()) + 1
    assert convolve(layer, x, 0, constants(w, [1])).item() == expected


def test_a_batch_gives_each_image_the_same_integers() -> None:
    rng = np.random.default_rng(5)
    edges = (
        Edge("x", 4, 9, 9, zero_point=5),
        Edge("c", 6, 5, 5, signed=True),
        Edge("d", 6, 5, 5, signed=True),
        Edge("s", 6, 5, 5, signed=True),
        Edge("k", 12, 5, 5, signed=True),
        Edge("m", 12, 3, 3, signed=True),
        Edge("a", 12, 1, 1, bits=16, signed=True, scale=1 / 256),
    )
    window = Window((3, 3), (2, 2), (1, 1, 1, 1))
    layers = (
        Conv("c", "x", "c", 4, 6, window, groups=2),
        Conv("d", "x", "d", 4, 6, window, activation="relu"),
        Add("s", ("c", "d"), "s"),
        Concat("k", ("s", "c"), "k"),
        Pool("m", "k", "m", window),
        Pool("a", "m", "a", Window((3, 3), padding=(0, 0, 0, 0)), "avg"),
    )
    graph = Graph(layers, edges, ("x",), ("a",))

    def conv(depth: int) -> ConvArithmetic:
        return ConvArithmetic(
            rng.integers(-127, 128, (6, depth, 3, 3)).astype(np.int8),
            np.ones(6),
            rng.integers(-999, 999, 6).astype(np.int32),
            rng.integers(1, 1 << 20, 6).astype(np.int32),
            26,
        )

    arithmetic = {
        "c": conv(2),
        "d": conv(4),
        "s": AddArithmetic(np.array([3, 5], np.int32), 2),
    }
    images = rng.integers(0, 256, (5, 4, 9, 9)).astype(np.uint8)
    together = replay(graph, arithmetic, {"x": images})
    for i, image in enumerate(images):
        alone = replay(graph, arithmetic, {"x": image})
        for name, values in alone.items():
            np.testing.assert_array_equal(together[name][i], values, err_msg=name)


@settings(deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    multiplier=st.integers(0, (1 << 40) // 12),
    shift=st.integers(1, 62),
    zero_point=st.integers(-40, 40),
)
def test_an_average_with_a_word_of_its_own_is_divided_downwards_and_rounded_once(
    seed: int, multiplier: int, shift: int, zero_point: int
) -> None:
    x = np.random.default_rng(seed).integers(-128, 128, (2, 5, 4)).astype(np.int8)
    window = Window((3, 2), (2, 1), (1, 0, 0, 1))
    edge = Edge("y", 2, *window.out_size(5, 4), signed=True, zero_point=3)
    multiplier = min(multiplier, 2**31 - 1)
    found = average(
        x, zero_point, window, PoolArithmetic(np.array([multiplier], np.int32), shift), edge
    )
    for c, row, col in np.ndindex(edge.shape):
        seen = x[c, max(0, 2 * row - 1) : 2 * row + 2, col : col + 2].astype(int) - zero_point
        quotient = floor(Fraction(int(seen.sum()) * multiplier, seen.size))
        exact = floor(Fraction(quotient, 2**shift) + Fraction(1, 2)) + 3
        assert found[c, row, col] == max(-128, min(127, exact))


def test_bands_of_rows_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    layer = Conv("c", "x", "y", 3, 2, Window((3, 2), (2, 1), (1, 0, 2, 1)))
    x = rng.integers(0, 256, (2, 3, 11, 7)).astype(np.uint8)
    w = rng.integers(-127, 128, (2, 3, 3, 2)).astype(np.int8)
    whole = convolve(layer, x, 9, constants(w, [0, 0]))
    monkeypatch.setattr("accelsim.workload.arithmetic._PATCH_VALUES", 1)
    np.testing.assert_array_equal(convolve(layer, x, 9, constants(w, [0, 0])), whole)
