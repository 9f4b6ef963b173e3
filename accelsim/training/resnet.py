"""Small residual networks for images of 28 x 28 or 32 x 32.

He et al., "Deep Residual Learning for Image Recognition" (CVPR 2016), section 4.2: 3 x 3
convolutions with 16, 32 and 64 filters in three stages, depth 6 n + 2; here with a 1 x 1
convolution (their option B) where a shortcut changes shape.
"""

from __future__ import annotations

from typing import Final

from torch import Tensor, nn

DEPTHS: Final = {"resnet8": 8, "resnet14": 14, "resnet20": 20}
WIDTHS: Final = (16, 32, 64)


class Block(nn.Module):
    """Two convolutions and a shortcut around them."""

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = _conv(in_channels, channels, 3, stride)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu1 = nn.ReLU()
        self.conv2 = _conv(channels, channels, 3, 1)
        self.bn2 = nn.BatchNorm2d(channels)
        self.relu2 = nn.ReLU()
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or in_channels != channels:
            self.shortcut = nn.Sequential(
                _conv(in_channels, channels, 1, stride), nn.BatchNorm2d(channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu1(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y)) + self.shortcut(x)
        out: Tensor = self.relu2(y)
        return out


class SmallResNet(nn.Module):
    """Float [n, in_channels, rows, cols], 0 to 1, to logits [n, n_classes].

    >>> sum(p.numel() for p in SmallResNet(8).parameters())
    77754
    """

    def __init__(self, depth: int, in_channels: int = 1, n_classes: int = 10) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            _conv(in_channels, WIDTHS[0], 3, 1), nn.BatchNorm2d(WIDTHS[0]), nn.ReLU()
        )
        blocks: list[nn.Module] = []
        channels = WIDTHS[0]
        for stage, width in enumerate(WIDTHS):
            for i in range((depth - 2) // 6):
                blocks.append(Block(channels, width, 2 if stage and not i else 1))
                channels = width
        self.blocks = nn.Sequential(*blocks)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(channels, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.blocks(self.stem(x)))
        logits: Tensor = self.classifier(x.flatten(1))
        return logits


def _conv(in_channels: int, channels: int, kernel: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, channels, kernel, stride, kernel // 2, bias=False)
