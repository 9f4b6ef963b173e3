"""Weights in training: quantised in every forward pass, and their entropy.

CAT quantises the weights of every convolution asymmetrically between their minimum and
maximum, one range for the whole tensor, with straight-through gradients; and can add the
soft entropy of a random part of the 8-bit weights to the loss, weighted by tensor size
(Baskin et al., "CAT", section 3; the authors draw 5 %).
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from accelsim.training.entropy import soft_entropy

_SHARE: Final = 0.05
_SMALLEST_RANGE: Final = 1e-12


class RoundedWeights(nn.Module):
    """A parametrisation: weights on ``2**bits`` levels between their minimum and maximum.

    >>> RoundedWeights(2)(torch.tensor([0.0, 0.9, 2.1, 3.0])).tolist()
    [0.0, 1.0, 2.0, 3.0]
    """

    def __init__(self, bits: int) -> None:
        super().__init__()
        self.bits = bits

    def forward(self, weights: Tensor) -> Tensor:
        low, step = _low_and_step(weights, self.bits)
        rounded = ((weights - low) / step).round() * step + low
        return weights + (rounded - weights).detach()


def round_weights(network: nn.Module, bits: int) -> None:
    """Let every convolution of ``network`` compute with rounded weights."""
    for conv in _convolutions(network):
        parametrize.register_parametrization(conv, "weight", RoundedWeights(bits))


def freeze_rounding(network: nn.Module) -> None:
    """Put ordinary convolutions with the rounded weights in the place of rounding ones.

    These are the weights that the network was trained to compute with. The old modules are
    left as they are: copies of a network share their classes, which torch's own removal
    would change for all of them.
    """
    for name, conv in list(network.named_modules()):
        if isinstance(conv, nn.Conv2d) and parametrize.is_parametrized(conv, "weight"):
            network.set_submodule(name, _ordinary(conv))


def real_weights(conv: nn.Module) -> Tensor:
    """The weights behind the rounding: what the optimiser moves."""
    if parametrize.is_parametrized(conv, "weight"):
        conv = conv.parametrizations["weight"]  # type: ignore[index, assignment]
        return conv.original  # type: ignore[return-value]
    return conv.weight  # type: ignore[return-value]


def weight_rate(network: nn.Module, generator: torch.Generator, bits: int = 8) -> Tensor:
    """Soft entropy of the convolutions' weights, bits per weight; a scalar tensor.

    Of each tensor a random twentieth is measured; tensors weigh by their size.
    """
    total, n = torch.zeros(()), 0
    for conv in _convolutions(network):
        weights = real_weights(conv)
        low, step = _low_and_step(weights, bits)
        flat = weights.flatten()
        n_drawn = max(1, round(_SHARE * flat.numel()))
        drawn = torch.randperm(flat.numel(), generator=generator)[:n_drawn].to(flat.device)
        rate = soft_entropy((flat[drawn] - low) / step, 1 << bits)
        total = total.to(rate) + rate * flat.numel()
        n += flat.numel()
    return total / max(n, 1)


def _low_and_step(weights: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    low, high = weights.detach().aminmax()
    return low, (high - low).clamp_min(_SMALLEST_RANGE) / ((1 << bits) - 1)


def _ordinary(conv: nn.Conv2d) -> nn.Conv2d:
    made = nn.Conv2d(
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size,  # type: ignore[arg-type]
        conv.stride,  # type: ignore[arg-type]
        conv.padding,  # type: ignore[arg-type]
        conv.dilation,  # type: ignore[arg-type]
        conv.groups,
        conv.bias is not None,
        conv.padding_mode,
    )
    made.weight = nn.Parameter(conv.weight.detach().clone())
    if conv.bias is not None:
        made.bias = nn.Parameter(conv.bias.detach().clone())
    return made.train(conv.training)


def _convolutions(network: nn.Module) -> list[nn.Conv2d]:
    return [m for m in network.modules() if isinstance(m, nn.Conv2d)]
