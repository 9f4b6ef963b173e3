"""What a run starts from, as hashes: images, labels, photographs, networks.

A number of a checkpoint follows from these and from its recipe; so they are stored with it,
and a run goes on, or a trace states its accuracy, only where they are the same.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import torch
from torch import nn

from accelsim.training.datasets import LabelledImages

_OWN: tuple[str, ...] = ("torch", "accelsim")
"""Packages whose versions are stored beside: their source is not hashed."""


def data_digest(data: LabelledImages) -> str:
    """Of images and labels, whatever their name and folder."""
    found = sha256()
    for array in (data.images, data.labels):
        found.update(f"{array.dtype} {array.shape} ".encode())
        found.update(array.tobytes())
    return found.hexdigest()


def files_digest(files: Iterable[Path]) -> str:
    """Of what is in files, in their order."""
    found = sha256()
    for file in files:
        found.update(sha256(file.read_bytes()).digest())
    return found.hexdigest()


def network_digest(network: nn.Module) -> str:
    """Of the layers, weights and buffers of a network, and of the code of one's own modules."""
    found = sha256(repr(network).encode())
    for kind in sorted({type(m) for m in network.modules()}, key=lambda k: k.__qualname__):
        if kind.__module__.partition(".")[0] not in _OWN:
            found.update(_source(kind).encode())
    for name, tensor in network.state_dict().items():
        found.update(f"{name} {tensor.dtype} {list(tensor.shape)} ".encode())
        values = tensor.detach().cpu().contiguous()
        found.update(values.reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def _source(kind: type) -> str:
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):  # typed at a prompt
        return kind.__qualname__
