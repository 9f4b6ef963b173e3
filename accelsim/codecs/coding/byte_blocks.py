"""Blocks of 64 bytes, each as differences from what the better of several predictors says.

The blocks of Intel's bit compactor (``accelsim.codecs.formats.bit_compactor`` has the layout).
All fields are little-endian: the first bit of a field is the lowest free bit of its byte.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from accelsim.codecs.coding.stored_bytes import Bytes, Ints, byte_at
from accelsim.jit import part

BLOCK_BYTES = 64
STREAM_BYTES = 32
"""A stream is filled up to whole transfers of so many bytes."""
END, LAST, RAW, COMPRESSED = 0, 1, 2, 3
"""Types of blocks."""
PLAIN, ZIGZAG, ZIGZAG_ADD, ADD, ZIGZAG_PREVIOUS = 0, 1, 2, 3, 4
"""What a decoder does with the differences of a block."""
MINIMUM, SIGNED_MINIMUM, MEAN, NONE, NONE_ZIGZAG, MEDIAN, PREVIOUS = range(7)
"""Predictors, in the order in which they are tried: of equal ones the first wins."""
DECODER_OF = (ADD, ZIGZAG_ADD, ZIGZAG_ADD, PLAIN, ZIGZAG, ZIGZAG_ADD, ZIGZAG_PREVIOUS)
MEDIAN_RANK = BLOCK_BYTES // 2 - 1
RAW_BYTES = 1 + BLOCK_BYTES
BITMAP_BYTES = BLOCK_BYTES // 8
MIN_WIDTH = 3
"""Bits of a difference where all of a block are equally wide."""


class Choice(NamedTuple):
    """How a block is written best."""

    decoder: int
    base: int
    width: int  # bits of a difference, or of the short ones
    is_dual: bool  # differences that are wider take 8 bits
    n_bytes: int  # RAW_BYTES or more: the block stays raw


@part
def _median(data: Bytes, first: int) -> int:
    """The 32nd of 64 bytes in rising order, found bit by bit from the highest."""
    prefix, rank = 0, MEDIAN_RANK
    for bit in range(7, -1, -1):
        prefix <<= 1
        n_equal = 0
        for i in range(first, first + BLOCK_BYTES):
            n_equal += int(byte_at(data, i) >> bit == prefix)
        if rank >= n_equal:
            rank -= n_equal
            prefix += 1
    return prefix


@part
def _base(data: Bytes, first: int, predictor: int) -> int:
    if predictor == MEDIAN:
        return _median(data, first)
    low, signed_low, total = 255, 255, 0
    for i in range(first, first + BLOCK_BYTES):
        byte = byte_at(data, i)
        low = min(low, byte)
        signed_low = min(signed_low, byte ^ 128)
        total += (byte ^ 128) - 128
    if predictor == MEAN:
        # Rounded to the nearest, halves away from zero.
        rounded = (abs(total) + BLOCK_BYTES // 2) // BLOCK_BYTES
        return (rounded if total >= 0 else -rounded) & 255
    return signed_low ^ 128 if predictor == SIGNED_MINIMUM else low


@part
def _differences(data: Bytes, first: int, decoder: int, base: int, differences: Bytes) -> None:
    """Fill ``differences`` [64], modulo 256."""
    is_folded = decoder not in (PLAIN, ADD)
    for i in range(BLOCK_BYTES):
        expected = byte_at(data, first - BLOCK_BYTES + i) if decoder == ZIGZAG_PREVIOUS else base
        difference = (byte_at(data, first + i) - expected) & 255
        folded = ((difference << 1) & 255) ^ (-(difference >> 7) & 255)
        differences[i] = folded if is_folded else difference


def fitting() -> Ints:
    """[512] what widths a difference fits: plain ones, then those that are zigzagged.

    Byte w - 2 of an entry is 1 if the difference fits w bits, 2 to 7; sums of 64 entries count.

    >>> hex(fitting()[5]), hex(fitting()[256 + 5])   # 5 fits 3 bits, its zigzag 10 fits 4
    ('0x10101010100', '0x10101010000')
    """
    plain = np.arange(256)
    folded = np.where(plain < 128, 2 * plain, 511 - 2 * plain)
    shorts = np.arange(2, 8)
    fits = np.concatenate([plain, folded])[:, None] < 1 << shorts
    entries: Ints = (fits << 8 * (shorts - 2)).sum(axis=1)
    return entries


@part
def choose(data: Bytes, start: int, first: int, weights: bool, fits: Ints) -> Choice:
    """The shortest way to write ``data[first:first + 64]`` of a stream that begins at ``start``.

    ``weights`` lets the signed minimum predict, too. ``fits`` is ``fitting()``.
    """
    single_bytes, single, single_base, single_width = RAW_BYTES, 0, 0, 0
    dual_bytes, dual, dual_base, dual_width = RAW_BYTES, 0, 0, 0
    for predictor in range(len(DECODER_OF)):
        if predictor == SIGNED_MINIMUM and not weights:
            continue
        if predictor == PREVIOUS and first == start:
            continue
        decoder, base = DECODER_OF[predictor], 0
        has_base = decoder in (ADD, ZIGZAG_ADD)
        if has_base:
            base = _base(data, first, predictor)
        kind = 0 if decoder in (PLAIN, ADD) else 256
        fitting_bytes = 0
        for i in range(first, first + BLOCK_BYTES):
            expected = byte_at(data, i - BLOCK_BYTES) if decoder == ZIGZAG_PREVIOUS else base
            fitting_bytes += fits[kind + ((byte_at(data, i) - expected) & 255)]
        width = MIN_WIDTH
        while width < 8 and (fitting_bytes >> 8 * (width - 2)) & 255 < BLOCK_BYTES:
            width += 1
        n_bytes = 2 + int(has_base) + BLOCK_BYTES // 8 * width
        if n_bytes < single_bytes:
            single_bytes, single, single_base, single_width = n_bytes, decoder, base, width
        # Each short difference saves 8 bits less its width.
        saved, width = 0, 0
        for short in range(2, 8):
            gain = ((fitting_bytes >> 8 * (short - 2)) & 255) * (8 - short)
            if gain > saved:
                saved, width = gain, short
        n_bytes = 3 + int(has_base) + BITMAP_BYTES + (8 * BLOCK_BYTES - saved + 7) // 8
        if n_bytes < dual_bytes:
            dual_bytes, dual, dual_base, dual_width = n_bytes, decoder, base, width
    if dual_bytes < single_bytes:
        return Choice(dual, dual_base, dual_width, True, dual_bytes)
    return Choice(single, single_base, single_width, False, single_bytes)


@part
def _put(payload: Bytes, at: int, field: int, width: int) -> int:
    """Write a field of up to 8 bits at bit ``at`` of zeros; returns the next bit."""
    window = field << (at & 7)
    payload[at >> 3] |= window & 255
    payload[(at >> 3) + 1] |= window >> 8
    return at + width


@part
def _get(payload: Bytes, at: int, width: int) -> int:
    window = byte_at(payload, at >> 3) | (byte_at(payload, (at >> 3) + 1) << 8)
    return (window >> (at & 7)) & ((1 << width) - 1)


@part
def write_block(
    data: Bytes, first: int, choice: Choice, differences: Bytes, payload: Bytes, at: int
) -> int:
    """Write ``data[first:first + 64]`` from byte ``at`` of zeros; returns the next byte."""
    if choice.n_bytes >= RAW_BYTES:
        payload[at] = RAW
        for i in range(BLOCK_BYTES):
            payload[at + 1 + i] = data[first + i]
        return at + RAW_BYTES
    _differences(data, first, choice.decoder, choice.base, differences)
    payload[at] = COMPRESSED | (choice.decoder << 2) | (choice.width << 5)
    next_at = at + 2
    if choice.is_dual:
        n_bits = 0
        for i in range(BLOCK_BYTES):
            n_bits += 8 if byte_at(differences, i) >> choice.width else choice.width
        payload[at + 1] = 1 | ((n_bits & 63) << 2)
        payload[at + 2] = n_bits >> 6
        next_at += 1
    if choice.decoder in (ADD, ZIGZAG_ADD):
        payload[next_at] = choice.base
        next_at += 1
    bitmap_at = next_at
    bit = 8 * (next_at + BITMAP_BYTES * int(choice.is_dual))
    for i in range(BLOCK_BYTES):
        width = choice.width
        if choice.is_dual and byte_at(differences, i) >> width:
            payload[bitmap_at + (i >> 3)] |= 1 << (i & 7)
            width = 8
        bit = _put(payload, bit, byte_at(differences, i), width)
    return (bit + 7) >> 3


@part
def _read_differences(
    payload: Bytes, at: int, end: int, bitmap_at: int, width: int, n_bits: int, differences: Bytes
) -> int:
    """Fill ``differences`` from byte ``at``; returns the next byte, -1 if they are broken.

    ``bitmap_at`` is -1 where all have one width; else they take ``n_bits``.
    """
    taken = BLOCK_BYTES * width
    if bitmap_at >= 0:
        n_wide = 0
        for i in range(BLOCK_BYTES):
            n_wide += (byte_at(payload, bitmap_at + (i >> 3)) >> (i & 7)) & 1
        taken += n_wide * (8 - width)
        if n_wide == 0 or taken != n_bits:
            return -1
    next_at = at + ((taken + 7) >> 3)
    if next_at > end:
        return -1
    bit, wrong = 8 * at, 0
    for i in range(BLOCK_BYTES):
        is_wide = bitmap_at >= 0 and (byte_at(payload, bitmap_at + (i >> 3)) >> (i & 7)) & 1 == 1
        difference = _get(payload, bit, 8 if is_wide else width)
        wrong |= int(is_wide and difference >> width == 0)
        bit += 8 if is_wide else width
        differences[i] = difference
    if wrong or _get(payload, bit, 8 * next_at - bit):
        return -1
    return next_at


@part
def _read_compressed(
    payload: Bytes, at: int, end: int, data: Bytes, start: int, first: int, differences: Bytes
) -> int:
    """Read a compressed block at byte ``at``; returns the next byte, -1 if it is broken."""
    if at + 2 > end:
        return -1
    fields = byte_at(payload, at) | (byte_at(payload, at + 1) << 8)
    decoder, width, dual = (fields >> 2) & 7, (fields >> 5) & 7, (fields >> 8) & 3
    is_dual, n_bits, next_at = dual == 1, fields >> 10, at + 2
    if dual > 1 or decoder > ZIGZAG_PREVIOUS or width < 2:
        return -1
    if decoder == ZIGZAG_PREVIOUS and first == start:
        return -1
    if not is_dual and (width < MIN_WIDTH or n_bits != 0):
        return -1
    has_base = decoder in (ADD, ZIGZAG_ADD)
    if at + 2 + int(has_base) + (1 + BITMAP_BYTES) * int(is_dual) > end:
        return -1
    if is_dual:
        n_bits |= byte_at(payload, next_at) << 6
        next_at += 1
    base = byte_at(payload, next_at) if has_base else 0
    next_at += int(has_base)
    bitmap_at = next_at if is_dual else -1
    next_at += BITMAP_BYTES * int(is_dual)
    next_at = _read_differences(payload, next_at, end, bitmap_at, width, n_bits, differences)
    is_folded = decoder != PLAIN and decoder != ADD
    for i in range(BLOCK_BYTES):
        difference = byte_at(differences, i)
        if is_folded:
            difference = (difference >> 1) ^ -(difference & 1)
        expected = byte_at(data, first - BLOCK_BYTES + i) if decoder == ZIGZAG_PREVIOUS else base
        data[first + i] = (difference + expected) & 255
    return next_at


@part
def read_stream(
    payload: Bytes, start: int, end: int, data: Bytes, first: int, last: int, differences: Bytes
) -> int:
    """Read the stream of bytes ``start`` to ``end`` into ``data[first:last]``.

    Returns how many bytes of data it has; -1 if no encoder writes it, or it has too many.
    """
    at, to = start, first
    is_open = True
    while at < end:
        kind = byte_at(payload, at) & 3
        if kind == END:
            n_bytes = (at + STREAM_BYTES - start) // STREAM_BYTES * STREAM_BYTES
            anything = 0
            for i in range(at, end):
                anything |= byte_at(payload, i)
            return to - first if anything == 0 and start + n_bytes == end else -1
        n_bytes = byte_at(payload, at) >> 2 if kind == LAST else BLOCK_BYTES
        if not is_open or to + n_bytes > last:
            return -1
        if kind == COMPRESSED:
            at = _read_compressed(payload, at, end, data, first, to, differences)
            if at < 0:
                return -1
        else:
            is_wrong = n_bytes == 0 if kind == LAST else payload[at] != RAW
            if is_wrong or at + 1 + n_bytes > end:
                return -1
            for i in range(n_bytes):
                data[to + i] = payload[at + 1 + i]
            at += 1 + n_bytes
        is_open = kind != LAST
        to += n_bytes
    return -1
