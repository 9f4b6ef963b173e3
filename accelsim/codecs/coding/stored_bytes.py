"""Values as bytes before a codec that compresses bytes: cells, split halves, storage elements.

What Intel's bit compactor is handed (``accelsim.codecs.formats.bit_compactor`` has the layouts):
a byte for each value of up to 8 bits, else two, little-endian, sign-extended; words of two bytes
split into halves; only the values that are not zero, where storage elements are sparse.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Word
from accelsim.codecs.words import Words, from_words, to_words
from accelsim.jit import kernel, part

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]

HALVED_BYTES = 128
"""Bytes of 64 words that are split into 64 low and 64 high bytes."""
ONE_BYTE_COUNTS = 128
"""From so many values on, their number takes two bytes."""


@part
def byte_at(data: Bytes, at: int) -> int:
    """A byte as a number with a sign: numba makes floats of sums with others."""
    return int(np.int64(data[at]))


def cell_bytes(word: Word) -> int:
    """Bytes of a value."""
    return 1 if word.bits <= 8 else 2


def stored(words: Words, word: Word) -> Bytes:
    """[n_words * cell_bytes] the bytes of the values.

    >>> stored(np.array([0xFFE], np.uint16), Word(12, signed=True))   # -2
    array([254, 255], dtype=uint8)
    """
    values = from_words(words, word)
    return values.astype(values.dtype.newbyteorder("<")).view(np.uint8)


def unstored(cells: Bytes, word: Word, words: Words, offsets: Ints) -> int:
    """Fill ``words``; returns the first block with a cell that is no word, or -1."""
    values = cells.view(word.dtype.newbyteorder("<")).astype(word.dtype)
    wrong = (values < word.low) | (values > word.high)
    if wrong.any():
        return int(np.searchsorted(offsets, np.argmax(wrong), side="right")) - 1
    words[:] = to_words(values, word)
    return -1


@kernel
def _halve(data: Bytes, starts: Ints, lengths: Ints, is_undone: bool, halves: Bytes) -> None:
    n_words = len(halves) // 2
    for block in range(len(lengths)):
        end = starts[block] + lengths[block]
        for first in range(starts[block], end - len(halves) + 1, len(halves)):
            for i in range(len(halves)):
                halves[i] = data[first + i]
            for i in range(n_words):
                if is_undone:
                    low, high = byte_at(halves, i), byte_at(halves, n_words + i)
                    data[first + 2 * i] = (low >> 1) | ((high & 1) << 7)
                    data[first + 2 * i + 1] = (high >> 1) | ((low & 1) << 7)
                else:
                    low, high = byte_at(halves, 2 * i), byte_at(halves, 2 * i + 1)
                    data[first + i] = ((low << 1) & 255) | (high >> 7)
                    data[first + n_words + i] = ((high << 1) & 255) | (low >> 7)


def halve(data: Bytes, starts: Ints, lengths: Ints) -> None:
    """Split words of two bytes, 64 at a time, in ``data[start:start + length]`` of each block.

    >>> data = np.array([0x80, 0x01] * 64, np.uint8)
    >>> halve(data, np.array([0]), np.array([128]))
    >>> data[[0, 64]]   # 0x80 shifted by one; 0x01 shifted, and the top bit of 0x80
    array([0, 3], dtype=uint8)
    """
    _halve(data, starts, lengths, False, np.zeros(HALVED_BYTES, np.uint8))


def unhalve(data: Bytes, starts: Ints, lengths: Ints) -> None:
    """Undo ``halve``."""
    _halve(data, starts, lengths, True, np.zeros(HALVED_BYTES, np.uint8))


@kernel
def _pack(
    cells: Bytes,
    offsets: Ints,
    n_cell: int,
    element: int,
    one_byte_counts: int,
    packed: Bytes,
    packed_offsets: Ints,
) -> None:
    """``packed`` is zero; ``n_cell`` is the number of bytes of a value."""
    at = 0
    for block in range(len(offsets) - 1):
        for first in range(offsets[block], offsets[block + 1], element):
            last = min(first + element, offsets[block + 1])
            bitmap_at, n_nonzeros = at, 0
            for i in range(first, last):
                # The last byte of a cell of one byte is its first.
                is_nonzero = int((cells[n_cell * i] | cells[n_cell * (i + 1) - 1]) != 0)
                packed[bitmap_at + ((i - first) >> 3)] |= is_nonzero << ((i - first) & 7)
                n_nonzeros += is_nonzero
            at += element >> 3
            if n_nonzeros < one_byte_counts:
                packed[at] = n_nonzeros << 1
                at += 1
            else:
                count = (n_nonzeros << 2) | 1
                packed[at] = count & 255
                packed[at + 1] = count >> 8
                at += 2
            for i in range(n_cell * first, n_cell * last, n_cell):
                if cells[i] | cells[i + n_cell - 1]:
                    for j in range(n_cell):
                        packed[at + j] = cells[i + j]
                    at += n_cell
        packed_offsets[block + 1] = at


def packed_bytes(sizes: Ints, n_cell: int, element: int) -> Ints:
    """[n_blocks] bytes of blocks of so many values where no value is zero: the most.

    >>> packed_bytes(np.array([16, 17]), 1, 16)   # 2 + 1 + 16, and 2 + 1 + 1 more
    array([19, 23])
    """
    whole, rest = sizes // element, sizes % element
    longest = element // 8 + 1 + int(element >= ONE_BYTE_COUNTS)
    last = element // 8 + 1 + (rest >= ONE_BYTE_COUNTS).astype(np.int64)
    return whole * longest + (rest > 0) * last + sizes * n_cell


def pack_elements(cells: Bytes, offsets: Ints, n_cell: int, element: int) -> tuple[Bytes, Ints]:
    """The storage elements of all blocks, and [n_blocks + 1] where each block begins.

    >>> cells = np.array([0, 7] + 13 * [0] + [9], np.uint8)
    >>> pack_elements(cells, np.array([0, 16]), 1, 16)   # bits 1 and 15; 2 x 2; the values
    (array([  2, 128,   4,   7,   9], dtype=uint8), array([0, 5]))
    """
    packed = np.zeros(int(packed_bytes(np.diff(offsets), n_cell, element).sum()), np.uint8)
    packed_offsets = np.zeros(len(offsets), np.int64)
    _pack(cells, offsets, n_cell, element, ONE_BYTE_COUNTS, packed, packed_offsets)
    return packed[: packed_offsets[-1]], packed_offsets


@kernel
def _unpack(
    packed: Bytes,
    starts: Ints,
    lengths: Ints,
    n_cell: int,
    element: int,
    one_byte_counts: int,
    cells: Bytes,
    offsets: Ints,
) -> int:
    """``cells`` is zero."""
    for block in range(len(lengths)):
        at, end = starts[block], starts[block] + lengths[block]
        for first in range(offsets[block], offsets[block + 1], element):
            n_values = min(element, offsets[block + 1] - first)
            bitmap_at = at
            at += element >> 3
            if at + 1 > end:
                return block
            count, is_wide = byte_at(packed, at), byte_at(packed, at) & 1
            if at + 1 + is_wide > end:
                return block
            if is_wide:
                count = (count | (byte_at(packed, at + 1) << 8)) >> 1
                if count & 1 or count >> 1 < one_byte_counts:
                    return block
            count >>= 1
            at += 1 + is_wide
            if at + n_cell * count > end:
                return block
            n_found = 0
            for i in range(element):
                if (byte_at(packed, bitmap_at + (i >> 3)) >> (i & 7)) & 1:
                    if i >= n_values or n_found == count:
                        return block
                    merged = 0
                    for j in range(n_cell):
                        cells[n_cell * (first + i) + j] = packed[at + j]
                        merged |= byte_at(packed, at + j)
                    if merged == 0:
                        return block
                    at += n_cell
                    n_found += 1
            if n_found != count:
                return block
        if at != end:
            return block
    return -1


def unpack_elements(
    packed: Bytes,
    starts: Ints,
    lengths: Ints,
    n_cell: int,
    element: int,
    cells: Bytes,
    offsets: Ints,
) -> int:
    """Fill ``cells``, which is zero, from ``packed[start:start + length]`` of each block.

    Returns the first block that ``pack_elements`` does not make of so many values, or -1.
    """
    counts = (n_cell, element, ONE_BYTE_COUNTS)
    return int(_unpack(packed, starts, lengths, *counts, cells, offsets))


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    offsets = np.array([0, 1])
    packed, at = pack_elements(np.ones(1, np.uint8), offsets, 1, 16)
    unpack_elements(packed, at[:1], np.diff(at), 1, 16, np.zeros(1, np.uint8), offsets)
    unhalve(packed, at[:1], np.diff(at))
