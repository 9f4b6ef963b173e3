"""Raw: every value as its word. The baseline, and what a block falls back to.

Bit layout, most significant bit first: the W-bit words in order, two's complement if
signed. No source: it is what memory holds without a codec.

>>> from accelsim.codecs.base import Blocks, Word
>>> blocks = Blocks(np.array([0, 3, 5], np.uint8), np.array([0, 3]))
>>> Raw.for_word(Word(8)).encode(blocks).bits   # 3 words of 8 bits
24
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Blocks, Word
from accelsim.codecs.bits import get, put
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import LosslessCodec, exercise
from accelsim.codecs.words import Words
from accelsim.jit import kernel


@kernel
def _write(
    words: Words,
    offsets: NDArray[np.int64],
    word_bits: int,
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
) -> None:
    for block in range(len(starts) - 1):
        at = starts[block]
        for i in range(offsets[block], offsets[block + 1]):
            at = put(payload, at, int(words[i]), word_bits)


@kernel
def _read(
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
    word_bits: int,
    words: Words,
    offsets: NDArray[np.int64],
) -> int:
    for block in range(len(starts) - 1):
        at = starts[block]
        n_values = offsets[block + 1] - offsets[block]
        if starts[block + 1] - at != n_values * word_bits:
            return block
        for i in range(offsets[block], offsets[block + 1]):
            words[i] = get(payload, at, word_bits)
            at += word_bits
    return -1


@dataclass(frozen=True)
class Raw(LosslessCodec):
    """Words as they are: W bits per value, no cycles, no energy."""

    word: Word

    name = "raw"
    hardware = LaneHardware(
        encode_values_per_cycle=1 << 16,
        decode_values_per_cycle=1 << 16,
        encode_fill_cycles=0,
        decode_fill_cycles=0,
        encode_pj_per_value=0.0,
        decode_pj_per_value=0.0,
        gates_kge=0.0,
        source="a wire: raw data passes no codec",
        estimate=False,
    )

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    def worst_case_bits(self, n_values: int) -> int:
        return n_values * self.word.bits

    def encode_work(self, blocks: Blocks) -> NDArray[np.int64]:
        return np.zeros(blocks.n_blocks, np.int64)

    def decode_work(self, blocks: Blocks) -> NDArray[np.int64]:
        return np.zeros(blocks.n_blocks, np.int64)

    def size_blocks(self, words: Words, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.diff(offsets) * self.word.bits

    def write_blocks(
        self,
        words: Words,
        offsets: NDArray[np.int64],
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
    ) -> None:
        _write(words, offsets, self.word.bits, payload, starts)

    def read_blocks(
        self,
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
        words: Words,
        offsets: NDArray[np.int64],
    ) -> int:
        return _read(payload, starts, self.word.bits, words, offsets)


CODEC = Raw


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    exercise(CODEC.for_word(Word(8)))
