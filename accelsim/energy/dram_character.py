"""Characterising a memory: bandwidth, latency and energy per bit, by pattern, map and load.

Every point is a command-by-command replay that offers one line per channel and clock
(``accelsim.dram.channel_replay``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from accelsim.dram.channel_replay import replay_channels
from accelsim.dram.chunked_replay import ReplayCounts
from accelsim.dram.config import DramConfig
from accelsim.dram.standard import DEFAULT_ADDRESS_MAP
from accelsim.dram.traces.patterns import PATTERNS, at_load, random_lines
from accelsim.energy.dram import EnergyMode, price_dram
from accelsim.energy.dram_known import energy_label

ADDRESS_MAPS: Final = (DEFAULT_ADDRESS_MAP, "rochrababgco", "rochrabacobg", "barochrabgco")
"""From the lowest field: channels, bank groups and banks; a whole row; bank groups, then
columns; a whole row, and banks far apart."""
LOADS: Final = (0.05, 0.2, 0.4, 0.55, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0)
"""Fractions of the bandwidth that the pattern reaches when requests never pause."""
N_REQUESTS: Final = 20_000
"""Requests per point, over all channels."""


@dataclass(frozen=True)
class PatternPoint:
    """One pattern on one address map, requests as fast as they are accepted."""

    pattern: str
    address_map: str
    bandwidth_gb_s: float
    peak_share: float
    row_hit_rate: float
    average_latency_ns: float
    """Latency of reads, from acceptance."""
    energy_pj_per_bit: dict[str, float]
    """By ``dram_*`` part, and ``total``."""


@dataclass(frozen=True)
class LoadPoint:
    """One pattern at one offered load: latencies from arrival to the last beat."""

    pattern: str
    offered_gb_s: float
    bandwidth_gb_s: float
    average_latency_ns: float
    p99_latency_ns: float


@dataclass(frozen=True)
class Character:
    """Figures of a memory; energies are for ``mode`` currents."""

    memory: str
    description: str
    mode: EnergyMode
    energy_label: str
    """What energies are based on, and how they are known."""
    peak_gb_s: float
    address_map: str
    """The memory's own map, with which loads are measured."""
    patterns: tuple[PatternPoint, ...]
    loads: tuple[LoadPoint, ...]


def characterise(
    config: DramConfig,
    mode: EnergyMode = "typical",
    n_requests: int = N_REQUESTS,
    track: Callable[[list[tuple[str, str]]], Iterable[tuple[str, str]]] = iter,
) -> Character:
    """Replay every pattern with every map, then reads under rising load with the memory's own map.

    ``track`` wraps the iteration over pairs of pattern and map, to show progress.
    """
    own = config.controller.address_map
    maps = (own, *(each for each in ADDRESS_MAPS if each != own))
    pairs = [(pattern, each) for pattern in PATTERNS for each in maps]
    points = tuple(_pattern(config, *pair, mode, n_requests) for pair in track(pairs))
    loads = [
        _load(config, pattern, share * reached(points, pattern, own), n_requests)
        for pattern in ("stream read", "random read")
        for share in LOADS
    ]
    return Character(
        memory=config.name,
        description=config.protocol,
        mode=mode,
        energy_label=energy_label(config, mode),
        peak_gb_s=config.peak_gb_s,
        address_map=own,
        patterns=points,
        loads=tuple(loads),
    )


def reached(points: Iterable[PatternPoint], pattern: str, address_map: str) -> float:
    """The bandwidth of one of the points, GB/s."""
    return next(
        p.bandwidth_gb_s for p in points if (p.pattern, p.address_map) == (pattern, address_map)
    )


def _pattern(
    config: DramConfig, pattern: str, address_map: str, mode: EnergyMode, n: int
) -> PatternPoint:
    mapped = replace(config, controller=replace(config.controller, address_map=address_map))
    result = replay_channels(mapped, PATTERNS[pattern](mapped, n)).counts
    columns = result.reads + result.writes
    bandwidth = _gb_s(config, columns, result.cycles)
    return PatternPoint(
        pattern=pattern,
        address_map=address_map,
        bandwidth_gb_s=bandwidth,
        peak_share=bandwidth / config.peak_gb_s,
        row_hit_rate=result.row_hits / columns if columns else 0.0,
        average_latency_ns=result.average_read_latency_cycles * config.timing.tCK_ns,
        energy_pj_per_bit=_pj_per_bit(result, config, mode),
    )


def _pj_per_bit(result: ReplayCounts, config: DramConfig, mode: EnergyMode) -> dict[str, float]:
    bits = 8 * config.line_bytes * max(1, result.reads + result.writes)
    parts = {part: pj / bits for part, pj in price_dram(result, config, mode).items()}
    return {**parts, "total": sum(parts.values())}


def _load(config: DramConfig, pattern: str, offered_gb_s: float, n: int) -> LoadPoint:
    every_cycles = config.line_bytes / offered_gb_s / config.timing.tCK_ns
    lines = np.arange(n) if pattern == "stream read" else random_lines(config, n)
    requests = at_load(config, lines, np.zeros(n), every_cycles)
    result = replay_channels(config, requests)
    latency_ns = (result.done_cycle - requests.arrival_cycle) * config.timing.tCK_ns
    return LoadPoint(
        pattern=pattern,
        offered_gb_s=offered_gb_s,
        bandwidth_gb_s=_gb_s(config, result.counts.reads, result.counts.cycles),
        average_latency_ns=float(latency_ns.mean()),
        p99_latency_ns=float(np.percentile(latency_ns, 99)),
    )


def _gb_s(config: DramConfig, n_bursts: int, cycles: int) -> float:
    """Bandwidth on the bus."""
    return n_bursts * config.line_bytes / (cycles * config.timing.tCK_ns)
