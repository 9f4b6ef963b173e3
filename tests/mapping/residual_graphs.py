"""Residual networks as graphs, small enough for tests."""

from __future__ import annotations

from accelsim.workload.graph import Edge, Graph
from accelsim.workload.layer import Add, Conv, Layer, Pool, Window
from tests.mapping.small_stages import graph_of, square


def resnet8() -> Graph:
    """Three blocks of 16, 32 and 64 channels at 28, 14 and 7 pixels (He et al., CVPR 2016).

    Where a block changes the shape, its shortcut is a 1x1 convolution, made last.
    """
    layers: list[Layer] = [Conv("stem", "x", "stem", 1, 16, square(3, 1, 1), activation="relu")]
    source, channels = "stem", 16
    for width in (16, 32, 64):
        name, stride = f"block{width}", 1 if width == channels else 2
        layers += [
            Conv(f"{name}.1", source, f"{name}.1", channels, width, square(3, stride, 1)),
            Conv(f"{name}.2", f"{name}.1", f"{name}.2", width, width, square(3, 1, 1)),
        ]
        shortcut = source
        if stride == 2:
            shortcut = f"{name}.s"
            layers.append(Conv(shortcut, source, shortcut, channels, width, square(1, 2)))
        layers.append(Add(f"{name}.add", (f"{name}.2", shortcut), f"{name}.add", "relu"))
        source, channels = f"{name}.add", width
    layers += [
        Pool("mean", source, "mean", square(7), "avg"),
        Conv("fc", "mean", "fc", 64, 10, Window((1, 1)), fully_connected=True),
    ]
    return graph_of(layers, [Edge("x", 1, 28, 28)])


def inverted_residuals() -> Graph:
    """A stem, two blocks of EfficientNet-Lite (expand by 6, depthwise, project), a head.

    The first block changes the shape; the second adds its input.
    """
    layers: list[Layer] = [Conv("stem", "x", "stem", 3, 16, square(3, 2, 1), activation="relu6")]
    source, channels = "stem", 16
    for name, out, kernel, stride in (("down", 24, 3, 2), ("same", 24, 5, 1)):
        wide, window = 6 * channels, square(kernel, stride, kernel // 2)
        layers += [
            Conv(f"{name}.expand", source, f"{name}.e", channels, wide, square(1)),
            Conv(f"{name}.depth", f"{name}.e", f"{name}.d", wide, wide, window, wide),
            Conv(f"{name}.project", f"{name}.d", f"{name}.p", wide, out, square(1)),
        ]
        source, channels = f"{name}.p", out
    layers += [
        Add("same.add", ("down.p", "same.p"), "same.add"),
        Conv("head", "same.add", "head", 24, 96, square(1), activation="relu6"),
        Pool("mean", "head", "mean", square(14), "avg"),
        Conv("fc", "mean", "fc", 96, 10, Window((1, 1)), fully_connected=True),
    ]
    return graph_of(layers, [Edge("x", 3, 56, 56)])
