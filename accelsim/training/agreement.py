"""Distance of a quantised network from the float network that it was made from, and its rates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from accelsim.training.cat import CatNetwork
from accelsim.training.datasets import LabelledImages
from accelsim.training.digests import data_digest
from accelsim.training.evaluate import Evaluation, MapRate, counting
from accelsim.training.networks import TrainedNetwork
from accelsim.training.photographs import labelled_photographs

LABELLED: Final = "labelled photographs"
"""Name of the labelled photographs among the inputs of a checkpoint."""
_BATCH: Final = 32
_RANKS: Final = (1, 5)


def agreement(
    network: CatNetwork, entry: TrainedNetwork, pixels: NDArray[np.uint8]
) -> dict[str, float]:
    """Distance, agreement and rates over images, uint8 [n, 3, size, size].

    ``divergence``: mean KL(float || quantised) in nats. ``agreement``: fraction of images with the
    same best class. ``entropy_bits``, ``huffman_bits`` (per value) and ``zeros`` (fraction) are
    over all quantised maps, by volume.
    """
    wanted = logits(entry.load(), entry, pixels)
    with counting(network.quantisers) as counts:
        found = logits(network, entry, pixels)
    maps = tuple(
        MapRate(name, q.n_values, abs(float(q.clip.detach())), counts[name])
        for name, q in network.quantisers.items()
    )
    rates = Evaluation(0.0, maps)
    distance = functional.kl_div(
        functional.log_softmax(found, 1),
        functional.log_softmax(wanted, 1),
        reduction="batchmean",
        log_target=True,
    )
    return {
        "divergence": float(distance),
        "agreement": float((found.argmax(1) == wanted.argmax(1)).float().mean()),
        "entropy_bits": rates.entropy,
        "huffman_bits": rates.huffman,
        "zeros": rates.zeros,
    }


def labelled_figures(network: nn.Module, entry: TrainedNetwork) -> dict[str, float]:
    """``top1`` and ``top5`` on the 20 labelled photographs, also for the float network."""
    labelled = labelled_photographs(entry.size)
    pixels = np.stack([p.pixels for p in labelled])
    labels = torch.tensor([p.label for p in labelled])[:, None]
    made = {"": logits(network, entry, pixels), "float_": logits(entry.load(), entry, pixels)}
    return {
        f"{whose}top{k}": float((values.topk(k, 1).indices == labels).any(1).float().mean())
        for whose, values in made.items()
        for k in _RANKS
    }


def labelled_digest(entry: TrainedNetwork) -> str:
    """A hash of the labelled photographs as this network sees them, and of their labels."""
    labelled = labelled_photographs(entry.size)
    pixels = np.stack([p.pixels for p in labelled])
    labels = np.array([p.label for p in labelled], np.int64)
    return data_digest(LabelledImages(LABELLED, "test", pixels, labels))


def logits(network: nn.Module, entry: TrainedNetwork, pixels: NDArray[np.uint8]) -> Tensor:
    """Logits in inference, float32 [n, n_classes], of images uint8 [n, 3, size, size]."""
    with torch.no_grad():
        parts = [network(entry.normalised(p)) for p in _batches(pixels)]
    return torch.cat(parts)


def _batches(pixels: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    for start in range(0, len(pixels), _BATCH):
        yield pixels[start : start + _BATCH]
