"""Clip and round with straight-through gradients, on any device, fast on a CPU.

    z = x * top / range,   out = round(clip(z, 0, top)) * range / top

The rounding's gradient is taken as one. What follows for the others, by the chain rule:

    d out / dx     = 1 where 0 < z < top, else 0
    d out / drange = 1 where z >= top, else (round(z) - z) / top    (0 below zero)

``clip_and_round_reference`` lets autograd find them. ``clip_and_round`` writes them out: on
a CPU as one compiled pass each way over float32, about the cost of a plain ReLU (a chain of
torch operations costs several times that), elsewhere as torch operations.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from accelsim.training.rounding_kernel import round_backward, round_forward


def clip_and_round_reference(x: Tensor, reach: Tensor, top: int) -> Tensor:
    """``reach`` is the real value of level ``top``, a positive scalar tensor."""
    z = torch.minimum(x.float().relu(), reach) * (top / reach)
    q = z + (z.round() - z).detach()
    return q * (reach / top)


def clip_and_round(x: Tensor, reach: Tensor, top: int, n_head: int = 0) -> tuple[Tensor, Tensor]:
    """The same, float32, with the strides of ``x``; and the first ``n_head`` entries of ``x``.

    The head is for a second use of a few images: taken here, its gradient is added in place,
    where autograd would make a map of zeros for it.

    >>> out, head = clip_and_round(torch.tensor([-1.0, 0.4, 1.6, 9.0]), torch.tensor(3.0), 3, 1)
    >>> out.tolist(), head.tolist()
    ([0.0, 0.0, 2.0, 3.0], [-1.0])
    """
    if x.device.type != "cpu":
        return clip_and_round_reference(x, reach, top), x[:n_head].float()
    made: tuple[Tensor, Tensor] = _OnePass.apply(  # type: ignore[no-untyped-call]
        x.float(), reach, top, n_head
    )
    return made


class _OnePass(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, reach: Tensor, top: int, n_head: int) -> tuple[Tensor, Tensor]:
        if not torch.ops.aten.is_non_overlapping_and_dense(x):
            x = x.contiguous()
        out = torch.empty_like(x)
        round_forward(_flat(x), _flat(out), np.float32(reach.item()), np.float32(top))
        ctx.save_for_backward(x, reach)
        ctx.top = top
        return out, x[:n_head].clone()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, Tensor, None, None]:
        x, reach = ctx.saved_tensors
        grad_out = torch.empty_like(x)
        grad_out.copy_(grad_outputs[0])
        total = round_backward(
            _flat(x), _flat(grad_out), np.float32(reach.item()), np.float32(ctx.top)
        )
        grad_out[: len(grad_outputs[1])] += grad_outputs[1]
        return grad_out, reach.new_tensor(total), None, None


def _flat(x: Tensor) -> NDArray[np.float32]:
    """All values in memory order."""
    values: NDArray[np.float32] = x.as_strided((x.numel(),), (1,)).numpy()
    return values
