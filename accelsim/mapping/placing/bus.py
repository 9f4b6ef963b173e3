"""What data look like on the memory's pins, for the energy of its interface.

Blocks are counted exactly (``accelsim.codecs.beats``); maps without blocks, weights and
tables by their mean over all bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.beats import BeatTotals, Pins, count_beats
from accelsim.dram.config import DramConfig
from accelsim.mapping.stages.stage import StoredMap

Ints = NDArray[np.int64]


def pins_of(config: DramConfig) -> Pins | None:
    """The data pins of a memory; None where its interface is not known.

    >>> from accelsim.dram.standard import STANDARDS
    >>> pins_of(STANDARDS["lpddr5_6400_x16"].config())
    Pins(bus_bits=16, line_bytes=32, costly_level=1, dbi=False)
    """
    pins = config.power.interface
    if pins is None:
        return None
    return Pins(config.organisation.bus_bits, config.line_bytes, pins.costly_level, pins.dbi)


class Levels(NamedTuple):
    """Means per bit that is moved."""

    costly: float = 0.0
    """Bits at the level that costs, DBI pins included."""
    toggles: float = 0.0

    def of(self, n_bits: Ints) -> tuple[Ints, Ints]:
        """Costly bits and toggles of each of so many bits, rounded."""
        costly, toggles = (np.rint(n_bits * level).astype(np.int64) for level in self)
        return costly, toggles


NO_LEVELS: Final = Levels()
"""Where pins are not modelled."""


def levels_of(counted: BeatTotals) -> Levels:
    """Means over all bits of a stream's lines, so that the whole of it gives its counts."""
    n_bits = counted.line_bits
    return Levels(counted.costly / n_bits, counted.toggles / n_bits) if n_bits else NO_LEVELS


@cache
def random_levels(pins: Pins) -> Levels:
    """Of bytes that are equally likely, each independent of the one before.

    >>> random_levels(Pins(8, 1, 0, False)), random_levels(Pins(8, 1, 0, True)).costly
    (Levels(costly=0.5, toggles=0.5), 0.40869140625)
    """
    byte = Pins(8, 1, pins.costly_level, pins.dbi)
    first, second = np.divmod(np.arange(1 << 16), 256)
    pairs = np.stack([first, second], axis=1).astype(np.uint8).ravel()
    both = count_beats(pairs, 16 * np.arange(len(first) + 1), byte)
    alone = count_beats(first.astype(np.uint8), 8 * np.arange(len(first) + 1), byte)
    # A pair toggles twice: from rest to its first byte, and from that to the second.
    toggles = (both.toggles - alone.toggles).mean()
    return Levels(float(alone.costly.mean()) / 8, float(toggles) / 8)


@dataclass(frozen=True)
class BusLevels:
    """Of everything that is not counted block by block; nothing where pins are not modelled."""

    maps: Sequence[Mapping[StoredMap, Levels]] = ()
    """By image: maps that are stored without blocks."""
    weights: Mapping[str, Levels] = field(default_factory=dict)
    """By layer."""
    other: Levels = NO_LEVELS
    """Tables, and maps and weights that are not in ``maps`` and ``weights``."""

    def of_image(self, image: int) -> Mapping[StoredMap, Levels]:
        return self.maps[image] if image < len(self.maps) else {}


NO_BUS: Final = BusLevels()
