"""The entropy of a quantised map, made differentiable: what CAT's training minimises.

Baskin et al., "CAT: Compression-Aware Training for Bandwidth Reduction" (JMLR 22, 2021):
each value votes for all levels by a softmax of squared distances, with temperature T = -10,

    p_i = mean over z of softmax_i(T * (z - i)**2),      R = - sum_i p_i log2 p_i.

``soft_entropy_reference`` is that formula, and needs memory for values x levels.
``soft_entropy`` gives only the two levels around a value a vote. For f = z - floor(z) their
votes are sigmoid(-+2 T (f - 1/2)): exactly the softmax over two levels. Every other level
lies at least 1 - |f - 1/2| - 1/2 further from z than the nearer of the two, so leaving all
of them out moves at most ``2 * exp(T)`` of a value's vote (the worst case is a value on a
level, whose two neighbours tie at exp(T)): under 1e-4 at T = -10. One pass and O(n) memory.
"""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor

TEMPERATURE: Final = -10.0
_SMALLEST: Final = 1e-12  # keeps log2 finite for levels without votes


def soft_entropy_reference(
    levels: Tensor, n_levels: int, temperature: float = TEMPERATURE
) -> Tensor:
    """Entropy in bits per value by the softmax over all levels; a scalar tensor.

    ``levels`` holds unrounded levels, 0 to ``n_levels - 1``, float of any shape.

    >>> print(f"{soft_entropy_reference(torch.tensor([0., 0., 0., 3.]), 4).item():.6f}")
    0.811999
    """
    centres = torch.arange(n_levels, dtype=levels.dtype, device=levels.device)
    distances = (levels.reshape(-1, 1) - centres).square()
    shares = torch.softmax(temperature * distances, 1).mean(0)
    return -(shares * shares.clamp_min(_SMALLEST).log2()).sum()


def soft_entropy(levels: Tensor, n_levels: int, temperature: float = TEMPERATURE) -> Tensor:
    """The same from the two nearest levels of each value: one pass, O(n) memory.

    Of levels that are no numbers (NaN) the entropy is none either.

    >>> print(f"{soft_entropy(torch.tensor([0., 0.5, 1.5, 3.]), 4).item():.3f}")
    1.906
    """
    entropy: Tensor = _TwoLevels.apply(  # type: ignore[no-untyped-call]
        levels, n_levels, temperature
    )
    return entropy


class _TwoLevels(torch.autograd.Function):
    """dR/dz = (log2 p_low - log2 p_high) * dw/dz / n, for w the vote for the upper level."""

    @staticmethod
    def forward(ctx: Any, levels: Tensor, n_levels: int, temperature: float) -> Tensor:
        flat = levels.detach().reshape(-1).float()
        low = flat.floor().clamp_(0, n_levels - 2)
        vote = torch.sigmoid((flat - low - 0.5) * (-2 * temperature))
        index = low.nan_to_num_(0).long()  # a level that is no number votes NaN, for any level
        upper = torch.bincount(index, vote.double(), n_levels)
        lower = torch.bincount(index, minlength=n_levels) - upper
        shares = lower
        shares[1:] += upper[:-1]
        shares = shares.float() / flat.numel()
        log_shares = shares.clamp_min(_SMALLEST).log2()
        if ctx.needs_input_grad[0]:
            pull = (log_shares[:-1] - log_shares[1:])[index]
            slope = vote * (1 - vote) * (-2 * temperature / flat.numel())
            ctx.save_for_backward((pull * slope).reshape(levels.shape).to(levels.dtype))
        return -(shares * log_shares).sum()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * grad_outputs[0], None, None
