"""The real-valued maps of a network: what quantisation is calibrated on, and compared to."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from accelsim.training.float_network import FloatNetwork
from accelsim.workload.layer import Add, Concat, Conv, Layer, Pool, Window


def float_maps(network: FloatNetwork, pixels: NDArray[np.uint8]) -> dict[str, torch.Tensor]:
    """Every map of one image by edge name, float32 [channels, rows, cols].

    ``pixels`` are RGB, uint8 [3, rows, cols]. The graph is interpreted with torch.
    """
    mean = torch.tensor(network.input_mean, dtype=torch.float32).reshape(-1, 1, 1)
    maps = {network.graph.inputs[0]: torch.from_numpy(pixels).float() - mean}
    with torch.no_grad():
        for layer in network.graph.layers:
            maps[layer.output] = _forward(network, layer, [maps[n] for n in layer.inputs])
    return maps


def _forward(network: FloatNetwork, layer: Layer, parts: list[torch.Tensor]) -> torch.Tensor:
    match layer:
        case Conv():
            made = functional.conv2d(
                _padded(parts[0], layer.window, 0.0)[None],
                torch.from_numpy(network.weights[layer.name]),
                torch.from_numpy(network.biases[layer.name]),
                stride=layer.window.stride,
                dilation=layer.window.dilation,
                groups=layer.groups,
            )[0]
            return _activated(made, layer.activation)
        case Pool():
            if layer.op == "max":
                padded = _padded(parts[0], layer.window, -torch.inf)
                return functional.max_pool2d(
                    padded[None], layer.window.kernel, layer.window.stride
                )[0]
            total = _window_sums(parts[0], layer.window)
            return total / _window_sums(torch.ones_like(parts[0]), layer.window)
        case Add():
            return _activated(torch.stack(parts).sum(0), layer.activation)
        case Concat():
            return torch.cat(parts)


def _window_sums(values: torch.Tensor, window: Window) -> torch.Tensor:
    n_positions = window.kernel[0] * window.kernel[1]
    padded = _padded(values, window, 0.0)[None]
    return functional.avg_pool2d(padded, window.kernel, window.stride)[0] * n_positions


def _activated(values: torch.Tensor, activation: str) -> torch.Tensor:
    if activation == "none":
        return values
    return values.clamp(0.0, 6.0) if activation == "relu6" else values.relu()


def _padded(values: torch.Tensor, window: Window, fill: float) -> torch.Tensor:
    top, bottom, left, right = window.padding
    return functional.pad(values, (left, right, top, bottom), value=fill)
