"""The form of an integer machine: one step for a stacked map, 8-bit weights by channel.

The exporter would convert a network to this form by itself (``equalise``, ``quantise``). With 5-bit
maps its small changes flip near ties between classes; a network that already has this form is
exported unchanged.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import nn

from accelsim.training.cat import CatNetwork
from accelsim.workload.quantising.words import rounded_up

_TOP: Final = 127
_SMALLEST: Final = 1e-12  # of a channel that is all zero


def share_clips(network: CatNetwork) -> None:
    """Give the maps that ``torch.cat`` stacks one common learned clip, initially the largest."""
    for node in network.network.graph.nodes:  # type: ignore[union-attr]
        if node.op != "call_function" or node.target is not torch.cat:
            continue
        parts = [network.quantisers.get(str(part.target)) for part in node.args[0]]
        stacked = [quantiser for quantiser in parts if quantiser is not None]
        if stacked:
            shared = max(
                (quantiser.clip for quantiser in stacked), key=lambda c: abs(float(c.detach()))
            )
            for quantiser in stacked:
                quantiser.clip = shared


def round_by_channel(network: nn.Module) -> None:
    """Round the weights of convolutions and linear layers as ``quantise`` stores them.

    Signed 8 bits, symmetric, one scale for each output channel, of 12 significant bits.

    >>> layer = nn.Linear(2, 1)
    >>> _ = layer.weight.data.copy_(torch.tensor([[127.0, 0.6]]))
    >>> round_by_channel(layer); layer.weight.tolist()
    [[127.0, 1.0]]
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            weights = module.weight.data
            largest = weights.abs().flatten(1).amax(1).tolist()
            scales = torch.tensor([rounded_up(max(x, _SMALLEST) / _TOP) for x in largest])
            by_channel = scales.reshape(-1, *[1] * (weights.dim() - 1)).to(weights)
            weights.copy_((weights / by_channel).round() * by_channel)
