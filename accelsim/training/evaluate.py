"""Accuracy of a quantised network, and how well its maps compress."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from accelsim.codecs.rates import entropy_bits, huffman_bits
from accelsim.training.cat import CatNetwork
from accelsim.training.datasets import LabelledImages
from accelsim.training.quantiser import ActivationQuantiser

_BATCH = 250


@dataclass(frozen=True)
class MapRate:
    """One quantised map over a whole data set."""

    name: str
    n_values: int
    """Number of values of one image."""
    clip: float
    counts: NDArray[np.int64]
    """[2**bits] number of occurrences of each level, over all images."""

    @property
    def entropy(self) -> float:
        """Bits per value."""
        return entropy_bits(self.counts) / int(self.counts.sum())

    @property
    def huffman(self) -> float:
        """Bits per value of a Huffman code of this map, without its table."""
        return huffman_bits(self.counts) / int(self.counts.sum())

    @property
    def zeros(self) -> float:
        return float(self.counts[0] / self.counts.sum())


@dataclass(frozen=True)
class Evaluation:
    """``accuracy`` is a fraction; rates are in bits per value over all maps, by volume."""

    accuracy: float
    maps: tuple[MapRate, ...]

    @property
    def entropy(self) -> float:
        return self._mean([m.entropy for m in self.maps])

    @property
    def huffman(self) -> float:
        return self._mean([m.huffman for m in self.maps])

    @property
    def zeros(self) -> float:
        return self._mean([m.zeros for m in self.maps])

    def _mean(self, values: list[float]) -> float:
        volumes = [m.n_values for m in self.maps]
        return float(np.average(values, weights=volumes)) if volumes else 0.0


def evaluate(network: nn.Module, data: LabelledImages, device: torch.device) -> Evaluation:
    """Accuracy of a network on all of ``data``, and the rates of its quantised maps."""
    quantisers = network.quantisers if isinstance(network, CatNetwork) else {}
    active = {n: q for n, q in quantisers.items() if q.mode == "quantise"}
    n_right = 0
    with counting(active) as counts:
        for start in range(0, len(data.labels), _BATCH):
            logits = predict(network, data.images[start : start + _BATCH], device)
            n_right += int((logits.argmax(1) == data.labels[start : start + _BATCH]).sum())
    maps = tuple(
        MapRate(name, q.n_values, abs(float(q.clip.detach())), counts[name])
        for name, q in active.items()
    )
    return Evaluation(n_right / len(data.labels), maps)


def predict(
    network: nn.Module, images: NDArray[np.uint8], device: torch.device
) -> NDArray[np.float32]:
    """Logits of uint8 images in float32, without training: [n, n_classes]."""
    was_training = network.training
    network.eval()
    with torch.no_grad():
        x = torch.tensor(images, device=device).float().div_(255)
        logits: NDArray[np.float32] = (
            network(x.contiguous(memory_format=torch.channels_last)).float().cpu().numpy()
        )
    network.train(was_training)
    return logits


@contextmanager
def counting(
    quantisers: dict[str, ActivationQuantiser],
) -> Iterator[dict[str, NDArray[np.int64]]]:
    """Count the levels of all maps in this context: by quantiser, [2**bits]."""
    counts = {name: np.zeros(q.top + 1, np.int64) for name, q in quantisers.items()}

    def watcher(name: str) -> Any:
        def watch(quantiser: ActivationQuantiser, inputs: tuple[Tensor, ...]) -> None:
            levels = quantiser.levels(inputs[0]).flatten().cpu()
            counts[name] += torch.bincount(levels, minlength=quantiser.top + 1).numpy()

        return watch

    hooks = [q.register_forward_pre_hook(watcher(name)) for name, q in quantisers.items()]
    try:
        yield counts
    finally:
        for hook in hooks:
            hook.remove()
