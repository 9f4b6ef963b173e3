"""Groups of 32 values as two endpoints and an index each, as textures are compressed.

Levels lie between the endpoints, at distances that one of four scales sets. The format
that stores the groups, ``accelsim.codecs.formats.asc``, explains fields and choices. A
group is a run of 32 values of one channel of a block, in rows; the last one of a channel
may be shorter. Values are counted from the lowest of the word.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Shapes, Values, Word
from accelsim.jit import kernel

GROUP = 32
WIDTH, SCALE, A, B, INDICES = range(5)
RECORD = INDICES + GROUP
"""Symbols of a group: width of an index, scale, two endpoints, 32 indices (0 where missing)."""
N_SCALES = 4
WIDEST_INDEX_BITS = 4
WEIGHT_BITS = 6


def weights() -> NDArray[np.int64]:
    """[levels, scale, level] place of each level between the endpoints, 0 to 64.

    Even, dense at the low end (squares), dense at the high end (mirrored), dense in the
    middle (cubes). A lone level lies in the middle.

    >>> weights()[8, 1, :8].tolist()
    [0, 1, 5, 12, 21, 33, 47, 64]
    """
    most, one = 1 << WIDEST_INDEX_BITS, 1 << WEIGHT_BITS
    table = np.zeros((most + 1, N_SCALES, most), np.int64)
    table[1] = one // 2
    for n in range(2, most + 1):
        i, last = np.arange(n), n - 1
        squares = (2 * one * i**2 + last**2) // (2 * last**2)
        # Rounded in one half and mirrored, so that the scale is symmetric.
        cubes = (one * (last - 2 * i[: n // 2]) ** 3 + last**3) // (2 * last**3)
        table[n, 0, :n] = (2 * one * i + last) // (2 * last)
        table[n, 1, :n] = squares
        table[n, 2, :n] = one - squares[::-1]
        table[n, 3, :n] = one // 2
        table[n, 3, : n // 2] -= cubes
        table[n, 3, n - n // 2 : n] += cubes[::-1]
    return table


WEIGHTS = weights()


@kernel
def value_of(endpoint: int, word_bits: int) -> int:
    """An endpoint has one bit less than the word: its first bit stands for the last."""
    return (endpoint << 1) | (endpoint >> (word_bits - 2))


@kernel
def fill_levels(
    record: NDArray[np.int64],
    zero: int,
    word_bits: int,
    weights: NDArray[np.int64],
    levels: NDArray[np.int64],
) -> int:
    """The levels of a record; returns the first one between the endpoints, 1 or 0."""
    first = int(record[2] > record[3])
    levels[0] = zero
    low = value_of(min(record[2], record[3]), word_bits)
    high = value_of(max(record[2], record[3]), word_bits)
    n_levels = 1 << record[0]
    for i in range(first, n_levels):
        weight = weights[n_levels - first, record[1], i - first]
        levels[i] = low + (((high - low) * weight + 32) >> 6)
    return first


@kernel
def _inverse(
    records: NDArray[np.uint16],
    extents: NDArray[np.int64],
    channels_last: bool,
    lowest: int,
    word_bits: int,
    weights: NDArray[np.int64],
    scratch: NDArray[np.int64],
    values: NDArray[np.int32],
) -> None:
    levels, record = scratch[0], scratch[1]
    first_value, at = 0, 0
    for block in range(len(extents)):
        channels, rows, cols = extents[block]
        pixels = rows * cols
        by_channel, by_pixel = (1, channels) if channels_last else (pixels, 1)
        for channel in range(channels):
            for start in range(0, pixels, 32):
                for i in range(36):
                    record[i] = records[at + i]
                if record[0] == 0:
                    levels[0] = record[2]
                else:
                    fill_levels(record, -lowest, word_bits, weights, levels)
                for j in range(min(32, pixels - start)):
                    place = first_value + channel * by_channel + (start + j) * by_pixel
                    values[place] = levels[record[4 + j]] + lowest
                at += 36
        first_value += channels * pixels


def n_groups(shapes: Shapes) -> NDArray[np.int64]:
    """[n_blocks] groups of blocks of these shapes.

    >>> n_groups(Shapes(np.array([[16, 8, 8], [3, 1, 33]]), False))
    array([32,  6])
    """
    channels, rows, cols = shapes.extents.T
    groups: NDArray[np.int64] = channels * -(-rows * cols // GROUP)
    return groups


def inverse(records: Values, shapes: Shapes, word: Word) -> Values:
    """The values of all blocks again; indices are below 2^width."""
    extents = np.require(shapes.extents, np.int64, ["C", "W"])
    values = np.empty(int(extents.prod(axis=1).sum()), np.int32)
    scratch = np.zeros((2, RECORD), np.int64)
    format_ = (word.low, word.bits, WEIGHTS)
    _inverse(
        np.require(records, np.uint16),
        extents,
        bool(shapes.channels_last),
        *format_,
        scratch,
        values,
    )
    return values.astype(word.dtype)


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    shapes = Shapes(np.ones((1, 3), np.int64), False)
    inverse(np.ones(RECORD, np.uint16), shapes, Word(8))
