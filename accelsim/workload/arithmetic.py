"""The integer arithmetic of a quantised layer: how stored maps follow from stored maps.

A convolution sums ``(q_in - zero_point) * q_weight`` and the bias in a 32-bit
accumulator and requantises the sum to the output word:

    q_out = clip((accumulator * multiplier + 2**(shift - 1)) >> shift + zero_point)

``multiplier * 2**-shift`` approximates ``scale_in * scale_weight / scale_out`` (Jacob et
al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", CVPR 2018, section 2.2); ties round up. A ReLU is a clip at the zero point, a
ReLU6 also at the integer nearest to six. Padding contributes nothing to the sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelsim.errors import TraceError
from accelsim.workload.graph import Edge
from accelsim.workload.layer import Activation, Conv, Window
from accelsim.workload.trace import Values

_ACCUMULATOR_MAX = (1 << 31) - 1


@dataclass(frozen=True)
class LayerArithmetic:
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


def convolve(layer: Conv, values: Values, zero_point: int, parameters: LayerArithmetic) -> Values:
    """The 32-bit accumulators of a convolution, int32 [out_channels, rows, cols].

    ``values`` is the input map, integer [in_channels, rows, cols]. The products are
    summed by a floating point matrix product, which is exact: sums stay below 2**53.
    Raises ``TraceError`` when a sum does not fit in 32 bits.
    """
    shifted = values.astype(np.float64) - zero_point
    rows, cols = layer.window.out_size(*values.shape[1:])
    groups = layer.groups
    padded = pad(shifted, layer.window, 0.0)
    weights = parameters.weights.astype(np.float64).reshape(
        groups, layer.out_channels // groups, layer.in_channels // groups, *layer.window.kernel
    )
    total = np.zeros((groups, layer.out_channels // groups, rows * cols))
    for r, c, seen in positions(padded, layer.window, (rows, cols)):
        total += weights[..., r, c] @ seen.reshape(groups, -1, rows * cols)
    total = total.reshape(layer.out_channels, rows, cols) + parameters.bias[:, None, None]
    if total.size and np.abs(total).max() > _ACCUMULATOR_MAX:
        raise TraceError(layer.name, "overflows a 32-bit accumulator", "quantise it with less bits")
    return total.astype(np.int32)


def requantise(
    accumulators: Values, parameters: LayerArithmetic, activation: Activation, edge: Edge
) -> Values:
    """The stored integers of ``edge`` from its producer's accumulators [channels, ...].

    >>> one = np.ones(1)
    >>> half = LayerArithmetic(np.zeros((1, 1, 1, 1), np.int8), one, np.zeros(1, np.int32),
    ...     np.array([1 << 20], np.int32), 21)
    >>> requantise(np.array([[-3, 3, 511, 900]], np.int32), half, "relu", Edge("x", 1, 1, 4))
    array([[  0,   2, 255, 255]], dtype=uint8)
    """
    shape = (-1,) + (1,) * (accumulators.ndim - 1)
    product = accumulators.astype(np.int64) * parameters.multiplier.astype(np.int64).reshape(shape)
    rounded = (product + (1 << (parameters.shift - 1))) >> parameters.shift
    low, high = activation_range(activation, edge)
    clipped: Values = np.clip(rounded + edge.zero_point, low, high).astype(edge.dtype)
    return clipped


def activation_range(activation: Activation, edge: Edge) -> tuple[int, int]:
    """The smallest and largest integer that an activation lets through."""
    low, high = edge.low, edge.high
    if activation != "none":
        low = max(low, edge.zero_point)
    if activation == "relu6":
        high = min(high, edge.zero_point + round(6.0 / edge.scale))
    return low, high


def pad(values: NDArray[Any], window: Window, fill: float) -> NDArray[Any]:
    """A map [channels, rows, cols] with the window's padding around it."""
    top, bottom, left, right = window.padding
    return np.pad(values, ((0, 0), (top, bottom), (left, right)), constant_values=fill)


def positions(
    padded: NDArray[Any], window: Window, out_size: tuple[int, int]
) -> list[tuple[int, int, NDArray[Any]]]:
    """For each kernel position (row, col): what all output positions see there.

    The arrays are strided views of ``padded``, [channels, out rows, out cols].
    """
    (sr, sc), (dr, dc) = window.stride, window.dilation
    rows, cols = out_size
    return [
        (
            r,
            c,
            padded[
                :,
                r * dr : r * dr + (rows - 1) * sr + 1 : sr,
                c * dc : c * dc + (cols - 1) * sc + 1 : sc,
            ],
        )
        for r in range(window.kernel[0])
        for c in range(window.kernel[1])
    ]
