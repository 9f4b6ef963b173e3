"""Supply currents, and what else prices DRAM commands and time. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from accelsim.dram.interface import Interface

Known: TypeAlias = Literal["measured", "sheet", "assumption", "file"]
"""How an energy is known: on devices, from a data sheet, in part by assumption (scaled,
extrapolated, taken from another memory), or as an imported file says."""
WEAKEST_LAST: Final[tuple[Known, ...]] = get_args(Known)


@dataclass(frozen=True)
class Rail:
    """One supply rail: its voltage and its currents in mA for each device.

    Names are those of VDD; on VPP the sheets call them IPP0, IPP2N and so on.
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
    """Measured draw over data sheet maximum, each of a difference of currents: taken of single
    currents, an activate energy would turn negative."""

    activate: float = 1.0
    read: float = 1.0
    write: float = 1.0
    refresh: float = 1.0
    standby: float = 1.0
    """Of IDD2N."""
    open_banks: float = 1.0
    """Of IDD3N - IDD2N."""


@dataclass(frozen=True)
class EnergyKnown:
    """How what prices commands and time is known."""

    currents: Known = "assumption"
    shares: Known = "assumption"
    """Of ``TypicalShares``; where they are 1 throughout: as the currents."""


ASSUMED: Final = EnergyKnown()
"""Of what does not say how it is known."""


@dataclass(frozen=True)
class Power:
    """Everything that prices commands and time."""

    rails: tuple[Rail, ...]
    typical: TypicalShares = TypicalShares()
    rho: float = 1.0
    """Share of IDD3N - IDD2N that flows with any bank open; the rest is equal parts of each
    open bank (DRAMPower's bank-wise factor). 1: one open bank draws as much as all."""
    io_pj_per_bit: float = 0.0
    """Termination energy that no IDD current contains, at equally many zeros and ones."""
    phy_pj_per_bit: float = 0.0
    """Controller and PHY on the chip's side."""
    interface: Interface | None = None
    """The data pins; None: not known, and a burst costs ``io_pj_per_bit`` whatever its data."""

    def one_open(self, rail: Rail, n_banks: int) -> float:
        """Current in mA of ``rail`` with one of ``n_banks`` banks open.

        >>> vdd = Rail("VDD", 1.2, 57, 37, 25, 52, 43, 168, 150, 460, 0, 30)
        >>> Power((vdd,), rho=0.2).one_open(vdd, 16)   # 37 + (0.2 + 0.8 / 16) x 15
        40.75
        """
        return rail.IDD2N + (self.rho + (1 - self.rho) / n_banks) * (rail.IDD3N - rail.IDD2N)
