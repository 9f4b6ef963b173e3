"""The coder of APack: arithmetic codes of ranges, and verbatim offsets behind them.

The layout of a block is in ``accelsim.codecs.formats.apack``. Registers have 16 bits, shares
are parts of 1024. LOW and HIGH are renormalised at once for all bits of a value: first the
bits that both share, then those after the first that are 1 in LOW and 0 in HIGH. No third
step is needed, for then LOW starts with 0 and HIGH with 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.bits import PADDING, get, put
from accelsim.codecs.words import Words
from accelsim.jit import kernel


class RangeTable(NamedTuple):
    """The rows, spread out for kernels; its arguments in this order."""

    first_words: NDArray[np.int64]  # [16]
    n_words: NDArray[np.int64]  # [16]
    offset_bits: NDArray[np.int64]  # [16]
    shares: NDArray[np.int64]  # [17] cumulative: row r from shares[r] to shares[r + 1]
    row_of_word: NDArray[np.uint8]  # [2^W]
    row_of_share: NDArray[np.uint8]  # [1024]
    lengths: NDArray[np.uint8]  # [4096] bits of 0, 1, ...: finds the first 1 of a number


@kernel
def _agreeing(low: int, high: int, lengths: NDArray[np.uint8]) -> int:
    """First bits that LOW and HIGH share: 0 to 12, as they differ by 15 or more."""
    return 12 - int(lengths[(low ^ high) >> 4])


@kernel
def _straddling(low: int, high: int, lengths: NDArray[np.uint8]) -> int:
    """Bits after the first that are 1 in LOW and 0 in HIGH: 0 to 12."""
    return 12 - int(lengths[(~((low & ~high) << 1) & 0xFFFF) >> 4])


@kernel
def _shifted_high(high: int, n_bits: int) -> int:
    """HIGH without its first bits, ones behind."""
    return (((high + 1) << n_bits) - 1) & 0xFFFF


@kernel
def length_field_bits(n_values: int) -> int:
    """Bits of the field with the length of the code stream.

    A value takes at most log2(17407 / 16) < 10.1 bits: R > 2^14, and the least share leaves
    floor(R / 1024) of it.
    """
    longest, length = n_values * 101 // 10 + 2, 0
    while longest >> length:
        length += 1
    return length if n_values else 0


@kernel
def _get_before(payload: NDArray[np.uint8], at: int, width: int, end: int) -> int:
    """The field at bit ``at``, with zeros in place of the bits from ``end`` on."""
    n_bits = max(0, min(width, end - at))
    return get(payload, min(at, end), n_bits) << (width - n_bits)


@kernel
def size_coded(
    words: Words,
    offsets: NDArray[np.int64],
    bits: NDArray[np.int64],
    first_words: NDArray[np.int64],
    n_words: NDArray[np.int64],
    offset_bits: NDArray[np.int64],
    shares: NDArray[np.int64],
    row_of_word: NDArray[np.uint8],
    row_of_share: NDArray[np.uint8],
    lengths: NDArray[np.uint8],
) -> bool:
    """Returns whether every word has a code; if not, there are no sizes."""
    for i in range(len(words)):
        row = row_of_word[words[i]]
        if shares[row] == shares[row + 1]:
            return False
    for block in range(len(bits)):
        low, high = 0, 0xFFFF
        n_values = offsets[block + 1] - offsets[block]
        total = length_field_bits(n_values) + int(n_values != 0)
        for i in range(offsets[block], offsets[block + 1]):
            row = row_of_word[words[i]]
            span = high - low + 1
            high = low + ((span * shares[row + 1]) >> 10) - 1
            low = low + ((span * shares[row]) >> 10)
            shift = _agreeing(low, high, lengths)
            low, high = (low << shift) & 0xFFFF, _shifted_high(high, shift)
            drop = _straddling(low, high, lengths)
            low, high = (low << drop) & 0x7FFF, _shifted_high(high, drop) | 0x8000
            total += shift + drop + offset_bits[row]
        bits[block] = total
    return True


@kernel
def _put_agreed(payload: NDArray[np.uint8], at: int, low: int, n_bits: int, n_pending: int) -> int:
    """Write the first bit of ``low``, the pending inverse ones, the others of ``n_bits``."""
    bit = low >> 15
    others = (low & 0x7FFF) >> (16 - n_bits)
    if n_pending <= 16:
        # 1 0...0 or 0 1...1, so that all is one field.
        turned = (1 << n_pending) - 1 + bit
        return put(payload, at, (turned << (n_bits - 1)) | others, n_pending + n_bits)
    at = put(payload, at, bit, 1)
    for first in range(0, n_pending, 16):
        at = put(payload, at, bit - 1, min(16, n_pending - first))
    return put(payload, at, others, n_bits - 1)


@kernel
def write_coded(
    words: Words,
    offsets: NDArray[np.int64],
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
    first_words: NDArray[np.int64],
    n_words: NDArray[np.int64],
    offset_bits: NDArray[np.int64],
    shares: NDArray[np.int64],
    row_of_word: NDArray[np.uint8],
    row_of_share: NDArray[np.uint8],
    lengths: NDArray[np.uint8],
) -> None:
    for block in range(len(starts) - 1):
        at, first, last = starts[block], offsets[block], offsets[block + 1]
        if first == last:
            continue
        length_bits = length_field_bits(last - first)
        length = starts[block + 1] - at - length_bits
        for i in range(first, last):
            length -= offset_bits[row_of_word[words[i]]]
        at = put(payload, at, length, length_bits)
        low, high, n_pending = 0, 0xFFFF, 0
        for i in range(first, last):
            row = row_of_word[words[i]]
            span = high - low + 1
            high = low + ((span * shares[row + 1]) >> 10) - 1
            low = low + ((span * shares[row]) >> 10)
            shift = _agreeing(low, high, lengths)
            if shift > 0:
                at = _put_agreed(payload, at, low, shift, n_pending)
                n_pending = 0
            low, high = (low << shift) & 0xFFFF, _shifted_high(high, shift)
            drop = _straddling(low, high, lengths)
            low, high = (low << drop) & 0x7FFF, _shifted_high(high, drop) | 0x8000
            n_pending += drop
        # The pending zeros behind the closing 1 are there already.
        at = put(payload, at, 1, 1) + n_pending
        for i in range(first, last):
            row = row_of_word[words[i]]
            at = put(payload, at, int(words[i]) - first_words[row], offset_bits[row])


@kernel
def read_coded(
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
    words: Words,
    offsets: NDArray[np.int64],
    first_words: NDArray[np.int64],
    n_words: NDArray[np.int64],
    offset_bits: NDArray[np.int64],
    shares: NDArray[np.int64],
    row_of_word: NDArray[np.uint8],
    row_of_share: NDArray[np.uint8],
    lengths: NDArray[np.uint8],
) -> int:
    for block in range(len(starts) - 1):
        end, first, last = starts[block + 1], offsets[block], offsets[block + 1]
        length_bits = length_field_bits(last - first)
        at = starts[block] + length_bits
        if at > end or (first < last and shares[len(shares) - 1] == 0):
            return block
        code_end = at + get(payload, starts[block], length_bits)
        offset_at = code_end
        if code_end > end:
            return block
        code = _get_before(payload, at, 16, code_end)
        at += 16
        low, high = 0, 0xFFFF
        for i in range(first, last):
            span = high - low + 1
            row = row_of_share[((code - low + 1) * 1024 - 1) // span]
            word = get(payload, offset_at, offset_bits[row])
            offset_at += offset_bits[row]
            if word >= n_words[row] or offset_at > end:
                return block
            words[i] = first_words[row] + word
            high = low + ((span * shares[row + 1]) >> 10) - 1
            low = low + ((span * shares[row]) >> 10)
            shift = _agreeing(low, high, lengths)
            low, high = (low << shift) & 0xFFFF, _shifted_high(high, shift)
            drop = _straddling(low, high, lengths)
            low, high = (low << drop) & 0x7FFF, _shifted_high(high, drop) | 0x8000
            # The first bit of the code stays while the bits behind it are dropped.
            next_bits = _get_before(payload, at, shift + drop, code_end)
            window = (code << (shift + drop)) | next_bits
            code = (((window >> (15 + drop)) & 1) << 15) | (window & 0x7FFF)
            at += shift + drop
        # All that is left of the code stream is its closing 1 and zeros.
        if first < last and (code != 0x8000 or at - 15 != code_end):
            return block
        if offset_at != end:
            return block
    return -1


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    one = np.ones(1, np.int64)
    shares, zeros, lengths = np.array([0, 1024]), np.zeros(1024, np.uint8), np.ones(4096, np.uint8)
    table = RangeTable(one - 1, one, one - 1, shares, zeros[:1].copy(), zeros, lengths)
    words, offsets, bits = np.zeros(1, np.uint16), np.array([0, 1]), np.empty(1, np.int64)
    size_coded(words, offsets, bits, *table)
    payload, starts = np.zeros(1 + PADDING, np.uint8), np.append(0, bits)
    write_coded(words, offsets, payload, starts, *table)
    read_coded(payload, starts, words, offsets, *table)
