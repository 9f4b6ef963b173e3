"""How the integers of the input map represent an image: exactly, if possible.

A network sees ``(pixels - mean) / std``. There are four forms of its stored input:

* ``zero_point``: the pixels themselves, uint8, with zero point ``mean`` and scale
  ``1 / std``. Exact, and padding with zero is padding with the mean. Needs one integer mean
  and one deviation for all channels.
* ``first_bias``: the pixels themselves with zero point 0; the mean is folded into the bias
  of the first convolution. Exact except for the rounding of that bias. Needs one deviation,
  and a first convolution without padding.
* ``normalised``: the normalised image, rounded to signed words like any other map. Always
  possible; the scale is calibrated.
* ``given``: in the word that the network came with.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from accelsim.workload.graph import Edge
from accelsim.workload.layer import Conv
from accelsim.workload.quantising.float_network import FloatNetwork
from accelsim.workload.trace import Values

InputForm = Literal["zero_point", "first_bias", "normalised", "given"]
FACTS: dict[InputForm, str] = {
    "zero_point": "pixels, 0 to 255; the mean is the zero point",
    "first_bias": "pixels, 0 to 255; the mean is folded into the first bias",
    "normalised": "the normalised image in signed words, calibrated",
    "given": "in the word that the network came with",
}
"""Descriptions of the input form that a trace states."""


def input_form(network: FloatNetwork) -> InputForm:
    """The first of the forms that this network allows."""
    graph = network.graph
    if graph.inputs[0] in network.given_words:
        return "given"
    if network.real_inputs:
        return "normalised"
    consumers = graph.consumers[graph.inputs[0]]
    if len(set(network.input_std)) > 1:
        return "normalised"
    mean = network.input_mean[0]
    one_mean = len(set(network.input_mean)) == 1 and mean == round(mean) and 0 <= mean <= 255
    if one_mean and all(isinstance(x, Conv) for x in consumers):
        return "zero_point"
    if all(isinstance(x, Conv) and not any(x.window.padding) for x in consumers):
        return "first_bias"
    return "normalised"


def input_word(network: FloatNetwork, form: InputForm, edge: Edge) -> Edge:
    """The word of an input that holds pixels."""
    zero_point = round(network.input_mean[0]) if form == "zero_point" else 0
    scale = 1.0 / network.input_std[0]
    return replace(edge, bits=8, signed=False, scale=scale, zero_point=zero_point)


def stored_input(
    network: FloatNetwork, form: InputForm, edge: Edge, pixels: NDArray[Any]
) -> Values:
    """The integers that a trace stores for images [..., channels, rows, cols]."""
    if form in ("zero_point", "first_bias"):
        return pixels
    mean, std = (np.array(x)[:, None, None] for x in (network.input_mean, network.input_std))
    if form == "given":  # as QuantizeLinear of ONNX does: in float32, ties to even
        real = ((pixels - mean) / std).astype(np.float32)
        given: Values = np.rint(real / np.float32(edge.scale)).astype(np.int64) + edge.zero_point
        return np.clip(given, edge.low, edge.high).astype(edge.dtype)
    steps: NDArray[Any] = np.floor((pixels - mean) / std / edge.scale + 0.5)
    stored: Values = np.clip(steps, -edge.high, edge.high).astype(edge.dtype)
    return stored


def folded_mean(network: FloatNetwork, weights: Values, groups: int) -> NDArray[np.float64]:
    """[out_channels] what the mean adds to each sum of ``weights``, in steps of the bias.

    ``weights`` are integers [out_channels, in_channels / groups, rows, cols].
    """
    mean = np.array(network.input_mean).reshape(groups, -1)
    by_output = np.repeat(mean, len(weights) // groups, axis=0)
    made: NDArray[np.float64] = (weights.sum((2, 3), dtype=np.int64) * by_output).sum(1)
    return made
