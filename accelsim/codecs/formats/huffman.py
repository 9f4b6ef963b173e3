"""Static canonical Huffman code of limited length: one table per tensor.

Source: the coder of "Feature Map Transform Coding" (Chmiel et al., IJCNN 2020) and of CAT
(Baskin et al., JMLR 22(269), 2021): lengths of at most 12 bits, a table loaded before the
layer. Lengths are optimal under the limit (package-merge); 16 bits is the limit when more
than 4096 symbols occur.

Bit layout: one code per value, most significant bit first, codes in canonical order
(length, symbol). A symbol is the W-bit word, two's complement read as unsigned if signed.
(The FPGA coder of the first paper packs least significant bit first; sizes are equal.)
A lone symbol costs 1 bit.

Interleaved sub-streams (``substreams=k``), so that one lane codes k values a cycle: value
i of a block belongs to sub-stream i mod k. A block is then k - 1 pointers, the lengths in
bits of the sub-streams 0 to k - 2, followed by the sub-streams one after the other.
Pointers have 16 bits, or 32 where ceil(n / k) of the longest codes would take 2^16 bits
or more, which both sides know from the number of values n. One sub-stream has no pointers.

Values that calibration never saw (``fit(..., every_symbol=True)``):
  * words of up to 8 bits: each of the 2^W values gets one pseudo-count;
  * wider words, where 2^W pseudo-counts would drown the calibration and flatten the code
    (65536 codes of at most 16 bits all have 16): unseen values share one escape code,
    followed by the word itself. The escape counts as often as there are values that were
    seen exactly once, the Good-Turing estimate of the unseen.

The table costs 4 bits per value of the word (its code length), and 4 for an escape. (Four
bits hold the lengths up to 15; at the limit of 16 a real table would be a bit wider.)

>>> from accelsim.codecs.base import Blocks, Word
>>> values = np.array([0, 0, 0, 0, 5, 7], np.uint8)
>>> codec = Huffman.for_word(Word(8)).fit(values)   # 0: 0, 5: 10, 7: 11
>>> codec.encode(Blocks(values, np.array([0, 6]))).bits   # 4 x 1 + 2 + 2
8
>>> codec.table_bits
1024
>>> replace(codec, substreams=2).encode(Blocks(values, np.array([0, 6]))).bits   # 16 more
24
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Values, Word
from accelsim.codecs.bits import get, put
from accelsim.codecs.code_limits import LENGTH_FIELD_BITS, limit_of
from accelsim.codecs.coding.huffman_code import canonical_codes, code_lengths, decoding_table
from accelsim.codecs.coding.unseen import with_unseen
from accelsim.codecs.lane_costs import (
    FPGA_NM,
    huffman_decoder_bits,
    huffman_encoder_bits,
    huffman_kge,
    huffman_pj,
)
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import LosslessCodec, exercise
from accelsim.codecs.rates import histogram
from accelsim.codecs.words import Words, from_words
from accelsim.errors import CodecError
from accelsim.jit import kernel

MAX_SUBSTREAMS = 64


@kernel
def _pointer_bits(n_values: int, substreams: int, longest: int) -> int:
    return 16 if (n_values + substreams - 1) // substreams * longest < 1 << 16 else 32


@kernel
def _size(
    words: Words,
    offsets: NDArray[np.int64],
    substreams: int,
    longest: int,
    widths: NDArray[np.uint8],
    bits: NDArray[np.int64],
) -> bool:
    """Returns whether every word has a code."""
    missing = 0
    for block in range(len(bits)):
        n_values = offsets[block + 1] - offsets[block]
        total = (substreams - 1) * _pointer_bits(n_values, substreams, longest)
        for i in range(offsets[block], offsets[block + 1]):
            width = int(widths[words[i]])
            total += width
            missing |= 1 if width == 0 else 0
        bits[block] = total
    return missing == 0


@kernel
def _write(
    words: Words,
    offsets: NDArray[np.int64],
    substreams: int,
    longest: int,
    codes: NDArray[np.int64],
    widths: NDArray[np.uint8],
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
) -> None:
    for block in range(len(starts) - 1):
        at, first, last = starts[block], offsets[block], offsets[block + 1]
        pointer_bits = _pointer_bits(last - first, substreams, longest)
        for lane in range(substreams - 1):
            length = 0
            for i in range(first + lane, last, substreams):
                length += int(widths[words[i]])
            at = put(payload, at, length, pointer_bits)
        for lane in range(substreams):
            for i in range(first + lane, last, substreams):
                at = put(payload, at, int(codes[words[i]]), int(widths[words[i]]))


@kernel
def _read(
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
    substreams: int,
    longest_code: int,
    table: NDArray[np.int64],
    longest: int,
    word_bits: int,
    words: Words,
    offsets: NDArray[np.int64],
) -> int:
    """``longest_code`` counts the word behind an escape; a window has ``longest`` bits."""
    escape = 1 << word_bits
    for block in range(len(starts) - 1):
        pointer, end = starts[block], starts[block + 1]
        first, last = offsets[block], offsets[block + 1]
        pointer_bits = _pointer_bits(last - first, substreams, longest_code)
        at = pointer + (substreams - 1) * pointer_bits
        if at > end:
            return block
        for lane in range(substreams):
            lane_end = end
            if lane < substreams - 1:
                lane_end = at + get(payload, pointer, pointer_bits)
                pointer += pointer_bits
                if lane_end > end:
                    return block
            for i in range(first + lane, last, substreams):
                entry = table[get(payload, at, longest)]
                symbol = entry >> 5
                at += entry & 31
                # A window beyond the end may still hold a code; a missing one has 0 bits.
                if entry == 0 or at > lane_end:
                    return block
                if symbol == escape:
                    if at + word_bits > lane_end:
                        return block
                    symbol = get(payload, at, word_bits)
                    at += word_bits
                words[i] = symbol
            if at != lane_end:
                return block
    return -1


@dataclass(frozen=True)
class Huffman(LosslessCodec):
    """A canonical Huffman code. Without ``fit`` it has no codes, and encodes nothing."""

    word: Word
    substreams: int = 1
    lengths: bytes = field(default=b"", repr=False)
    """[2^W + 1] bits of each word's code, then of the escape's; 0: none. Empty: not fitted."""

    name = "huffman"
    evidence = "authors"

    def __post_init__(self) -> None:
        if not 1 <= self.substreams <= MAX_SUBSTREAMS:
            allowed = f"1 to {MAX_SUBSTREAMS} substreams"
            raise CodecError(f"huffman: a block has {allowed}, not {self.substreams}")

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    @property
    def hardware(self) -> LaneHardware:
        k, bits = self.substreams, self.word.bits
        return LaneHardware(
            encode_values_per_cycle=k,
            decode_values_per_cycle=k,
            encode_fill_cycles=2,
            decode_fill_cycles=2,
            encode_pj_per_value=huffman_pj(bits),
            decode_pj_per_value=huffman_pj(bits),
            gates_kge=k * huffman_kge(bits),
            encode_buffer_bits=k * huffman_encoder_bits(bits),
            decode_buffer_bits=k * huffman_decoder_bits(bits),
            node_nm=FPGA_NM,
            source=(
                "rate and encoder latency: coder of Chmiel et al. IJCNN 2020 (1 symbol per cycle "
                "and lane, latency 2); energy: their Arria 10 notes, 4.26 mW for 32 lanes at 160 "
                "MHz, 0.83 pJ each way on a 20 nm FPGA for 8-bit words; decoder latency, gates (12 "
                "kGE at 8 bits: code tables as SRAM of 0.5 GE a bit, bit packer, window and "
                "compare) and buffers (2^W codes of 12 + 4 bits, 16 + 4 above 12-bit words; 2^W "
                "symbols in code order, first codes and offsets) are estimates, as is how energy "
                "follows the word (tables as size^0.46); with substreams each has its own coder "
                "and table, and the encoder holds the block until their lengths are known (not in "
                "its buffer bits)"
            ),
        )

    def fit(self, calibration: Values, *, every_symbol: bool = False) -> Self:
        """The best code for these values; see the top of the file for ``every_symbol``.

        Raises ``CodecError`` for values outside the word.
        """
        found = histogram(calibration, self.word)
        counts = with_unseen(found, self.word.bits) if every_symbol else np.append(found, 0)
        limit = limit_of(int(np.count_nonzero(counts)))
        return replace(self, lengths=code_lengths(counts, limit).tobytes())

    @property
    def parameters(self) -> dict[str, int | str]:
        table = hashlib.sha256(self.lengths).hexdigest() if self.lengths else "not fitted"
        return {**super().parameters, "substreams": self.substreams, "table": table}

    @property
    def table_bits(self) -> int:
        has_escape = int(self._lengths[-1] > 0)
        return LENGTH_FIELD_BITS * ((1 << self.word.bits) + has_escape)

    def worst_case_bits(self, n_values: int) -> int:
        """All values with the longest code; before ``fit``, with the limit of the word."""
        longest = self._longest or limit_of(1 << self.word.bits)
        pointer_bits = int(_pointer_bits(n_values, self.substreams, longest))
        return n_values * longest + (self.substreams - 1) * pointer_bits

    @cached_property
    def _lengths(self) -> NDArray[np.uint8]:
        return np.frombuffer(self.lengths or bytes((1 << self.word.bits) + 1), np.uint8)

    @cached_property
    def _code(self) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """[2^W] codes and widths; words without a code of their own have escape and word."""
        lengths = self._lengths
        codes, widths = canonical_codes(lengths), lengths.copy()
        if lengths[-1] > 0:
            escaped = np.flatnonzero(lengths[:-1] == 0)
            codes[escaped] = (codes[-1] << self.word.bits) | escaped
            widths[escaped] = lengths[-1] + self.word.bits
        return codes[:-1].copy(), widths[:-1].copy()

    @cached_property
    def _longest(self) -> int:
        """Bits of the longest code, with the word behind it if it is an escape."""
        return int(self._code[1].max(initial=0))

    @cached_property
    def _decoding_table(self) -> tuple[NDArray[np.int64], int]:
        return decoding_table(self._lengths)

    def size_blocks(self, words: Words, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        _, widths = self._code
        bits = np.empty(len(offsets) - 1, np.int64)
        if not _size(words, offsets, self.substreams, self._longest, widths, bits):
            uncoded = words[widths[words] == 0][:1]
            raise CodecError(
                f"huffman: value {from_words(uncoded, self.word)[0]} has no code; it did not "
                "occur in the values of fit(). Fit with every_symbol=True to code all values"
            )
        return bits

    def write_blocks(
        self,
        words: Words,
        offsets: NDArray[np.int64],
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
    ) -> None:
        fields = (self.substreams, self._longest)
        _write(words, offsets, *fields, *self._code, payload, starts)

    def read_blocks(
        self,
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
        words: Words,
        offsets: NDArray[np.int64],
    ) -> int:
        fields = (self.substreams, self._longest, *self._decoding_table, self.word.bits)
        return _read(payload, starts, *fields, words, offsets)


CODEC = Huffman


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    exercise(CODEC.for_word(Word(8)))
