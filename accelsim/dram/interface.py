"""The data pins of a memory: how they signal, and what a bit on them costs.

Of one line between a driver of ``Ron`` and a termination of ``Rtt``, for a bit time ``T``:

  POD (DDR4, DDR5, GDDR6), terminated to VDDQ     a low bit costs  V^2 / (Ron + Rtt) T
  LVSTL (LPDDR), terminated to ground             a high bit costs the same
  SSTL (DDR3), terminated to half of VDDQ         every bit costs
                                                  (V/2)^2 (1 / (Ron + Rtt) + 1 / Rtt) T
  unterminated (HBM)                              no bit costs

and a toggle C S^2 / 2, where S is the swing, V Rtt / (Ron + Rtt), and C the capacitance that
is charged: that of the pads, since a matched line is a resistor to its driver.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Final, Literal, NamedTuple, TypeAlias

from accelsim.errors import ConfigError

Signalling: TypeAlias = Literal["pod", "lvstl", "sstl", "unterminated"]

COSTLY_LEVEL: Final[dict[Signalling, int]] = {"pod": 0, "lvstl": 1, "sstl": 1, "unterminated": 1}
"""The level whose bits are counted: the one that costs, or else high."""
LEVEL_COSTS: Final = ("pod", "lvstl")
"""Where one level costs and the other does not, so that inversion can save."""


class Path(NamedTuple):
    """What the pins of one direction see."""

    driver_ohm: float
    termination_ohm: float = inf
    """Infinite: none."""


class PinEnergy(NamedTuple):
    """Picojoules on one data pin."""

    every: float
    """Of every bit, whatever its level."""
    costly: float
    """On top, of a bit at the costly level."""
    toggle: float
    """Of a change of level."""

    @property
    def random(self) -> float:
        """Of a bit of random data: half are costly, half differ from the bit before."""
        return self.every + (self.costly + self.toggle) / 2


class Held(NamedTuple):
    """The part of burst currents that the pins draw, for random data: it is not charged twice."""

    rail: str
    read: float
    """Share of (IDD4R - IDD3N) on that rail."""
    write: float = 0.0
    """Share of (IDD4W - IDD3N); 0: the chip drives, and no current of the memory holds it."""


@dataclass(frozen=True)
class Interface:
    """The data pins of one standard. Raises ``ConfigError`` for what cannot be built."""

    signalling: Signalling
    volts: float
    """VDDQ."""
    read: Path
    write: Path
    pads_pf: float
    """Of both ends of a line."""
    has_dbi: bool = False
    """Whether the standard knows inversion for fewer costly bits (DBI DC)."""
    dbi: bool = False
    """Whether it is on."""
    held: Held | None = None

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
        """What a bit costs that lasts ``bit_ns`` on its pin.

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
