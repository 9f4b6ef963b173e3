"""The encoder of groups of 32 values: which endpoints, scale and index widths serve best.

Every choice is by plain search with exact integers; see ``accelsim.codecs.formats.asc``
for what is searched, and ``accelsim.codecs.transforms.endpoint_groups`` for records and levels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Shapes, Values, Word
from accelsim.codecs.transforms.endpoint_groups import (
    RECORD,
    WEIGHTS,
    fill_levels,
    n_groups,
    value_of,
)
from accelsim.errors import CodecError
from accelsim.jit import kernel


@kernel
def _squared_error(
    group: NDArray[np.int64],
    inside: NDArray[np.int64],
    first: int,
    n_levels: int,
    levels: NDArray[np.int64],
    distances: NDArray[np.int64],
) -> int:
    """Of the values ``inside`` (1 or 0), each at its nearest level."""
    # Levels outside and values inside: loops of fixed length without branches.
    for j in range(32):
        distances[j] = abs(group[j] - levels[first])
    for i in range(first + 1, n_levels):
        level = levels[i]
        for j in range(32):
            distances[j] = min(distances[j], abs(group[j] - level))
    error = 0
    for j in range(32):
        error += inside[j] * distances[j] * distances[j]
    return error


@kernel
def _index(
    group: NDArray[np.int64],
    n: int,
    zero: int,
    first: int,
    levels: NDArray[np.int64],
    record: NDArray[np.int64],
) -> int:
    """Give each value the index of its nearest level, the lower of two; the largest error."""
    n_levels = 1 << record[0]
    for j in range(32):
        record[4 + j] = first
    for i in range(first + 1, n_levels):
        threshold = levels[i - 1] + levels[i]
        for j in range(32):
            record[4 + j] += int(2 * group[j] > threshold)
    largest = 0
    for j in range(32):
        if j >= n or (first == 1 and group[j] == zero):
            record[4 + j] = 0
        if j < n:
            largest = max(largest, abs(levels[record[4 + j]] - group[j]))
    return largest


@kernel
def _search(
    group: NDArray[np.int64],
    n: int,
    zero: int,
    word_bits: int,
    width: int,
    weights: NDArray[np.int64],
    inside: NDArray[np.int64],
    distances: NDArray[np.int64],
    levels: NDArray[np.int64],
    trial: NDArray[np.int64],
    best: NDArray[np.int64],
) -> int:
    """The endpoints and the scale of least squared error; returns the largest error."""
    least = -1
    trial[0] = width
    for mode in range(2):
        low, high, n_inside = (1 << word_bits) - 1, 0, 0
        for j in range(32):
            is_inside = int(j < n) & int((mode == 0) | (group[j] != zero))
            low = min(low, group[j] if is_inside else low)
            high = max(high, group[j] if is_inside else high)
            inside[j] = is_inside
            n_inside += is_inside
        low_end, high_end = low >> 1, high >> 1
        low_end -= int(value_of(low_end, word_bits) > low)
        high_end += int(value_of(high_end, word_bits) < high)
        if mode == 1 and (n_inside == n or low_end >= high_end):
            continue
        trial[2], trial[3] = (high_end, low_end) if mode == 1 else (low_end, high_end)
        for scale in range(4):
            trial[1] = scale
            first = fill_levels(trial, zero, word_bits, weights, levels)
            error = _squared_error(group, inside, first, 1 << width, levels, distances)
            if least < 0 or error < least:
                least = error
                for i in range(4):
                    best[i] = trial[i]
            if error == 0:
                break
    first = fill_levels(best, zero, word_bits, weights, levels)
    return _index(group, n, zero, first, levels, best)


@kernel
def _flat(group: NDArray[np.int64], n: int, zero: int, near: int, best: NDArray[np.int64]) -> bool:
    """Let one value stand for the group if none is farther than ``near``: zero if it can."""
    low, high = group[0], group[0]
    for j in range(n):
        low, high = min(low, group[j]), max(high, group[j])
    middle = (low + high) >> 1
    if low >= zero - near and high <= zero + near:
        middle = zero
    elif high - middle > near:
        return False
    best[2] = middle
    return True


@kernel
def _forward(
    values: NDArray[np.int32],
    extents: NDArray[np.int64],
    channels_last: bool,
    lowest: int,
    word_bits: int,
    index_bits: int,
    near: int,
    weights: NDArray[np.int64],
    scratch: NDArray[np.int64],
    records: NDArray[np.uint16],
) -> None:
    """``near`` is the error up to which a group may have narrower indices, or -1: never."""
    group, best, inside = scratch[0], scratch[1], scratch[2]
    distances, levels, trial = scratch[3], scratch[4], scratch[5]
    zero = -lowest
    first_value, at = 0, 0
    for block in range(len(extents)):
        channels, rows, cols = extents[block]
        pixels = rows * cols
        by_channel, by_pixel = (1, channels) if channels_last else (pixels, 1)
        for channel in range(channels):
            for start in range(0, pixels, 32):
                n = min(32, pixels - start)
                for j in range(n):
                    place = first_value + channel * by_channel + (start + j) * by_pixel
                    group[j] = int(values[place]) - lowest
                for i in range(n, 32):
                    group[i] = 0
                for i in range(36):
                    best[i] = 0
                if near < 0:
                    _search(
                        group,
                        n,
                        zero,
                        word_bits,
                        index_bits,
                        weights,
                        inside,
                        distances,
                        levels,
                        trial,
                        best,
                    )
                elif not _flat(group, n, zero, near, best):
                    for width in range(1, index_bits + 1):
                        error = _search(
                            group,
                            n,
                            zero,
                            word_bits,
                            width,
                            weights,
                            inside,
                            distances,
                            levels,
                            trial,
                            best,
                        )
                        if error <= near:
                            break
                for i in range(36):
                    records[at + i] = best[i]
                at += 36
        first_value += channels * pixels


def forward(
    values: Values, shapes: Shapes, word: Word, index_bits: int, near: int
) -> NDArray[np.uint16]:
    """[36 x groups] records; see ``_forward`` for ``near``."""
    extents = np.require(shapes.extents, np.int64, ["C", "W"])
    if int(extents.prod(axis=1).sum()) != values.size:
        raise CodecError(f"these shapes do not hold {values.size} values")
    records = np.zeros(RECORD * int(n_groups(shapes).sum()), np.uint16)
    flat = np.ascontiguousarray(values).reshape(-1).astype(np.int32)
    format_ = (word.low, word.bits, index_bits, near, WEIGHTS)
    scratch = np.zeros((6, RECORD), np.int64)
    _forward(flat, extents, bool(shapes.channels_last), *format_, scratch, records)
    return records


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    forward(np.ones(1, np.uint8), Shapes(np.ones((1, 3), np.int64), False), Word(8), 3, 4)
