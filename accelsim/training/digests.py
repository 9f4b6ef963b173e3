"""Hashes of what a run starts from: images, labels, photographs, networks.

The numbers of a checkpoint follow from these and from its recipe. So they are stored with it,
and a run is only continued, and a trace only states its accuracy, if they are the same.
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
"""Packages whose versions are stored separately, so their source is not hashed."""


def data_digest(data: LabelledImages) -> str:
    """Hash of images and labels, independent of their name and folder."""
    found = sha256()
    for array in (data.images, data.labels):
        found.update(f"{array.dtype} {array.shape} ".encode())
        found.update(array.tobytes())
    return found.hexdigest()


def files_digest(files: Iterable[Path]) -> str:
    """Hash of the contents of files, in the given order."""
    found = sha256()
    for file in files:
        found.update(sha256(file.read_bytes()).digest())
    return found.hexdigest()


def network_digest(network: nn.Module) -> str:
    """Hash of the layers, weights and buffers of a network, and of the code of user modules."""
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
