"""tANS: asymmetric numeral systems by table, as in finite-state entropy; no multiplication.

Duda, arXiv 1311.2540, 2013; the spread and the tables are those of FSE (Collet), widely
reproduced. Symbol s has f of the M = 2^R states, M <= x < 2 M: R = 12, and more where more
symbols occur than that. Frequencies of at least 1 are those of least cross entropy. In
order of the symbols, states are dealt to them at the places 0, t, 2 t, ... mod M with
t = 5/8 M + 3. The j-th place of s, counted upwards, stands for the number f + j.

To code s, the b low bits of x are written, where x >> b is one of the numbers f to 2 f - 1,
and M + the place of that number is the next state. The encoder starts at x = M with the
last value of the block and ends with the first, so it needs the block in a buffer. Value i
of the block uses state i mod ``states``; a decoder with k states reads k values a cycle.

Bit layout of a block, most significant bit first: x - M of each state that has values, R
bits each; then the bits of each value, first value first, from 0 to R bits. The decoder
must end at x = M in all states with all bits taken, so damage nearly always shows. An empty
block has no bits. A lone symbol costs none beside the state. A symbol is the W-bit word,
two's complement read as unsigned if signed.

Values that calibration never saw (``fit(..., every_symbol=True)``): as in huffman, one
pseudo-count each up to 8 bits; wider words share an escape symbol, followed by the word.

The table costs R bits per value of the word, and R for an escape. (A lone symbol's f = M
does not fit R bits; a real table would name it. The count keeps the convention.)

>>> from accelsim.codecs.base import Blocks, Word
>>> values = np.array([0, 0, 0, 5] * 8, np.uint8)
>>> codec = Tans.for_word(Word(8)).fit(values)   # f = 3072, 1024
>>> codec.encode(Blocks(values, np.array([0, 32]))).bits   # 26.0 bits beside the state
37
>>> codec.table_bits
3072
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Bitstream, Word
from accelsim.codecs.coding import tans_tables
from accelsim.codecs.coding.ans import AnsCodec
from accelsim.codecs.coding.tans_tables import NUMBERS, RAW_BITS, THRESHOLD
from accelsim.codecs.lane_costs import SRAM_BIT_KGE, pj_per_value, table_pj
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import exercise
from accelsim.codecs.words import Words
from accelsim.errors import CodecError
from accelsim.jit import kernel
from accelsim.units import bits_to_bytes, ceil_div

FEWEST_STATE_BITS, MOST_STATE_BITS = 5, 16


@kernel
def _size(
    words: Words,
    offsets: NDArray[np.int64],
    states: int,
    range_bits: int,
    coder: NDArray[np.int64],
    next_states: NDArray[np.int32],
    bits: NDArray[np.int64],
) -> None:
    """The values of one state in one block are a chain, in which each step waits for the last.

    So two chains go side by side, which takes half as long.
    """
    n_chains = len(bits) * states
    for block in range(len(bits)):
        bits[block] = range_bits * min(states, offsets[block + 1] - offsets[block])
    for one in range(0, n_chains, 2):
        two = min(one + 1, n_chains - 1)
        block, other = one // states, two // states
        first, second = offsets[block] + one % states, offsets[other] + two % states
        n_left = max(0, (offsets[block + 1] - first + states - 1) // states)
        m_left = max(0, (offsets[other + 1] - second + states - 1) // states) * (two - one)
        x, y, n_bits, m_bits = 1 << range_bits, 1 << range_bits, 0, 0
        while n_left > 0 or m_left > 0:
            if n_left > 0:
                n_left -= 1
                word = words[first + n_left * states]
                width = (x + coder[word, THRESHOLD]) >> 20
                n_bits += width + coder[word, RAW_BITS]
                x = int(next_states[((x >> width) + coder[word, NUMBERS]) & 0xFFFF])
            if m_left > 0:
                m_left -= 1
                word = words[second + m_left * states]
                width = (y + coder[word, THRESHOLD]) >> 20
                m_bits += width + coder[word, RAW_BITS]
                y = int(next_states[((y >> width) + coder[word, NUMBERS]) & 0xFFFF])
        bits[block] += n_bits
        bits[other] += m_bits


@kernel
def _put_before(
    field: int, width: int, at: int, pending: int, stream: NDArray[np.uint16]
) -> tuple[int, int]:
    """Write a field that ends at bit ``at``; returns where it begins, and the bits pending.

    ``pending`` are those of the stream's 16-bit word that begins before ``at`` and reaches
    beyond. The word is stored in any case, which costs less than a branch.
    """
    n_pending = -at & 15
    pending |= (field & ((1 << width) - 1)) << n_pending
    stream[(at - 1) >> 4] = pending & 65535
    return at - width, pending >> ((n_pending + width) & 16)


@kernel
def _write(
    words: Words,
    offsets: NDArray[np.int64],
    range_bits: int,
    coder: NDArray[np.int64],
    next_states: NDArray[np.int32],
    state: NDArray[np.int64],
    stream: NDArray[np.uint16],
    starts: NDArray[np.int64],
) -> None:
    """From the end of ``stream``, last block first; ``starts`` become bits of ``stream``."""
    states = len(state)
    at, pending = 16 * len(stream), 0
    starts[len(starts) - 1] = at
    for block in range(len(starts) - 2, -1, -1):
        first, n = offsets[block], offsets[block + 1] - offsets[block]
        for lane in range(states):
            state[lane] = 1 << range_bits
        for i in range(n - 1, -1, -1):
            lane = i & (states - 1)
            word, x = words[first + i], state[lane]
            if coder[word, RAW_BITS] > 0:
                at, pending = _put_before(int(word), coder[word, RAW_BITS], at, pending, stream)
            width = (x + coder[word, THRESHOLD]) >> 20
            at, pending = _put_before(x, width, at, pending, stream)
            state[lane] = next_states[((x >> width) + coder[word, NUMBERS]) & 0xFFFF]
        for lane in range(min(states, n) - 1, -1, -1):
            at, pending = _put_before(state[lane], range_bits, at, pending, stream)
        starts[block] = at
    stream[(at - 1) >> 4] = pending


@kernel
def _field(stream: NDArray[np.int32], at: int, width: int) -> int:
    """``width`` (0 to 16) bits at bit ``at``."""
    window = (int(stream[at >> 4]) << 16) | int(stream[(at >> 4) + 1])
    return (window >> (32 - width - (at & 15))) & ((1 << width) - 1)


@kernel
def _read(
    stream: NDArray[np.int32],
    starts: NDArray[np.int64],
    places: NDArray[np.int64],
    range_bits: int,
    word_bits: int,
    coder: NDArray[np.int64],
    state: NDArray[np.int64],
    words: Words,
    offsets: NDArray[np.int64],
) -> int:
    states = len(state)
    for block in range(len(starts) - 1):
        first, n_states = offsets[block], min(states, offsets[block + 1] - offsets[block])
        at, end = starts[block], starts[block + 1]
        if end - at < range_bits * n_states:
            return block
        for lane in range(n_states):
            state[lane] = _field(stream, at, range_bits)
            at += range_bits
        for i in range(first, offsets[block + 1]):
            lane = (i - first) & (states - 1)
            entry = places[state[lane]]
            width, symbol = entry & 255, entry >> 32
            # Beyond the end lie other blocks or spare bytes: harmless, and refused below.
            state[lane] = ((entry >> 8) & 0xFFFFFF) + _field(stream, min(at, end), width)
            at += width
            if symbol >> word_bits != 0:
                symbol = _field(stream, min(at, end), word_bits)
                at += word_bits
                if coder[symbol, RAW_BITS] == 0:
                    return block
            words[i] = symbol
        if at != end:
            return block
        for lane in range(n_states):
            if state[lane] != 0:
                return block
    return -1


@dataclass(frozen=True)
class Tans(AnsCodec):
    """tANS with 2^``state_bits`` (5 to 16) states, ``states`` (1, 2, 4, ... 32) at a time."""

    state_bits: int = 12

    name = "tans"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not FEWEST_STATE_BITS <= self.state_bits <= MOST_STATE_BITS:
            raise CodecError(
                f"tans: state_bits must be {FEWEST_STATE_BITS} to {MOST_STATE_BITS}, "
                f"not {self.state_bits}"
            )

    @property
    def parameters(self) -> dict[str, int | str]:
        return {**super().parameters, "state_bits": self.state_bits}

    def probability_bits(self, n_symbols: int) -> int:
        return max(self.state_bits, (n_symbols - 1).bit_length())

    @property
    def hardware(self) -> LaneHardware:
        k, r, bits = self.states, self.state_bits, self.word.bits
        decode_bits, decode_bits_of_8 = (b + r + 4 << r for b in (bits, 8))
        encode_bits, encode_bits_of_8 = ((r << r) + (2 * (r + 5) << b) for b in (bits, 8))
        staged_bits = 2 * 1024 * bits
        staging = SRAM_BIT_KGE * staged_bits
        both = SRAM_BIT_KGE * (encode_bits + decode_bits) + 2 * 1.5
        return LaneHardware(
            encode_values_per_cycle=k,
            decode_values_per_cycle=k,
            encode_fill_cycles=3,
            decode_fill_cycles=2,
            encode_pj_per_value=pj_per_value(1.5 + staging / k)
            + table_pj(encode_bits, encode_bits_of_8),
            decode_pj_per_value=pj_per_value(1.5) + table_pj(decode_bits, decode_bits_of_8),
            gates_kge=staging + k * both,
            encode_buffer_bits=k * encode_bits + staged_bits,
            decode_buffer_bits=k * decode_bits,
            source=(
                "all estimates. SRAM at 0.5 GE a bit. Decoder of a state: 2^R x (W + R + 4) for "
                "symbol, next state and width; shifter (1.5 kGE). Encoder of a state: 2^R x R next "
                "states, 2^W x 2 (R + 5) thresholds and sums; shifter (1.5 kGE); for all states "
                "two staged blocks of 1024 values. Energy: gates x 15 % activity x 1.5 fJ, 65 nm. "
                "Fill: table and shifter, and once more to pack, after staging"
            ),
        )

    @property
    def _widest(self) -> int:
        """Bits of the smallest frequency, in states above its threshold."""
        widest = self._range_bits - self._smallest.bit_length() + 1
        return widest + self.word.bits * self._may_escape

    def worst_case_bits(self, n_values: int) -> int:
        return n_values * self._widest + self._range_bits * min(self.states, n_values)

    @cached_property
    def _coder(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        fields = (self._range_bits, self.word.bits)
        table = tans_tables.encoder_table(*self._of_words, self._frequencies, *fields)
        return table, tans_tables.next_states(self._frequencies)

    def size_blocks(self, words: Words, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        self._refuse_uncoded(words)
        bits = np.empty(len(offsets) - 1, np.int64)
        _size(words, offsets, self.states, self._range_bits, *self._coder, bits)
        return bits

    def encode_words(self, words: Words, offsets: NDArray[np.int64]) -> Bitstream:
        """All blocks are written backwards into room for the longest streams, then aligned."""
        self._refuse_uncoded(words)
        n_states = int(np.minimum(np.diff(offsets), self.states).sum())
        room_bits = len(words) * self._widest + n_states * self._range_bits
        # A word more, for bits that are stored in any case.
        stream = np.empty(ceil_div(room_bits, 16) + 1, np.uint16)
        starts, state = np.empty(len(offsets), np.int64), np.zeros(self.states, np.int64)
        _write(words, offsets, self._range_bits, *self._coder, state, stream, starts)
        stream, begin = stream[starts[0] >> 4 :], int(starts[0]) & 15
        aligned = stream << begin
        aligned[:-1] |= stream[1:] >> (16 - begin)
        starts -= starts[0]
        payload = aligned.byteswap().view(np.uint8)
        return Bitstream(payload[: bits_to_bytes(int(starts[-1]))], starts)

    def read_blocks(
        self,
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
        words: Words,
        offsets: NDArray[np.int64],
    ) -> int:
        stream = payload[: len(payload) // 2 * 2].view(">u2").astype(np.int32)
        state = np.zeros(self.states, np.int64)
        places = tans_tables.decoder_places(self._frequencies, self._range_bits)
        table = (places, self._range_bits, self.word.bits, self._coder[0])
        return _read(stream, starts, *table, state, words, offsets)


CODEC = Tans


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    exercise(CODEC.for_word(Word(8)))
