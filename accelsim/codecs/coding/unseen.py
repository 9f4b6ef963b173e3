"""How tables provide for values that calibration never saw."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WIDEST_FULL_TABLE_BITS = 8
"""Up to this word width, each value that calibration never saw gets a code of its own."""


def with_unseen(counts: NDArray[np.int64], word_bits: int) -> NDArray[np.int64]:
    """The counts, and one more for an escape, such that every value can be coded.

    Words of up to 8 bits: each value gets one pseudo-count, and the escape none. Wider
    words, where so many pseudo-counts would drown the calibration: the escape stands for
    all values that did not occur. It counts as often as there are values that occurred
    exactly once, the Good-Turing estimate of the unseen.

    >>> with_unseen(np.array([5, 1, 1, 0]), word_bits=2)
    array([6, 2, 2, 1, 0])
    >>> with_unseen(np.array([5, 1, 1, 0]), word_bits=12)
    array([5, 1, 1, 0, 2])
    """
    if word_bits <= WIDEST_FULL_TABLE_BITS:
        return np.append(counts + 1, 0)
    n_escapes = max(1, int(np.count_nonzero(counts == 1))) if np.any(counts == 0) else 0
    return np.append(counts, n_escapes)
