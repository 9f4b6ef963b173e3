"""Values as a byte-addressed memory holds them, read in lanes of 32 bits.

A value of up to 8 bits fills a byte, one of 9 to 16 bits two; signed values are
sign-extended to that cell. Cells follow each other little-endian: the first value is in
the low bits of the first lane. Cache-line codecs (BDI, FPC) see these lanes, so their
sizes count cells, not words: words of 4 bits cost as much as words of 8.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Word
from accelsim.codecs.words import Words
from accelsim.jit import kernel

LANE_BITS = 32


class Cell(NamedTuple):
    """Where a value lies: its word in a cell of whole bytes."""

    bits: int  # 8 or 16
    word_mask: int  # the low W bits
    sign_bit: int  # bit W - 1 of signed words, else 0

    @staticmethod
    def of(word: Word) -> Cell:
        """
        >>> Cell.of(Word(12, signed=True))
        Cell(bits=16, word_mask=4095, sign_bit=2048)
        """
        sign_bit = 1 << (word.bits - 1) if word.signed else 0
        return Cell(8 if word.bits <= 8 else 16, (1 << word.bits) - 1, sign_bit)


@kernel
def load_lanes(words: Words, first: int, last: int, cell: Cell, lanes: NDArray[np.int64]) -> None:
    """Fill ``lanes`` with the cells of ``words[first:last]``, and with zeros behind them."""
    per_lane = 32 // cell.bits
    cell_mask = (1 << cell.bits) - 1
    for lane in range(len(lanes)):
        content = 0
        low = first + lane * per_lane
        for i in range(min(low + per_lane, last) - 1, low - 1, -1):
            value = (int(words[i]) ^ cell.sign_bit) - cell.sign_bit
            content = (content << cell.bits) | (value & cell_mask)
        lanes[lane] = content


@kernel
def store_lanes(lanes: NDArray[np.int64], words: Words, first: int, last: int, cell: Cell) -> bool:
    """The way back; False if ``load_lanes`` cannot have filled these lanes."""
    per_lane = 32 // cell.bits
    cell_mask = (1 << cell.bits) - 1
    wrong = 0
    for lane in range(len(lanes)):
        content = int(lanes[lane])
        low = first + lane * per_lane
        for i in range(low, min(low + per_lane, last)):
            word = content & cell.word_mask
            value = (word ^ cell.sign_bit) - cell.sign_bit
            wrong |= (value ^ content) & cell_mask
            words[i] = word
            content >>= cell.bits
        wrong |= content
    return wrong == 0


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    words, lanes = np.zeros(1, np.uint16), np.zeros(1, np.int64)
    cell = Cell.of(Word(8))
    load_lanes(words, 0, 1, cell, lanes)
    store_lanes(lanes, words, 0, 1, cell)
