"""Zero run-length encoding: runs of zeros by their length, other values as literals.

The zero-RLE of Cavigelli et al., "EBPC: Extended Bit-Plane Compression for Deep Neural
Network Inference and Training Accelerators", JETCAS 2019 (a baseline there), runs of at
most 16 in 4 bits. The reference code writes the length itself, which overflows at 16;
here, as the format must mean, the field holds the length less one.

Bit layout, most significant bit first, token by token:
  literal   ``1``, then the W-bit word (two's complement if signed)
  zeros     ``0``, then the run length less one in ``run_bits`` bits
A longer run takes several tokens, all but the last of them full. Runs end with the block.

>>> from accelsim.codecs.base import Blocks, Word
>>> blocks = Blocks(np.array([0, 0, 3, 5, 0], np.uint8), np.array([0, 5]))
>>> ZeroRle.for_word(Word(8)).encode(blocks).bits   # run 5, literals 9 and 9, run 5
28
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
from accelsim.units import ceil_div


@kernel
def _size(
    words: Words,
    offsets: NDArray[np.int64],
    word_bits: int,
    run_bits: int,
    bits: NDArray[np.int64],
) -> None:
    full_run = (1 << run_bits) - 1
    for block in range(len(bits)):
        n_literals, n_runs, run = 0, 0, 0
        # No branches: zeros come at random, and a mispredicted branch costs 5 ns.
        for i in range(offsets[block], offsets[block + 1]):
            is_zero = int(words[i] == 0)
            n_literals += 1 - is_zero
            n_runs += is_zero & int(run == 0)
            run = (run + is_zero) & full_run & -is_zero
        bits[block] = n_literals * (1 + word_bits) + n_runs * (1 + run_bits)


@kernel
def _write(
    words: Words,
    offsets: NDArray[np.int64],
    word_bits: int,
    run_bits: int,
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
) -> None:
    longest = 1 << run_bits
    literal = 1 << word_bits
    for block in range(len(starts) - 1):
        at, run = starts[block], 0
        for i in range(offsets[block], offsets[block + 1]):
            if words[i] == 0:
                run += 1
                if run == longest:
                    at = put(payload, at, run - 1, 1 + run_bits)
                    run = 0
            else:
                if run > 0:
                    at = put(payload, at, run - 1, 1 + run_bits)
                    run = 0
                at = put(payload, at, literal | int(words[i]), 1 + word_bits)
        if run > 0:
            put(payload, at, run - 1, 1 + run_bits)


@kernel
def _read(
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
    word_bits: int,
    run_bits: int,
    words: Words,
    offsets: NDArray[np.int64],
) -> int:
    for block in range(len(starts) - 1):
        at, end = starts[block], starts[block + 1]
        i, last = offsets[block], offsets[block + 1]
        while i < last:
            if at >= end:
                return block
            is_literal = get(payload, at, 1)
            width = word_bits if is_literal else run_bits
            if at + 1 + width > end:
                return block
            field = get(payload, at + 1, width)
            at += 1 + width
            if is_literal:
                if field == 0:
                    return block
                words[i] = field
                i += 1
            else:
                if i + field + 1 > last:
                    return block
                for zero in range(i, i + field + 1):
                    words[zero] = 0
                i += field + 1
        if at != end:
            return block
    return -1


@dataclass(frozen=True)
class ZeroRle(LosslessCodec):
    """Zero run-length encoding with runs of at most 2^``run_bits``."""

    word: Word
    run_bits: int = 4

    name = "zero_rle"
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
            encode_buffer_bits=2 * self.word.bits,
            decode_buffer_bits=2 * self.word.bits,
            source=(
                "estimates: a run counter and a bit packer, 0.6 kGE each way for 8-bit words "
                "beside the 5.8 kGE of the whole EBPC (Cavigelli et al. 2019), two thirds of it in "
                "proportion for others; 15 % activity x 1.5 fJ per gate, 65 nm; two words in "
                "assembly"
            ),
        )

    def __post_init__(self) -> None:
        if not 1 <= self.run_bits <= 16:
            raise CodecError(f"zero_rle: lengths of runs have 1 to 16 bits, not {self.run_bits}")

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    @property
    def parameters(self) -> dict[str, int | str]:
        return {**super().parameters, "run_bits": self.run_bits}

    def worst_case_bits(self, n_values: int) -> int:
        """All literals, or single zeros between literals where a run is the longer token."""
        literal, run = 1 + self.word.bits, 1 + self.run_bits
        return max(n_values * literal, ceil_div(n_values, 2) * run + n_values // 2 * literal)

    def size_blocks(self, words: Words, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        bits = np.empty(len(offsets) - 1, np.int64)
        _size(words, offsets, self.word.bits, self.run_bits, bits)
        return bits

    def write_blocks(
        self,
        words: Words,
        offsets: NDArray[np.int64],
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
    ) -> None:
        _write(words, offsets, self.word.bits, self.run_bits, payload, starts)

    def read_blocks(
        self,
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
        words: Words,
        offsets: NDArray[np.int64],
    ) -> int:
        return _read(payload, starts, self.word.bits, self.run_bits, words, offsets)


CODEC = ZeroRle


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    exercise(CODEC.for_word(Word(8)))
