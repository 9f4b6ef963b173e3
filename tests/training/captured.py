"""Small modules with random constants, and the check that capture keeps what they compute."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from accelsim.training.capture import capture
from accelsim.training.float_maps import float_maps
from accelsim.workload.layer import Conv
from accelsim.workload.quantising.float_network import FloatNetwork


class Calls(nn.Module):
    """``parts`` as children, and a function of them as forward."""

    def __init__(self, forward: Any, **parts: nn.Module) -> None:
        super().__init__()
        self.called = forward
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, x: Tensor) -> Any:
        return self.called(self, x)


def randomised(module: nn.Module, seed: int = 0) -> nn.Module:
    """All parameters and statistics drawn anew, so that nothing is a one or a zero by chance."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in module.state_dict().items():
        if not tensor.dtype.is_floating_point:
            continue
        drawn = torch.randn(tensor.shape, generator=generator)
        if name.endswith("running_var"):
            drawn = drawn.abs() + 0.5
        elif tensor.ndim > 1:
            drawn = drawn / tensor[0].numel() ** 0.5
        tensor.copy_(drawn)
    return module.eval()


def captured(module: nn.Module, shape: tuple[int, int, int], **options: Any) -> FloatNetwork:
    """Capture for images of ``shape`` that the module sees as (pixels - 100) / 60."""
    n = shape[0]
    return capture(
        module,
        torch.zeros(1, *shape),
        name="small",
        source="random",
        input_mean=(100.0,) * n,
        input_std=(60.0,) * n,
        **options,
    )


def assert_same_as_module(
    module: nn.Module, shape: tuple[int, int, int], seed: int = 0, may_be_zero: bool = False
) -> FloatNetwork:
    """Capture ``module`` and compare its interpretation with itself, on two random images."""
    randomised(module, seed)
    network = captured(module, shape)
    pixels = np.random.default_rng(seed).integers(0, 256, (2, *shape)).astype(np.uint8)
    for image in pixels:
        with torch.no_grad():
            made = module((torch.from_numpy(image).float()[None] - 100) / 60)
        outputs = made if isinstance(made, tuple) else (made,)
        maps = float_maps(network, image)
        for name, expected in zip(network.graph.outputs, outputs, strict=True):
            largest = float(expected.abs().max())
            assert largest > 0 or may_be_zero, "a network that makes zeros shows nothing"
            torch.testing.assert_close(
                maps[name].flatten(), expected.flatten(), rtol=1e-4, atol=1e-5 * largest
            )
    return network


def summary(network: FloatNetwork) -> list[tuple[str, str, str]]:
    """(name, kind, activation) of the layers; poolings and concatenations have none."""
    return [(x.name, x.kind, getattr(x, "activation", "")) for x in network.graph.layers]


def conv(network: FloatNetwork, name: str) -> Conv:
    found = network.graph.producer[name]
    assert isinstance(found, Conv)
    return found
