"""Bit lanes, read back: the inverse of ``accelsim.codecs.coding.lane_streams``.

Each lane adds its bits to words that are zero there. No lane is read beyond the length
that was announced for it; a field fetched before its end is known may hold bits of the next.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.bits import PADDING, get
from accelsim.codecs.coding.lane_streams import CHUNK, DICT, MASK, N_ENTRIES, RAW, ZRL, BitLanes
from accelsim.codecs.words import Words
from accelsim.jit import kernel


@kernel
def _get_values(
    payload: NDArray[np.uint8],
    at: int,
    words: Words,
    first: int,
    last: int,
    shift: int,
    width: int,
) -> int:
    """Add values as they are, as many at once as a field takes; returns the OR of all."""
    mask, step, merged = (1 << width) - 1, 32 // width, 0
    for start in range(first, last, step):
        end = min(start + step, last)
        field = get(payload, at, width * (end - start))
        at += width * (end - start)
        merged |= field
        for i in range(end - 1, start - 1, -1):
            words[i] |= (field & mask) << shift
            field >>= width
    return merged


@kernel
def _get_zero_runs(
    payload: NDArray[np.uint8],
    at: int,
    end: int,
    words: Words,
    first: int,
    last: int,
    shift: int,
    width: int,
) -> int:
    """Returns the next bit, or -1 if the lane is broken."""
    i, run, wider = first, 16, max(width, 4)
    while i < last:
        # The flag and the wider of both fields at once, maybe from beyond the lane.
        token = get(payload, at, 1 + wider)
        is_literal = token >> wider
        at += 1 + (width if is_literal else 4)
        if at > end:
            return -1
        if is_literal:
            value = (token >> (wider - width)) & ((1 << width) - 1)
            if value == 0:
                return -1
            words[i] |= value << shift
            i += 1
            run = 16
        else:
            # A run that is not full ends with its zeros: no other run follows.
            if run != 16:
                return -1
            run = 1 + ((token >> (wider - 4)) & 15)
            i += run
    return at if i == last else -1


@kernel
def _get_groups(
    payload: NDArray[np.uint8],
    at: int,
    end: int,
    words: Words,
    first: int,
    last: int,
    shift: int,
    width: int,
) -> int:
    """Returns the next bit, or -1 if the lane is broken."""
    for group in range(first, last, 8):
        group_end = min(group + 8, last)
        is_stored = get(payload, at, 1)
        at += 1
        stored_bits = width * (group_end - group) * is_stored
        if at + stored_bits > end:
            return -1
        if is_stored and _get_values(payload, at, words, group, group_end, shift, width) == 0:
            return -1
        at += stored_bits
    return at


@kernel
def _get_entries(
    payload: NDArray[np.uint8],
    at: int,
    end: int,
    words: Words,
    first: int,
    last: int,
    shift: int,
    width: int,
    entry0: int,
    entry1: int,
    entry2: int,
) -> int:
    """Returns the next bit, or -1 if the lane is broken."""
    n_repeated, mask = 0, (1 << width) - 1
    for i in range(first, last):
        window = get(payload, at, 3 + width)
        ones = window >> width
        not0, not1, escape = int(ones >= 4), int(ones >= 6), int(ones == 7)
        at += 1 + not0 + not1 + (width * escape)
        if at > end:
            return -1
        value = window & mask
        n_repeated += escape & int(value in (entry0, entry1, entry2))
        coded = entry0 + not0 * (entry1 - entry0) + not1 * (entry2 - entry1)
        words[i] |= (coded + escape * (value - coded)) << shift
    return at if n_repeated == 0 else -1


@kernel
def _get_lane(
    payload: NDArray[np.uint8],
    at: int,
    end: int,
    words: Words,
    first: int,
    last: int,
    lane: int,
    shifts: NDArray[np.int64],
    widths: NDArray[np.int64],
    methods: NDArray[np.int64],
    entries: NDArray[np.int64],
) -> bool:
    """Add one lane to ``words[first:last]``; whether it takes exactly the bits up to ``end``."""
    shift, width, method = shifts[lane], widths[lane], methods[lane]
    if method == ZRL:
        at = _get_zero_runs(payload, at, end, words, first, last, shift, width)
    elif method == MASK:
        at = _get_groups(payload, at, end, words, first, last, shift, width)
    elif method == DICT:
        codes = (entries[lane, 0], entries[lane, 1], entries[lane, 2])
        at = _get_entries(payload, at, end, words, first, last, shift, width, *codes)
    elif method == RAW:
        _get_values(payload, at, words, first, last, shift, width)
        at = end
    return at == end


@kernel
def read_lanes(
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
    words: Words,
    offsets: NDArray[np.int64],
    chunk: int,
    constant: int,
    shifts: NDArray[np.int64],
    widths: NDArray[np.int64],
    methods: NDArray[np.int64],
    entries: NDArray[np.int64],
    length_bits: NDArray[np.int64],
) -> int:
    """``constant`` holds the bits of all CONST lanes."""
    for block in range(len(starts) - 1):
        at, end = starts[block], starts[block + 1]
        for first in range(offsets[block], offsets[block + 1], chunk):
            last = min(first + chunk, offsets[block + 1])
            for i in range(first, last):
                words[i] = constant
            field = at
            for lane in range(len(widths)):
                at += length_bits[lane]
            if at > end:
                return block
            for lane in range(len(widths)):
                lane_end = at
                if length_bits[lane] != 0:
                    lane_end += get(payload, field, length_bits[lane])
                    field += length_bits[lane]
                elif methods[lane] == RAW:
                    lane_end += widths[lane] * (last - first)
                if lane_end > end or not _get_lane(
                    payload,
                    at,
                    lane_end,
                    words,
                    first,
                    last,
                    lane,
                    shifts,
                    widths,
                    methods,
                    entries,
                ):
                    return block
                at = lane_end
        if at != end:
            return block
    return -1


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    one = np.ones(1, np.int64)
    lanes = BitLanes(one - 1, one, one - 1, np.zeros((1, N_ENTRIES), np.int64), one - 1)
    payload, starts = np.zeros(1 + PADDING, np.uint8), np.array([0, 1])
    read_lanes(payload, starts, np.zeros(1, np.uint16), np.array([0, 1]), CHUNK, 0, *lanes)
