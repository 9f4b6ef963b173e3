"""Golomb codes: a run names a bucket of values, a suffix the value in it.

Rice codes (Rice and Plaunt, IEEE Trans. Communications 1971) have buckets of 2^k values,
exponential Golomb codes (Teuhola, Inf. Proc. Letters 1978) of 2^k, 2^(k+1), 2^(k+2), ...
values. The code of index z, most significant bit first:

  Rice       z >> k ones, a zero; then k bits, z mod 2^k
  Exp-Golomb L zeros, a one; then L + k bits, z - (2^L - 1) 2^k; L = floor(log2((z >> k) + 1))

A format says which index each word has; the kernels here look codes up and know no format.
Codes may be long (Rice, k = 1: 255 takes 129 bits), so runs are written and read in pieces.
"""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Blocks, BlockStats, Word
from accelsim.codecs.bits import MAX_FIELD_BITS, PADDING, get, put
from accelsim.codecs.lossless import LosslessCodec
from accelsim.codecs.words import Words, checked_offsets, from_words, to_words
from accelsim.errors import CodecError
from accelsim.jit import kernel

WINDOW_BITS = 12
"""Codes up to this length are decoded by one look-up; the table stays in the first cache."""

LENGTH_FIELD_BITS = 5
"""Of an entry of that table: the length of the code; the word lies above it."""

LARGEST_K = 15

PORT_BITS = 32
"""What a lane takes from or gives to its stream in a cycle; longer codes take more cycles."""


class PrefixCode(NamedTuple):
    """The codes of all words, as the kernels use them."""

    widths: NDArray[np.int64]  # [2^W] length of each word's code
    tails: NDArray[np.int64]  # [2^W] the last bits of it, at most 32; before them only the run
    short: NDArray[np.int64]  # [2^WINDOW_BITS] word and length of the code that starts so, or 0
    words: NDArray[np.int64]  # [n_indices] the word that has each index, or -1
    k: int
    growth: int  # bits by which the suffix grows with the run: 0 Rice, 1 Exp-Golomb
    run_bit: int  # what runs consist of: 1 Rice, 0 Exp-Golomb
    flag_bits: int  # bits before the run of a long code


def indices_of(word: Word) -> NDArray[np.int64]:
    """[2^W] the index of each pattern: the value itself, or zigzag where it has a sign.

    >>> indices_of(Word(2, signed=True))   # 0, 1, -2, -1
    array([0, 2, 3, 1])
    """
    values = values_of(word)
    return np.where(values >= 0, values << int(word.signed), -2 * values - 1)


def values_of(word: Word) -> NDArray[np.int64]:
    """[2^W] the value of each pattern."""
    return from_words(np.arange(1 << word.bits).astype(np.uint16), word).astype(np.int64)


def rice_code(indices: NDArray[np.int64], k: int) -> PrefixCode:
    """The Rice codes of words with these indices.

    >>> rice_code(np.arange(4), k=1).widths
    array([2, 2, 3, 3])
    """
    runs = indices >> k
    # Any 32 of the ones do: what a tail lacks is run.
    ones = (1 << np.minimum(runs, MAX_FIELD_BITS)) - 1
    tails = (ones << (1 + k)) | (indices & ((1 << k) - 1))
    return _prefix_code(indices, runs + 1 + k, tails, k, growth=0, run_bit=1, flag_bits=0)


def exp_golomb_code(indices: NDArray[np.int64], k: int, flagged: bool = False) -> PrefixCode:
    """The Exp-Golomb codes of words with these indices.

    ``flagged`` puts a 1 before each code; words of index -1 then have the code 0.

    >>> exp_golomb_code(np.arange(9), k=0).widths
    array([1, 3, 3, 5, 5, 5, 5, 7, 7])
    """
    runs = np.frexp((np.maximum(indices, 0) >> k) + 1)[1].astype(np.int64) - 1
    widths = flagged + 2 * runs + 1 + k
    tails = indices + (1 << k)  # - (2^L - 1) 2^k for the bucket, + 2^(L + k) for the one before
    if flagged:
        tails = np.where(indices < 0, 0, tails | (1 << (widths - 1)))
        widths = np.where(indices < 0, 1, widths)
    return _prefix_code(indices, widths, tails, k, growth=1, run_bit=0, flag_bits=int(flagged))


def _prefix_code(
    indices: NDArray[np.int64],
    widths: NDArray[np.int64],
    tails: NDArray[np.int64],
    k: int,
    *,
    growth: int,
    run_bit: int,
    flag_bits: int,
) -> PrefixCode:
    short = np.zeros(1 << WINDOW_BITS, np.int64)
    fitting = np.flatnonzero(widths <= WINDOW_BITS)
    unused = WINDOW_BITS - widths[fitting]
    spans = 1 << unused
    codes = tails[fitting] & ((1 << widths[fitting]) - 1)
    within = np.arange(spans.sum()) - np.repeat(np.cumsum(spans) - spans, spans)
    entries = (fitting << LENGTH_FIELD_BITS) | widths[fitting]
    short[np.repeat(codes << unused, spans) + within] = np.repeat(entries, spans)
    words = np.full(indices.max() + 1, -1, np.int64)
    coded = np.flatnonzero(indices >= 0)
    words[indices[coded]] = coded
    return PrefixCode(widths, tails, short, words, k, growth, run_bit, flag_bits)


