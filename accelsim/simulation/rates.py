"""What the codec made of the maps of a run: their rates, and the error of a lossy codec."""

from __future__ import annotations

from math import sqrt

from accelsim.results.build import MapRates
from accelsim.simulation.coded import output_edges
from accelsim.simulation.prepare import Prepared
from accelsim.workload.trace import Trace


def map_rates(prepared: Prepared, trace: Trace, burst_bytes: int) -> list[MapRates]:
    """By stage: rates of the feature map that it produces, before any padding, over all images.

    The network's outputs (logits) are not feature maps.
    """
    rates, outputs = [], output_edges(trace.graph)
    for planned in prepared.plans:
        stage = planned.stage
        is_feature_map = stage.output.edge not in outputs
        measured = [maps[stage.output] for maps in prepared.maps if is_feature_map]
        rates.append(
            MapRates(
                n_values=stage.output.n_values * len(measured),
                entropy_bits=sum(m.entropy_bits for m in measured),
                huffman_bits=sum(m.huffman_bits for m in measured),
                stream_bits=sum(
                    int(m.as_stored(burst_bytes).bits.sum()) + m.table_bits
                    if stage.output in prepared.coded
                    else stage.output.n_values * stage.output.bits
                    for m in measured
                ),
            )
        )
    return rates


def error_of_codec(prepared: Prepared, burst_bytes: int) -> float:
    """Rms of what a lossy codec changes in the coded maps, over the rms of their values."""
    coded = [maps[stored] for maps in prepared.maps for stored in prepared.coded]
    energy = sum(measured.energy for measured in coded)
    errors = sum(measured.stored_error_energy(burst_bytes) for measured in coded)
    return sqrt(errors / energy) if energy else 0.0
