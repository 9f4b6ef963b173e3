"""8-bit post-training quantisation: a float network becomes integers only.

* Maps after a ReLU are unsigned 8-bit, clipped at the map's maximum over the calibration
  images; other maps are signed 8-bit, symmetric. A concatenation, a maximum pooling and
  their inputs share one scale, so that these layers only move integers.
* An average keeps 8 more fraction bits than its input: it is the mean of many values, and
  rounding logits to 8 bits would tie the best classes.
* Weights are signed, symmetric, one scale per output channel; biases are 32-bit.
* The input map is the image itself, uint8 RGB; the mean that the network subtracts is
  folded into the first bias. That is exact only without padding, which is checked.

Scales are rounded up to 12 significant bits: machines whose float arithmetic differs in
the last place then still make the same integers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from accelsim.errors import UserError
from accelsim.training.float_network import FloatNetwork
from accelsim.workload.arithmetic import LayerArithmetic
from accelsim.workload.graph import Edge, Graph
from accelsim.workload.layer import Concat, Conv, Pool

MAP_BITS: Final = 8
_AVERAGE_EXTRA_BITS: Final = 8
_SCALE_BITS: Final = 12
_MULTIPLIER_BITS: Final = 30
_SMALLEST_RANGE: Final = 1e-12  # of a map or channel that is all zero


@dataclass(frozen=True)
class QuantisedNetwork:
    """A network in integers: its graph with chosen words, and each layer's constants."""

    name: str
    graph: Graph
    arithmetic: dict[str, LayerArithmetic]


def quantise(network: FloatNetwork, ranges: Mapping[str, tuple[float, float]]) -> QuantisedNetwork:
    """Integers for a network whose float maps lie in ``ranges`` (low, high) by edge name."""
    graph = _with_words(network.graph, ranges)
    arithmetic = {
        layer.name: _constants(network, graph, layer)
        for layer in graph.layers
        if isinstance(layer, Conv)
    }
    return QuantisedNetwork(network.name, graph, arithmetic)


def rounded_up(scale: float) -> float:
    """The next scale with 12 significant bits.

    >>> rounded_up(0.1)
    0.100006103515625
    """
    mantissa, exponent = math.frexp(scale)
    return math.ldexp(math.ceil(math.ldexp(mantissa, _SCALE_BITS)), exponent - _SCALE_BITS)


def fixed_point(factors: NDArray[np.float64]) -> tuple[NDArray[np.int32], int]:
    """``(multipliers, shift)`` with ``multipliers * 2**-shift`` nearest to the factors.

    The largest multiplier has 30 bits.

    >>> fixed_point(np.array([0.5, 0.25]))
    (array([536870912, 268435456], dtype=int32), 30)
    """
    _, exponent = math.frexp(float(factors.max()))
    shift = min(62, _MULTIPLIER_BITS - exponent)
    return np.rint(np.ldexp(factors, shift)).astype(np.int32), shift


def _with_words(graph: Graph, ranges: Mapping[str, tuple[float, float]]) -> Graph:
    shared = {e.name: e.name for e in graph.edges}
    for layer in reversed(graph.layers):
        if isinstance(layer, Concat) or (isinstance(layer, Pool) and layer.op == "max"):
            for name in layer.inputs:
                shared[name] = shared[layer.output]
    words: dict[str, Edge] = {}
    for edge in graph.edges:
        group = [n for n in shared if shared[n] == shared[edge.name]]
        low = min(ranges[n][0] for n in group)
        high = max(ranges[n][1] for n in group)
        signed = low < 0
        steps = (1 << (MAP_BITS - int(signed))) - 1
        scale = rounded_up(max(-low, high, _SMALLEST_RANGE) / steps)
        words[edge.name] = replace(edge, bits=MAP_BITS, signed=signed, scale=scale)
    for name in graph.inputs:
        words[name] = replace(words[name], signed=False, scale=1.0)
    for layer in graph.layers:
        if isinstance(layer, Pool) and layer.op == "avg":
            source = words[layer.input]
            words[layer.output] = replace(
                words[layer.output],
                bits=source.bits + _AVERAGE_EXTRA_BITS,
                signed=source.signed,
                scale=source.scale / 2**_AVERAGE_EXTRA_BITS,
            )
    return replace(graph, edges=tuple(words[e.name] for e in graph.edges))


def _constants(network: FloatNetwork, graph: Graph, layer: Conv) -> LayerArithmetic:
    source, out = graph.edge[layer.input], graph.edge[layer.output]
    real = network.weights[layer.name].astype(np.float64)
    top = (1 << (layer.weight_bits - 1)) - 1
    largest = np.abs(real).reshape(layer.out_channels, -1).max(1)
    weight_scale = np.array([rounded_up(max(float(x), _SMALLEST_RANGE) / top) for x in largest])
    weights = np.rint(real / weight_scale[:, None, None, None]).astype(np.int8)
    step = source.scale * weight_scale
    bias = network.biases[layer.name].astype(np.float64) / step
    if layer.input in graph.inputs:
        if any(layer.window.padding) or layer.groups != 1:
            raise UserError(
                layer.name,
                "the input mean cannot be folded into a padded or grouped convolution",
                "pad the images, or give the network an input without a mean",
            )
        mean = np.array(network.input_mean) / source.scale
        bias = bias - weights.sum((2, 3), dtype=np.int64) @ mean
    multiplier, shift = fixed_point(step / out.scale)
    return LayerArithmetic(weights, weight_scale, np.rint(bias).astype(np.int32), multiplier, shift)