@kernel
def _sum(
    words: Words,
    offsets: NDArray[np.int64],
    of_word: NDArray[np.int64],
    sums: NDArray[np.int64],
) -> None:
    for block in range(len(sums)):
        total = 0
        for i in range(offsets[block], offsets[block + 1]):
            total += of_word[words[i]]
        sums[block] = total


@kernel
def _write(
    words: Words,
    offsets: NDArray[np.int64],
    widths: NDArray[np.int64],
    tails: NDArray[np.int64],
    run_bit: int,
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
) -> None:
    for block in range(len(starts) - 1):
        at = starts[block]
        for i in range(offsets[block], offsets[block + 1]):
            width = widths[words[i]]
            while width > 32:
                piece = min(width - 32, 32)
                at = put(payload, at, -run_bit, piece)
                width -= piece
            at = put(payload, at, tails[words[i]], width)


@kernel
def _leading_zeros(window: int) -> int:
    """Of a window of 32 bits. LLVM knows this loop, over this type, as one instruction."""
    n_zeros = 32
    rest = np.uint32(window)
    while rest != 0:
        rest = rest >> np.uint32(1)
        n_zeros -= 1
    return n_zeros


@kernel
def _read(
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
    short: NDArray[np.int64],
    window_bits: int,
    words_of: NDArray[np.int64],
    k: int,
    growth: int,
    run_bit: int,
    flag_bits: int,
    words: Words,
    offsets: NDArray[np.int64],
) -> int:
    inverted = 0xFFFFFFFF * run_bit
    for block in range(len(starts) - 1):
        at, end = starts[block], starts[block + 1]
        for i in range(offsets[block], offsets[block + 1]):
            entry = short[get(payload, at, window_bits)]
            if entry != 0:
                at += entry & 31
                # A window beyond the block's end may still hold a code.
                if at > end:
                    return block
                words[i] = entry >> 5
                continue
            at += flag_bits
            run = 0
            window = get(payload, at, 32) ^ inverted
            while window == 0:
                run += 32
                at += 32
                if at >= end:
                    return block
                window = get(payload, at, 32) ^ inverted
            n_zeros = _leading_zeros(window)
            run += n_zeros
            at += n_zeros + 1
            suffix_bits = k + growth * run
            if suffix_bits > 32 or at + suffix_bits > end:
                return block
            suffix = get(payload, at, suffix_bits)
            at += suffix_bits
            buckets = (1 << run) - 1 if growth == 1 else run
            index = (buckets << k) + suffix
            if index >= len(words_of) or words_of[index] < 0:
                return block
            words[i] = words_of[index]
        if at != end:
            return block
    return -1


class GolombCodec(LosslessCodec):
    """A codec that gives each word a Golomb code of its own; all words have one."""

    k: int

    def __post_init__(self) -> None:
        if not 0 <= self.k <= LARGEST_K:
            raise CodecError(f"{self.name}: k is 0 to {LARGEST_K}, not {self.k}")

    @abstractmethod
    def prefix_code(self) -> PrefixCode:
        """The code of each word."""

    @cached_property
    def _code(self) -> PrefixCode:
        return self.prefix_code()

    @property
    def parameters(self) -> dict[str, int | str]:
        return {**super().parameters, "k": self.k}

    def worst_case_bits(self, n_values: int) -> int:
        return n_values * int(self._code.widths.max())

    def encode_work(self, blocks: Blocks) -> NDArray[np.int64]:
        """A cycle per value and for each further 32 bits of its code."""
        if self._code.widths.max() <= PORT_BITS:
            return blocks.sizes
        cycles = -(-self._code.widths // PORT_BITS)
        return _sums(to_words(blocks.values, self.word), checked_offsets(blocks), cycles)

    def decode_work(self, blocks: Blocks) -> NDArray[np.int64]:
        return self.encode_work(blocks)

    def measure(self, blocks: Blocks) -> BlockStats:
        cycles = self.encode_work(blocks)  # reckoned once: decoding takes as many
        return BlockStats(
            blocks.sizes, self.payload_bits(blocks), blocks.nonzeros, cycles, cycles.copy()
        )

    def size_blocks(self, words: Words, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        return _sums(words, offsets, self._code.widths)

    def write_blocks(
        self,
        words: Words,
        offsets: NDArray[np.int64],
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
    ) -> None:
        code = self._code
        _write(words, offsets, code.widths, code.tails, code.run_bit, payload, starts)

    def read_blocks(
        self,
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
        words: Words,
        offsets: NDArray[np.int64],
    ) -> int:
        _, _, short, words_of, k, growth, run_bit, flag_bits = self._code
        lookup = (short, WINDOW_BITS, words_of)
        return _read(payload, starts, *lookup, k, growth, run_bit, flag_bits, words, offsets)


def _sums(
    words: Words, offsets: NDArray[np.int64], of_word: NDArray[np.int64]
) -> NDArray[np.int64]:
    sums = np.empty(len(offsets) - 1, np.int64)
    _sum(words, offsets, of_word, sums)
    return sums


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    code = exp_golomb_code(np.arange(256), 0)
    words, offsets = np.zeros(1, np.uint16), np.array([0, 1])
    starts = np.append(0, _sums(words, offsets, code.widths))
    payload = np.zeros(1 + PADDING, np.uint8)
    _write(words, offsets, code.widths, code.tails, code.run_bit, payload, starts)
    _leading_zeros(1)
    lookup = (code.short, WINDOW_BITS, code.words)
    _read(payload, starts, *lookup, 0, 1, 0, 0, words, offsets)
