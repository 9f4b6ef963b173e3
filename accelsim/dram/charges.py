"""The charge that commands draw beyond standby, from supply currents: V mA cycles of one device.

Native standards follow Micron's TN-41-01 and TN-40-07 with DRAMPower 5's bank-wise standby,
``compat: dramsim3`` follows DRAMsim3. The formulas are in ``accelsim.energy.dram``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import fsum

from accelsim.dram.power import Power, Rail
from accelsim.dram.system import DramSystem


@dataclass(frozen=True)
class Charges:
    """One command of each kind."""

    activate: float
    """An ACT and the PRE that belongs to it."""
    read: float
    write: float
    refresh: float


def charges(config: DramSystem) -> Charges:
    """The charges of ``config``, summed over its rails.

    >>> from accelsim.dram.standard import STANDARDS
    >>> round(charges(STANDARDS["ddr4_2400_x16"].config()).read)   # 1.2 V, 196 mA, 4 cycles
    941
    """
    t, n_banks, power = config.timing, config.organisation.banks, counted(config)
    rails = power.rails
    return Charges(
        activate=fsum(
            r.volts * (r.IDD0 * t.tRC - power.one_open(r, n_banks) * t.tRAS - r.IDD2N * t.tRP)
            for r in rails
        ),
        read=fsum(r.volts * (r.IDD4R - r.IDD3N) * t.burst_cycles for r in rails),
        write=fsum(r.volts * (r.IDD4W - r.IDD3N) * t.burst_cycles for r in rails),
        refresh=fsum(_refresh(r, config) for r in rails),
    )


def counted(config: DramSystem) -> Power:
    """The currents as the formulas take them: DRAMsim3 charges IDD3N for any open bank."""
    return replace(config.power, rho=1.0) if config.compat == "dramsim3" else config.power


def _refresh(rail: Rail, config: DramSystem) -> float:
    t, as_dramsim3 = config.timing, config.compat == "dramsim3"
    standby = rail.IDD3N if as_dramsim3 else rail.IDD2N
    by_bank = config.controller.refresh_policy == "bank_staggered"
    # A current below standby cannot be a refresh: files without it have DRAMsim3's default of 5 mA.
    if by_bank and (as_dramsim3 or rail.IDD5PB > rail.IDD2N):
        return rail.volts * (rail.IDD5PB - standby) * t.tRFCb
    # Where no current of one bank is known, a refresh of all banks is split among them.
    n_banks = config.organisation.banks if by_bank else 1
    return rail.volts * (rail.IDD5AB - standby) * t.tRFC / n_banks
