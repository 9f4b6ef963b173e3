"""Checking that the integer network is still the network that was trained.

Both are run on images from the caller. With 20 images or more, the integer network is refused if

* class scores: both have the same best class on less than 90 % of the images;
* features: the error of the output map is more than half of it (root mean squares).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accelsim.errors import UserError
from accelsim.workload.quantising.batches import batches
from accelsim.workload.quantising.float_network import FloatNetwork
from accelsim.workload.quantising.quantise import QuantisedNetwork
from accelsim.workload.trace import Values

_ENOUGH_IMAGES: Final = 20
_LEAST_AGREEMENT: Final = 0.9
_LARGEST_ERROR: Final = 0.5
_CLASSES_WITH_TOP5: Final = 100
_LARGEST_DIFFERENCE: Final = 1e-3  # of float32 sums in another order, over the largest value


@dataclass(frozen=True)
class Checks:
    """Images, and the outputs of the trained network, which the integer network must reproduce."""

    images: NDArray[np.uint8]
    """[n, channels, rows, cols]."""
    outputs: NDArray[np.float32]
    """[n, ...] class scores, or features."""
    labels: NDArray[np.int64] | None = None
    """[n] the correct classes; None if the outputs are features."""


def integer_outputs(quantised: QuantisedNetwork, images: NDArray[np.uint8]) -> Values:
    """The integers of the output map, [n, channels, rows, cols], a few images at a time."""
    output = quantised.graph.outputs[0]
    made = [quantised.maps(batch)[output] for batch in batches(quantised.graph, images)]
    return np.concatenate(made)


def compared(quantised: QuantisedNetwork, checks: Checks) -> dict[str, float]:
    """Figures of the integer network on the check images.

    With labels: ``top1`` of the integer network (and ``top5`` with 100 classes or more), the
    same of the trained network as ``float_top1``, or ``fake_quantised_top1`` when it was
    trained with quantised maps, and ``top1_agreement``, the share of images with the same
    best class. Without: ``output_error``, the error of the output map over the map, as root
    mean squares (1 for any error of a map that is all zero).
    """
    n = len(checks.images)
    found = integer_outputs(quantised, checks.images).reshape(n, -1)
    wanted = checks.outputs.reshape(n, -1)
    if checks.labels is None:
        edge = quantised.graph.edge[quantised.graph.outputs[0]]
        error = (found.astype(np.float64) - edge.zero_point) * edge.scale - wanted
        power = np.square(wanted.astype(np.float64)).mean()
        missed = np.square(error).mean()
        relative = float(np.sqrt(missed / power)) if power else float(missed > 0)
        return {"n_images": float(n), "output_error": relative}
    prefix = "fake_quantised" if quantised.network.trained_words else "float"
    ours, theirs = ranked(found), ranked(wanted)
    figures = {"n_images": float(n)}
    for best in (1, 5) if found.shape[1] >= _CLASSES_WITH_TOP5 else (1,):
        figures[f"top{best}"] = _share_right(ours, checks.labels, best)
        figures[f"{prefix}_top{best}"] = _share_right(theirs, checks.labels, best)
    figures["top1_agreement"] = agreement(ours, theirs)
    return figures


def demand_agreement(name: str, figures: Mapping[str, float]) -> None:
    """Raise ``UserError`` if enough images show that the integer network differs."""
    n = round(figures["n_images"])
    if n < _ENOUGH_IMAGES:
        return
    agreeing, error = figures.get("top1_agreement", 1.0), figures.get("output_error", 0.0)
    mend = "give more bits to its maps, or calibrate it on other images; nothing was written"
    if agreeing < _LEAST_AGREEMENT:
        raise UserError(
            name,
            f"its integers keep the best class of only {round(agreeing * n)} of {n} images, "
            f"where {_LEAST_AGREEMENT:.0%} are needed",
            mend,
        )
    if error > _LARGEST_ERROR:
        raise UserError(
            name,
            f"its integers miss the output map by {error:.0%}, where {_LARGEST_ERROR:.0%} "
            "are allowed",
            mend,
        )


def demand_same(
    network: FloatNetwork,
    maps: Iterable[Mapping[str, NDArray[np.float32]]],
    outputs: Sequence[NDArray[np.float32]],
    where: str,
) -> None:
    """Raise ``UserError`` unless the layers, in real numbers, compute ``outputs``.

    ``maps`` are those of an interpreter, a few images at a time; ``outputs`` are the outputs of the
    network itself for all images, one array per output of the graph.
    """
    done = 0
    for batch in maps:
        n = len(batch[network.graph.inputs[0]])
        for edge, wanted in zip(network.graph.outputs, outputs, strict=True):
            expected = wanted[done : done + n].reshape(n, -1)
            largest = float(np.abs(expected).max()) or 1.0
            with np.errstate(invalid="ignore"):  # NaN is not the same
                off = float(np.abs(batch[edge].reshape(n, -1) - expected).max()) / largest
            if not off <= _LARGEST_DIFFERENCE:
                raise UserError(
                    where,
                    f"its layers miss what the network itself computes for {edge!r} by {off:.1%}",
                    "report it: the importer misreads an operator of this network",
                )
        done += n


def ranked(scores: NDArray[Any]) -> NDArray[np.int64]:
    """The five best classes of each image, best first, [n, 5]; ties go to the lower number.

    >>> ranked(np.array([[1, 9, 3, 9, 0, 3]], np.uint16)).tolist()
    [[1, 3, 2, 5, 0]]
    """
    descending = -scores.astype(np.float64)
    return np.argsort(descending, axis=1, kind="stable")[:, :5]


def agreement(ranks: NDArray[np.int64], others: NDArray[np.int64]) -> float:
    """The fraction of images with the same best class."""
    return float((ranks[:, 0] == others[:, 0]).mean())


def _share_right(ranks: NDArray[np.int64], labels: NDArray[np.int64], best: int) -> float:
    return float((ranks[:, :best] == labels[:, None]).any(1).mean())
