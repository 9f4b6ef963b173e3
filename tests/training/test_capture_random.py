"""Random feed-forward networks: what is captured computes what the module computes."""

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from accelsim.workload.layer import Conv  # noqa: E402
from tests.training.captured import assert_same_as_module  # noqa: E402

Shape = tuple[int, int, int]


class RandomNetwork(nn.Module):
    """Each step reads maps made before it, and makes one; the head reads the last."""

    def __init__(self, draw: Any, shape: Shape) -> None:
        super().__init__()
        self.steps: list[tuple[str, list[int]]] = []
        self.parts = nn.ModuleList()
        shapes = [shape]
        for _ in range(draw(st.integers(1, 9))):
            # A step reads the newest map, mostly, as in real networks; older ones give branches.
            source = draw(st.sampled_from([len(shapes) - 1] * 3 + list(range(len(shapes)))))
            like = [i for i, s in enumerate(shapes) if s == shapes[source]]
            beside = [i for i, s in enumerate(shapes) if s[1:] == shapes[source][1:]]
            kind = draw(
                st.sampled_from(("conv", "conv", "bn", "relu", "pool", "add", "cat", "pad"))
            )
            read = [source]
            if kind == "add":
                read.append(draw(st.sampled_from(like)))
            elif kind == "cat":
                read.append(draw(st.sampled_from(beside)))
            channels, rows, cols = shapes[source]
            part: nn.Module = nn.Identity()
            if kind in ("conv", "pad"):
                part = self._convolution(draw, channels, min(rows, cols))
                kind, part = (
                    ("part", nn.Sequential(nn.ZeroPad2d((0, 1, 1, 0)), part))
                    if (kind == "pad")
                    else ("part", part)
                )
            elif kind == "bn":
                kind, part = "part", nn.BatchNorm2d(channels)
            elif kind == "relu":
                part = draw(st.sampled_from((nn.ReLU(), nn.ReLU6(), nn.ReLU(inplace=True))))
                kind = "part"
            elif kind == "pool":
                kind, part = "part", self._pool(draw, min(rows, cols))
            self.steps.append((kind, read))
            self.parts.append(part.eval())  # training statistics need more than one value
            with torch.no_grad():
                made = self._run(len(self.steps) - 1, [torch.zeros(1, *s) for s in shapes])
            shapes.append(tuple(made.shape[1:]))
        channels, rows, cols = shapes[-1]
        heads = [nn.Identity(), nn.Sequential(nn.Flatten(), nn.Linear(channels * rows * cols, 3))]
        self.head = draw(st.sampled_from(heads))

    @staticmethod
    def _convolution(draw: Any, channels: int, size: int) -> nn.Module:
        kernel = draw(st.integers(1, min(3, size)))
        groups = draw(st.sampled_from([n for n in (1, channels) if channels <= 12] or [1]))
        return nn.Conv2d(
            channels,
            draw(st.sampled_from((groups, 2 * groups, 4 * groups))),
            kernel,
            stride=draw(st.integers(1, 2)),
            padding=draw(st.integers(0, 1)),
            groups=groups,
            bias=draw(st.booleans()),
        )

    @staticmethod
    def _pool(draw: Any, size: int) -> nn.Module:
        kernel = draw(st.integers(1, min(3, size)))
        stride, padding = draw(st.integers(1, 2)), draw(st.integers(0, kernel // 2))
        if draw(st.booleans()):
            return nn.MaxPool2d(kernel, stride, padding, ceil_mode=draw(st.booleans()))
        counts = draw(st.booleans())
        ceil = draw(st.booleans()) and not (counts and padding)
        return nn.AvgPool2d(kernel, stride, padding, ceil, counts)

    def _run(self, step: int, maps: list[Tensor]) -> Tensor:
        kind, read = self.steps[step]
        if kind == "add":
            return maps[read[0]] + maps[read[1]]
        if kind == "cat":
            return torch.cat([maps[n] for n in read], 1)
        made: Tensor = self.parts[step](maps[read[0]])
        return made

    def forward(self, x: Tensor) -> Tensor:
        maps = [x]
        for step in range(len(self.steps)):
            maps.append(self._run(step, maps))
        out: Tensor = functional.relu(self.head(maps[-1])) - 1
        return out


@settings(deadline=None, max_examples=20)
@given(st.data())
def test_random_networks_are_captured_as_they_are(data: st.DataObject) -> None:
    shape = (
        data.draw(st.integers(1, 3)),
        data.draw(st.integers(4, 9)),
        data.draw(st.integers(4, 9)),
    )
    module = RandomNetwork(data.draw, shape)
    network = assert_same_as_module(module, shape, seed=data.draw(st.integers(0, 5)))
    graph = network.graph
    # Every map is read by a layer or is the output; convolutions have constants of their shape.
    assert all(graph.consumers[e.name] or e.name in graph.outputs for e in graph.edges[1:])
    for layer in graph.layers:
        if isinstance(layer, Conv):
            assert network.weights[layer.name].size == layer.n_weights
            assert network.biases[layer.name].shape == (layer.out_channels,)
