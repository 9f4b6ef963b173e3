"""Bit lanes, sized and written: what each method of ``accelsim.codecs.formats.lane`` does.

A lane is a field of bits of every word. The streams of all lanes of 64 values lie behind
each other, in front of them their lengths in bits, where the method leaves those open.
Reading is in ``accelsim.codecs.coding.lane_reading``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.bits import PADDING, put
from accelsim.codecs.words import Words
from accelsim.jit import kernel

RAW, CONST, ZRL, MASK, DICT = range(5)
METHODS = ("raw", "const", "zrl", "mask", "dict")
CHUNK = 64
"""Values whose lanes lie together, and that a lane can be read without the others of."""
N_ENTRIES = 3
"""Values with a short code in a ``DICT`` lane."""


class BitLanes(NamedTuple):
    """All lanes, the one of the highest bits first; arguments of kernels in this order."""

    shifts: NDArray[np.int64]  # [n_lanes] lowest bit of the lane in the word
    widths: NDArray[np.int64]  # [n_lanes] bits
    methods: NDArray[np.int64]  # [n_lanes] RAW, CONST, ...
    entries: NDArray[np.int64]  # [n_lanes, 3] values of a DICT lane, most frequent first
    length_bits: NDArray[np.int64]  # [n_lanes] of the length field; 0 where it is known


@kernel
def zero_run_bits(words: Words, first: int, last: int, lane_mask: int, width: int) -> int:
    """ZRL: literals of 1 + ``width`` bits, and runs of 1 to 16 zeros in 5."""
    n_literals, n_runs, run = 0, 0, 0
    # No branches: zeros come at random, and a mispredicted branch costs 5 ns.
    for i in range(first, last):
        is_zero = int(words[i] & lane_mask == 0)
        n_literals += 1 - is_zero
        n_runs += is_zero & int(run == 0)
        run = (run + is_zero) & 15 & -is_zero
    return n_literals * (1 + width) + 5 * n_runs


@kernel
def _lane_bits(
    words: Words,
    first: int,
    last: int,
    lane: int,
    shifts: NDArray[np.int64],
    widths: NDArray[np.int64],
    methods: NDArray[np.int64],
    entries: NDArray[np.int64],
) -> int:
    """Bits of one lane of ``words[first:last]``, without its length field."""
    width, method = widths[lane], methods[lane]
    lane_mask = ((1 << width) - 1) << shifts[lane]
    if method == ZRL:
        return zero_run_bits(words, first, last, lane_mask, width)
    total = 0
    if method == RAW:
        total = width * (last - first)
    elif method == MASK:
        for group in range(first, last, 8):
            merged, end = 0, min(group + 8, last)
            for i in range(group, end):
                merged |= int(words[i])
            total += 1 + width * (end - group) * int(merged & lane_mask != 0)
    elif method == DICT:
        entry0, entry1, entry2 = entries[lane, 0], entries[lane, 1], entries[lane, 2]
        for i in range(first, last):
            value = (int(words[i]) & lane_mask) >> shifts[lane]
            saved = (2 + width) * int(value == entry0) + (1 + width) * int(value == entry1)
            total += 3 + width - saved - width * int(value == entry2)
    return total


@kernel
def size_lanes(
    words: Words,
    offsets: NDArray[np.int64],
    chunk: int,
    bits: NDArray[np.int64],
    shifts: NDArray[np.int64],
    widths: NDArray[np.int64],
    methods: NDArray[np.int64],
    entries: NDArray[np.int64],
    length_bits: NDArray[np.int64],
) -> None:
    for block in range(len(bits)):
        total = 0
        for first in range(offsets[block], offsets[block + 1], chunk):
            last = min(first + chunk, offsets[block + 1])
            for lane in range(len(widths)):
                total += length_bits[lane]
                total += _lane_bits(words, first, last, lane, shifts, widths, methods, entries)
        bits[block] = total


@kernel
def _put_zero_runs(
    payload: NDArray[np.uint8],
    at: int,
    words: Words,
    first: int,
    last: int,
    shift: int,
    width: int,
) -> int:
    mask, run = (1 << width) - 1, 0
    # No branches here either: a value that adds no token is written in no bits.
    for i in range(first, last):
        value = (int(words[i]) >> shift) & mask
        is_literal = int(value != 0)
        run += 1 - is_literal
        is_full = int(run == 16) & (1 - is_literal)
        ends_run = is_full | (is_literal & int(run > 0))
        literal_bits = (1 + width) * is_literal
        field = ((run - 1) << literal_bits) | (is_literal << width) | value
        at = put(payload, at, field, literal_bits + 5 * ends_run)
        run &= is_literal + is_full - 1
    return put(payload, at, run - 1, 5 * int(run > 0))


@kernel
def _add_field(payload: NDArray[np.uint8], at: int, field: int, width: int) -> int:
    """Write a field into bits that are zero still, in front of others; returns the next bit."""
    window = field << (40 - width - (at & 7)) if width else 0
    for i in range(5):
        payload[(at >> 3) + i] |= (window >> (32 - 8 * i)) & 255
    return at + width


@kernel
def _put_values(
    payload: NDArray[np.uint8],
    at: int,
    words: Words,
    first: int,
    last: int,
    shift: int,
    width: int,
) -> int:
    """The values as they are, as many at once as a field takes."""
    mask, step = (1 << width) - 1, 32 // width
    for start in range(first, last, step):
        field, end = 0, min(start + step, last)
        for i in range(start, end):
            field = (field << width) | ((int(words[i]) >> shift) & mask)
        at = put(payload, at, field, width * (end - start))
    return at


@kernel
def _put_groups(
    payload: NDArray[np.uint8],
    at: int,
    words: Words,
    first: int,
    last: int,
    shift: int,
    width: int,
) -> int:
    lane_mask = ((1 << width) - 1) << shift
    for group in range(first, last, 8):
        merged, end = 0, min(group + 8, last)
        for i in range(group, end):
            merged |= int(words[i])
        is_stored = merged & lane_mask != 0
        at = put(payload, at, int(is_stored), 1)
        if is_stored:
            at = _put_values(payload, at, words, group, end, shift, width)
    return at


@kernel
def _put_entries(
    payload: NDArray[np.uint8],
    at: int,
    words: Words,
    first: int,
    last: int,
    shift: int,
    width: int,
    entry0: int,
    entry1: int,
    entry2: int,
) -> int:
    mask = (1 << width) - 1
    for i in range(first, last):
        value = (int(words[i]) >> shift) & mask
        # 0, 10, 110, or 111 and the value: a 1 for each entry in turn that it is not.
        not0 = int(value != entry0)
        not1 = not0 & int(value != entry1)
        escape = not1 & int(value != entry2)
        rank = not0 + not1 + escape
        code = (((1 << (rank + 1)) - 2) >> escape) << (width * escape)
        at = put(payload, at, code | (value & -escape), rank + 1 - escape + width * escape)
    return at


@kernel
def write_lanes(
    words: Words,
    offsets: NDArray[np.int64],
    chunk: int,
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
    shifts: NDArray[np.int64],
    widths: NDArray[np.int64],
    methods: NDArray[np.int64],
    entries: NDArray[np.int64],
    length_bits: NDArray[np.int64],
) -> None:
    for block in range(len(starts) - 1):
        at = starts[block]
        for first in range(offsets[block], offsets[block + 1], chunk):
            last = min(first + chunk, offsets[block + 1])
            field = at
            for lane in range(len(widths)):
                at += length_bits[lane]
            for lane in range(len(widths)):
                start, shift, width, method = at, shifts[lane], widths[lane], methods[lane]
                if method == RAW:
                    at = _put_values(payload, at, words, first, last, shift, width)
                elif method == ZRL:
                    at = _put_zero_runs(payload, at, words, first, last, shift, width)
                elif method == MASK:
                    at = _put_groups(payload, at, words, first, last, shift, width)
                elif method == DICT:
                    codes = (entries[lane, 0], entries[lane, 1], entries[lane, 2])
                    at = _put_entries(payload, at, words, first, last, shift, width, *codes)
                field = _add_field(payload, field, at - start, length_bits[lane])


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    one = np.ones(1, np.int64)
    lanes = BitLanes(one - 1, one, one - 1, np.zeros((1, N_ENTRIES), np.int64), one - 1)
    words, offsets, bits = np.zeros(1, np.uint16), np.array([0, 1]), np.empty(1, np.int64)
    zero_run_bits(words, 0, 1, 1, 1)
    size_lanes(words, offsets, CHUNK, bits, *lanes)
    payload, starts = np.zeros(1 + PADDING, np.uint8), np.append(0, bits)
    write_lanes(words, offsets, CHUNK, payload, starts, *lanes)
