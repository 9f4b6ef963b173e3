"""The real-valued maps of a network, for calibrating quantisation and comparing with it.

A map with a trained word is quantised as in training: its values are multiples of the scale of
the word, and later maps are computed from them.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from accelsim.workload.layer import Activation, Add, Concat, Conv, Layer, Pool, Window
from accelsim.workload.quantising.batches import Ranges, batches, joined
from accelsim.workload.quantising.float_network import FloatNetwork, TrainedWord


def float_maps(network: FloatNetwork, pixels: NDArray[np.uint8]) -> dict[str, Tensor]:
    """Every map by edge name, float32 [..., channels, rows, cols].

    ``pixels`` are uint8 [channels, rows, cols], or [n, channels, rows, cols]. The graph is
    interpreted with torch.
    """
    mean, std = (torch.tensor(x)[:, None, None] for x in (network.input_mean, network.input_std))
    maps = {network.graph.inputs[0]: (torch.from_numpy(pixels.astype(np.float32)) - mean) / std}
    with torch.no_grad():
        for layer in network.graph.layers:
            maps[layer.output] = _forward(network, layer, [maps[n] for n in layer.inputs])
    return maps


def map_ranges(network: FloatNetwork, images: NDArray[np.uint8]) -> Ranges:
    """The smallest and largest value of each map over ``images`` [n, channels, rows, cols]."""
    return joined(
        {name: _range(values) for name, values in float_maps(network, batch).items()}
        for batch in batches(network.graph, images)
    )


def float_outputs(network: FloatNetwork, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The output map of each image, float32 [n, channels, rows, cols]."""
    output = network.graph.outputs[0]
    made = [float_maps(network, batch)[output].numpy() for batch in batches(network.graph, images)]
    return np.concatenate(made)


def _range(values: Tensor) -> tuple[float, float]:
    low, high = values.aminmax()
    return float(low), float(high)


def _forward(network: FloatNetwork, layer: Layer, parts: list[Tensor]) -> Tensor:
    word = network.trained_words.get(layer.output)
    match layer:
        case Conv():
            made = functional.conv2d(
                _padded(parts[0], layer.window, 0.0),
                torch.from_numpy(network.weights[layer.name]),
                torch.from_numpy(network.biases[layer.name]),
                stride=layer.window.stride,
                dilation=layer.window.dilation,
                groups=layer.groups,
            )
            return _activated(made, layer.activation, word)
        case Pool():
            if layer.op == "max":
                padded = _padded(parts[0], layer.window, -torch.inf)
                kernel, stride, dilation = (
                    layer.window.kernel,
                    layer.window.stride,
                    layer.window.dilation,
                )
                return functional.max_pool2d(padded, kernel, stride, dilation=dilation)
            total = _window_sums(parts[0], layer.window)
            return total / _window_sums(torch.ones_like(parts[0]), layer.window)
        case Add():
            return _activated(torch.stack(parts).sum(0), layer.activation, word)
        case Concat():
            return torch.cat(parts, -3)


def _window_sums(values: Tensor, window: Window) -> Tensor:
    n_positions = window.kernel[0] * window.kernel[1]
    padded = _padded(values, window, 0.0)
    return functional.avg_pool2d(padded, window.kernel, window.stride) * n_positions


def _activated(values: Tensor, activation: Activation, word: TrainedWord | None) -> Tensor:
    if word is not None:
        top = (1 << word.bits) - 1
        return (values / word.scale).round().clamp(0, top) * word.scale
    if activation == "none":
        return values
    return values.clamp(0.0, 6.0) if activation == "relu6" else values.relu()


def _padded(values: Tensor, window: Window, fill: float) -> Tensor:
    top, bottom, left, right = window.padding
    return functional.pad(values, (left, right, top, bottom), value=fill)
