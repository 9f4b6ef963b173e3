"""Converting a float network to integers: the constants of every layer.

* Words of the feature maps: see ``words``; form of the input map: see ``input_map``.
* Weights are signed 8-bit, symmetric, one scale per output channel, rounded up to 12
  significant bits; biases are 32-bit. Weights that came quantised keep their integers.
* A sum of maps has a multiplier for each input; so has an average that came with a word of
  its own, and does not just keep that of its input.

Calibration (the ranges of maps) is done by the caller: see ``batches.MapRanges``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accelsim.workload.arithmetic import (
    MOST_POOL_BITS,
    AddArithmetic,
    ConvArithmetic,
    LayerArithmetic,
    PoolArithmetic,
)
from accelsim.workload.derive import is_derivable
from accelsim.workload.graph import Graph
from accelsim.workload.layer import Add, Conv, Pool
from accelsim.workload.quantising.float_network import FloatNetwork
from accelsim.workload.quantising.input_map import (
    InputForm,
    folded_mean,
    input_form,
    stored_input,
)
from accelsim.workload.quantising.words import MAP_BITS, rounded_up, with_words
from accelsim.workload.replay import replay
from accelsim.workload.trace import Values

_MULTIPLIER_BITS: Final = 30
_LARGEST_BIAS: Final = 1 << 30  # half of an accumulator


@dataclass(frozen=True)
class QuantisedNetwork:
    """A network in integers: its graph with chosen words, and each layer's constants."""

    network: FloatNetwork
    graph: Graph
    arithmetic: dict[str, LayerArithmetic]
    form: InputForm

    def stored_input(self, pixels: NDArray[Any]) -> Values:
        """The integers of the input map for images [..., channels, rows, cols]."""
        edge = self.graph.edge[self.graph.inputs[0]]
        return stored_input(self.network, self.form, edge, pixels)

    def maps(self, pixels: NDArray[Any]) -> dict[str, Values]:
        """Every map, [..., channels, rows, cols], computed in integers alone."""
        inputs = {self.graph.inputs[0]: self.stored_input(pixels)}
        return replay(self.graph, self.arithmetic, inputs)


def quantise(
    network: FloatNetwork, ranges: Mapping[str, tuple[float, float]], map_bits: int = MAP_BITS
) -> QuantisedNetwork:
    """Integers for a network whose float maps lie in ``ranges`` (low, high) by edge name.

    ``map_bits`` (2 to 8) is the width of maps without a trained word.
    """
    form = input_form(network)
    graph = with_words(network, ranges, form, map_bits)
    arithmetic: dict[str, LayerArithmetic] = {}
    for layer in graph.layers:
        if isinstance(layer, Conv):
            arithmetic[layer.name] = _conv_constants(network, graph, layer, form)
        elif isinstance(layer, Add):
            arithmetic[layer.name] = _add_constants(graph, layer)
        elif not is_derivable(graph, layer.output) and isinstance(layer, Pool):
            arithmetic[layer.name] = _pool_constants(graph, layer)
    return QuantisedNetwork(network, graph, arithmetic, form)


def fixed_point(
    factors: NDArray[np.float64], bits: int = _MULTIPLIER_BITS
) -> tuple[NDArray[np.int32], int]:
    """``(multipliers, shift)`` with ``multipliers * 2**-shift`` nearest to the factors.

    The largest multiplier has ``bits`` (30). Factors above half of that (2**29) become that half:
    either takes every sum but zero out of a word.

    >>> fixed_point(np.array([0.5, 0.25]))
    (array([536870912, 268435456], dtype=int32), 30)
    """
    bounded = np.minimum(factors, 2.0 ** (bits - 1))
    _, exponent = math.frexp(float(bounded.max()))
    shift = max(1, min(62, bits - exponent))
    return np.rint(np.ldexp(bounded, shift)).astype(np.int32), shift


def _add_constants(graph: Graph, layer: Add) -> AddArithmetic:
    scales = np.array([graph.edge[n].scale for n in layer.inputs])
    return AddArithmetic(*fixed_point(scales / graph.edge[layer.output].scale))


def _pool_constants(graph: Graph, layer: Pool) -> PoolArithmetic:
    factor = graph.edge[layer.input].scale / graph.edge[layer.output].scale
    n = layer.window.kernel[0] * layer.window.kernel[1]
    bits = min(_MULTIPLIER_BITS, MOST_POOL_BITS - n.bit_length())
    return PoolArithmetic(*fixed_point(np.array([factor]), bits))


def _conv_constants(
    network: FloatNetwork, graph: Graph, layer: Conv, form: InputForm
) -> ConvArithmetic:
    source, out = graph.edge[layer.input], graph.edge[layer.output]
    real = network.weights[layer.name].astype(np.float64)
    real_bias = network.biases[layer.name].astype(np.float64)
    weight_scale = network.weight_scales.get(layer.name)
    if weight_scale is None:
        weight_scale = _weight_scale(real, real_bias, source.scale, layer.weight_bits)
    weights = np.rint(real / weight_scale[:, None, None, None])
    weights = weights.astype(np.int8 if layer.weight_bits <= 8 else np.int16)
    step = source.scale * weight_scale
    bias = real_bias / step
    if form == "first_bias" and layer.input in graph.inputs:
        bias = bias - folded_mean(network, weights, layer.groups)
    multiplier, shift = fixed_point(step / out.scale)
    return ConvArithmetic(weights, weight_scale, np.rint(bias).astype(np.int32), multiplier, shift)


def _weight_scale(
    real: NDArray[np.float64], bias: NDArray[np.float64], source_scale: float, bits: int
) -> NDArray[np.float64]:
    """[out_channels] the largest weight of each channel over the largest integer.

    A channel with weights near zero has a larger scale, in which its bias fits.
    """
    top = (1 << (bits - 1)) - 1
    largest = np.abs(real).reshape(len(real), -1).max(1) / top
    for_bias = np.abs(bias) / (source_scale * _LARGEST_BIAS)
    scale = np.maximum(largest, for_bias)
    scale[scale == 0] = scale.max() or 1.0
    return np.array([rounded_up(float(x)) for x in scale])
