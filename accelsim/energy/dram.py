"""The energy of DRAM commands and time, from currents: Micron's TN-41-01 and TN-40-07.

Summed over supply rails and devices of a rank, with I in mA, V in volts and t in ns:

  ACT and its PRE   V (IDD0 tRC - IDD3N tRAS - IDD2N tRP), or activate_pj of the configuration
  RD, WR            V (IDD4R - IDD3N) burst,  V (IDD4W - IDD3N) burst
  REF               V (IDD5 - IDD2N) tRFC
  standby           V IDD3N with any bank open, V IDD2N with all closed, V IDD6 in self-refresh

Configurations with ``compat="dramsim3"`` use DRAMsim3's formulas: they subtract IDD3N for a
refresh, and nothing is added for termination and PHY (DRAMsim3 prints V mA cycles; times
tCK these are pJ). Not modelled: power-down, VPP, and the number of open banks.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum
from typing import Literal, TypeAlias

from accelsim.dram.config import DramConfig
from accelsim.dram.power import Rail, TypicalFactors
from accelsim.sim.counts import DramEvents

EnergyMode: TypeAlias = Literal["max", "typical"]


@dataclass(frozen=True)
class EventEnergy:
    """Picojoules of one event of each kind on one channel (all devices of a rank)."""

    activate: float
    """An ACT and the PRE that belongs to it."""
    read: float
    write: float
    refresh: float
    active_cycle: float
    """One rank for one cycle with any bank open."""
    idle_cycle: float
    self_refresh_cycle: float
    """One rank for one cycle in self-refresh, its own refreshes included."""
    io: float
    """Termination of one burst beyond what the currents hold."""
    phy: float
    """Controller and PHY for one burst."""


def event_energy(config: DramConfig, mode: EnergyMode = "max") -> EventEnergy:
    """The price list of a configuration.

    ``max`` takes data sheet currents, ``typical`` the share of them that was measured; for
    self-refresh, which nobody measured, that of standby.

    >>> from accelsim.dram.standard import STANDARDS
    >>> round(event_energy(STANDARDS["ddr4_2400_x16"].config()).read)   # 1.2 V, 196 mA, 4 cycles
    784
    """
    t = config.timing
    share = config.power.typical if mode == "typical" else TypicalFactors()
    per_bank = config.controller.refresh_policy == "bank_staggered"
    refresh_cycles = t.tRFCb if per_bank else t.tRFC

    def refresh_current(rail: Rail) -> float:
        idle = rail.IDD3N if config.compat == "dramsim3" else rail.IDD2N
        return (rail.IDD5PB if per_bank else rail.IDD5AB) - idle

    def total(charges: list[float]) -> float:
        return fsum(charges) * config.organisation.devices * t.tCK_ns

    rails = config.power.rails
    burst, bits = t.burst_cycles, 8 * config.line_bytes
    activate = total(
        [r.volts * (r.IDD0 * t.tRC - r.IDD3N * t.tRAS - r.IDD2N * t.tRP) for r in rails]
    )
    if config.power.activate_pj is not None:
        activate = config.power.activate_pj * config.organisation.devices
    return EventEnergy(
        activate=share.activate * activate,
        read=share.read * total([r.volts * (r.IDD4R - r.IDD3N) * burst for r in rails]),
        write=share.write * total([r.volts * (r.IDD4W - r.IDD3N) * burst for r in rails]),
        refresh=share.refresh
        * total([r.volts * refresh_current(r) * refresh_cycles for r in rails]),
        active_cycle=share.active_standby * total([r.volts * r.IDD3N for r in rails]),
        idle_cycle=share.idle_standby * total([r.volts * r.IDD2N for r in rails]),
        self_refresh_cycle=share.idle_standby * total([r.volts * r.IDD6 for r in rails]),
        io=config.power.io_pj_per_bit * bits,
        phy=config.power.phy_pj_per_bit * bits,
    )


def price_dram(
    events: DramEvents, config: DramConfig, mode: EnergyMode = "max"
) -> dict[str, float]:
    """Picojoules of ``events`` by part; the keys are the ``dram_*`` fields of ``EnergyParts``."""
    each = event_energy(config, mode)
    bursts = events.reads + events.writes
    return {
        "dram_act": events.activates * each.activate,
        "dram_read": events.reads * each.read,
        "dram_write": events.writes * each.write,
        "dram_refresh": events.refreshes * each.refresh,
        "dram_background": events.active_rank_cycles * each.active_cycle
        + events.idle_rank_cycles * each.idle_cycle
        + events.self_refresh_rank_cycles * each.self_refresh_cycle,
        "dram_io": bursts * each.io,
        "dram_phy": bursts * each.phy,
    }
