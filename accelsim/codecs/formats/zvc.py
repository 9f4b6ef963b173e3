"""Zero-value compression: a mask of one bit per value, then the non-zero values.

Rhu et al., "Compressing DMA Engine: Leveraging Activation Sparsity for Training Deep
Neural Networks", HPCA 2018: groups of 32 words.

Bit layout of a group, most significant bit first: the mask, first value first, 1 where
the value is not zero; then the W-bit words of the non-zero values in order, two's
complement if signed. The mask of a last partial group covers the existing values only,
so a block of n values with k non-zeros takes n + k W bits, whatever the group size.

>>> from accelsim.codecs.base import Blocks, Word
>>> blocks = Blocks(np.array([0, 0, 7, 0], np.uint8), np.array([0, 4]))
>>> stream = Zvc.for_word(Word(8)).encode(blocks)
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
from accelsim.codecs.bits import get, put
from accelsim.codecs.lane_costs import pj_per_value
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import LosslessCodec, exercise
from accelsim.codecs.words import Words
from accelsim.errors import CodecError
from accelsim.jit import kernel


@kernel
def _size(
    words: Words, offsets: NDArray[np.int64], word_bits: int, bits: NDArray[np.int64]
) -> None:
    for block in range(len(bits)):
        n_nonzeros = 0
        for i in range(offsets[block], offsets[block + 1]):
            n_nonzeros += words[i] != 0
        bits[block] = offsets[block + 1] - offsets[block] + n_nonzeros * word_bits


@kernel
def _write(
    words: Words,
    offsets: NDArray[np.int64],
    word_bits: int,
    group: int,
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
) -> None:
    for block in range(len(starts) - 1):
        at = starts[block]
        for first in range(offsets[block], offsets[block + 1], group):
            last = min(first + group, offsets[block + 1])
            mask = 0
            for i in range(first, last):
                mask = (mask << 1) | (words[i] != 0)
            at = put(payload, at, mask, last - first)
            for i in range(first, last):
                if words[i] != 0:
                    at = put(payload, at, int(words[i]), word_bits)


@kernel
def _read(
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
    word_bits: int,
    group: int,
    words: Words,
    offsets: NDArray[np.int64],
) -> int:
    for block in range(len(starts) - 1):
        at, end = starts[block], starts[block + 1]
        for first in range(offsets[block], offsets[block + 1], group):
            last = min(first + group, offsets[block + 1])
            if at + (last - first) > end:
                return block
            mask = get(payload, at, last - first)
            at += last - first
            for i in range(first, last):
                if (mask >> (last - 1 - i)) & 1:
                    if at + word_bits > end:
                        return block
                    words[i] = get(payload, at, word_bits)
                    at += word_bits
                    if words[i] == 0:
                        return block
        if at != end:
            return block
    return -1


@dataclass(frozen=True)
class Zvc(LosslessCodec):
    """Zero-value compression in groups of ``group`` (1 to 32) values."""

    word: Word
    group: int = 32

    name = "zvc"
    evidence = "literature"

    @property
    def hardware(self) -> LaneHardware:
        kge = 6.0 * self.word.bits / 8
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
                "rate: Rhu et al. HPCA 2018 (prefix sum of the mask, bubble-collapsing shifter); "
                "fill, gates (5 stages of 32 words of multiplexers and 2 registers: 6 kGE each way "
                "for 8-bit words, in proportion for others) and energy (gates x 15 % activity x "
                "1.5 fJ / 32 values, 65 nm) are estimates; storage of 32 mask bits and two groups "
                "of 32 words each way"
            ),
        )

    def __post_init__(self) -> None:
        if not 1 <= self.group <= 32:
            raise CodecError(f"zvc: groups have 1 to 32 values, not {self.group}")

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    @property
    def parameters(self) -> dict[str, int | str]:
        return {**super().parameters, "group": self.group}

    def worst_case_bits(self, n_values: int) -> int:
        return n_values * (1 + self.word.bits)

    def size_blocks(self, words: Words, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        bits = np.empty(len(offsets) - 1, np.int64)
        _size(words, offsets, self.word.bits, bits)
        return bits

    def write_blocks(
        self,
        words: Words,
        offsets: NDArray[np.int64],
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
    ) -> None:
        _write(words, offsets, self.word.bits, self.group, payload, starts)

    def read_blocks(
        self,
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
        words: Words,
        offsets: NDArray[np.int64],
    ) -> int:
        return _read(payload, starts, self.word.bits, self.group, words, offsets)


CODEC = Zvc


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    exercise(CODEC.for_word(Word(8)))
