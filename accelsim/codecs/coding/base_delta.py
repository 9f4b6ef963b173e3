"""A line of memory as a base and small differences: the coder of one line of BDI.

The layout is in ``accelsim.codecs.formats.bdi``. A line is ``lanes`` of 32 bits, as
``accelsim.codecs.coding.memory_lines`` fills them. Elements of 64 bits are numbers modulo 2^64,
which a kernel holds as signed ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.bits import get, put
from accelsim.jit import part
from accelsim.units import ceil_div

TAG_BITS = 4
ZEROS, REPEATED, RAW = 0, 1, 15
# (tag, bits of an element, bits of a difference)
BASE_DELTA = ((2, 64, 8), (3, 64, 16), (4, 64, 32), (5, 32, 8), (6, 32, 16), (7, 16, 8))
NIBBLE_DELTAS = (8, 8, 4)
TAG, ELEMENT_BITS, DELTA_BITS, SIZE_BITS = range(4)
"""Columns of the table of encodings."""


def encodings_of(line_bits: int, nibble_deltas: bool) -> NDArray[np.int64]:
    """[n, 4] the encodings of lines of this size, shortest first: columns as named above."""
    tried = []
    for tag, base, delta in (*BASE_DELTA, *([NIBBLE_DELTAS] if nibble_deltas else [])):
        n_elements = line_bits // base
        bits = base + n_elements * delta + 8 * ceil_div(n_elements, 8)
        if bits < line_bits:
            tried.append((bits, tag, base, delta))
    rows = [(ZEROS, 0, 0, 8), (REPEATED, 64, 0, 64)]
    rows += [(tag, base, delta, bits) for bits, tag, base, delta in sorted(tried)]
    table = np.array([*rows, (RAW, 0, 0, line_bits)], np.int64)
    table[:, SIZE_BITS] += TAG_BITS
    return table


def rows_of_tags(encodings: NDArray[np.int64]) -> NDArray[np.int64]:
    """[16] the row of each tag, -1 where no line has it."""
    rows = np.full(1 << TAG_BITS, -1, np.int64)
    rows[encodings[:, TAG]] = np.arange(len(encodings))
    return rows


@part
def _element(lanes: NDArray[np.int64], index: int, width: int) -> int:
    """Element ``index`` of a line of elements of ``width`` bits."""
    if width == 64:
        return int(lanes[2 * index]) | (int(lanes[2 * index + 1]) << 32)
    at = index * width
    return (int(lanes[at >> 5]) >> (at & 31)) & ((1 << width) - 1)


@part
def _fits(value: int, element_bits: int, delta_bits: int) -> bool:
    """Whether a number modulo 2^element_bits is a sign-extended one of ``delta_bits``."""
    above = (value + (1 << (delta_bits - 1))) >> delta_bits
    return above & ((1 << (element_bits - delta_bits)) - 1) == 0


@part
def choose(lanes: NDArray[np.int64], encodings: NDArray[np.int64]) -> tuple[int, int]:
    """The row of the first encoding that fits a line, and its base."""
    n_rows, any_bit, unequal = len(encodings), 0, 0
    for i in range(len(lanes)):
        any_bit |= int(lanes[i])
        unequal |= int(lanes[i]) ^ int(lanes[i & 1])
    if any_bit == 0:
        return 0, 0
    if unequal == 0:
        return 1, 0
    for row in range(2, n_rows - 1):
        width, delta_bits = int(encodings[row, ELEMENT_BITS]), int(encodings[row, DELTA_BITS])
        base, has_base, fits = 0, False, True
        for i in range(32 * len(lanes) // width):
            element = _element(lanes, i, width)
            is_near = _fits(element, width, delta_bits)
            base = element if not (has_base or is_near) else base
            has_base = has_base or not is_near
            fits = is_near or _fits(element - base, width, delta_bits)
            if not fits:
                break
        if fits:
            return row, base
    return n_rows - 1, 0


@part
def _put_element(payload: NDArray[np.uint8], at: int, element: int, width: int) -> int:
    if width == 64:
        at = put(payload, at, element >> 32, 32)
        return put(payload, at, element, 32)
    return put(payload, at, element, width)


@part
def write_line(
    lanes: NDArray[np.int64],
    encodings: NDArray[np.int64],
    row: int,
    base: int,
    payload: NDArray[np.uint8],
    at: int,
) -> int:
    """Write a line in the encoding that ``choose`` found; returns the next bit."""
    tag = int(encodings[row, TAG])
    width, delta_bits = int(encodings[row, ELEMENT_BITS]), int(encodings[row, DELTA_BITS])
    at = put(payload, at, tag, 4)
    if tag == ZEROS:
        return put(payload, at, 0, 8)
    if tag == REPEATED:
        return _put_element(payload, at, _element(lanes, 0, 64), 64)
    if tag == RAW:
        for i in range(len(lanes)):
            at = put(payload, at, int(lanes[i]), 32)
        return at
    n_elements = 32 * len(lanes) // width
    at = _put_element(payload, at, base, width)
    for i in range(n_elements):
        element = _element(lanes, i, width)
        is_far = int(not _fits(element, width, delta_bits))
        at = put(payload, at, element - (base & -is_far), delta_bits)
    for i in range(0, n_elements, 8):
        far = 0
        for j in range(i, min(i + 8, n_elements)):
            is_far = int(not _fits(_element(lanes, j, width), width, delta_bits))
            far |= is_far << (7 - (j - i))
        at = put(payload, at, far, 8)
    return at


@part
def _get_element(payload: NDArray[np.uint8], at: int, width: int) -> int:
    if width == 64:
        return (int(get(payload, at, 32)) << 32) | int(get(payload, at + 32, 32))
    return int(get(payload, at, width))


@part
def _set_element(lanes: NDArray[np.int64], index: int, width: int, element: int) -> None:
    if width == 64:
        lanes[2 * index] = element & 0xFFFFFFFF
        lanes[2 * index + 1] = (element >> 32) & 0xFFFFFFFF
    else:
        at = index * width
        lanes[at >> 5] |= (element & ((1 << width) - 1)) << (at & 31)


@part
def _read_deltas(
    payload: NDArray[np.uint8], at: int, width: int, delta_bits: int, lanes: NDArray[np.int64]
) -> tuple[int, bool]:
    """Fill a line that is zero; returns its base, and whether the bits behind are broken."""
    n_elements, sign = 32 * len(lanes) // width, 1 << (delta_bits - 1)
    base = _get_element(payload, at, width)
    deltas_at = at + width
    far_at = deltas_at + n_elements * delta_bits
    n_unused = -n_elements & 7
    wrong = get(payload, far_at + n_elements, n_unused) != 0
    for i in range(n_elements):
        delta = (int(get(payload, deltas_at + i * delta_bits, delta_bits)) ^ sign) - sign
        is_far = int(get(payload, far_at + i, 1))
        element = delta + (base & -is_far)
        wrong = wrong or (is_far == 1 and _fits(element, width, delta_bits))
        _set_element(lanes, i, width, element)
    return base, wrong


@part
def read_line(
    payload: NDArray[np.uint8],
    at: int,
    end: int,
    encodings: NDArray[np.int64],
    row_of_tag: NDArray[np.int64],
    lanes: NDArray[np.int64],
) -> int:
    """Read a line at bit ``at``; returns the next bit.

    -1 if ``write_line`` cannot have written it, or not before bit ``end``.
    """
    if at + 4 > end:
        return -1
    tag = get(payload, at, 4)
    row = int(row_of_tag[tag])
    if row < 0 or at + int(encodings[row, SIZE_BITS]) > end:
        return -1
    base, wrong, data_at = 0, False, at + 4
    for i in range(len(lanes)):
        lanes[i] = get(payload, data_at + 32 * i, 32) if tag == RAW else 0
    if tag == ZEROS:
        wrong = get(payload, data_at, 8) != 0
    elif tag == REPEATED:
        for i in range(len(lanes) // 2):
            _set_element(lanes, i, 64, _get_element(payload, data_at, 64))
    elif tag != RAW:
        width, delta_bits = int(encodings[row, ELEMENT_BITS]), int(encodings[row, DELTA_BITS])
        base, wrong = _read_deltas(payload, data_at, width, delta_bits, lanes)
    # Of all encodings that give this line, only one was written.
    due_row, due_base = choose(lanes, encodings)
    if wrong or row != due_row or base != due_base:
        return -1
    return at + int(encodings[row, SIZE_BITS])
