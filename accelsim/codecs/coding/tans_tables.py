"""What tANS looks up: thresholds and next states to encode, places to decode.

The states M to 2 M - 1, M = 2^R, are dealt to the symbols in parts of their frequencies. The
kernels mask indices with 16 bits, the most that R can be: that tells the compiler that they
are not negative, and saves a test for each value.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Columns of the encoder's table.
THRESHOLD, NUMBERS, RAW_BITS = range(3)
N_COLUMNS = 4
THRESHOLD_SHIFT = 20


def spread(frequencies: NDArray[np.int64]) -> NDArray[np.int64]:
    """[2^R] symbol of each place; ``frequencies`` sum to 2^R.

    >>> spread(np.array([10, 22]))[:12]   # 0, 23, 14, 5, 28, 19, 10, 1, 24, 15 of 32 are 0's
    array([0, 0, 1, 1, 1, 0, 1, 1, 1, 1, 0, 1])
    """
    n_places = int(frequencies.sum())
    symbols = np.empty(n_places, np.int64)
    step = n_places * 5 // 8 + 3
    symbols[np.arange(n_places) * step % n_places] = np.repeat(
        np.arange(len(frequencies)), frequencies
    )
    return symbols


def encoder_table(
    symbols: NDArray[np.int64],
    of_symbols: NDArray[np.int64],
    escapes: NDArray[np.int64],
    frequencies: NDArray[np.int64],
    range_bits: int,
    word_bits: int,
) -> NDArray[np.int64]:
    """[2^W, N_COLUMNS] for each word: threshold, where its numbers lie in ``next_states``,
    and the bits of the word itself if it follows an escape.

    With b = R - floor(log2 f), a state of at least f << b gives b bits, and a smaller one
    b - 1: adding (b << 20) - (f << b) to the state leaves that above the low 20 bits.
    ``symbols``, their frequencies ``of_symbols`` and ``escapes`` are [2^W].
    """
    f = np.maximum(of_symbols, 1)
    widest = range_bits - _floor_log2(f)
    sums = np.cumsum(frequencies) - frequencies
    table = np.zeros((len(symbols), N_COLUMNS), np.int64)
    table[:, THRESHOLD] = (widest << THRESHOLD_SHIFT) - (f << widest)
    table[:, NUMBERS] = sums[symbols] - of_symbols
    table[:, RAW_BITS] = np.where(escapes > 0, word_bits, 0)
    return table


def next_states(frequencies: NDArray[np.int64]) -> NDArray[np.int32]:
    """[2^R] the state of each number, f to 2 f - 1, of each symbol in order."""
    places = np.argsort(spread(frequencies), kind="stable")
    return (len(places) + places).astype(np.int32)


def decoder_places(frequencies: NDArray[np.int64], range_bits: int) -> NDArray[np.int64]:
    """[2^R] of each place: symbol << 32, least place that follows << 8, bits to add to it."""
    n_places = 1 << range_bits
    if not frequencies.any():
        # Without symbols no place leads to place 0, where streams end.
        return np.full(n_places, 1 << 8)
    symbols = spread(frequencies)
    order = np.argsort(symbols, kind="stable")
    sums = np.cumsum(frequencies) - frequencies
    numbers = np.empty(n_places, np.int64)
    numbers[order] = np.arange(n_places) - (sums - frequencies)[symbols[order]]
    widths = range_bits - _floor_log2(numbers)
    return (symbols << 32) | ((numbers << widths) - n_places << 8) | widths


def _floor_log2(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.floor(np.log2(numbers)).astype(np.int64)
