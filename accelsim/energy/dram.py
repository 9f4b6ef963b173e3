"""The energy of DRAM commands and time, from currents.

Summed over supply rails and devices of a rank, with I in mA, V in volts and t in ns:

  ACT and its PRE   V (IDD0 tRC - I1 tRAS - IDD2N tRP)
  RD, WR            V (IDD4R - IDD3N) burst,  V (IDD4W - IDD3N) burst
  REF               V (IDD5 - IDD2N) tRFC
  standby           V IDD2N with all banks closed; with n of B open
                    V (IDD2N + (rho + (1 - rho) n / B) (IDD3N - IDD2N)); V IDD6 in self-refresh
  power-down        V IDD2P with all banks closed; else standby - V (IDD3N - IDD3P)

These are Micron's TN-41-01 and TN-40-07 with DRAMPower 5's bank-wise standby: I1 is the current
with one open bank. An ACT costs what IDD0 draws above it, so that a loop of ACT and PRE draws
IDD0 for any rho; Micron's notes are the case rho = 1, where I1 = IDD3N. Active power-down saves
IDD3N - IDD3P, which data sheets give for all banks open, for any number of open banks: in DDR4,
IDD3P itself is more than the standby with one open bank.

Configurations with ``compat="dramsim3"`` use DRAMsim3's formulas: rho is 1, a refresh costs
IDD5 - IDD3N (DRAMsim3 prints V mA cycles; times tCK these are pJ).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum
from typing import Literal, TypeAlias

from accelsim.dram.charges import charges, counted
from accelsim.dram.config import DramConfig
from accelsim.dram.events import DramEvents
from accelsim.dram.power import TypicalShares

EnergyMode: TypeAlias = Literal["max", "typical"]


@dataclass(frozen=True)
class EventEnergy:
    """Picojoules of one event of each kind on one channel (all devices of a rank)."""

    activate: float
    """An ACT and the PRE that belongs to it."""
    read: float
    write: float
    refresh: float
    idle_cycle: float
    """One rank for one cycle with all banks closed."""
    active_cycle: float
    """The same with any bank open, without the share of the individual open banks."""
    open_bank_cycle: float
    """The share of one open bank for one cycle."""
    power_down_cycle: float
    """One rank for one cycle in power-down with all banks closed."""
    active_power_down_cycle: float
    """The same with any bank open, without the share of the individual open banks."""
    self_refresh_cycle: float
    """One rank for one cycle in self-refresh, including its internal refreshes."""
    io: float
    """Termination of one burst that is not contained in the currents."""
    phy: float
    """Controller and PHY for one burst."""


def event_energy(config: DramConfig, mode: EnergyMode = "max") -> EventEnergy:
    """Energies of all events of a configuration.

    ``max`` takes data sheet currents, ``typical`` the fraction of them that was measured. For
    power-down and self-refresh no fraction has been measured; that of standby is used.

    >>> from accelsim.dram.standard import STANDARDS
    >>> round(event_energy(STANDARDS["ddr4_2400_x16"].config()).read)   # 1.2 V, 196 mA, 4 cycles
    784
    """
    t, n_banks, bits = config.timing, config.organisation.banks, 8 * config.line_bytes
    power = counted(config)
    rails, rho = power.rails, power.rho
    share = power.typical if mode == "typical" else TypicalShares()
    # From V mA cycles of one device to picojoules of a rank.
    scale = config.organisation.devices * t.tCK_ns
    each = charges(config)
    idle = share.standby * scale * fsum(r.volts * r.IDD2N for r in rails)
    down = share.standby * scale * fsum(r.volts * r.IDD2P for r in rails)
    saving = share.standby * scale * fsum(r.volts * (r.IDD3N - r.IDD3P) for r in rails)
    opening = share.open_banks * scale * fsum(r.volts * (r.IDD3N - r.IDD2N) for r in rails)
    return EventEnergy(
        activate=share.activate * scale * each.activate,
        read=share.read * scale * each.read,
        write=share.write * scale * each.write,
        refresh=share.refresh * scale * each.refresh,
        idle_cycle=idle,
        active_cycle=idle + rho * opening,
        open_bank_cycle=(1 - rho) * opening / n_banks,
        power_down_cycle=down,
        # Where shares of standby and of open banks differ: open banks never draw less than none.
        active_power_down_cycle=max(down, idle + rho * opening - saving),
        self_refresh_cycle=share.standby * scale * fsum(r.volts * r.IDD6 for r in rails),
        io=power.io_pj_per_bit * bits,
        phy=power.phy_pj_per_bit * bits,
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
        + events.open_bank_cycles * each.open_bank_cycle
        + events.idle_rank_cycles * each.idle_cycle
        + events.idle_power_down_rank_cycles * each.power_down_cycle
        + events.active_power_down_rank_cycles * each.active_power_down_cycle
        + events.self_refresh_rank_cycles * each.self_refresh_cycle,
        "dram_io": bursts * each.io,
        "dram_phy": bursts * each.phy,
    }
