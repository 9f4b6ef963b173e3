"""What ``dram list`` shows: every memory with its size, speed and energy per bit.

Energies are closed forms of ``accelsim.energy.dram``, at full bandwidth, without
termination and PHY: a stream opens each row once and reads all of it; random access opens
a row for every burst. Both carry standby and refresh of one rank.
"""

from __future__ import annotations

from dataclasses import dataclass

from accelsim.dram.config import DramConfig
from accelsim.dram.standard import STANDARDS
from accelsim.energy.dram import EnergyMode, event_energy


@dataclass(frozen=True)
class DramEntry:
    """One line of the catalogue."""

    name: str
    description: str
    organisation: str
    line_bytes: int
    peak_gb_s: float
    stream_pj_per_bit: float
    random_pj_per_bit: float
    source: str
    """Where the currents come from."""


def pj_per_bit(config: DramConfig, mode: EnergyMode, bursts_per_activate: float) -> float:
    """Energy of reading at full bandwidth with so many bursts for each ACT."""
    each, t = event_energy(config, mode), config.timing
    standby = each.active_cycle + each.refresh / t.tREFI
    burst = each.read + each.activate / bursts_per_activate + standby * t.burst_cycles
    return burst / (8 * config.line_bytes)


def catalogue(mode: EnergyMode = "typical") -> list[DramEntry]:
    """All registered standards, one channel each."""
    entries = []
    for name in STANDARDS:
        standard = STANDARDS[name]
        config, o = standard.config(), standard.organisation
        gbit = config.n_lines * config.line_bytes * 8 / 2**30
        entries.append(
            DramEntry(
                name=name,
                description=standard.description,
                organisation=f"{o.devices} x {gbit / o.devices:g} Gb x{o.device_bits}, "
                f"{o.bankgroups} x {o.banks_per_group} banks, {o.bus_bits}-bit bus",
                line_bytes=config.line_bytes,
                peak_gb_s=config.peak_gb_s,
                stream_pj_per_bit=pj_per_bit(config, mode, o.lines_per_row),
                random_pj_per_bit=pj_per_bit(config, mode, 1),
                source=next(text for key, text in standard.sources.items() if "IDD0" in key),
            )
        )
    return entries
