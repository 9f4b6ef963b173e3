"""How APack's table is found: ranges of values that are cheapest to code, and their shares.

A value costs the code of its range, -log2 of the range's share, and the offset in it,
ceil(log2(size)) bits. The published search moves the limits of ranges by trial; here
dynamic programming over a set of possible limits finds the best of all tables with limits
from that set. Words of up to 8 bits may have a limit anywhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST_LIMITS = 256
"""Possible limits of ranges: all 2^W of narrow words, a selection of wider ones."""


def best_ranges(counts: NDArray[np.int64], n_ranges: int) -> NDArray[np.int64]:
    """First values of up to ``n_ranges`` ranges that cover all values, rising from 0.

    >>> best_ranges(np.array([9, 0, 0, 0, 3, 3, 3, 3]), 16)   # 0 | unused | 4 to 7, equal
    array([0, 1, 4])
    """
    limits = possible_limits(counts)
    # cost[i, j]: bits of the values from limit i to limit j as one range.
    below = np.append(0, np.cumsum(counts))[limits]
    inside = np.maximum(below[None, :] - below[:, None], 0).astype(np.float64)
    sizes = np.maximum(limits[None, :] - limits[:, None], 1)
    shares = np.where(inside > 0, inside, 1.0) / max(1, int(below[-1]))
    cost = inside * (np.ceil(np.log2(sizes)) - np.log2(shares))
    cost[np.tril_indices(len(limits))] = np.inf
    best, previous = cost[0], np.zeros((n_ranges, len(limits)), np.int64)
    for n in range(1, n_ranges):
        candidates = best[:, None] + cost
        previous[n] = candidates.argmin(axis=0)
        extended = candidates.min(axis=0)
        # No gain: an unused range would only take up a row.
        previous[n, extended >= best] = -1
        best = np.minimum(best, extended)
    firsts, end = [], len(limits) - 1
    for n in range(n_ranges - 1, -1, -1):
        if previous[n, end] >= 0 and end > 0:
            end = int(previous[n, end])
            firsts.append(limits[end])
    return np.array(firsts[::-1], np.int64)


def possible_limits(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """[at most MOST_LIMITS + 1] rising, from 0 to the number of words.

    Of wide words: where equal shares of the values end, the powers of two, and the borders
    of what occurs.
    """
    n_words = len(counts)
    if n_words <= MOST_LIMITS:
        return np.arange(n_words + 1)
    present = np.flatnonzero(counts)
    borders = present[[0, -1]] + [0, 1] if len(present) else np.zeros(0, np.int64)
    powers = 1 << np.arange(n_words.bit_length())
    fixed = np.unique(np.concatenate([[0, n_words, 1], borders, powers, n_words - powers[:-1]]))
    share = np.append(0, np.cumsum(counts)) / max(1, int(counts.sum()))
    steps = np.linspace(0, 1, MOST_LIMITS - len(fixed))
    cuts = np.minimum(np.searchsorted(share, steps), n_words)
    return np.unique(np.concatenate([fixed, cuts]))


def integer_shares(counts: NDArray[np.int64], total: int, every_range: bool) -> NDArray[np.int64]:
    """Shares of ``total`` for each range, at least 1 where it is used (or ``every_range``).

    No other shares give fewer bits, sum(counts * -log2(share)).

    >>> integer_shares(np.array([6, 2, 0]), 16, every_range=False)
    array([12,  4,  0])
    >>> integer_shares(np.array([6, 2, 0]), 16, every_range=True)
    array([11,  4,  1])
    """
    weights = counts.astype(np.float64)
    shares = ((counts > 0) | every_range).astype(np.int64)
    usable = shares > 0
    if not usable.any():
        return shares
    # Each unit goes where it saves most, which is optimal: every next one saves less.
    for _ in range(total - int(shares.sum())):
        gain = np.where(usable, weights * np.log2(1 + 1 / np.maximum(shares, 1)), -1.0)
        shares[gain.argmax()] += 1
    return shares
