"""Eyeriss run-length compression: pairs (zeros before, value), packed in 64-bit words.

Chen et al., "Eyeriss: An Energy-Efficient Reconfigurable Accelerator for Deep
Convolutional Neural Networks", JSSC 2017: three pairs of a 5-bit run and a 16-bit level
and one terminator bit in 64 bits.

Bit layout of a 64-bit word, most significant bit first: ``pairs`` times (run, level);
zeros up to 63 bits where the pairs leave room; the terminator, 1 in the last word of a
block. A level is the W-bit word (two's complement if signed) with zeros in front. A run
counts zeros before the level; a run of more than 31 zeros emits 31 with level 0, which is
a zero itself, so that a pair stands for up to 32 values. The last value of a block always
ends a pair, even a zero. Pairs that fill up the last word are run 0, level 0; the number
of values tells the decoder to drop them.

In a network (``for_network``) the level has the word's width and a word holds as many
pairs as fit: 4 pairs of 5 + 8 bits at 8 bits.

>>> from accelsim.codecs.base import Blocks, Word
>>> blocks = Blocks(np.array([0, 0, 3, 5, 0, 7, 0], np.uint8), np.array([0, 7]))
>>> EyerissRlc.for_word(Word(8)).encode(blocks).bits   # (2,3) (0,5) (1,7) | (0,0)
128
>>> EyerissRlc.for_network(Word(8)).encode(blocks).bits   # the same 4 pairs in one word
64
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Word
from accelsim.codecs.bits import MAX_FIELD_BITS, get, put
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import LosslessCodec, exercise
from accelsim.codecs.words import Words
from accelsim.errors import CodecError
from accelsim.jit import kernel
from accelsim.units import ceil_div

STREAM_WORD_BITS = 64


@kernel
def _size(
    words: Words,
    offsets: NDArray[np.int64],
    run_bits: int,
    pairs: int,
    bits: NDArray[np.int64],
) -> None:
    longest = (1 << run_bits) - 1
    for block in range(len(bits)):
        n_pairs, run = 0, 0
        last = offsets[block + 1] - 1
        # No branches: zeros come at random, and a mispredicted branch costs 5 ns.
        for i in range(offsets[block], last):
            is_zero = int(words[i] == 0)
            n_pairs += 1 - (is_zero & int(run != longest))
            run = (run + 1) & longest & -is_zero
        if last >= offsets[block]:
            n_pairs += 1
        bits[block] = (n_pairs + pairs - 1) // pairs * 64


@kernel
def _write(
    words: Words,
    offsets: NDArray[np.int64],
    run_bits: int,
    level_bits: int,
    pairs: int,
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
) -> None:
    longest = (1 << run_bits) - 1
    for block in range(len(starts) - 1):
        word_start, n_pairs, run = starts[block], 0, 0
        last = offsets[block + 1] - 1
        for i in range(offsets[block], offsets[block + 1]):
            if words[i] == 0 and run < longest and i < last:
                run += 1
                continue
            if n_pairs == pairs:
                word_start += 64
                n_pairs = 0
            at = word_start + n_pairs * (run_bits + level_bits)
            put(payload, at, (run << level_bits) | int(words[i]), run_bits + level_bits)
            n_pairs += 1
            run = 0
        if starts[block + 1] > starts[block]:
            put(payload, starts[block + 1] - 1, 1, 1)


@kernel
def _read(
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
    word_bits: int,
    run_bits: int,
    level_bits: int,
    pairs: int,
    words: Words,
    offsets: NDArray[np.int64],
) -> int:
    pair_bits = run_bits + level_bits
    unused = 63 - pairs * pair_bits
    for block in range(len(starts) - 1):
        start, end = starts[block], starts[block + 1]
        if (end - start) % 64 != 0:
            return block
        i, last = offsets[block], offsets[block + 1]
        for at in range(start, end, 64):
            # A word without a value left to code was never written.
            if i == last:
                return block
            if get(payload, at + 63, 1) != (at + 64 == end):
                return block
            filler = 0
            for low in range(63 - unused, 63):
                filler |= get(payload, at + low, 1)
            if filler != 0:
                return block
            for pair in range(pairs):
                field = get(payload, at + pair * pair_bits, pair_bits)
                run, level = field >> level_bits, field & ((1 << level_bits) - 1)
                if i == last:
                    if field != 0:
                        return block
                    continue
                if level >> word_bits != 0 or i + run >= last:
                    return block
                for zero in range(i, i + run):
                    words[zero] = 0
                words[i + run] = level
                i += run + 1
        if i != last:
            return block
    return -1


@dataclass(frozen=True)
class EyerissRlc(LosslessCodec):
    """Run-length coding with ``pairs`` pairs of ``run_bits`` + ``level_bits`` in 64 bits."""

    word: Word
    run_bits: int = 5
    level_bits: int = 16

    name = "eyeriss_rlc"
    evidence = "literature"
    hardware = LaneHardware(
        encode_values_per_cycle=1,
        decode_values_per_cycle=1,
        encode_fill_cycles=3,
        decode_fill_cycles=3,
        encode_pj_per_value=0.18,
        decode_pj_per_value=0.18,
        gates_kge=1.6,
        encode_buffer_bits=64,
        decode_buffer_bits=64,
        source=(
            "estimates: a run counter and a 64-bit assembly register, 0.8 kGE each way; "
            "15 % activity x 1.5 fJ per gate, 65 nm; format from Chen et al. JSSC 2017"
        ),
    )

    def __post_init__(self) -> None:
        if self.run_bits < 1 or self.run_bits + self.level_bits > MAX_FIELD_BITS:
            raise CodecError(
                f"eyeriss_rlc: a pair has at least 1 bit of run, and at most {MAX_FIELD_BITS} bits "
                f"in all; not {self.run_bits} + {self.level_bits}"
            )
        if self.level_bits < self.word.bits:
            raise CodecError(
                f"eyeriss_rlc: levels of {self.level_bits} bits cannot hold words of "
                f"{self.word.bits} bits"
            )

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    @classmethod
    def for_network(cls, word: Word) -> Self:
        return cls(word, level_bits=word.bits)

    @property
    def pairs(self) -> int:
        """Pairs in one 64-bit word, beside its terminator bit."""
        return (STREAM_WORD_BITS - 1) // (self.run_bits + self.level_bits)

    @property
    def parameters(self) -> dict[str, int | str]:
        return {**super().parameters, "run_bits": self.run_bits, "level_bits": self.level_bits}

    def worst_case_bits(self, n_values: int) -> int:
        return ceil_div(n_values, self.pairs) * STREAM_WORD_BITS

    def size_blocks(self, words: Words, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        bits = np.empty(len(offsets) - 1, np.int64)
        _size(words, offsets, self.run_bits, self.pairs, bits)
        return bits

    def write_blocks(
        self,
        words: Words,
        offsets: NDArray[np.int64],
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
    ) -> None:
        _write(words, offsets, self.run_bits, self.level_bits, self.pairs, payload, starts)

    def read_blocks(
        self,
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
        words: Words,
        offsets: NDArray[np.int64],
    ) -> int:
        fields = (self.word.bits, self.run_bits, self.level_bits, self.pairs)
        return _read(payload, starts, *fields, words, offsets)


CODEC = EyerissRlc


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    exercise(CODEC.for_word(Word(8)))
