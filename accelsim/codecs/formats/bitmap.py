"""Bitmap: which values of a block are not zero, then all of those values.

The operand format of sparse accelerators such as SparTen (Gondimalla et al., MICRO 2019:
a bit mask and the packed non-zeros of each chunk). A block takes as many bits as with
``zvc``, n + k W, but lies otherwise: zvc puts a mask before each group of 32 values, and one
pointer reads it through; here the mask of the whole block is one region of n bits at its
start, so that a machine can look at it alone and skip, and the values are a second region
that begins at a known place. Both are read, and written, at the same time.

Bit layout, most significant bit first: one bit per value, first value first, 1 where it is
not zero; then the W-bit words of the non-zero values in order, two's complement if signed.

>>> import numpy as np
>>> from accelsim.codecs.base import Blocks, Word
>>> blocks = Blocks(np.array([0, 0, 7, 0], np.uint8), np.array([0, 4]))
>>> stream = Bitmap.for_word(Word(8)).encode(blocks)
>>> stream.bits   # 4 mask bits and 1 word of 8 bits
12
>>> [f"{byte:08b}" for byte in stream.payload]   # 0010, 00000111, padding
['00100000', '01110000']
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Word
from accelsim.codecs.bits import MAX_FIELD_BITS, get, put
from accelsim.codecs.lane_costs import pj_per_value
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import LosslessCodec, exercise
from accelsim.codecs.nonzeros import count_nonzeros
from accelsim.codecs.words import Words
from accelsim.jit import kernel


@kernel
def _write(
    words: Words,
    offsets: NDArray[np.int64],
    word_bits: int,
    piece: int,
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
) -> None:
    for block in range(len(starts) - 1):
        at = starts[block]
        for first in range(offsets[block], offsets[block + 1], piece):
            last = min(first + piece, offsets[block + 1])
            mask = 0
            for i in range(first, last):
                mask = (mask << 1) | (words[i] != 0)
            at = put(payload, at, mask, last - first)
        # No branches: a zero is put like the others, and overwritten.
        for i in range(offsets[block], offsets[block + 1]):
            put(payload, at, int(words[i]), word_bits)
            at += word_bits & -int(words[i] != 0)


@kernel
def _read(
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
    word_bits: int,
    piece: int,
    words: Words,
    offsets: NDArray[np.int64],
) -> int:
    for block in range(len(starts) - 1):
        at, end = starts[block], starts[block + 1]
        n_values = offsets[block + 1] - offsets[block]
        if at + n_values > end:
            return block
        n_nonzeros = 0
        for first in range(offsets[block], offsets[block + 1], piece):
            last = min(first + piece, offsets[block + 1])
            mask = get(payload, at, last - first)
            at += last - first
            for i in range(first, last):
                is_nonzero = (mask >> (last - 1 - i)) & 1
                words[i] = is_nonzero
                n_nonzeros += is_nonzero
        # From here on no field can reach beyond the block.
        if at + n_nonzeros * word_bits != end:
            return block
        n_zero_words = 0
        for i in range(offsets[block], offsets[block + 1]):
            is_nonzero = -int(words[i])
            word = get(payload, at, word_bits) & is_nonzero
            n_zero_words += int(word == 0)
            words[i] = word
            at += word_bits & is_nonzero
        if n_zero_words != n_values - n_nonzeros:
            return block
    return -1


@dataclass(frozen=True)
class Bitmap(LosslessCodec):
    """A mask of the whole block, then its non-zero values."""

    word: Word

    name = "bitmap"
    evidence = "literature"
    needs = ("two_streams",)

    @property
    def hardware(self) -> LaneHardware:
        kge = 6.0 * self.word.bits / 8 + 0.5
        return LaneHardware(
            encode_values_per_cycle=32,
            decode_values_per_cycle=32,
            encode_fill_cycles=3,
            decode_fill_cycles=3,
            encode_pj_per_value=pj_per_value(kge, 32),
            decode_pj_per_value=pj_per_value(kge, 32),
            gates_kge=2 * kge,
            encode_buffer_bits=32 + 2 * 32 * self.word.bits,
            decode_buffer_bits=32 + 2 * 32 * self.word.bits,
            source=(
                "estimates: rate, fill and gates as zvc (prefix sum of 32 mask bits, bubble- "
                "collapsing shifter: 6 kGE each way for 8-bit words, in proportion for others) and "
                "0.5 kGE each way for the second pointer and packer; 15 % activity x 1.5 fJ per "
                "gate / 32 values, 65 nm; storage of 32 mask bits and two groups of 32 words each "
                "way"
            ),
        )

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    def worst_case_bits(self, n_values: int) -> int:
        return n_values * (1 + self.word.bits)

    def size_blocks(self, words: Words, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.diff(offsets) + count_nonzeros(words, offsets) * self.word.bits

    def write_blocks(
        self,
        words: Words,
        offsets: NDArray[np.int64],
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
    ) -> None:
        _write(words, offsets, self.word.bits, MAX_FIELD_BITS, payload, starts)

    def read_blocks(
        self,
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
        words: Words,
        offsets: NDArray[np.int64],
    ) -> int:
        return _read(payload, starts, self.word.bits, MAX_FIELD_BITS, words, offsets)


CODEC = Bitmap


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    exercise(CODEC.for_word(Word(8)))
