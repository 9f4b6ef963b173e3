"""rANS: range asymmetric numeral systems with a 32-bit state, one table per tensor.

Duda, arXiv 1311.2540, 2013; the variant with 16-bit renormalisation is widely reproduced.
Probabilities are f / M with M = 2^R: R = 12, and 16 when more than 4096 symbols occur.
Frequencies f of at least 1 are those of least cross entropy. With c the sum of all f of
smaller symbols, a value with symbol s leads from state x, 2^16 <= x < 2^32, to

    x' = floor(x / f) M + c + x mod f,  after moving 16 bits of x out if x >= f 2^(32 - R).

The encoder starts at x = 2^16 with the last value of the block and ends with the first, so
it needs the block in a buffer. Value i of the block uses state i mod ``states``; a decoder
with k states reads k values a cycle.

Bit layout of a block in 16-bit words, most significant bit first: the final state of each
state that has values, high word first; then the words that were moved out, last one first,
which is the order in which the decoder takes them in. The decoder must end at 2^16 in all
states with all words taken, so damage nearly always shows. An empty block has no bits. A
lone symbol costs none beside the state. A symbol is the word, read as unsigned if signed.

Values that calibration never saw (``fit(..., every_symbol=True)``): as in huffman, one
pseudo-count each up to 8 bits; wider words share an escape symbol, followed by the word
itself as a 16-bit word of the stream, after the one that the escape may take in.

The table costs R bits per value of the word, and R for an escape. (A lone symbol's f = M
does not fit R bits; a real table would name it. The count keeps the convention.)

>>> from accelsim.codecs.base import Blocks, Word
>>> values = np.array([0, 0, 0, 5] * 8, np.uint8)
>>> codec = Rans.for_word(Word(8)).fit(values)   # f = 3072, 1024
>>> codec.encode(Blocks(values, np.array([0, 32]))).bits   # 26.0 bits: the state and 1 word
48
>>> codec.table_bits
3072
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import log2

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Bitstream, Word
from accelsim.codecs.coding import rans_tables
from accelsim.codecs.coding.ans import AnsCodec, join_streams
from accelsim.codecs.coding.rans_tables import (
    BIAS,
    ESCAPES,
    LIMIT,
    RECIPROCAL,
    REST,
    START,
    STATE_BITS,
)
from accelsim.codecs.lane_costs import SRAM_BIT_KGE, pj_per_value, table_pj
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import exercise
from accelsim.codecs.words import Words
from accelsim.jit import kernel

FEW_SYMBOLS_BITS, MANY_SYMBOLS_BITS = 12, 16
MOVED_BITS = 16


@kernel
def _next_state(x: int, word: int, coder: NDArray[np.int64], shift: int) -> int:
    """The state after a word; the caller counts the 16 bits that move out."""
    x = x >> 16 if x >= coder[word, LIMIT] else x
    quotient = (x * coder[word, RECIPROCAL] + coder[word, BIAS]) >> shift
    # floor(x / f) M + c + x mod f, with the remainder as x - f floor(x / f).
    after: int = x + coder[word, START] + quotient * coder[word, REST]
    return after


@kernel
def _size(
    words: Words,
    offsets: NDArray[np.int64],
    states: int,
    coder: NDArray[np.int64],
    shift: int,
    bits: NDArray[np.int64],
) -> None:
    """The values of one state in one block are a chain, in which each step waits for the last.

    So two chains go side by side, which takes half as long.
    """
    n_chains = len(bits) * states
    for block in range(len(bits)):
        bits[block] = 32 * min(states, offsets[block + 1] - offsets[block])
    for one in range(0, n_chains, 2):
        two = min(one + 1, n_chains - 1)
        block, other = one // states, two // states
        first, second = offsets[block] + one % states, offsets[other] + two % states
        n_left = max(0, (offsets[block + 1] - first + states - 1) // states)
        m_left = max(0, (offsets[other + 1] - second + states - 1) // states) * (two - one)
        x, y, n_words, m_words = 65536, 65536, 0, 0
        while n_left > 0 or m_left > 0:
            if n_left > 0:
                n_left -= 1
                word = words[first + n_left * states]
                n_words += int(x >= coder[word, LIMIT]) + coder[word, ESCAPES]
                x = _next_state(x, word, coder, shift)
            if m_left > 0:
                m_left -= 1
                word = words[second + m_left * states]
                m_words += int(y >= coder[word, LIMIT]) + coder[word, ESCAPES]
                y = _next_state(y, word, coder, shift)
        bits[block] += 16 * n_words
        bits[other] += 16 * m_words


@kernel
def _push(
    word: int,
    lane: int,
    at: int,
    coder: NDArray[np.int64],
    shift: int,
    state: NDArray[np.int64],
    stream: NDArray[np.uint16],
) -> int:
    """Code a word; returns where the stream begins now.

    What may move out is stored in any case, which costs less than a branch.
    """
    stream[at - 1] = word
    at -= coder[word, ESCAPES]
    x = state[lane]
    stream[at - 1] = x & 65535
    at -= int(x >= coder[word, LIMIT])
    state[lane] = _next_state(x, word, coder, shift)
    return at


@kernel
def _write(
    words: Words,
    offsets: NDArray[np.int64],
    states: int,
    coder: NDArray[np.int64],
    shift: int,
    state: NDArray[np.int64],
    stream: NDArray[np.uint16],
    ends: NDArray[np.int64],
    begins: NDArray[np.int64],
) -> None:
    """Two blocks at a time, as in ``_size``; a last one alone is written twice."""
    for one in range(0, len(ends), 2):
        two = min(one + 1, len(ends) - 1)
        for lane in range(2 * states):
            state[lane] = 65536
        at, there = ends[one], ends[two]
        i, j = offsets[one + 1], offsets[two + 1]
        n, m = i - offsets[one], j - offsets[two]
        while i > offsets[one] or j > offsets[two]:
            if i > offsets[one]:
                i -= 1
                lane = (i - offsets[one]) & (states - 1)
                at = _push(words[i], lane, at, coder, shift, state, stream)
            if j > offsets[two]:
                j -= 1
                lane = states + ((j - offsets[two]) & (states - 1))
                there = _push(words[j], lane, there, coder, shift, state, stream)
        for lane in range(min(n, states) - 1, -1, -1):
            stream[at - 1], stream[at - 2] = state[lane] & 65535, state[lane] >> 16
            at -= 2
        for lane in range(min(m, states) + states - 1, states - 1, -1):
            stream[there - 1], stream[there - 2] = state[lane] & 65535, state[lane] >> 16
            there -= 2
        begins[one], begins[two] = at, there


@kernel
def _read(
    stream: NDArray[np.int32],
    starts: NDArray[np.int64],
    slots: NDArray[np.int64],
    range_bits: int,
    word_bits: int,
    coder: NDArray[np.int64],
    state: NDArray[np.int64],
    words: Words,
    offsets: NDArray[np.int64],
) -> int:
    states, mask = len(state), (1 << range_bits) - 1
    for block in range(len(starts) - 1):
        first, n_states = offsets[block], min(states, offsets[block + 1] - offsets[block])
        at, end = starts[block] >> 4, starts[block + 1] >> 4
        if (starts[block + 1] & 15) != 0 or end - at < 2 * n_states:
            return block
        for lane in range(n_states):
            state[lane] = (int(stream[at]) << 16) | int(stream[at + 1])
            at += 2
            if state[lane] < 65536:
                return block
        for i in range(first, offsets[block + 1]):
            lane = (i - first) & (states - 1)
            entry = slots[state[lane] & mask]
            symbol = entry & 0xFFFFF
            x = (entry >> 40) * (state[lane] >> range_bits) + ((entry >> 20) & 0xFFFFF)
            takes = int(x < 65536)
            # Beyond the end lie other blocks or spare words: harmless, and refused below.
            state[lane] = (x << (16 * takes)) | (int(stream[min(at, end)]) & -takes)
            at += takes
            if symbol >> word_bits != 0:
                symbol = int(stream[min(at, end)])
                at += 1
                if symbol >> word_bits != 0 or coder[symbol, ESCAPES] == 0:
                    return block
            words[i] = symbol
        if at != end:
            return block
        for lane in range(n_states):
            if state[lane] != 65536:
                return block
    return -1


@dataclass(frozen=True)
class Rans(AnsCodec):
    """rANS with ``states`` (1, 2, 4, ... 32) interleaved states of 32 bits."""

    name = "rans"

    def probability_bits(self, n_symbols: int) -> int:
        few = n_symbols <= 1 << FEW_SYMBOLS_BITS
        return FEW_SYMBOLS_BITS if few else MANY_SYMBOLS_BITS

    @property
    def hardware(self) -> LaneHardware:
        k, bits = self.states, self.word.bits
        slots = 1 << (12 if bits <= 12 else 16)
        staged_bits, encode_bits = 2 * 1024 * bits, 68 << bits
        decode_bits = slots * bits + (24 << bits)
        staging = SRAM_BIT_KGE * staged_bits
        encoder = SRAM_BIT_KGE * encode_bits + 5.3
        decoder = SRAM_BIT_KGE * decode_bits + 3.5
        return LaneHardware(
            encode_values_per_cycle=k,
            decode_values_per_cycle=k,
            encode_fill_cycles=5,
            decode_fill_cycles=3,
            encode_pj_per_value=pj_per_value(5.3 + staging / k) + table_pj(encode_bits, 68 << 8),
            decode_pj_per_value=pj_per_value(3.5) + table_pj(decode_bits, (8 << 12) + (24 << 8)),
            gates_kge=staging + k * (encoder + decoder),
            encode_buffer_bits=staged_bits + k * encode_bits,
            decode_buffer_bits=k * decode_bits,
            source=(
                "1 value per cycle and state: Lindseth 2025 (decoder as one state machine); the "
                "rest are estimates. SRAM at 0.5 GE a bit. Decoder of a state: 4096 symbols (65536 "
                "above 12-bit words), 2^W frequencies and sums of 24 bits, multiplier 20 x 12, "
                "registers (3.5 kGE). Encoder of a state: 2^W x 68 table, multipliers 32 x 44 and "
                "20 x 12 (5.3 kGE); for all states two staged blocks of 1024 values. Energy: gates "
                "x 15 % activity x 1.5 fJ, 65 nm. Fill: pipeline stages once the block is staged"
            ),
        )

    def worst_case_bits(self, n_values: int) -> int:
        """All values with the smallest frequency, where a step moves out 16 bits at most.

        It multiplies the state by less than M / f (1 + f / x), with x at least f 2^16 / M.
        """
        range_bits = self._range_bits
        growth = range_bits - log2(self._smallest) + log2(1 + 2.0 ** (range_bits - 16))
        n_moved = int(n_values * min(growth, MOVED_BITS) / MOVED_BITS + 1e-6)
        n_moved += n_values * self._may_escape
        return STATE_BITS * min(self.states, n_values) + MOVED_BITS * n_moved

    @cached_property
    def _coder(self) -> tuple[NDArray[np.int64], int]:
        fields = (*self._of_words, self._frequencies, self._range_bits)
        return rans_tables.encoder_table(*fields), rans_tables.division_shift(self._range_bits)

    def size_blocks(self, words: Words, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        bits = np.empty(len(offsets) - 1, np.int64)
        self._refuse_uncoded(words)
        _size(words, offsets, self.states, *self._coder, bits)
        return bits

    def encode_words(self, words: Words, offsets: NDArray[np.int64]) -> Bitstream:
        """Each block is written backwards into room for its longest stream, then moved."""
        self._refuse_uncoded(words)
        n_values = np.diff(offsets)
        room = n_values * (1 + self._may_escape) + 2 * np.minimum(n_values, self.states)
        ends = np.cumsum(room)
        begins, starts = np.empty_like(ends), np.zeros(len(offsets), np.int64)
        stream, state = np.empty(room.sum(), np.uint16), np.empty(2 * self.states, np.int64)
        _write(words, offsets, self.states, *self._coder, state, stream, ends, begins)
        np.cumsum(MOVED_BITS * (ends - begins), out=starts[1:])
        joined = np.empty(starts[-1] // MOVED_BITS, np.uint16)
        join_streams(stream, begins, ends, joined)
        return Bitstream(joined.byteswap().view(np.uint8), starts)

    def read_blocks(
        self,
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
        words: Words,
        offsets: NDArray[np.int64],
    ) -> int:
        stream = payload[: len(payload) // 2 * 2].view(">u2").astype(np.int32)
        state = np.zeros(self.states, np.int64)
        slots = rans_tables.decoder_slots(self._frequencies, self._range_bits)
        table = (slots, self._range_bits, self.word.bits, self._coder[0])
        return _read(stream, starts, *table, state, words, offsets)


CODEC = Rans


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    exercise(CODEC.for_word(Word(8)))
