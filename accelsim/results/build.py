"""From counts to a result: every figure is a pure function of what the run counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import fsum
from typing import Any

from accelsim.dram.config import DramConfig
from accelsim.dram.events import DramEvents
from accelsim.hardware.chip import Chip
from accelsim.program.work import NO_COUNTS
from accelsim.results.figures import (
    ENERGY_PARTS,
    BitsPerValue,
    DramTraffic,
    Idle,
    LayerResult,
    Totals,
    Traffic,
)
from accelsim.results.json_form import config_sha256
from accelsim.results.result import Result
from accelsim.results.versions import versions
from accelsim.sim.counts import STALL_CAUSES, TENSOR_KINDS, ByteCounts, LayerCounts, RunCounts
from accelsim.units import FS_PER_S
from accelsim.workload.trace import TraceFacts


@dataclass(frozen=True)
class MapRates:
    """Sizes of the maps that one layer writes, over all images, before any padding.

    ``huffman_bits`` is the payload of an ideal Huffman code, table not counted;
    ``stream_bits`` that of the codec used.
    """

    n_values: int = 0
    entropy_bits: float = 0.0
    huffman_bits: int = 0
    stream_bits: int = 0


def build_result(
    counts: RunCounts,
    energy_pj: Sequence[Mapping[str, float]],
    rates: Sequence[MapRates],
    chip: Chip,
    facts: TraceFacts,
    *,
    codec: str,
    images: int = 1,
    idle_seconds: float = 0.0,
    idle_counts: DramEvents | None = None,
    idle_energy_pj: Mapping[str, float] | None = None,
    closed_loop: bool = True,
    reconstruction: bool = False,
    codec_error: float = 0.0,
    codec_area_kge: float = 0.0,
    notes: Sequence[str] = (),
    warnings: Sequence[str] = (),
) -> Result:
    """The result of one run.

    ``energy_pj`` and ``rates`` have one entry per layer of ``counts``, in its order; energy
    is by part, parts left out are zero. ``idle_energy_pj`` is what the machine burns between
    frames at a fixed frame rate, in ``idle_seconds``, while its memory does ``idle_counts``: it
    belongs to the total, not to a layer.
    """
    if not len(counts.layers) == len(energy_pj) == len(rates):
        raise ValueError(
            f"{len(counts.layers)} layers, {len(energy_pj)} energies, {len(rates)} rates"
        )
    layers = tuple(
        _layer(layer, part, rate, chip)
        for layer, part, rate in zip(counts.layers, energy_pj, rates, strict=True)
    )
    return Result(
        hardware=chip.name,
        trace=facts.name,
        codec=codec,
        closed_loop=closed_loop,
        reconstruction=reconstruction,
        codec_error=codec_error,
        codec_area_kge=codec_area_kge,
        accuracy=dict(facts.accuracy),
        images=images,
        totals=_totals(counts, [*energy_pj, idle_energy_pj or {}], rates, chip, images),
        layers=layers,
        versions=versions(chip.resolved),
        idle=Idle(idle_seconds, energy_of([idle_energy_pj or {}]), idle_counts)
        if idle_seconds
        else None,
        config=dict(chip.resolved),
        config_sha256=config_sha256(chip.resolved),
        inputs={"trace_sha256": facts.sha256},
        notes=tuple(notes),
        warnings=tuple(warnings),
    )


def _layer(
    layer: LayerCounts, energy_pj: Mapping[str, float], rates: MapRates, chip: Chip
) -> LayerResult:
    figures = _figures([layer], layer.cycles, [energy_pj], [rates], chip)
    return LayerResult(
        name=layer.work.name, kind=layer.work.kind, bound=bound(layer), counts=layer, **figures
    )


def _totals(
    counts: RunCounts,
    energy_pj: Sequence[Mapping[str, float]],
    rates: Sequence[MapRates],
    chip: Chip,
    images: int,
) -> Totals:
    figures = _figures(counts.layers, counts.cycles, energy_pj, rates, chip)
    ends = counts.image_end_cycles
    steady_seconds = _seconds(ends[-1] - ends[0], chip) if len(ends) > 1 else 0.0
    return Totals(
        images_per_second=(len(ends) - 1) / steady_seconds if steady_seconds else None,
        images_per_second_cold=_ratio(images, figures["seconds"]),
        **figures,
    )


def _figures(
    layers: Sequence[LayerCounts],
    cycles: int,
    energy_pj: Sequence[Mapping[str, float]],
    rates: Sequence[MapRates],
    chip: Chip,
) -> dict[str, Any]:
    macs = sum(layer.work.macs for layer in layers)
    skipped = sum(layer.work.skipped_macs for layer in layers)
    seconds = _seconds(cycles, chip)
    return {
        "cycles": cycles,
        "compute_cycles": sum(layer.compute_cycles for layer in layers),
        "vector_cycles": sum(layer.vector_cycles for layer in layers),
        "stall_cycles": {
            cause: sum(layer.stall_cycles[cause] for layer in layers) for cause in STALL_CAUSES
        },
        "utilization": _ratio(macs - skipped, chip.array.rows * chip.array.cols * cycles),
        "macs": macs,
        "skipped_macs": skipped,
        "seconds": seconds,
        "dram": _dram(layers, chip.dram.config.line_bytes),
        "bandwidth_gb_s": _bandwidth_gb_s(layers, chip.core.to_fs(cycles), chip.dram.config),
        "bits_per_value": _bits_per_value(layers, rates),
        "energy_pj": energy_of(energy_pj),
        "bus": sum((layer.bus for layer in layers), NO_COUNTS),
    }


def bound(layer: LayerCounts) -> str:
    """What bounds a layer: the larger of compute and vector work if it is busy at least half
    of its cycles, otherwise the cause of most of its stall cycles.
    """
    stalled = sum(layer.stall_cycles.values())
    if layer.compute_cycles + layer.vector_cycles >= stalled:
        return "compute" if layer.compute_cycles >= layer.vector_cycles else "vector"
    return max(STALL_CAUSES, key=lambda cause: layer.stall_cycles[cause])


def _bandwidth_gb_s(layers: Sequence[LayerCounts], time_fs: int, memory: DramConfig) -> float:
    """The share of the time in which the data buses were busy, of their peak."""
    busy_fs = sum(layer.dram.bus_fs for layer in layers)
    return memory.peak_gb_s * _ratio(busy_fs, memory.organisation.channels * time_fs)


def _dram(layers: Sequence[LayerCounts], line_bytes: int) -> DramTraffic:
    by_kind = {
        kind: sum((layer.work.bytes_by_tensor[kind] for layer in layers), ByteCounts())
        for kind in TENSOR_KINDS
    }
    whole = _by_field(sum(by_kind.values(), ByteCounts()))
    by_tensor = {kind: Traffic(**_by_field(counts)) for kind, counts in by_kind.items()}
    bursts = sum(layer.dram.reads + layer.dram.writes for layer in layers)
    return DramTraffic(by_tensor=by_tensor, bus_bytes=bursts * line_bytes, **whole)


def _by_field(counts: ByteCounts) -> dict[str, int]:
    return {field.name: getattr(counts, field.name) for field in fields(Traffic)}


def _bits_per_value(layers: Sequence[LayerCounts], rates: Sequence[MapRates]) -> BitsPerValue:
    written = sum(rate.n_values for rate in rates)
    fetched_bits = sum(
        layer.work.bytes_by_tensor[kind].fetched_bytes * 8
        for layer in layers
        for kind in ("ifmap", "ofmap")
    )
    return BitsPerValue(
        entropy=_rate(fsum(rate.entropy_bits for rate in rates), written),
        huffman=_rate(sum(rate.huffman_bits for rate in rates), written),
        stream=_rate(sum(rate.stream_bits for rate in rates), written),
        fetched=_rate(fetched_bits, sum(layer.work.map_values for layer in layers)),
    )


def energy_of(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Parts of several layers as the sum by part, and ``total``; parts left out are zero."""
    unknown = {name for part in parts for name in part} - {*ENERGY_PARTS, "total"}
    if unknown:
        raise ValueError(f"energy parts that no result names: {sorted(unknown)}")
    sums = {name: fsum(part.get(name, 0.0) for part in parts) for name in ENERGY_PARTS}
    return {**sums, "total": fsum(sums.values())}


def _seconds(cycles: int, chip: Chip) -> float:
    return chip.core.to_fs(cycles) / FS_PER_S


def _rate(bits: float, n_values: float) -> float | None:
    return bits / n_values if n_values else None


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else 0.0
