"""Supply currents, and all other data from which DRAM energy is computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from accelsim.dram.interface import Interface

Known: TypeAlias = Literal["measured", "sheet", "assumption", "file"]
"""How an energy is known: measured on devices, from a data sheet, in part an assumption (scaled,
extrapolated, taken from another memory), or as given in an imported file."""
WEAKEST_LAST: Final[tuple[Known, ...]] = get_args(Known)


@dataclass(frozen=True)
class Rail:
    """One supply rail: its voltage and its currents in mA per device.

    Names are those for VDD; for VPP, data sheets call them IPP0, IPP2N and so on.
    """

    name: str
    volts: float
    IDD0: float
    """One bank opened and closed every tRC."""
    IDD2N: float
    """All banks closed."""
    IDD2P: float
    """The same in power-down."""
    IDD3N: float
    """All banks open (LPDDR: one)."""
    IDD3P: float
    """The same in power-down."""
    IDD4R: float
    IDD4W: float
    IDD5AB: float
    IDD5PB: float
    IDD6: float


@dataclass(frozen=True)
class TypicalShares:
    """Measured current divided by data sheet maximum, each for a difference of currents: applied to
    single currents, the energy of an activate could become negative."""

    activate: float = 1.0
    read: float = 1.0
    write: float = 1.0
    refresh: float = 1.0
    standby: float = 1.0
    """Fraction of IDD2N."""
    open_banks: float = 1.0
    """Fraction of IDD3N - IDD2N."""


@dataclass(frozen=True)
class EnergyKnown:
    """How the data are known from which energies are computed."""

    currents: Known = "assumption"
    shares: Known = "assumption"
    """For ``TypicalShares``; the same as for the currents if all shares are 1."""


ASSUMED: Final = EnergyKnown()
"""The default, if a standard does not say how its energy is known."""


@dataclass(frozen=True)
class Power:
    """Everything from which the energy of commands and of time is computed."""

    rails: tuple[Rail, ...]
    typical: TypicalShares = TypicalShares()
    rho: float = 1.0
    """Share of IDD3N - IDD2N that flows as soon as any bank is open; the rest is divided equally
    among open banks (DRAMPower's bank-wise factor). 1: one open bank draws as much as all."""
    io_pj_per_bit: float = 0.0
    """Termination energy that no IDD current contains, for as many zeros as ones."""
    phy_pj_per_bit: float = 0.0
    """Controller and PHY on the chip."""
    interface: Interface | None = None
    """The data pins; None if not known: a burst then costs ``io_pj_per_bit`` for any data."""

    def one_open(self, rail: Rail, n_banks: int) -> float:
        """Current in mA of ``rail`` with one of ``n_banks`` banks open.

        >>> vdd = Rail("VDD", 1.2, 57, 37, 25, 52, 43, 168, 150, 460, 0, 30)
        >>> Power((vdd,), rho=0.2).one_open(vdd, 16)   # 37 + (0.2 + 0.8 / 16) x 15
        40.75
        """
        return rail.IDD2N + (self.rho + (1 - self.rho) / n_banks) * (rail.IDD3N - rail.IDD2N)
