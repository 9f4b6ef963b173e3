"""Compressed sparse column: each non-zero with its distance from the one before.

As in the evaluation of Cavigelli et al., "EBPC: Extended Bit-Plane Compression for Deep
Neural Network Inference and Training Accelerators", JETCAS 2019 (a baseline there):
distances of at most 16 in 4 bits. A block is one column; column pointers are the block
addresses that any layout keeps.

Bit layout, most significant bit first, pair by pair: the distance less one (the zeros
skipped) in ``distance_bits`` bits, then the W-bit word, two's complement if signed. The first
distance counts from the place before the block. Where more zeros come before a non-zero than
the field can say, fillers (all ones, word 0) skip 2^distance_bits zeros each. Zeros after
the last non-zero are not written: the stream ends, and the number of values tells the
decoder how many remain. A block of zeros takes no bits.

>>> import numpy as np
>>> from accelsim.codecs.base import Blocks, Word
>>> blocks = Blocks(np.array([0, 0, 3, 5, 0], np.uint8), np.array([0, 5]))
>>> stream = Csc.for_word(Word(8)).encode(blocks)
>>> stream.bits   # (2, 3) (0, 5), 4 + 8 bits each
24
>>> [f"{byte:08b}" for byte in stream.payload]
['00100000', '00110000', '00000101']
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Word
from accelsim.codecs.bits import get, put
from accelsim.codecs.lane_costs import packer_kge, pj_per_value
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import LosslessCodec, exercise
from accelsim.codecs.words import Words
from accelsim.errors import CodecError
from accelsim.jit import kernel

LARGEST_DISTANCE_BITS = 16


@kernel
def _size(
    words: Words,
    offsets: NDArray[np.int64],
    word_bits: int,
    distance_bits: int,
    bits: NDArray[np.int64],
) -> None:
    longest = (1 << distance_bits) - 1
    for block in range(len(bits)):
        n_pairs, run = 0, 0
        # No branches: zeros come at random, and a mispredicted branch costs 5 ns.
        for i in range(offsets[block], offsets[block + 1]):
            is_zero = int(words[i] == 0)
            run = (run + 1) & -is_zero
            n_pairs += int((run & longest) == 0)
        n_unwritten = run >> distance_bits
        bits[block] = (n_pairs - n_unwritten) * (distance_bits + word_bits)


@kernel
def _write(
    words: Words,
    offsets: NDArray[np.int64],
    word_bits: int,
    distance_bits: int,
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
) -> None:
    longest = (1 << distance_bits) - 1
    pair_bits = distance_bits + word_bits
    for block in range(len(starts) - 1):
        at, run = starts[block], 0
        last = offsets[block + 1]
        while last > offsets[block] and words[last - 1] == 0:
            last -= 1
        # No branches here either: a pair that is not due is put as zeros, and overwritten.
        for i in range(offsets[block], last):
            due = -int((words[i] != 0) | (run == longest))
            put(payload, at, ((run << word_bits) | int(words[i])) & due, pair_bits)
            at += pair_bits & due
            run = (run + 1) & ~due


@kernel
def _read(
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
    word_bits: int,
    distance_bits: int,
    words: Words,
    offsets: NDArray[np.int64],
) -> int:
    longest = (1 << distance_bits) - 1
    pair_bits = distance_bits + word_bits
    for block in range(len(starts) - 1):
        i, last = offsets[block], offsets[block + 1]
        for zero in range(i, last):
            words[zero] = 0
        if (starts[block + 1] - starts[block]) % pair_bits != 0:
            return block
        is_filler = False
        for at in range(starts[block], starts[block + 1], pair_bits):
            pair = get(payload, at, pair_bits)
            distance = pair >> word_bits
            word = pair & ((1 << word_bits) - 1)
            is_filler = word == 0
            i += distance
            if i >= last or (is_filler and distance != longest):
                return block
            words[i] = word
            i += 1
        # Zeros at the end are not written.
        if is_filler:
            return block
    return -1


@dataclass(frozen=True)
class Csc(LosslessCodec):
    """Pairs of a distance up to 2^``distance_bits`` (1 to 16 bits) and a word."""

    word: Word
    distance_bits: int = 4

    name = "csc"
    evidence = "authors"

    @property
    def hardware(self) -> LaneHardware:
        kge = packer_kge(self.word.bits)
        return LaneHardware(
            encode_values_per_cycle=1,
            decode_values_per_cycle=1,
            encode_fill_cycles=2,
            decode_fill_cycles=2,
            encode_pj_per_value=pj_per_value(kge),
            decode_pj_per_value=pj_per_value(kge),
            gates_kge=2 * kge,
            encode_buffer_bits=32 + self.distance_bits,
            decode_buffer_bits=32 + self.distance_bits,
            source=(
                "estimates: as zero_rle, a run counter and a bit packer, 0.6 kGE each way for "
                "8-bit words beside the 5.8 kGE of the whole EBPC (Cavigelli et al. 2019); 15 % "
                "activity x 1.5 fJ per gate, 65 nm; 32 bits in assembly and the counter; 2 cycles "
                "of fill as a bit packer"
            ),
        )

    def __post_init__(self) -> None:
        if not 1 <= self.distance_bits <= LARGEST_DISTANCE_BITS:
            raise CodecError(
                f"csc: distance_bits is 1 to {LARGEST_DISTANCE_BITS}, not {self.distance_bits}"
            )

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    @property
    def parameters(self) -> dict[str, int | str]:
        return {**super().parameters, "distance_bits": self.distance_bits}

    def worst_case_bits(self, n_values: int) -> int:
        """No zeros: each value is a pair."""
        return n_values * (self.distance_bits + self.word.bits)

    def size_blocks(self, words: Words, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        bits = np.empty(len(offsets) - 1, np.int64)
        _size(words, offsets, self.word.bits, self.distance_bits, bits)
        return bits

    def write_blocks(
        self,
        words: Words,
        offsets: NDArray[np.int64],
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
    ) -> None:
        _write(words, offsets, self.word.bits, self.distance_bits, payload, starts)

    def read_blocks(
        self,
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
        words: Words,
        offsets: NDArray[np.int64],
    ) -> int:
        return _read(payload, starts, self.word.bits, self.distance_bits, words, offsets)


CODEC = Csc


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    exercise(CODEC.for_word(Word(8)))
