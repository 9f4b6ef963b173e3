"""The data pins of a memory: their signalling, and the energy of a bit on them.

For one line between a driver of ``Ron`` and a termination of ``Rtt``, with bit time ``T``:

  POD (DDR4, DDR5, GDDR6), terminated to VDDQ     a low bit costs  V^2 / (Ron + Rtt) T
  LVSTL (LPDDR), terminated to ground             a high bit costs the same
  SSTL (DDR3), terminated to half of VDDQ         every bit costs
                                                  (V/2)^2 (1 / (Ron + Rtt) + 1 / Rtt) T
  unterminated (HBM)                              no bit costs

A toggle costs C S^2 / 2, where S is the swing, V Rtt / (Ron + Rtt), and C the capacitance that
is charged: that of the pads, since a matched line looks like a resistor to its driver.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Final, Literal, NamedTuple, TypeAlias

from accelsim.errors import ConfigError

Signalling: TypeAlias = Literal["pod", "lvstl", "sstl", "unterminated"]

COSTLY_LEVEL: Final[dict[Signalling, int]] = {"pod": 0, "lvstl": 1, "sstl": 1, "unterminated": 1}
"""The level whose bits are counted: the one that costs energy, otherwise high."""
LEVEL_COSTS: Final = ("pod", "lvstl")
"""Signalling in which only one level costs energy, so that inversion can save some."""


class Path(NamedTuple):
    """Resistances seen by the pins in one direction."""

    driver_ohm: float
    termination_ohm: float = inf
    """Infinite means none."""


class PinEnergy(NamedTuple):
    """Picojoules per bit on one data pin."""

    every: float
    """Energy of every bit, at either level."""
    costly: float
    """Additional energy of a bit at the costly level."""
    toggle: float
    """Energy of a change of level."""

    @property
    def random(self) -> float:
        """Energy of a random bit: half of them are costly, half differ from the bit before."""
        return self.every + (self.costly + self.toggle) / 2


class HeldShare(NamedTuple):
    """The share of burst currents that pins draw with random data; not to be charged twice."""

    rail: str
    read: float
    """Share of (IDD4R - IDD3N) on that rail."""
    write: float = 0.0
    """Share of (IDD4W - IDD3N); 0 if the chip drives, so no current of the memory contains it."""


@dataclass(frozen=True)
class Interface:
    """The data pins of one standard. Raises ``ConfigError`` for impossible values."""

    signalling: Signalling
    volts: float
    """VDDQ."""
    read: Path
    write: Path
    pads_pf: float
    """Pad capacitance of both ends of a line."""
    has_dbi: bool = False
    """Whether the standard has inversion for fewer costly bits (DBI DC)."""
    dbi: bool = False
    """Whether it is on."""
    held: HeldShare | None = None

    def __post_init__(self) -> None:
        if self.dbi and not (self.has_dbi and self.signalling in LEVEL_COSTS):
            raise ConfigError(
                "DRAM interface: dbi",
                f"{self.signalling} pins of this standard have no inversion for costly levels",
                "choose off or default",
            )

    @property
    def costly_level(self) -> int:
        """0: low bits are counted as costly; 1: high ones."""
        return COSTLY_LEVEL[self.signalling]

    def bit_energy(self, bit_ns: float, *, write: bool) -> PinEnergy:
        """Energy of a bit that lasts ``bit_ns`` on its pin.

        >>> ddr4 = Interface("pod", 1.2, Path(34, 60), Path(34, 60), pads_pf=1.7)
        >>> [round(pj, 2) for pj in ddr4.bit_energy(0.3125, write=False)]
        [0.0, 4.79, 0.5]
        """
        path = self.write if write else self.read
        loop_ohm = path.driver_ohm + path.termination_ohm
        share = 1 / (1 + path.driver_ohm / path.termination_ohm)
        terminated = self.volts**2 / loop_ohm * bit_ns * 1e3
        toggle = self.pads_pf * (self.volts * share) ** 2 / 2
        if self.signalling == "sstl":
            # Half of VDDQ is a divider of two resistors of 2 Rtt, which draws current by itself.
            divider = self.volts**2 / path.termination_ohm * bit_ns * 1e3
            return PinEnergy((terminated + divider) / 4, 0.0, toggle)
        return PinEnergy(0.0, terminated, toggle)
