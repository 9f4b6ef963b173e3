"""Frequent pattern compression: a 3-bit pattern for each 32-bit word, then what it leaves open.

Alameldeen and Wood, "Frequent Pattern Compression: A Significance-Based Compression Scheme
for L2 Caches", UW-Madison CS-TR-2004-1500. A scheme for integers of a CPU: on maps of 8-bit
values it finds little beside zeros. The patterns are those that the literature reproduces.

The values lie in memory as ``accelsim.codecs.coding.memory_lines`` says (a byte for up to 8 bits,
else two; little-endian; zeros behind the last value). Bit layout, most significant bit first,
for each 32-bit word in order, the first pattern that fits:

    000   1 to 8 words of zero       3 bits: their number less one
    001   4 bits, sign-extended      4 bits
    010   8 bits, sign-extended      8 bits
    011   16 bits, sign-extended     16 bits
    100   lower half zero            16 bits: the upper half, which is not zero
    101   two halves, each 8 bits, sign-extended    8 bits of the upper, 8 of the lower half
    110   four equal bytes           8 bits
    111   anything else              32 bits

Runs of zero words are as long as possible, and end with their block. The longest block has
35 bits for each 32-bit word: for W = 8 that is 1.094 times raw, but for narrower words, which
fill a byte each, 35 / (4 W) times raw, 2.19 for W = 4.

>>> from accelsim.codecs.base import Blocks, Word
>>> blocks = Blocks(np.array([0, 0, 0, 0, 7, 0, 0, 0, 1, 2, 3, 4], np.uint8), np.array([0, 12]))
>>> Fpc.for_word(Word(8)).encode(blocks).bits   # (3 + 3) + (3 + 4) + (3 + 32)
48
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Word
from accelsim.codecs.bits import get, put
from accelsim.codecs.coding.memory_lines import LANE_BITS, Cell, load_lanes, store_lanes
from accelsim.codecs.lane_costs import pj_per_value
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import LosslessCodec, exercise
from accelsim.codecs.words import Words
from accelsim.jit import kernel

PREFIX_BITS = 3
ZERO_RUN, SIGNED_4, SIGNED_8, SIGNED_16, UPPER_HALF, TWO_BYTES, REPEATED, RAW = range(8)
DATA_BITS = (3, 4, 8, 16, 16, 16, 8, 32)
LONGEST_RUN = 8


@kernel
def _pattern(lane: int) -> int:
    """The first pattern that fits an unsigned word of 32 bits."""
    signed = (lane ^ 0x80000000) - 0x80000000
    # A half is a sign-extended byte if 128 more than it, modulo 2^16, is below 256.
    halves = ((lane + 128) & 0xFFFF) | (((lane >> 16) + 128) & 0xFFFF)
    # The last match wins; selections and no branches, for words come in no order.
    pattern = RAW
    pattern = REPEATED if lane == (lane & 255) * 0x01010101 else pattern
    pattern = TWO_BYTES if halves < 256 else pattern
    pattern = UPPER_HALF if lane & 0xFFFF == 0 else pattern
    pattern = SIGNED_16 if -32768 <= signed < 32768 else pattern
    pattern = SIGNED_8 if -128 <= signed < 128 else pattern
    pattern = SIGNED_4 if -8 <= signed < 8 else pattern
    return ZERO_RUN if lane == 0 else pattern


@kernel
def _word_of(pattern: int, data: int) -> int:
    """The unsigned word of 32 bits that a pattern other than a run leaves with its data."""
    if pattern == SIGNED_4:
        return ((data ^ 8) - 8) & 0xFFFFFFFF
    if pattern == SIGNED_8:
        return ((data ^ 0x80) - 0x80) & 0xFFFFFFFF
    if pattern == SIGNED_16:
        return ((data ^ 0x8000) - 0x8000) & 0xFFFFFFFF
    if pattern == UPPER_HALF:
        return data << 16
    if pattern == TWO_BYTES:
        upper, lower = ((data >> 8) ^ 0x80) - 0x80, ((data & 255) ^ 0x80) - 0x80
        return ((upper & 0xFFFF) << 16) | (lower & 0xFFFF)
    return data * 0x01010101 if pattern == REPEATED else data


@kernel
def _size(
    words: Words,
    offsets: NDArray[np.int64],
    cell: Cell,
    widths: NDArray[np.int64],
    lanes: NDArray[np.int64],
    bits: NDArray[np.int64],
) -> None:
    per_lane = 32 // cell.bits
    for block in range(len(bits)):
        last = offsets[block + 1]
        total, run = 0, 0
        for first in range(offsets[block], last, per_lane):
            load_lanes(words, first, last, cell, lanes)
            pattern = _pattern(int(lanes[0]))
            is_zero = int(pattern == ZERO_RUN)
            total += (3 + int(widths[pattern])) * (1 - (is_zero & int(run > 0)))
            run = (run + is_zero) & (LONGEST_RUN - 1) & -is_zero
        bits[block] = total


@kernel
def _write(
    words: Words,
    offsets: NDArray[np.int64],
    cell: Cell,
    widths: NDArray[np.int64],
    lanes: NDArray[np.int64],
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
) -> None:
    per_lane = 32 // cell.bits
    for block in range(len(starts) - 1):
        at, run, last = starts[block], 0, offsets[block + 1]
        for first in range(offsets[block], last, per_lane):
            load_lanes(words, first, last, cell, lanes)
            lane = int(lanes[0])
            pattern = _pattern(lane)
            if run > 0 and (pattern != ZERO_RUN or run == LONGEST_RUN):
                at = put(payload, at, run - 1, 6)
                run = 0
            if pattern == ZERO_RUN:
                run += 1
                continue
            data = lane >> 16 if pattern == UPPER_HALF else lane
            data = ((lane >> 8) & 0xFF00) | (lane & 255) if pattern == TWO_BYTES else data
            at = put(payload, at, pattern, 3)
            at = put(payload, at, data, int(widths[pattern]))
        if run > 0:
            put(payload, at, run - 1, 6)


@kernel
def _read(
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
    cell: Cell,
    widths: NDArray[np.int64],
    lanes: NDArray[np.int64],
    words: Words,
    offsets: NDArray[np.int64],
) -> int:
    per_lane = 32 // cell.bits
    for block in range(len(starts) - 1):
        at, end = starts[block], starts[block + 1]
        last, run, can_run = offsets[block + 1], 0, True
        for first in range(offsets[block], last, per_lane):
            if run == 0:
                if at + 3 > end:
                    return block
                pattern = get(payload, at, 3)
                width = int(widths[pattern])
                at += 3 + width
                if at > end:
                    return block
                data = get(payload, at - width, width)
                if pattern == ZERO_RUN:
                    # Only a full run is followed by another.
                    if not can_run:
                        return block
                    run = data + 1
                    can_run = run == LONGEST_RUN
                    lanes[0] = 0
                else:
                    can_run = True
                    lane = _word_of(pattern, data)
                    if _pattern(lane) != pattern:
                        return block
                    lanes[0] = lane
            if not store_lanes(lanes, words, first, last, cell):
                return block
            run -= int(run > 0)
        if run > 0 or at != end:
            return block
    return -1


@dataclass(frozen=True)
class Fpc(LosslessCodec):
    """Frequent pattern compression of 32-bit words."""

    word: Word

    name = "fpc"
    evidence = "literature"

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    @property
    def hardware(self) -> LaneHardware:
        per_cycle = LANE_BITS // self._cell.bits
        return LaneHardware(
            encode_values_per_cycle=per_cycle,
            decode_values_per_cycle=per_cycle,
            encode_fill_cycles=3,
            decode_fill_cycles=5,
            encode_pj_per_value=pj_per_value(2.7, per_cycle),
            decode_pj_per_value=pj_per_value(3.0, per_cycle),
            gates_kge=5.7,
            encode_buffer_bits=64,
            decode_buffer_bits=64,
            source=(
                "decode latency: 5 cycles, Alameldeen and Wood 2004 as the literature cites it "
                "(their pipeline unpacks a whole line); estimates: a lane of one 32-bit word a "
                "cycle; 3 fill cycles of the encoder (pattern, length, shift); 2.7 kGE encoder "
                "and 3.0 kGE decoder, of which a 64-bit shifter 1.5 and its 64-bit register 0.4 "
                "each; energy 15 % activity x 1.5 fJ per gate, 65 nm, over the values of a word"
            ),
        )

    @property
    def _cell(self) -> Cell:
        return Cell.of(self.word)

    def worst_case_bits(self, n_values: int) -> int:
        """All words raw; a last word of one byte is at worst 16 bits sign-extended."""
        n_bytes = n_values * self._cell.bits // 8
        last = {0: 0, 1: PREFIX_BITS + 16}.get(n_bytes % 4, PREFIX_BITS + LANE_BITS)
        return n_bytes // 4 * (PREFIX_BITS + LANE_BITS) + last

    def size_blocks(self, words: Words, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        bits = np.empty(len(offsets) - 1, np.int64)
        _size(words, offsets, self._cell, *_tables(), bits)
        return bits

    def write_blocks(
        self,
        words: Words,
        offsets: NDArray[np.int64],
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
    ) -> None:
        _write(words, offsets, self._cell, *_tables(), payload, starts)

    def read_blocks(
        self,
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
        words: Words,
        offsets: NDArray[np.int64],
    ) -> int:
        return _read(payload, starts, self._cell, *_tables(), words, offsets)


def _tables() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """[8] bits of data of each pattern, and a scratch lane."""
    return np.array(DATA_BITS, np.int64), np.zeros(1, np.int64)


CODEC = Fpc


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    exercise(CODEC.for_word(Word(8)))
