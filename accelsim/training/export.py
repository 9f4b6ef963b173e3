"""From a trained network and photographs to a trace file, checked on labelled photographs.

The quantised network is run on integers alone (``accelsim.workload.replay``), and the
trace stores exactly these integers. Nothing is written when 8 bits change the network:
its best class must stay the float network's on 18 of the 20 labelled photographs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

import accelsim
from accelsim.errors import UnknownNameError, UserError
from accelsim.workload.replay import replay
from accelsim.workload.trace import Values
from accelsim.workload.trace_writer import stored_edges, write_trace

if TYPE_CHECKING:
    from accelsim.training.float_network import FloatNetwork
    from accelsim.training.photographs import Photograph
    from accelsim.training.quantise import QuantisedNetwork

MODELS: Final = ("squeezenet1_1",)
SHIPPED_IMAGES: Final = ("chelsea", "coffee", "astronaut", "rocket")
_DEMANDED_AGREEMENT: Final = 18


def export_trace(
    model: str, out: str | Path, images: Sequence[str] = SHIPPED_IMAGES
) -> dict[str, float]:
    """Write the trace of a network on photographs, and return its accuracy figures.

    ``images`` are names of free photographs or image files. Scales are calibrated on the
    20 labelled photographs. Raises ``UserError`` when torch (the ``[train]`` extra) or the
    packages of ``make models`` are missing, and when quantisation changes the network.
    """
    if model not in MODELS:
        raise UnknownNameError("model", model, MODELS)
    if not images:
        raise UserError("export", "no image was named", f"one of: {', '.join(SHIPPED_IMAGES)}")
    _demand_torch()
    from accelsim.training.networks.squeezenet import SQUEEZENET_SIZE, squeezenet1_1
    from accelsim.training.photographs import labelled_photographs, photograph

    photographs = [photograph(name, SQUEEZENET_SIZE) for name in images]
    labelled = labelled_photographs(SQUEEZENET_SIZE)
    network = squeezenet1_1()
    quantised, accuracy = quantise_and_check(network, labelled)
    write_trace(
        out,
        name=model,
        graph=quantised.graph,
        n_images=len(photographs),
        images=_stored_maps(quantised, photographs),
        arithmetic=quantised.arithmetic,
        accuracy=accuracy,
        training={
            "weights": network.source,
            "method": "8-bit post-training quantisation, calibrated on the maxima of "
            f"{len(labelled)} labelled ImageNet photographs; see accelsim.training.quantise",
        },
        provenance={
            "tool": f"accelsim {accelsim.__version__}",
            "versions": ", ".join(f"{p} {version(p)}" for p in ("torch", "numpy", "pillow")),
            "images": "; ".join(_credit(p.name) for p in photographs),
            "input": f"RGB, 0 to 255, centre {SQUEEZENET_SIZE} x {SQUEEZENET_SIZE}",
        },
    )
    return accuracy


def quantise_and_check(
    network: FloatNetwork, labelled: Sequence[Photograph]
) -> tuple[QuantisedNetwork, dict[str, float]]:
    """The quantised network, and how it does on the labelled photographs.

    ``top1_agreement`` is the share whose best class is the float network's; the held-out
    figure comes from scales calibrated on the other half of the photographs. Raises
    ``UserError`` below 18 of 20.
    """
    from accelsim.training.float_maps import float_maps
    from accelsim.training.quantise import quantise

    floats = [float_maps(network, p.pixels) for p in labelled]
    ranges = [{n: (float(m.min()), float(m.max())) for n, m in maps.items()} for maps in floats]
    output = network.graph.outputs[0]
    float_ranks = [best_classes(maps[output].numpy()) for maps in floats]
    labels = [p.label for p in labelled]
    n = len(labelled)

    quantised = quantise(network, _joined(ranges))
    ranks = [_ranks(quantised, p) for p in labelled]
    agreeing = _agreeing(ranks, float_ranks)
    if agreeing * 20 < _DEMANDED_AGREEMENT * n:
        raise UserError(
            network.name,
            f"8 bits keep the best class of only {agreeing} of {n} photographs",
            f"at least {_DEMANDED_AGREEMENT} of 20 are needed; nothing was written",
        )
    held_out = 0
    for half in (0, 1):
        other = quantise(network, _joined(ranges[1 - half :: 2]))
        held_out += _agreeing([_ranks(other, p) for p in labelled[half::2]], float_ranks[half::2])
    accuracy = {
        "n_images": float(n),
        "top1": _hits(ranks, labels, 1) / n,
        "top5": _hits(ranks, labels, 5) / n,
        "float_top1": _hits(float_ranks, labels, 1) / n,
        "float_top5": _hits(float_ranks, labels, 5) / n,
        "top1_agreement": agreeing / n,
        "top1_agreement_held_out": held_out / n,
    }
    return quantised, accuracy


def best_classes(logits: NDArray[Any]) -> list[int]:
    """The five best classes, best first; of equals the lower number."""
    flat = logits.ravel().astype(np.float64)
    return [int(c) for c in np.argsort(-flat, kind="stable")[:5]]


def _stored_maps(
    quantised: QuantisedNetwork, photographs: Sequence[Photograph]
) -> Iterator[dict[str, Values]]:
    stored = stored_edges(quantised.graph)
    for each in photographs:
        maps = _replayed(quantised, each)
        yield {name: maps[name] for name in stored}


def _replayed(quantised: QuantisedNetwork, photograph: Photograph) -> dict[str, Values]:
    inputs = {quantised.graph.inputs[0]: photograph.pixels}
    return replay(quantised.graph, quantised.arithmetic, inputs)


def _ranks(quantised: QuantisedNetwork, photograph: Photograph) -> list[int]:
    return best_classes(_replayed(quantised, photograph)[quantised.graph.outputs[0]])


def _joined(ranges: Sequence[Mapping[str, tuple[float, float]]]) -> dict[str, tuple[float, float]]:
    return {
        name: (min(r[name][0] for r in ranges), max(r[name][1] for r in ranges))
        for name in ranges[0]
    }


def _agreeing(ranks: Sequence[list[int]], others: Sequence[list[int]]) -> int:
    return sum(a[0] == b[0] for a, b in zip(ranks, others, strict=True))


def _hits(ranks: Sequence[list[int]], labels: Sequence[int | None], best: int) -> int:
    return sum(label in r[:best] for r, label in zip(ranks, labels, strict=True))


def _credit(name: str) -> str:
    from accelsim.training.photographs import FREE

    return f"{name} ({FREE[name][1]})" if name in FREE else name


def _demand_torch() -> None:
    try:
        import PIL  # noqa: F401
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        raise UserError(
            "training",
            f"{error.name} is not installed",
            'pip install "accelsim[train]"',
        ) from None
