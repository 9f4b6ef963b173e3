"""Rice codes for tiles of 64 quantised coefficients in zigzag order: the lossless part of TECO.

The bit layout is in ``accelsim.codecs.formats.teco``. A code is bounded: a value that
would take 12 ones or more escapes to its plain field.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Blocks, Word
from accelsim.codecs.bits import get, put
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import LosslessCodec
from accelsim.codecs.transforms import dct
from accelsim.codecs.words import Words
from accelsim.jit import kernel

N_BANDS = 15
"""Diagonals of a tile of 8 x 8 coefficients."""
HIGHEST_K = 15
ESCAPE_ONES = 12
HEADER_BITS = 7


@kernel
def last_nonzero(words: Words, first: int) -> int:
    """Place of the last symbol other than zero in the tile at ``first``, or -1."""
    last = 63
    while last >= 0 and words[first + last] == 0:
        last -= 1
    return last


@kernel
def folded(pattern: int, sign: int) -> int:
    """The z of a coefficient r; ``sign`` is its sign bit, 0 where it has none: then z = r."""
    r = (pattern ^ sign) - sign
    return 2 * abs(r) - int(r > 0) if sign != 0 else r


@kernel
def _size(
    words: Words,
    offsets: NDArray[np.int64],
    ks: NDArray[np.int64],
    signs: NDArray[np.int64],
    escape_ones: int,
    field_bits: int,
    bits: NDArray[np.int64],
) -> None:
    for block in range(len(bits)):
        total = 0
        for first in range(offsets[block], offsets[block + 1], 64):
            last = last_nonzero(words, first)
            total += 7 if last >= 0 else 1
            for i in range(last + 1):
                ones = folded(int(words[first + i]), signs[i]) >> ks[i]
                plain = ones + 1 + ks[i]
                total += plain if ones < escape_ones else escape_ones + field_bits
        bits[block] = total


@kernel
def _write(
    words: Words,
    offsets: NDArray[np.int64],
    ks: NDArray[np.int64],
    signs: NDArray[np.int64],
    escape_ones: int,
    field_bits: int,
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
) -> None:
    escape = ((1 << escape_ones) - 1) << field_bits
    for block in range(len(starts) - 1):
        at = starts[block]
        for first in range(offsets[block], offsets[block + 1], 64):
            last = last_nonzero(words, first)
            if last < 0:
                at = put(payload, at, 0, 1)
                continue
            at = put(payload, at, 64 | last, 7)
            for i in range(last + 1):
                pattern, k = int(words[first + i]), ks[i]
                z = folded(pattern, signs[i])
                ones = z >> k
                if ones < escape_ones:
                    code = (((2 << ones) - 2) << k) | (z & ((1 << k) - 1))
                    at = put(payload, at, code, ones + 1 + k)
                else:
                    at = put(payload, at, escape | pattern, escape_ones + field_bits)


@kernel
def _read(
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ks: NDArray[np.int64],
    signs: NDArray[np.int64],
    escape_ones: int,
    field_bits: int,
    leading_ones: NDArray[np.uint8],
    words: Words,
    offsets: NDArray[np.int64],
) -> int:
    for block in range(len(starts) - 1):
        at, end = starts[block], starts[block + 1]
        for first in range(offsets[block], offsets[block + 1], 64):
            if at >= end:
                return block
            header = get(payload, at, 7)
            last = header & 63 if header >= 64 else -1
            at += 7 if header >= 64 else 1
            for i in range(last + 1):
                if at >= end:
                    return block
                k, sign = ks[i], signs[i]
                ones = int(leading_ones[get(payload, at, escape_ones)])
                if ones < escape_ones:
                    at += ones + 1
                    z = (ones << k) | get(payload, at, k)
                    at += k
                    r = z
                    if sign != 0:
                        r = (z + 1) >> 1 if z & 1 else -(z >> 1)
                    pattern = r & ((1 << field_bits) - 1)
                    # A code of another coefficient that would wrap around in the field.
                    if (pattern ^ sign) - sign != r:
                        return block
                else:
                    at += escape_ones
                    pattern = get(payload, at, field_bits)
                    at += field_bits
                    if folded(pattern, sign) >> k < escape_ones:
                        return block
                words[first + i] = pattern
            for i in range(last + 1, 64):
                words[first + i] = 0
            if at > end or (last >= 0 and words[first + last] == 0):
                return block
        if at != end:
            return block
    return -1


@dataclass(frozen=True)
class RiceTiles(LosslessCodec):
    """Tiles of 64 coefficients, as patterns of the word, in Rice codes with fixed parameters."""

    word: Word
    first_is_signed: bool
    ks: tuple[int, ...]
    """[15] the Rice parameter of each frequency."""

    name = "teco_rice"
    hardware = LaneHardware(1, 1, 1, 1, 0.0, 0.0, 0.0, source="part of teco")

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word, False, (0,) * N_BANDS)

    def worst_case_bits(self, n_values: int) -> int:
        return -(-n_values // dct.TILE) * (HEADER_BITS + dct.TILE * (ESCAPE_ONES + self.word.bits))

    @cached_property
    def signs(self) -> NDArray[np.int64]:
        """[64] the sign bit in the pattern of each coefficient, 0 for one without."""
        signs = np.full(dct.TILE, 1 << (self.word.bits - 1), np.int64)
        signs[0] *= self.first_is_signed
        return signs

    @cached_property
    def _code(self) -> tuple[NDArray[np.int64], NDArray[np.int64], int, int]:
        return np.array(self.ks, np.int64)[dct.BAND], self.signs, ESCAPE_ONES, self.word.bits

    def size_blocks(self, words: Words, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        bits = np.empty(len(offsets) - 1, np.int64)
        _size(words, offsets, *self._code, bits)
        return bits

    def write_blocks(
        self,
        words: Words,
        offsets: NDArray[np.int64],
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
    ) -> None:
        _write(words, offsets, *self._code, payload, starts)

    def read_blocks(
        self,
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
        words: Words,
        offsets: NDArray[np.int64],
    ) -> int:
        return _read(payload, starts, *self._code, self._leading_ones, words, offsets)

    @cached_property
    def _leading_ones(self) -> NDArray[np.uint8]:
        """[2^12] ones at the head of each window."""
        below_the_ones = (1 << ESCAPE_ONES) - 1 - np.arange(1 << ESCAPE_ONES)
        return (ESCAPE_ONES - np.frexp(below_the_ones)[1]).astype(np.uint8)


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    coder = RiceTiles.for_word(Word(11))
    words, offsets = np.zeros(dct.TILE, np.uint16), np.array([0, dct.TILE])
    words[0] = 1
    blocks = Blocks(words, offsets)
    coder.decode(coder.encode(blocks), blocks.sizes)
