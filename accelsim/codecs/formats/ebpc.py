"""Extended bit-plane compression: zero runs apart, bit planes of the values between them.

Cavigelli, Rutishauser and Benini, "EBPC: Extended Bit-Plane Compression for Deep Neural
Network Inference and Training Accelerators", JETCAS 9(4) 2019, in the format of the authors'
SystemVerilog and of its golden model (``variant="rtl"``). Words are signed: the pattern of an
unsigned word is taken as two's complement, which changes sizes and not values.

Bit layout of a block, two streams, unpadded, most significant bit first:
  * zeros: "1" for a value that is not zero; for 1 to 16 zeros "0" and 4 bits of their number
    less one. Longer runs are split at 16;
  * planes: the values that are not zero, in groups of n, the last one filled up with zero
    words, each coded as ``accelsim.codecs.coding.bit_planes`` says, least significant plane first.
The number of values tells where the first stream ends; it tells how many groups the second
has. Hardware keeps them apart, with a read pointer each.

The evaluation script of the authors codes runs of zero planes the other way round, as the
original BPC does: "001" for one plane, "01" and the number less two for more
(``variant="evaluation"``). Its estimate of sizes leaves out runs that end a stream; we do not.

>>> from accelsim.codecs.base import Blocks, Word
>>> blocks = Blocks(np.array([0, 0, 0, 5, 5, 5, 5, 5, 5, 5, 5], np.uint8), np.array([0, 11]))
>>> stream = Ebpc.for_word(Word(8)).encode(blocks)
>>> stream.bits   # zeros 5 + 8; base 8 and 9 zero planes in 3 + 3
27
>>> "".join(f"{byte:08b}" for byte in stream.payload)[13:27]
'00000101001111'
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Bitstream, Blocks, Word
from accelsim.codecs.coding.bit_planes import (
    PlaneCode,
    read_group,
    scratch,
    size_group,
    write_group,
)
from accelsim.codecs.coding.zero_runs import LONGEST_RUN, RUN_BITS, read_zeros, write_zeros
from accelsim.codecs.lane_costs import FLIP_FLOP_KGE
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import WordCodec, exercise, write_in_one_pass
from accelsim.codecs.words import Words, checked_offsets, to_words
from accelsim.errors import CodecError
from accelsim.jit import kernel
from accelsim.units import ceil_div

VARIANTS = ("rtl", "evaluation")


@kernel
def _size(
    words: Words,
    offsets: NDArray[np.int64],
    code: PlaneCode,
    group: NDArray[np.int64],
    bits: NDArray[np.int64],
) -> None:
    for block in range(len(bits)):
        n_nonzeros, n_runs, run, filled, total = 0, 0, 0, 0, 0
        # No branches on zeros: they come at random, and a mispredicted branch costs 5 ns.
        for i in range(offsets[block], offsets[block + 1]):
            is_zero = int(words[i] == 0)
            n_nonzeros += 1 - is_zero
            n_runs += is_zero & int(run == 0)
            run = (run + is_zero) & (LONGEST_RUN - 1) & -is_zero
            group[filled] = (int(words[i]) ^ code.sign_bit) - code.sign_bit
            filled += 1 - is_zero
            if filled == code.n:
                total += size_group(group, code)[0]
                filled = 0
        if filled > 0:
            for i in range(filled, code.n):
                group[i] = 0
            total += size_group(group, code)[0]
        bits[block] = total + n_nonzeros + RUN_BITS * n_runs


@kernel
def _work(
    words: Words,
    offsets: NDArray[np.int64],
    code: PlaneCode,
    stalls: bool,
    group: NDArray[np.int64],
    cycles: NDArray[np.int64],
) -> None:
    """Each group takes the cycles of its values or of its planes, whichever are more."""
    for block in range(len(cycles)):
        filled, total, since = 0, 0, offsets[block]
        for i in range(offsets[block], offsets[block + 1]):
            group[filled] = (int(words[i]) ^ code.sign_bit) - code.sign_bit
            filled += int(words[i] != 0)
            if filled == code.n:
                coding = code.word_bits + 2
                if stalls:
                    coding += size_group(group, code)[1]
                total += max(coding, i + 1 - since)
                filled, since = 0, i + 1
        coding = 0
        if filled > 0:
            for i in range(filled, code.n):
                group[i] = 0
            coding = code.word_bits + 2
            if stalls:
                coding += size_group(group, code)[1]
        cycles[block] = total + max(coding, offsets[block + 1] - since)


@kernel
def _write(
    words: Words,
    offsets: NDArray[np.int64],
    code: PlaneCode,
    group: NDArray[np.int64],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
) -> None:
    """Blocks follow each other, so that none needs its size beforehand: fills ``starts``."""
    for block in range(len(starts) - 1):
        at = write_zeros(words, offsets[block], offsets[block + 1], payload, starts[block])
        filled = 0
        for i in range(offsets[block], offsets[block + 1]):
            group[filled] = (int(words[i]) ^ code.sign_bit) - code.sign_bit
            filled += int(words[i] != 0)
            if filled == code.n:
                at = write_group(group, code, rows, columns, payload, at)
                filled = 0
        if filled > 0:
            for i in range(filled, code.n):
                group[i] = 0
            at = write_group(group, code, rows, columns, payload, at)
        starts[block + 1] = at


@kernel
def _read(
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
    code: PlaneCode,
    group: NDArray[np.int64],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    words: Words,
    offsets: NDArray[np.int64],
) -> int:
    word_mask = (1 << code.word_bits) - 1
    for block in range(len(starts) - 1):
        end, last = starts[block + 1], offsets[block + 1]
        at = read_zeros(payload, starts[block], end, words, offsets[block], last)
        if at < 0:
            return block
        n_nonzeros = 0
        for i in range(offsets[block], last):
            n_nonzeros += int(words[i])
        i, zeros = offsets[block], 0
        for coded in range(0, n_nonzeros, code.n):
            at = read_group(payload, at, end, code, rows, columns, group)
            if at < 0:
                return block
            n_used = min(code.n, n_nonzeros - coded)
            used = 0
            while used < n_used:
                flag = int(words[i])
                words[i] = int(group[used]) & word_mask & -flag
                used += flag
                i += 1
            for k in range(n_used):
                zeros |= int(group[k] == 0)
            for k in range(n_used, code.n):
                zeros |= int(group[k] != 0)
        # Zeros are in the first stream, and only zeros fill up the last group.
        if zeros != 0 or at != end:
            return block
    return -1


PUBLISHED_PJ = (0.27 + 0.45) / 2
"""Of an 8-bit word, each way: the mean of what Rutishauser, Cavigelli and Benini (2020) give."""


@dataclass(frozen=True)
class Ebpc(WordCodec):
    """EBPC with groups of ``n`` (8 or 16) words, in the ``variant`` "rtl" or "evaluation"."""

    word: Word
    n: int = 8
    variant: str = "rtl"

    name = "ebpc"
    evidence = "authors"
    needs = ("two_streams",)

    def __post_init__(self) -> None:
        if self.n not in (8, 16):
            raise CodecError(f"ebpc: groups have n = 8 or 16 words, not {self.n}")
        if self.variant not in VARIANTS:
            raise CodecError(f"ebpc: the variant is rtl or evaluation, not {self.variant!r}")

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    @property
    def parameters(self) -> dict[str, int | str]:
        return {**super().parameters, "n": self.n, "variant": self.variant}

    @property
    def hardware(self) -> LaneHardware:
        more = 4 * (self.n - 8) * self.word.bits * FLIP_FLOP_KGE
        kge = 5.8 * self.word.bits / 8 + more
        return LaneHardware(
            encode_values_per_cycle=1,
            decode_values_per_cycle=1,
            encode_fill_cycles=self.n + 2,
            decode_fill_cycles=self.n + 4,
            encode_pj_per_value=PUBLISHED_PJ * self.word.bits / 8,
            decode_pj_per_value=PUBLISHED_PJ * self.word.bits / 8,
            gates_kge=kge,
            encode_buffer_bits=2 * self.n * self.word.bits,
            decode_buffer_bits=2 * self.n * self.word.bits,
            source=(
                "gates: Cavigelli et al. JETCAS 2019, 2.8 kGE encoder and 3.0 kGE decoder at n = 8 "
                "and 8-bit words (65 nm, 600 MHz); energy: 0.27 to 0.45 pJ a word, post-layout "
                "(Rutishauser, Cavigelli, Benini 2020, abstract), their mean each way; the node is "
                "not in the abstract and taken as that of the gates; rate, cycles, fill and "
                "staging (two groups each way): read from the authors' RTL; estimates: other words "
                "in proportion to 8 bits; at n = 16 the gates of 256 more flip-flops of 6 GE"
            ),
        )

    @cached_property
    def _code(self) -> PlaneCode:
        return PlaneCode.of(
            self.n,
            self.word.bits,
            signed=True,
            sign_plane_first=False,
            single_zero_first=self.variant == "rtl",
        )

    def worst_case_bits(self, n_values: int) -> int:
        """The most over all numbers k of non-zeros.

        k flags, a run for each zero where they fit between (more where runs exceed 16), and
        the longest groups. Beyond half non-zeros the bits are linear but for a period of n,
        before it they rise but for a period of 16: the most is near the half or near the end.
        """
        half, span = n_values // 2, 2 * LONGEST_RUN
        near = {*range(half - span, half + span), *range(n_values - span, n_values + 1)}
        most = 0
        for k in near & set(range(n_values + 1)):
            zeros = n_values - k
            gaps = min(zeros, k + 1)
            n_runs = gaps + (zeros - gaps) // LONGEST_RUN
            planes = ceil_div(k, self.n) * self._code.worst_case_bits
            most = max(most, k + RUN_BITS * n_runs + planes)
        return most

    def size_blocks(self, words: Words, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        bits = np.empty(len(offsets) - 1, np.int64)
        _size(words, offsets, self._code, scratch(self._code)[0], bits)
        return bits

    def encode_words(self, words: Words, offsets: NDArray[np.int64]) -> Bitstream:
        """Written in one pass, into room for a run and a full group at every turn."""
        n_groups = words.size // self.n + len(offsets)
        room_bits = RUN_BITS * words.size + self._code.worst_case_bits * n_groups
        return write_in_one_pass(
            room_bits,
            offsets,
            lambda payload, starts: _write(
                words, offsets, self._code, *scratch(self._code), payload, starts
            ),
        )

    def read_blocks(
        self,
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
        words: Words,
        offsets: NDArray[np.int64],
    ) -> int:
        return _read(payload, starts, self._code, *scratch(self._code), words, offsets)

    def encode_work(self, blocks: Blocks) -> NDArray[np.int64]:
        """One value a cycle, while a coder takes W + 2 cycles for the group before, and one
        more for each run of zero planes that another plane follows (10 to 14 at W = 8)."""
        return self._cycles(blocks, True)

    def decode_work(self, blocks: Blocks) -> NDArray[np.int64]:
        """One value a cycle, while the next group is decoded in W + 2 cycles."""
        return self._cycles(blocks, False)

    def _cycles(self, blocks: Blocks, stalls: bool) -> NDArray[np.int64]:
        offsets, words = checked_offsets(blocks), to_words(blocks.values, self.word)
        cycles = np.empty(len(offsets) - 1, np.int64)
        _work(words, offsets, self._code, stalls, scratch(self._code)[0], cycles)
        return cycles


CODEC = Ebpc


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    exercise(CODEC.for_word(Word(8)))
