"""Supply currents, and what else prices DRAM commands and time. Data only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rail:
    """One supply rail: its voltage and its IDD currents in mA for each device."""

    name: str
    volts: float
    IDD0: float
    IDD2N: float
    IDD3N: float
    IDD4R: float
    IDD4W: float
    IDD5AB: float
    IDD5PB: float
    IDD6: float


@dataclass(frozen=True)
class TypicalFactors:
    """Measured draw over data sheet maximum. Applied to energies, which are differences of
    currents, never to single currents: an activate energy would turn negative."""

    activate: float = 1.0
    read: float = 1.0
    write: float = 1.0
    refresh: float = 1.0
    active_standby: float = 1.0
    idle_standby: float = 1.0


@dataclass(frozen=True)
class Power:
    """Everything that prices commands and time."""

    rails: tuple[Rail, ...]
    typical: TypicalFactors = TypicalFactors()
    io_pj_per_bit: float = 0.0
    """Termination energy that no IDD current contains, at equally many zeros and ones."""
    phy_pj_per_bit: float = 0.0
    """Controller and PHY on the chip's side."""
    activate_pj: float | None = None
    """One ACT and its PRE in one device, where IDD0 - IDD3N does not give it; None: it does."""
