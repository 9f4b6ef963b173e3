"""Streams of Golomb codes (``golomb_codes``), sized, written and read for formats that have them.

The kernels look codes up and know no format. Codes may be long (Rice, k = 1: 255 takes 129
bits), so runs are written and read in pieces.
"""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Blocks, BlockStats
from accelsim.codecs.bits import PADDING, get, put
from accelsim.codecs.coding.golomb_codes import (
    LENGTH_FIELD_BITS,
    WINDOW_BITS,
    PrefixCode,
    exp_golomb_code,
)
from accelsim.codecs.lossless import LosslessCodec
from accelsim.codecs.words import Words, checked_offsets, to_words
from accelsim.errors import CodecError
from accelsim.jit import kernel

LARGEST_K = 15

PORT_BITS = 32
"""What a lane takes from or gives to its stream in a cycle; longer codes take more cycles."""


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
                at += entry & ((1 << LENGTH_FIELD_BITS) - 1)
                # A window beyond the block's end may still hold a code.
                if at > end:
                    return block
                words[i] = entry >> LENGTH_FIELD_BITS
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
