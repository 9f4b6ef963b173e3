"""What data look like on the memory's pins, for the energy of its interface.

Blocks are counted exactly (``accelsim.codecs.beats``); maps without blocks, weights and
tables by their mean over all bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final, NamedTuple

from accelsim.mapping.stage import StoredMap


class Levels(NamedTuple):
    """Means per bit that is moved."""

    costly: float = 0.0
    """Bits at the level that costs, DBI pins included."""
    toggles: float = 0.0

    def of(self, n_bits: int) -> tuple[int, int]:
        """Costly bits and toggles of so many bits, rounded."""
        return round(n_bits * self.costly), round(n_bits * self.toggles)


NO_LEVELS: Final = Levels()
"""Where pins are not modelled."""


@dataclass(frozen=True)
class BusLevels:
    """Of everything that is not counted block by block; nothing where pins are not modelled."""

    maps: Sequence[Mapping[StoredMap, Levels]] = ()
    """By image: maps that are stored without blocks."""
    other: Levels = NO_LEVELS
    """Weights and tables, and maps that are not in ``maps``."""

    def of_image(self, image: int) -> Mapping[StoredMap, Levels]:
        return self.maps[image] if image < len(self.maps) else {}


NO_BUS: Final = BusLevels()


@dataclass(frozen=True)
class BusCounts:
    """Events on the data pins: what DRAM drives when read, and the chip when it writes."""

    read_costly_bits: int = 0
    read_toggles: int = 0
    written_costly_bits: int = 0
    written_toggles: int = 0

    def __add__(self, other: BusCounts) -> BusCounts:
        return BusCounts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


NO_COUNTS: Final = BusCounts()
