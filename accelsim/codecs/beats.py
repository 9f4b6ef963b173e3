"""Counting costly bits and toggles of blocks on the data pins of a memory, beat by beat.

A burst moves a line of bytes in beats of ``bus_bits``; pin i of a beat carries bit i % 8 of
byte i // 8. POD pins (DDR4, DDR5, GDDR6) draw current while they are low, LVSTL pins (LPDDR4,
LPDDR5) while they are high: ``costly_level``. With data bus inversion (DBI DC) a byte in which
more than four pins would be costly is sent inverted, and its DBI pin is costly instead
(JESD79-4, JESD209-4). Idle pins rest at the level that costs nothing, and the
unused rest of a block's last line has that level, too.

>>> pod = Pins(bus_bits=16, line_bytes=4, costly_level=0, dbi=False)
>>> counts = count_beats(np.array([0xFF, 0x0F, 0x00], np.uint8), np.array([0, 24]), pod)
>>> counts.costly, counts.toggles   # beats FF 0F, 00 FF: 4 + 8 zeros; 4, then 8 + 4 toggles
(array([12]), array([16]))
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.bits import PADDING, get
from accelsim.errors import CodecError
from accelsim.jit import kernel
from accelsim.units import ceil_div

DBI_LIMIT = 4
"""Largest number of costly pins of a byte that is sent without inversion."""


@dataclass(frozen=True)
class Pins:
    """The data pins of a channel, and which of their levels costs energy."""

    bus_bits: int
    line_bytes: int
    costly_level: int
    """0 for POD, 1 for LVSTL."""
    dbi: bool

    def __post_init__(self) -> None:
        if self.bus_bits % 8 or self.line_bytes % (self.bus_bits // 8) or self.bus_bits < 8:
            raise CodecError(
                f"a line of {self.line_bytes} bytes is not a whole number of beats of "
                f"{self.bus_bits} bits"
            )


class BeatCounts(NamedTuple):
    """Counts of each block, in whole lines."""

    costly: NDArray[np.int64]  # [n_blocks] pins and beats at the costly level, DBI pins too
    toggles: NDArray[np.int64]  # [n_blocks] changes of level, from rest to the last beat


@kernel
def _count(
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
    lanes: int,
    beats_per_line: int,
    flip: int,
    dbi: bool,
    ones: NDArray[np.int64],
    before: NDArray[np.int64],
    costly: NDArray[np.int64],
    toggles: NDArray[np.int64],
) -> None:
    """``flip`` is 255 where zeros cost: then bits are counted inverted, and ones cost."""
    line_bits = 8 * lanes * beats_per_line
    for block in range(len(costly)):
        at, end = starts[block], starts[block + 1]
        n_lines = (end - at + line_bits - 1) // line_bits
        n_costly, n_toggles = 0, 0
        before[:] = 0
        for _ in range(n_lines * beats_per_line):
            for lane in range(lanes):
                byte = 0
                if at < end:
                    width = min(8, end - at)
                    byte = get(payload, at, width) ^ (flip & ((1 << width) - 1))
                    byte <<= 8 - width
                at += 8
                if dbi and ones[byte] > DBI_LIMIT:
                    byte = (byte ^ 255) | 256  # bit 8 is the DBI pin
                n_costly += ones[byte]
                n_toggles += ones[byte ^ before[lane]]
                before[lane] = byte
        costly[block], toggles[block] = n_costly, n_toggles


def count_beats(
    payload: NDArray[np.uint8], offsets_bits: NDArray[np.int64], pins: Pins
) -> BeatCounts:
    """Counts of blocks that begin at ``offsets_bits`` of ``payload``, each from a new line."""
    lanes = pins.bus_bits // 8
    starts = np.require(offsets_bits, np.int64, ["C", "W"])
    costly, toggles = (np.zeros(len(starts) - 1, np.int64) for _ in range(2))
    padded = np.concatenate([payload, np.zeros(PADDING, np.uint8)])
    _count(
        padded,
        starts,
        lanes,
        pins.line_bytes // lanes,
        255 * (1 - pins.costly_level),
        pins.dbi,
        np.array([bin(pattern).count("1") for pattern in range(512)], np.int64),
        np.zeros(lanes, np.int64),
        costly,
        toggles,
    )
    return BeatCounts(costly, toggles)


class BeatTotals(NamedTuple):
    """Counts of one stream, in whole lines."""

    line_bits: int
    """Bits of all lines of the stream."""
    costly: int
    toggles: int


def count_stream(payload: NDArray[np.uint8], n_bits: int, pins: Pins) -> BeatTotals:
    """Counts of a stream of ``n_bits`` that begins on a new line.

    >>> count_stream(np.zeros(3, np.uint8), 20, Pins(8, 2, costly_level=1, dbi=False))
    BeatTotals(line_bits=32, costly=0, toggles=0)
    """
    found = count_beats(payload, np.array([0, n_bits], np.int64), pins)
    n_lines = ceil_div(n_bits, 8 * pins.line_bytes)
    return BeatTotals(8 * pins.line_bytes * n_lines, int(found.costly[0]), int(found.toggles[0]))


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    count_beats(np.zeros(1, np.uint8), np.array([0, 8], np.int64), Pins(8, 1, 0, True))
