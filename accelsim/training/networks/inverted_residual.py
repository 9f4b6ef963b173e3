"""The block of MobileNetV2 and EfficientNet: expand, depthwise, project, and the way around.

Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", arXiv:1801.04381,
figure 3 and table 1. A 1 x 1 convolution expands the channels, a depthwise one filters
each of them, and a 1 x 1 one projects them to few channels, without an activation. The
input is added where its shape is the output's.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class InvertedResidual(nn.Module):
    """[n, in_channels, rows, cols] to [n, out_channels, ceil(rows / stride), ...].

    ``padding`` is (before, after) of the depthwise convolution, for rows and columns alike.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        expansion: int,
        kernel: int,
        stride: int,
        padding: tuple[int, int],
        epsilon: float,
    ) -> None:
        super().__init__()
        channels = in_channels * expansion
        self.expands = expansion != 1
        self.padding = (*padding, *padding)
        self.adds = stride == 1 and in_channels == out_channels
        if self.expands:
            self.expand = nn.Conv2d(in_channels, channels, 1, bias=False)
            self.expand_norm = nn.BatchNorm2d(channels, epsilon)
        self.depthwise = nn.Conv2d(channels, channels, kernel, stride, groups=channels, bias=False)
        self.depthwise_norm = nn.BatchNorm2d(channels, epsilon)
        self.project = nn.Conv2d(channels, out_channels, 1, bias=False)
        self.project_norm = nn.BatchNorm2d(out_channels, epsilon)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu6(self.expand_norm(self.expand(x))) if self.expands else x
        y = self.depthwise(functional.pad(y, self.padding))
        y = self.project_norm(self.project(functional.relu6(self.depthwise_norm(y))))
        return x + y if self.adds else y
