"""VAMPIRE: the current of measured DDR3L modules, depending on the ones in the data.

Ghose et al., SIGMETRICS 2018, as implemented in CMU-SAFARI/VAMPIRE 1.1.0 (MIT licence): modules of
three vendors at 1.35 V and a clock of 2.5 ns. While bursts of one bank and column follow each
other, a module draws

  I = I0 + slope ones / 8 + toggle slope toggles / 8   mA, ones of 512 bits of a line,

which is linear, so the mean number of ones is enough for a whole run. Toggles are relative to the
previous line; they are not counted here (at 256 of them 14 mA of 465), and other orders of banks
and columns, which differ by up to 25 %, are not modelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from accelsim.dram.events import DramEvents
from accelsim.sim.counts import BusCounts

LINE_BYTES: Final = 64
VOLTS: Final = 1.35
BURST_NS: Final = 4 * 2.5
"""Burst duration in the measurement: eight beats at 800 MT/s."""


class Line(NamedTuple):
    """Current in mA of a module while it reads, or while it writes."""

    intercept: float
    slope: float
    """Per eight ones of a line."""
    toggle_slope: float
    """Per eight bits that differ from the previous line, with interleaved columns."""

    def current(self, ones: float, toggles: float = 0.0) -> float:
        """Current with this number of ones in 512 bits.

        >>> round(VENDORS["vampire_a"].read.current(256), 1)
        464.6
        """
        return self.intercept + self.slope * ones / 8 + self.toggle_slope * toggles / 8


class Vendor(NamedTuple):
    """The modules of one vendor."""

    read: Line
    write: Line
    standby_ma: float
    """With a bank open, from VAMPIRE's energy of one clock."""


VENDORS: Final = {
    "vampire_a": Vendor(
        Line(250.879, 6.679, 0.431), Line(687.178, -4.820, 0.712), 129.3598 / (VOLTS * 2.5)
    ),
    "vampire_b": Vendor(
        Line(226.689, 4.400, 0.548), Line(645.515, -4.613, 0.204), 161.6844 / (VOLTS * 2.5)
    ),
    "vampire_c": Vendor(
        Line(222.114, 4.155, 0.693), Line(540.974, -3.807, 0.259), 112.6297 / (VOLTS * 2.5)
    ),
}


def with_ones(
    parts: Mapping[str, float], events: DramEvents, bus: BusCounts, vendor: Vendor
) -> dict[str, float]:
    """``parts`` with reads and writes as measured, above the standby that is priced elsewhere.

    ``bus`` counts ones. A module supplies its own drivers, so its measured reads include the
    pins; ``dram_io`` keeps the writes, which the chip drives.
    """
    read, write = (
        VOLTS * BURST_NS * (n * (line.intercept - vendor.standby_ma) + line.slope * ones / 8)
        for n, line, ones in (
            (events.reads, vendor.read, bus.read_costly_bits),
            (events.writes, vendor.write, bus.written_costly_bits),
        )
    )
    return {**parts, "dram_read": read, "dram_write": write}
