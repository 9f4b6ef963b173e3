"""SPARK: one nibble for small values, two for the others, whose low bits may be rounded.

Liu et al., "SPARK: Scalable and Precision-Aware Acceleration of Neural Networks via
Efficient Encoding", HPCA 2024 (codec and evaluation sections read). Lossy.

The code of an 8-bit value v with bits b0 (most significant) to b7, first bit first:

- v <= 7: ``0 b5 b6 b7``, 4 bits.
- 8 <= v <= 127: ``1 b1 .. b7``, 8 bits, if b3 = 0; else ``1 b1 b2 0 1111``: down to 15
  above the multiple of 32 (18 becomes 15).
- v >= 128: v itself, 8 bits, if b3 = 1; else ``1 b1 b2 1 0000``: up to 16 above the
  multiple of 32 (170 becomes 176).

So b3 of a long code says whether its leading 1 is data. Exact are 0 to 15, 32 i to
32 i + 15 for i = 1 to 3, and 32 i + 16 to 32 i + 31 for i = 4 to 7; the error is at most
16. A block of n values with k above 7 takes 4 n + 4 k bits.

Ours: words of fewer than 8 bits are coded as 8-bit values, and what a foreign stream
decodes to is clipped to the word; wider words are refused. Signed words are zigzagged
(0, -1, 1, -2, ... become 0, 1, 2, 3, ...), and the rounded codes keep b7: it is the sign,
and rounding it would turn 9 into -8. Their error is at most 8.

>>> from accelsim.codecs.base import Blocks, Word
>>> codec = Spark.for_word(Word(8))
>>> stream = codec.encode(Blocks(np.array([5, 18, 170], np.uint8), np.array([0, 3])))
>>> stream.bits   # 4 + 8 + 8
20
>>> "".join(f"{byte:08b}" for byte in stream.payload)[:20]   # 5, 15, 176
'01011000111110110000'
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Shapes, Values, Word
from accelsim.codecs.bits import get, put
from accelsim.codecs.lane_costs import packer_kge, pj_per_value
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import LosslessCodec, exercise
from accelsim.codecs.transforms.transform import TransformCodec
from accelsim.codecs.words import Words, from_words, to_words
from accelsim.errors import CodecError
from accelsim.jit import kernel

CODED_WORD = Word(8)
LARGEST_SHORT = 7
NO_CODE = -1


@kernel
def _size(words: Words, offsets: NDArray[np.int64], bits: NDArray[np.int64]) -> None:
    for block in range(len(bits)):
        n_long = 0
        for i in range(offsets[block], offsets[block + 1]):
            n_long += words[i] > 7
        bits[block] = 4 * (offsets[block + 1] - offsets[block] + n_long)


@kernel
def _write(
    words: Words,
    offsets: NDArray[np.int64],
    codes: NDArray[np.int64],
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
) -> None:
    for block in range(len(starts) - 1):
        at = starts[block]
        for i in range(offsets[block], offsets[block + 1]):
            at = put(payload, at, int(codes[words[i]]), 4 + 4 * int(words[i] > 7))


@kernel
def _read(
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
    symbols: NDArray[np.int64],
    words: Words,
    offsets: NDArray[np.int64],
) -> int:
    for block in range(len(starts) - 1):
        at, end = starts[block], starts[block + 1]
        for i in range(offsets[block], offsets[block + 1]):
            symbol = symbols[get(payload, at, 8)]
            at += 4 + 4 * int(symbol > 7)
            if symbol < 0 or at > end:
                return block
            words[i] = symbol
        if at != end:
            return block
    return -1


def _rounded(signed: bool) -> NDArray[np.uint8]:
    """[256] the value that the code of each 8-bit value stands for."""
    v = np.arange(256)
    kept = v & int(signed)  # b7 of zigzagged words
    down, up = v & 0b01100000 | 0b1111, v & 0b11100000 | 0b10000
    if signed:
        down, up = down & ~1 | kept, up | kept
    is_exact = (v <= 15) | ((v & 16 != 0) == (v >= 128))
    return np.where(is_exact, v, np.where(v < 128, down, up)).astype(np.uint8)


def _codes() -> NDArray[np.int64]:
    """[256] the nibble or two nibbles of each value that has a code of its own."""
    v = np.arange(256)
    return np.where(v <= LARGEST_SHORT, v, v | 0b10000000)


def _symbols() -> NDArray[np.int64]:
    """[256] the value of the code at the head of these 8 bits, or ``NO_CODE``."""
    window = np.arange(256)
    short = window >> 4
    long = np.where(window & 16, window, window & 0b01111111)
    long = np.where(long <= LARGEST_SHORT, NO_CODE, long)
    return np.where(window < 128, short, long)


@dataclass(frozen=True)
class NibbleCode(LosslessCodec):
    """The codes of 8-bit values that rounding leaves as they are."""

    word: Word = CODED_WORD

    name = "spark_nibbles"
    hardware = LaneHardware(1, 1, 1, 1, 0.0, 0.0, 0.0, source="part of spark")

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    def worst_case_bits(self, n_values: int) -> int:
        return 8 * n_values

    @cached_property
    def _tables(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return _codes(), _symbols()

    def size_blocks(self, words: Words, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        bits = np.empty(len(offsets) - 1, np.int64)
        _size(words, offsets, bits)
        return bits

    def write_blocks(
        self,
        words: Words,
        offsets: NDArray[np.int64],
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
    ) -> None:
        _write(words, offsets, self._tables[0], payload, starts)

    def read_blocks(
        self,
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
        words: Words,
        offsets: NDArray[np.int64],
    ) -> int:
        return _read(payload, starts, self._tables[1], words, offsets)


ENCODER_KGE, DECODER_KGE = 0.027, 0.013
"""Translation of a value: 13.4 and 6.42 um2 at 28 nm, 0.49 um2 a gate."""


@dataclass(frozen=True)
class Spark(TransformCodec):
    """One nibble for values up to 7, two for others, some rounded; words of at most 8 bits."""

    word: Word

    name = "spark"
    evidence = "authors"

    @property
    def hardware(self) -> LaneHardware:
        packer = packer_kge(8)
        return LaneHardware(
            encode_values_per_cycle=1,
            decode_values_per_cycle=1,
            encode_fill_cycles=1,
            decode_fill_cycles=1,
            encode_pj_per_value=pj_per_value(packer + ENCODER_KGE),
            decode_pj_per_value=pj_per_value(packer + DECODER_KGE),
            gates_kge=2 * packer + ENCODER_KGE + DECODER_KGE,
            encode_buffer_bits=32,
            decode_buffer_bits=32,
            source=(
                "rate, and areas at 28 nm (decoder 6.42 um2, encoder 13.4 um2 a value): Liu et al. "
                "HPCA 2024, Table VI, as gates of 0.49 um2 (NAND2), 13 and 27; these only "
                "translate between a byte and one or two nibbles, so a bit packer or window with "
                "its 32 bits, 0.6 kGE each way as of zero_rle, is added like in every other lane; "
                "that, fill (one register) and energy (gates x 15 % activity x 1.5 fJ, 65 nm) are "
                "estimates"
            ),
        )

    def __post_init__(self) -> None:
        if self.word.bits > CODED_WORD.bits:
            raise CodecError(
                f"spark: codes values of 8 bits; words have {self.word.bits}. Use words of 2 to "
                "8 bits"
            )

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    @property
    def coder(self) -> NibbleCode:
        return NibbleCode()

    def worst_case_bits(self, n_values: int) -> int:
        longest = 4 if 1 << self.word.bits <= LARGEST_SHORT + 1 else 8
        return longest * n_values

    def n_symbols(self, shapes: Shapes) -> NDArray[np.int64]:
        sizes: NDArray[np.int64] = shapes.extents.prod(axis=1)
        return sizes

    @cached_property
    def _symbol_of_word(self) -> NDArray[np.uint8]:
        """[2^W] zigzag and rounding in one table."""
        values = from_words(np.arange(1 << self.word.bits, dtype=np.uint16), self.word)
        folded = values.astype(np.int64)
        if self.word.signed:
            folded = np.where(folded >= 0, 2 * folded, -2 * folded - 1)
        return _rounded(self.word.signed)[folded]

    @cached_property
    def _value_of_symbol(self) -> Values:
        """[256] the way back, clipped to the word."""
        values = np.arange(256)
        if self.word.signed:
            values = (values >> 1) ^ -(values & 1)
        return np.clip(values, self.word.low, self.word.high).astype(self.word.dtype)

    def forward(self, values: Values, shapes: Shapes) -> Values:
        return self._symbol_of_word.take(to_words(values, self.word))

    def inverse(self, symbols: Values, shapes: Shapes) -> Values:
        return self._value_of_symbol.take(symbols)


CODEC = Spark


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    exercise(CODEC.for_word(Word(8)))
