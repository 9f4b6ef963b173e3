"""The integer arithmetic of a quantised layer: how stored maps follow from stored maps.

A convolution sums ``(q_in - zero_point) * q_weight`` and the bias in a 32-bit
accumulator and requantises the sum to the output word:

    q_out = clip((accumulator * multiplier + 2**(shift - 1)) >> shift + zero_point)

``multiplier * 2**-shift`` approximates ``scale_in * scale_weight / scale_out`` (Jacob et
al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", CVPR 2018, section 2.2); ties round up. A sum of maps brings each input to the
output's scale by a multiplier of its own, and rounds once:

    q_out = clip((sum_i (q_i - zero_point_i) * multiplier_i + 2**(shift - 1)) >> shift + zero_point)

with ``multiplier_i * 2**-shift`` for ``scale_i / scale_out``. An average over windows whose
result has a word of its own (see ``derive`` for others) divides each window's sum by the
number of its values, downwards, and rounds once:

    q_out = clip((sum * multiplier // count + 2**(shift - 1)) >> shift + zero_point)

A ReLU is a clip at the zero
point, a ReLU6 also at the integer nearest to six. Padding contributes nothing to a sum.

Nothing overflows 64 bits: an accumulator times a multiplier is below 2**62, a sum of up to
1000 products of 17 and 31 bits below 2**58, and the rounding term is at most 2**61. The
multiplier of an average times the values of its window is below 2**45.

Maps may have leading axes, such as one over images: [..., channels, rows, cols].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from accelsim.errors import TraceError
from accelsim.workload.graph import Edge
from accelsim.workload.layer import Activation, Conv, Window
from accelsim.workload.trace import Values
from accelsim.workload.windows import pad, patches, window_sums

_ACCUMULATOR_MAX: Final = (1 << 31) - 1
_EXACT_IN_FLOAT32: Final = 1 << 24
_EXACT_IN_FLOAT64: Final = 1 << 53
_PATCH_VALUES: Final = 1 << 22  # a working set that stays near the processor


@dataclass(frozen=True)
class ConvArithmetic:
    """The constants of one convolution. Per channel arrays are [1] or [out_channels]."""

    weights: Values
    """int8 or int16 [out_channels, in_channels / groups, rows, cols], symmetric: zero is 0."""
    weight_scale: NDArray[np.float64]
    """[1] or [out_channels] real value of one weight step."""
    bias: NDArray[np.int32]
    """[out_channels] in steps of ``scale_in * weight_scale``."""
    multiplier: NDArray[np.int32]
    """[1] or [out_channels], not negative."""
    shift: int
    """1 to 62."""


@dataclass(frozen=True)
class AddArithmetic:
    """The constants of one sum of maps."""

    multiplier: NDArray[np.int32]
    """[n_inputs], not negative."""
    shift: int
    """1 to 62."""


@dataclass(frozen=True)
class PoolArithmetic:
    """The constants of an average whose result has a word of its own."""

    multiplier: NDArray[np.int32]
    """[1], not negative."""
    shift: int
    """1 to 62."""


LayerArithmetic: TypeAlias = ConvArithmetic | AddArithmetic | PoolArithmetic
MOST_POOL_BITS: Final = 45
"""Of the multiplier of an average times the number of values in its window."""


def convolve(layer: Conv, values: Values, zero_point: int, parameters: ConvArithmetic) -> Values:
    """The 32-bit accumulators of a convolution, int64 [..., out_channels, rows, cols].

    ``values`` is the input map, integer [..., in_channels, rows, cols]. The products are
    summed by a floating point matrix product. That is exact in any order: every partial
    sum is an integer of at most ``max |q - zero_point| * sum |weight|``, and float32 holds
    all integers up to 2**24, float64 up to 2**53; the type is chosen by this bound.
    Raises ``TraceError`` when a sum does not fit in 32 bits.
    """
    reach = max(abs(int(values.max()) - zero_point), abs(int(values.min()) - zero_point))
    weights = parameters.weights.astype(np.int64).reshape(
        layer.groups, layer.out_channels // layer.groups, -1
    )
    bound = reach * int(np.abs(weights).sum(-1).max())
    if bound > _EXACT_IN_FLOAT64:
        raise _overflow(layer)
    exact: type[np.floating[Any]] = np.float32 if bound <= _EXACT_IN_FLOAT32 else np.float64
    shifted = values.astype(exact) - exact(zero_point)
    sums = _sums(layer, shifted, weights.astype(exact)).astype(np.int64)
    sums += parameters.bias.astype(np.int64)[:, None, None]
    if (
        bound + int(np.abs(parameters.bias.astype(np.int64)).max()) > _ACCUMULATOR_MAX
        and np.abs(sums).max() > _ACCUMULATOR_MAX
    ):
        raise _overflow(layer)
    return sums


def requantise(
    accumulators: Values, parameters: ConvArithmetic, activation: Activation, edge: Edge
) -> Values:
    """The stored integers of ``edge`` from its producer's accumulators [..., channels, r, c].

    >>> one = np.ones(1)
    >>> half = ConvArithmetic(np.zeros((1, 1, 1, 1), np.int8), one, np.zeros(1, np.int32),
    ...     np.array([1 << 20], np.int32), 21)
    >>> requantise(np.array([[[-3, 3, 511, 900]]]), half, "relu", Edge("x", 1, 1, 4))
    array([[[  0,   2, 255, 255]]], dtype=uint8)
    """
    multiplier = parameters.multiplier.astype(np.int64)[:, None, None]
    return _rounded(accumulators * multiplier, parameters.shift, activation, edge)


def add(
    parts: Sequence[Values],
    zero_points: Sequence[int],
    parameters: AddArithmetic,
    activation: Activation,
    edge: Edge,
) -> Values:
    """The stored integers of ``edge``, the sum of maps of one shape [..., channels, r, c].

    >>> scales = AddArithmetic(np.array([2, 1], np.int32), 1)    # 1 and 1/2 of the output's
    >>> parts = [np.array([[[1, 2]]], np.int8), np.array([[[3, -9]]], np.int8)]
    >>> add(parts, (0, 0), scales, "relu", Edge("x", 1, 1, 2))   # 2.5 rounds up
    array([[[3, 0]]], dtype=uint8)
    """
    total = np.zeros(parts[0].shape, np.int64)
    for part, zero_point, multiplier in zip(
        parts, zero_points, parameters.multiplier.tolist(), strict=True
    ):
        total += (part.astype(np.int64) - zero_point) * multiplier
    return _rounded(total, parameters.shift, activation, edge)


def average(
    values: Values, zero_point: int, window: Window, parameters: PoolArithmetic, edge: Edge
) -> Values:
    """The stored integers of ``edge``, the averages of a map [..., channels, rows, cols].

    >>> half = PoolArithmetic(np.array([1 << 20], np.int32), 21)
    >>> pair = np.array([[[1, 6]]], np.uint8)       # mean 3.5, of which half rounds to 2
    >>> average(pair, 0, Window((1, 2)), half, Edge("y", 1, 1, 1))
    array([[[2]]], dtype=uint8)
    """
    total, count = window_sums(values.astype(np.int64) - zero_point, window)
    return _rounded(total * int(parameters.multiplier[0]) // count, parameters.shift, "none", edge)


def activation_range(activation: Activation, edge: Edge) -> tuple[int, int]:
    """The smallest and largest integer that an activation lets through."""
    low, high = edge.low, edge.high
    if activation != "none":
        low = max(low, edge.zero_point)
    if activation == "relu6":
        high = min(high, edge.zero_point + round(6.0 / edge.scale))
    return low, high


def _sums(layer: Conv, values: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    """Sums of products [..., out_channels, rows, cols]; ``weights`` are [groups, out, in]."""
    rows, cols = layer.window.out_size(*values.shape[-2:])
    images = values.shape[:-3]
    groups, channels, n_inputs = weights.shape
    total = np.empty((*images, groups, channels, rows, cols), values.dtype)
    padded = pad(values, layer.window, 0.0)
    for band, seen in patches(padded, layer.window, (rows, cols), _PATCH_VALUES):
        n_positions = seen.shape[-1]
        made = weights @ seen.reshape(*images, groups, n_inputs, n_positions)
        total[..., band, :] = made.reshape(*images, groups, channels, -1, cols)
    return total.reshape(*images, layer.out_channels, rows, cols)


def _rounded(scaled: Values, shift: int, activation: Activation, edge: Edge) -> Values:
    """``scaled`` is in steps of ``2**-shift`` output steps; its memory is reused."""
    scaled += 1 << (shift - 1)
    scaled >>= shift
    scaled += edge.zero_point
    low, high = activation_range(activation, edge)
    return np.clip(scaled, low, high, out=scaled).astype(edge.dtype)


def _overflow(layer: Conv) -> TraceError:
    return TraceError(layer.name, "overflows a 32-bit accumulator", "quantise it with less bits")
