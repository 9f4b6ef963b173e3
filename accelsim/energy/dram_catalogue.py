"""Data for ``dram list``: every memory with its size, speed and energy per bit.

Energies are closed forms of ``accelsim.energy.dram``, reading at full bandwidth: a stream
opens each row once and reads all of it; random access opens a row for every burst. Both
include refresh and the standby of one rank with all its banks open. Streams do keep 98 % of them
open; for random access, which keeps about half of them open, this is an upper bound.
"""

from __future__ import annotations

from dataclasses import dataclass

from accelsim.dram.config import DramConfig
from accelsim.dram.power import Known
from accelsim.dram.standard import STANDARDS
from accelsim.energy.dram import EnergyMode, event_energy
from accelsim.energy.dram_known import energy_known


@dataclass(frozen=True)
class BitEnergy:
    """Picojoules per bit read, by part."""

    activate: float
    """The bit's share of an ACT and the corresponding PRE."""
    read: float
    standby: float
    refresh: float
    io: float
    """Termination that is not contained in the currents."""
    phy: float
    """Controller and PHY on the chip."""

    @property
    def device(self) -> float:
        """Without termination and PHY."""
        return self.activate + self.read + self.standby + self.refresh

    @property
    def total(self) -> float:
        return self.device + self.io + self.phy


@dataclass(frozen=True)
class DramEntry:
    """One line of the catalogue."""

    name: str
    description: str
    organisation: str
    line_bytes: int
    package_channels: int
    """Channels per package, module or stack; all other fields are for one channel."""
    peak_gb_s: float
    known: Known
    """How its energy is known."""
    stream: BitEnergy
    random: BitEnergy


def bit_energy(config: DramConfig, mode: EnergyMode, bursts_per_activate: float) -> BitEnergy:
    """Energy of a bit read at full bandwidth, with this number of bursts per ACT.

    >>> from accelsim.dram.standard import STANDARDS
    >>> ddr4 = STANDARDS["ddr4_2400_x16"].config()
    >>> round(bit_energy(ddr4, "max", 128).read, 2)   # 1.2 V x 196 mA x 3.33 ns / 128 bits
    6.12
    """
    each, t, bits = event_energy(config, mode), config.timing, 8 * config.line_bytes
    all_open = each.active_cycle + config.organisation.banks * each.open_bank_cycle
    return BitEnergy(
        activate=each.activate / bursts_per_activate / bits,
        read=each.read / bits,
        standby=all_open * t.burst_cycles / bits,
        refresh=each.refresh / t.tREFI * t.burst_cycles / bits,
        io=each.io / bits,
        phy=each.phy / bits,
    )


def catalogue(mode: EnergyMode = "typical") -> list[DramEntry]:
    """All registered standards, one channel each."""
    entries = []
    for name, standard in STANDARDS.usable()[0].items():
        config, o = standard.config(), standard.organisation
        gbit = config.n_lines * config.line_bytes * 8 / 2**30
        entries.append(
            DramEntry(
                name=name,
                description=standard.description,
                organisation=f"{o.devices} x {gbit / o.devices:g} Gb x{o.device_bits}, "
                f"{o.bankgroups} x {o.banks_per_group} banks, {o.bus_bits}-bit bus",
                line_bytes=config.line_bytes,
                package_channels=standard.package_channels,
                peak_gb_s=config.peak_gb_s,
                known=energy_known(config, mode),
                stream=bit_energy(config, mode, o.lines_per_row),
                random=bit_energy(config, mode, 1),
            )
        )
    return entries
