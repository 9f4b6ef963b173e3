"""The table in front of a block that has a prefix code of its own.

Bit layout: the number of different symbols less one, in as many bits as min(n, 2^W) - 1
has, n being the number of values. Then for each symbol, rising: the number of words skipped
since the last one, as Exp-Golomb code of order 0; and, unless there is only one symbol, the
change of the code length since the last symbol (1 before the first), zigzagged, as the same
code. Exp-Golomb of order 0 writes v as v + 1 in binary, after one zero less than that has
bits: 1, 010, 011, 00100, ...

A lone symbol has no length: its codes have no bits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.bits import PADDING, get, put
from accelsim.codecs.coding.block_code import longest_allowed
from accelsim.jit import kernel

LONGEST_NUMBER_BITS = 33
"""Bits of the Exp-Golomb code of 65535, the longest in a table."""


@kernel
def _bit_length(value: int) -> int:
    length = 0
    while value >> length:
        length += 1
    return length


@kernel
def _count_bits(n_values: int, word_bits: int) -> int:
    """Bits of the number of symbols of a block."""
    return _bit_length(min(n_values, 1 << word_bits) - 1)


@kernel
def _zigzag(change: int) -> int:
    return 2 * change if change >= 0 else -2 * change - 1


@kernel
def _put_number(payload: NDArray[np.uint8], at: int, number: int) -> int:
    """Write an Exp-Golomb code of order 0; returns the next bit."""
    length = _bit_length(number + 1)
    at = put(payload, at, 0, length - 1)
    return put(payload, at, number + 1, length)


@kernel
def _number_bits(payload: NDArray[np.uint8], at: int) -> int:
    """Bits of the Exp-Golomb code at bit ``at``; 65 if none starts there."""
    return 2 * (32 - _bit_length(get(payload, at, 32))) + 1


@kernel
def header_bits(
    n_values: int,
    word_bits: int,
    counts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    highest: int,
) -> int:
    """Bits of the table of a block of ``n_values``."""
    total = _count_bits(n_values, word_bits)
    n_symbols, expected, length = 0, 0, 1
    for symbol in range(highest + 1):
        if counts[symbol] != 0:
            total += 2 * _bit_length(symbol - expected + 1) - 1
            total += 2 * _bit_length(_zigzag(lengths[symbol] - length) + 1) - 1
            expected, length = symbol + 1, lengths[symbol]
            n_symbols += 1
    # A lone symbol has no length field: take back the 3 bits of its change from 1 to 0.
    return total if n_symbols > 1 else total - 3


@kernel
def put_header(
    payload: NDArray[np.uint8],
    at: int,
    n_values: int,
    word_bits: int,
    counts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    highest: int,
) -> int:
    """Write the table of a block of ``n_values``; returns the next bit."""
    n_symbols = 0
    for symbol in range(highest + 1):
        n_symbols += counts[symbol] != 0
    at = put(payload, at, n_symbols - 1, _count_bits(n_values, word_bits))
    expected, length = 0, 1
    for symbol in range(highest + 1):
        if counts[symbol] != 0:
            at = _put_number(payload, at, symbol - expected)
            if n_symbols > 1:
                at = _put_number(payload, at, _zigzag(lengths[symbol] - length))
            expected, length = symbol + 1, lengths[symbol]
    return at


@kernel
def read_header(
    payload: NDArray[np.uint8],
    at: int,
    end: int,
    n_values: int,
    word_bits: int,
    symbols: NDArray[np.int64],
    lengths: NDArray[np.int64],
    n_of_length: NDArray[np.int64],
) -> int:
    """Read the symbols, their lengths, and how many have each; next bit, or -1 if broken."""
    count_bits = _count_bits(n_values, word_bits)
    n_symbols = 1 + get(payload, at, count_bits)
    at += count_bits
    if n_symbols > n_values:
        return -1
    n_fields, limit = min(n_symbols, 2), longest_allowed(n_symbols)
    for length in range(len(n_of_length)):
        n_of_length[length] = 0
    # A lone symbol has no length field: its codes have no bits.
    symbol, length = -1, n_fields - 1
    for i in range(n_symbols):
        for field in range(n_fields):
            if at > end:
                return -1
            width = _number_bits(payload, at)
            if width > LONGEST_NUMBER_BITS:
                return -1
            number = get(payload, at + width // 2, width // 2 + 1) - 1
            at += width
            if field == 0:
                symbol += 1 + number
            else:
                length += (number >> 1) ^ -(number & 1)
        if symbol >> word_bits != 0 or length < n_fields - 1 or length > limit:
            return -1
        symbols[i], lengths[i] = symbol, length
        n_of_length[length] += 1
    return at if at <= end else -1


@kernel
def fill_table(
    symbols: NDArray[np.int64],
    lengths: NDArray[np.int64],
    n_of_length: NDArray[np.int64],
    table: NDArray[np.int64],
) -> int:
    """``symbol * 32 + length`` for each window of the longest code's bits, which is returned.

    -1 if the lengths are those of no optimal code. ``n_of_length`` is overwritten.
    """
    n_symbols, longest = 0, 0
    for length in range(len(n_of_length)):
        n_symbols += n_of_length[length]
        if n_of_length[length] != 0:
            longest = length
    window = 0
    for length in range(longest + 1):
        first = window
        window += n_of_length[length] << (longest - length)
        n_of_length[length] = first
    if window != 1 << longest:
        return -1
    for i in range(n_symbols):
        span = 1 << (longest - lengths[i])
        first = n_of_length[lengths[i]]
        for at in range(first, first + span):
            table[at] = symbols[i] * 32 + lengths[i]
        n_of_length[lengths[i]] += span
    return longest


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    payload = np.zeros(PADDING, np.uint8)
    counts, lengths = np.ones(2, np.int64), np.ones(2, np.int64)
    header_bits(2, 8, counts, lengths, 1)
    put_header(payload, 0, 2, 8, counts, lengths, 1)
    n_of_length = np.empty(17, np.int64)
    read_header(payload, 0, 64, 2, 8, counts, lengths, n_of_length)
    fill_table(counts, lengths, n_of_length, np.empty(2, np.int64))
