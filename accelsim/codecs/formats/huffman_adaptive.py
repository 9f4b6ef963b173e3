"""Huffman with a code of its own for each block, whose table lies in front of its values.

Our own format, in the manner of "dynamic" deflate blocks (RFC 1951): nothing is fitted,
so nothing goes stale, and each block pays for its table. The header is made for the few
dozen symbols of a small block. Codes are canonical (length, symbol), optimal under a limit
of 12 bits, or 16 where a block has more than 4096 symbols.

Bit layout of a block of n values, most significant bit first. Signed values are zigzagged.
  * The number of different symbols less one, in as many bits as min(n, 2^W) - 1 has.
  * For each symbol, rising: the number of words skipped since the last one, as Exp-Golomb
    code of order 0; then, unless the block has only one symbol, the change of the code
    length since the last symbol (1 before the first), zigzagged, as the same code.
  * The code of each value; none if the block has only one symbol.
An empty block has no bits. Exp-Golomb of order 0 writes v as v + 1 in binary after one zero
less than that has bits: 1, 010, 011, 00100, ...

>>> from accelsim.codecs.base import Blocks, Word
>>> blocks = Blocks(np.array([0, 0, 0, 0, 2, 3], np.uint8), np.array([0, 6]))
>>> stream = HuffmanAdaptive.for_word(Word(8)).encode(blocks)   # code lengths 1, 2, 2
>>> stream.bits   # count 3; skips 1 + 3 + 1; changes 1 + 3 + 1; codes 4 x 1 + 2 x 2
21
>>> [f"{byte:08b}" for byte in stream.payload]   # 010, 1 1, 010 011, 1 1, 0000 10 11
['01011010', '01111000', '01011000']
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2
from typing import Self

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Blocks, Word
from accelsim.codecs.bits import get, put
from accelsim.codecs.code_limits import LONG_LIMIT
from accelsim.codecs.coding.block_code import (
    Scratch,
    build_lengths,
    clear_counts,
    first_codes,
    longest_allowed,
)
from accelsim.codecs.coding.block_table import fill_table, header_bits, put_header, read_header
from accelsim.codecs.coding.zigzag import fold, unfold
from accelsim.codecs.lane_costs import (
    SRAM_BIT_KGE,
    huffman_decoder_bits,
    huffman_encoder_bits,
    huffman_gates_pj,
    huffman_kge,
    pj_per_value,
    table_pj,
)
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import LosslessCodec, exercise
from accelsim.codecs.words import Words, checked_offsets, to_words
from accelsim.jit import kernel

MERGES_PER_SYMBOL = 24
"""Items that package-merge visits for each symbol: 12 levels, two on each."""


@kernel
def _size(
    words: Words,
    offsets: NDArray[np.int64],
    word_bits: int,
    bits: NDArray[np.int64],
    counts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    keys: NDArray[np.int64],
    packages: NDArray[np.int64],
    is_leaf: NDArray[np.uint8],
) -> None:
    for block in range(len(bits)):
        first, last = offsets[block], offsets[block + 1]
        bits[block] = 0
        if first == last:
            continue
        highest = build_lengths(words, first, last, counts, lengths, keys, packages, is_leaf)
        total = header_bits(last - first, word_bits, counts, lengths, highest)
        for symbol in range(highest + 1):
            if counts[symbol] != 0:
                total += counts[symbol] * lengths[symbol]
        bits[block] = total
        clear_counts(counts, highest)


@kernel
def _write(
    words: Words,
    offsets: NDArray[np.int64],
    word_bits: int,
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
    codes: NDArray[np.int64],
    next_codes: NDArray[np.int64],
    counts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    keys: NDArray[np.int64],
    packages: NDArray[np.int64],
    is_leaf: NDArray[np.uint8],
) -> None:
    for block in range(len(starts) - 1):
        at, first, last = starts[block], offsets[block], offsets[block + 1]
        if first == last:
            continue
        highest = build_lengths(words, first, last, counts, lengths, keys, packages, is_leaf)
        first_codes(counts, lengths, highest, codes, next_codes)
        at = put_header(payload, at, last - first, word_bits, counts, lengths, highest)
        for i in range(first, last):
            at = put(payload, at, codes[words[i]], lengths[words[i]])
        clear_counts(counts, highest)


@kernel
def _read(
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
    word_bits: int,
    words: Words,
    offsets: NDArray[np.int64],
    symbols: NDArray[np.int64],
    lengths: NDArray[np.int64],
    n_of_length: NDArray[np.int64],
    table: NDArray[np.int64],
) -> int:
    for block in range(len(starts) - 1):
        at, end = starts[block], starts[block + 1]
        first, last = offsets[block], offsets[block + 1]
        if first < last:
            at = read_header(
                payload, at, end, last - first, word_bits, symbols, lengths, n_of_length
            )
            if at < 0:
                return block
            longest = fill_table(symbols, lengths, n_of_length, table)
            if longest < 0:
                return block
            for i in range(first, last):
                entry = table[get(payload, at, longest)]
                at += entry & 31
                if at > end:
                    return block
                words[i] = entry >> 5
        if at != end:
            return block
    return -1


@kernel
def _n_symbols(
    words: Words,
    offsets: NDArray[np.int64],
    counts: NDArray[np.int64],
    n_symbols: NDArray[np.int64],
) -> None:
    """Different words of each block; ``counts`` [2^W] is zero before and after."""
    for block in range(len(n_symbols)):
        found = 0
        for i in range(offsets[block], offsets[block + 1]):
            found += counts[words[i]] == 0
            counts[words[i]] = 1
        for i in range(offsets[block], offsets[block + 1]):
            counts[words[i]] = 0
        n_symbols[block] = found


SORTER_KGE = 13 - 2.048
"""Sorting and merging beside the counters: 13 kGE with those of 8-bit words."""


@dataclass(frozen=True)
class HuffmanAdaptive(LosslessCodec):
    """A canonical Huffman code for each block, written in front of it."""

    word: Word

    name = "huffman_adaptive"
    evidence = "own"
    needs = ("block_buffer",)

    @property
    def hardware(self) -> LaneHardware:
        bits = self.word.bits
        counters, coder_pj = 16 << bits, huffman_gates_pj(bits)
        return LaneHardware(
            encode_values_per_cycle=0.5,
            decode_values_per_cycle=1,
            encode_fill_cycles=2,
            decode_fill_cycles=2,
            encode_pj_per_value=coder_pj + pj_per_value(SORTER_KGE) + table_pj(counters, 16 << 8),
            decode_pj_per_value=coder_pj,
            gates_kge=huffman_kge(bits) + SORTER_KGE + SRAM_BIT_KGE * counters,
            encode_buffer_bits=counters + huffman_encoder_bits(bits),
            decode_buffer_bits=huffman_decoder_bits(bits),
            source=(
                "estimates: an encoder counts a block (a value a cycle), merges 12 levels of two "
                "items per symbol (one a cycle), then writes a value a cycle, so that it takes at "
                "most half a value a cycle; a decoder places each symbol twice, then reads a value "
                "a cycle; gates: half of huffman's each way, and for 2^W counters of 16 bits "
                "(SRAM), sorting and merging 13 kGE at 8 bits; 15 % activity x 1.5 fJ per gate, 65 "
                "nm; buffers: counters and codes (encode, without the block), symbols, first codes "
                "and offsets (decode)"
            ),
        )

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    def worst_case_bits(self, n_values: int) -> int:
        """As many symbols as can be, all codes of one length, skips evenly spread.

        An optimal code is never longer than the one of equal lengths. Lengths of m symbols
        differ by m - 2 at most. Skips s with sum(s + 1) <= 2^W take on average at most
        2 log2(mean(s + 1)) + 1 bits.
        """
        if n_values <= 1:
            return n_values * (2 * self.word.bits + 1)
        n_symbols = min(n_values, 1 << self.word.bits)
        code_bits = (n_symbols - 1).bit_length()
        change = min(n_symbols - 1, int(longest_allowed(n_symbols))) - 1
        change_bits = 2 * (2 * change + 1).bit_length() - 1
        entry_bits = change_bits + 1 + 2 * (self.word.bits - log2(n_symbols))
        return code_bits * (n_values + 1) + ceil(n_symbols * entry_bits)

    def encode_work(self, blocks: Blocks) -> NDArray[np.int64]:
        return 2 * blocks.sizes + MERGES_PER_SYMBOL * self._n_symbols(blocks)

    def decode_work(self, blocks: Blocks) -> NDArray[np.int64]:
        return blocks.sizes + 2 * self._n_symbols(blocks)

    def _n_symbols(self, blocks: Blocks) -> NDArray[np.int64]:
        n_symbols = np.empty(blocks.n_blocks, np.int64)
        words = to_words(blocks.values, self.word)
        counts = np.zeros(1 << self.word.bits, np.int64)
        _n_symbols(words, checked_offsets(blocks), counts, n_symbols)
        return n_symbols

    def size_blocks(self, words: Words, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        bits = np.empty(len(offsets) - 1, np.int64)
        scratch = Scratch.for_words(self.word.bits)
        _size(fold(words, self.word), offsets, self.word.bits, bits, *scratch)
        return bits

    def write_blocks(
        self,
        words: Words,
        offsets: NDArray[np.int64],
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
    ) -> None:
        scratch = Scratch.for_words(self.word.bits)
        codes, next_codes = np.empty_like(scratch.lengths), np.empty(18, np.int64)
        folded = fold(words, self.word)
        _write(folded, offsets, self.word.bits, payload, starts, codes, next_codes, *scratch)

    def read_blocks(
        self,
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
        words: Words,
        offsets: NDArray[np.int64],
    ) -> int:
        symbols, lengths = np.empty((2, 1 << self.word.bits), np.int64)
        n_of_length, table = np.empty(17, np.int64), np.empty(1 << LONG_LIMIT, np.int64)
        tables = (symbols, lengths, n_of_length, table)
        broken = _read(payload, starts, self.word.bits, words, offsets, *tables)
        unfold(words, self.word)
        return broken


CODEC = HuffmanAdaptive


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    exercise(CODEC.for_word(Word(8)))
