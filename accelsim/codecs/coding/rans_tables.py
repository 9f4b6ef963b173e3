"""What rANS looks up: a row for each word to encode, a slot for each remainder to decode.

The encoder divides its state by the frequency of a symbol. It multiplies by a reciprocal
instead, which is exact and takes 3 cycles of a processor in place of 20 or more.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STATE_BITS = 32

# Columns of the encoder's table.
LIMIT, RECIPROCAL, BIAS, REST, START, ESCAPES = range(6)
N_COLUMNS = 8  # a cache line a row


def division_shift(range_bits: int) -> int:
    return STATE_BITS - 1 + range_bits


def reciprocals(
    frequencies: NDArray[np.int64], range_bits: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(multiplier, bias) such that floor(x / f) = (x multiplier + bias) >> (31 + R).

    Exact for each x that the division meets, x < f 2^(32 - R), and below 2^63 throughout.
    2^(31 + R) / f is rounded to the nearest, so the error e of multiplier * f is at most
    f / 2. Rounded up, the quotient exceeds x / f by x e / (f 2^(31 + R)) < 1 / f. Rounded
    down, x + 1 takes the place of x (the bias is the multiplier), and the quotient falls
    short of (x + 1) / f by at most 1 / f, and by more than nothing.
    """
    multipliers, biases = np.zeros_like(frequencies), np.zeros_like(frequencies)
    present = frequencies > 0
    f = frequencies[present]
    down, remainder = np.divmod(np.int64(1 << division_shift(range_bits)), f)
    is_down = (remainder > 0) & (2 * remainder <= f)
    multipliers[present] = down + ((remainder > 0) & ~is_down)
    biases[present] = np.where(is_down, down, 0)
    return multipliers, biases


def encoder_table(
    symbols: NDArray[np.int64],
    of_symbols: NDArray[np.int64],
    escapes: NDArray[np.int64],
    frequencies: NDArray[np.int64],
    range_bits: int,
) -> NDArray[np.int64]:
    """[2^W, N_COLUMNS] for each word: from which state on 16 bits move out, how to divide by
    its frequency, M less the frequency, the sum of those before, and words that follow it.

    ``symbols``, their frequencies ``of_symbols`` and ``escapes`` are [2^W].
    """
    starts = np.cumsum(frequencies) - frequencies
    table = np.zeros((len(symbols), N_COLUMNS), np.int64)
    table[:, LIMIT] = of_symbols << (STATE_BITS - range_bits)
    table[:, RECIPROCAL], table[:, BIAS] = reciprocals(of_symbols, range_bits)
    table[:, REST] = (1 << range_bits) - of_symbols
    table[:, START] = starts[symbols]
    table[:, ESCAPES] = escapes
    return table


def decoder_slots(frequencies: NDArray[np.int64], range_bits: int) -> NDArray[np.int64]:
    """[2^R] of each slot: f, its place among the f slots, and the symbol, 20 bits each."""
    slots = np.zeros(1 << range_bits, np.int64)
    symbols = np.repeat(np.arange(len(frequencies)), frequencies)
    places = np.arange(len(symbols)) - (np.cumsum(frequencies) - frequencies)[symbols]
    slots[: len(symbols)] = (frequencies[symbols] << 40) | (places << 20) | symbols
    return slots
