"""From any ``FloatNetwork`` to a trace file: quantised, replayed in integers, and checked.

The trace stores exactly what the integer network computes (``accelsim.workload.replay``).
Nothing is written if this differs from the network that was trained (see ``comparison``). The
caller provides an interpreter of float networks: torch or ONNX Runtime.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from accelsim.errors import UserError
from accelsim.version import __version__
from accelsim.workload.quantising.batches import MapRanges
from accelsim.workload.quantising.comparison import Checks, compared, demand_agreement
from accelsim.workload.quantising.equalise import equalised
from accelsim.workload.quantising.float_network import FloatNetwork
from accelsim.workload.quantising.input_map import FACTS
from accelsim.workload.quantising.pre_activations import twin_edges, with_twins, without_twins
from accelsim.workload.quantising.quantise import QuantisedNetwork, quantise
from accelsim.workload.quantising.words import MAP_BITS
from accelsim.workload.trace import Values
from accelsim.workload.trace_writer import stored_edges, write_trace


def export_network(
    network: FloatNetwork,
    images: NDArray[Any],
    out: str | Path,
    *,
    calibration: NDArray[Any],
    checks: Checks,
    map_ranges: MapRanges,
    packages: tuple[str, ...],
    accuracy: Mapping[str, float] | None = None,
    training: Mapping[str, str] | None = None,
    provenance: Mapping[str, str] | None = None,
    warnings: Sequence[str] = (),
    map_bits: int = MAP_BITS,
    weights: bool = True,
    pre_activations: bool = False,
) -> dict[str, float]:
    """Write the trace of a network on ``images``; returns its accuracy figures.

    All images are uint8 [n, channels, rows, cols]. ``calibration`` gives the ranges of the
    maps without a trained word (by ``map_ranges``), which are stored in ``map_bits``. The
    figures are those of ``compared`` and of ``accuracy``. ``weights`` stores the layers'
    constants, without which a trace cannot be replayed; ``pre_activations`` also stores the
    maps before ReLUs. ``packages`` are named with their versions. Raises ``UserError``
    when quantisation changes the network (see above).
    """
    if not len(images):
        raise UserError("export", "there is no image to run", "give at least one")
    complete = quantised_network(
        network,
        calibration,
        map_ranges=map_ranges,
        map_bits=map_bits,
        pre_activations=pre_activations,
    )
    plain, before = without_twins(complete), twin_edges(complete)
    figures = {**compared(plain, checks), **(accuracy or {})}
    demand_agreement(network.name, figures)
    graph = plain.graph
    stored = stored_edges(graph)
    write_trace(
        out,
        name=network.name,
        graph=graph,
        n_images=len(images),
        images=_maps_of(plain, images, {name: name for name in stored}),
        arithmetic=plain.arithmetic if weights else None,
        pre_activation_edges=before,
        pre_activations=_maps_of(complete, images, {n: e.name for n, e in before.items()}),
        accuracy=figures,
        training={
            "weights": network.source,
            "method": _method(network, len(calibration), map_bits),
            **(training or {}),
        },
        warnings=warnings,
        provenance={
            "tool": f"accelsim {__version__}",
            "versions": ", ".join(f"{p} {version(p)}" for p in packages),
            "input": FACTS[plain.form],
            **(provenance or {}),
        },
    )
    return figures


def quantised_network(
    network: FloatNetwork,
    calibration: NDArray[Any],
    *,
    map_ranges: MapRanges,
    map_bits: int = MAP_BITS,
    pre_activations: bool = False,
) -> QuantisedNetwork:
    """The network in integers, with scales from the images of ``calibration``."""
    prepared = equalised(network)
    if pre_activations:
        prepared = with_twins(prepared)
    return quantise(prepared, map_ranges(prepared, calibration), map_bits)


def _maps_of(
    quantised: QuantisedNetwork, images: NDArray[Any], wanted: Mapping[str, str]
) -> Iterator[dict[str, Values]]:
    """Image by image, the maps of the edges that ``wanted`` names."""
    for pixels in images:
        maps = quantised.maps(pixels)
        yield {name: maps[edge] for name, edge in wanted.items()}


def _method(network: FloatNetwork, n_calibration: int, map_bits: int) -> str:
    calibrated = (
        f"{map_bits}-bit post-training quantisation, calibrated on the maxima of "
        f"{n_calibration} images; see docs/trace_format.md"
    )
    if network.given_words:
        n = len(network.given_words)
        return f"words that {n} maps came with; for the others {calibrated}"
    if not network.trained_words:
        return calibrated
    return f"trained words for {len(network.trained_words)} maps; for the others {calibrated}"
