"""How many components each layer keeps: greedy dimension reduction over all layers.

Reconstruction of the metric of Tai et al. (ICASSP 2022, arXiv 2110.08828), of which only
the abstract is public: each step takes components from the layer where that saves the
most bits for the distortion that it adds. What distortion means is the caller's choice:
squared error, loss, or lost accuracy, measured with so many components kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SMALLEST_LOSS = 1e-12
"""Of layers where a step costs nothing, the one that saves the most bits goes first."""


@dataclass(frozen=True)
class ReducibleLayer:
    """One map: its vectors, and what keeping only some components costs."""

    n_vectors: int
    distortion: Sequence[float]
    """[length + 1] with 0, 1, ... components kept; only 1 and more are used."""


def greedy_ranks(
    layers: Sequence[ReducibleLayer], bits: int, target_bits: int, step: int = 1
) -> list[int]:
    """Components that each layer keeps, so that all maps together take ``target_bits``.

    Components have ``bits`` bits; ``step`` of them are dropped at once, and each layer
    keeps at least one. The target is missed only where no layer can drop more.

    >>> smooth = ReducibleLayer(100, [9.0, 0.2, 0.1, 0.0])   # one component says it all
    >>> rough = ReducibleLayer(100, [9.0, 6.0, 3.0, 0.0])
    >>> greedy_ranks([smooth, rough], bits=8, target_bits=3300)
    [1, 3]
    """
    ranks = [len(layer.distortion) - 1 for layer in layers]
    total_bits = sum(k * layer.n_vectors for k, layer in zip(ranks, layers, strict=True)) * bits
    while total_bits > target_bits:
        reducible = [i for i, k in enumerate(ranks) if k > step]
        if not reducible:
            break

        def gain(i: int) -> float:
            distortion = layers[i].distortion
            loss = distortion[ranks[i] - step] - distortion[ranks[i]]
            return layers[i].n_vectors / max(loss, SMALLEST_LOSS)

        best = max(reducible, key=gain)
        ranks[best] -= step
        total_bits -= step * layers[best].n_vectors * bits
    return ranks
