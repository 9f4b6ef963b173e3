"""Zero flags, then each non-zero value as the class of its magnitude and what that leaves open.

As zero-value compression (zvc), but a non-zero word v takes fewer bits the smaller it is:
4 bits of class c - 1, where c is the bit length of |v|; the sign if words are signed (1:
negative); the c - 1 bits of |v| below its leading one. JPEG codes the size of coefficients
in classes too (ITU-T T.81, 1992), there behind a Huffman code.

No codec by itself: DCT-CM codes its coefficients so.

>>> from accelsim.codecs.base import Blocks, Word
>>> blocks = Blocks(np.array([0, -5], np.int8), np.array([0, 2]))
>>> stream = MagnitudeClasses(Word(8, signed=True), group=2).encode(blocks)
>>> f"{stream.payload[0]:08b} {stream.payload[1]:08b}", stream.bits   # 01 | 0010 1 01
('01001010 10000000', 9)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Word
from accelsim.codecs.bits import get, put
from accelsim.codecs.formats.zvc import Zvc
from accelsim.codecs.lossless import exercise
from accelsim.codecs.words import Words, from_words
from accelsim.jit import kernel

CLASS_BITS = 4


@kernel
def _size(
    words: Words, offsets: NDArray[np.int64], widths: NDArray[np.uint8], bits: NDArray[np.int64]
) -> None:
    for block in range(len(bits)):
        total = offsets[block + 1] - offsets[block]
        for i in range(offsets[block], offsets[block + 1]):
            total += int(widths[words[i]])
        bits[block] = total


@kernel
def _write(
    words: Words,
    offsets: NDArray[np.int64],
    group: int,
    fields: NDArray[np.int64],
    widths: NDArray[np.uint8],
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
) -> None:
    for block in range(len(starts) - 1):
        at = starts[block]
        for first in range(offsets[block], offsets[block + 1], group):
            last = min(first + group, offsets[block + 1])
            mask = 0
            for i in range(first, last):
                mask = (mask << 1) | (words[i] != 0)
            at = put(payload, at, mask, last - first)
            for i in range(first, last):
                at = put(payload, at, fields[words[i]], int(widths[words[i]]))


@kernel
def _read(
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
    group: int,
    word_bits: int,
    sign_bits: int,
    words: Words,
    offsets: NDArray[np.int64],
) -> int:
    for block in range(len(starts) - 1):
        at, end = starts[block], starts[block + 1]
        for first in range(offsets[block], offsets[block + 1], group):
            last = min(first + group, offsets[block + 1])
            if at + (last - first) > end:
                return block
            mask = get(payload, at, last - first)
            at += last - first
            for i in range(first, last):
                if (mask >> (last - 1 - i)) & 1:
                    if at + CLASS_BITS > end:
                        return block
                    below = get(payload, at, CLASS_BITS)
                    at += CLASS_BITS
                    if at + sign_bits + below > end or below >= word_bits:
                        return block
                    negative = get(payload, at, sign_bits)
                    magnitude = (1 << below) | get(payload, at + sign_bits, below)
                    at += sign_bits + below
                    # Of signed words of the top class there is only the lowest.
                    if sign_bits == 1 and magnitude >= (1 << (word_bits - 1)) + negative:
                        return block
                    number = -magnitude if negative == 1 else magnitude
                    words[i] = number & ((1 << word_bits) - 1)
        if at != end:
            return block
    return -1


@dataclass(frozen=True)
class MagnitudeClasses(Zvc):
    """Zero flags in groups of ``group`` (1 to 32) values, and classes of magnitudes."""

    name = "magnitude_classes"

    def worst_case_bits(self, n_values: int) -> int:
        return n_values * (1 + int(self._code[1].max()))

    @cached_property
    def _code(self) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """[2^W] the field of each word, and its width; zeros have none."""
        signed = int(self.word.signed)
        values = from_words(np.arange(1 << self.word.bits).astype(np.uint16), self.word)
        magnitudes = np.abs(values.astype(np.int64))
        lengths = np.frexp(magnitudes)[1].astype(np.int64)
        below = np.maximum(lengths - 1, 0)
        signs = (values < 0).astype(np.int64)
        fields = (((below << signed) | signs) << below) | (magnitudes & ((1 << below) - 1))
        widths = np.where(magnitudes > 0, CLASS_BITS + signed + below, 0)
        return fields, widths.astype(np.uint8)

    def size_blocks(self, words: Words, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        bits = np.empty(len(offsets) - 1, np.int64)
        _size(words, offsets, self._code[1], bits)
        return bits

    def write_blocks(
        self,
        words: Words,
        offsets: NDArray[np.int64],
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
    ) -> None:
        _write(words, offsets, self.group, *self._code, payload, starts)

    def read_blocks(
        self,
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
        words: Words,
        offsets: NDArray[np.int64],
    ) -> int:
        signed = int(self.word.signed)
        return _read(payload, starts, self.group, self.word.bits, signed, words, offsets)


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    exercise(MagnitudeClasses(Word(8)))
