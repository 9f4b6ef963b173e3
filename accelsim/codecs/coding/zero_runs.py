"""The stream that says which values are zero: runs of zeros, and flags of the others.

"1" for a value that is not zero; for 1 to 16 zeros "0" and 4 bits of their number less one.
Longer runs are split at 16, and runs end with their block. The first stream of EBPC,
Cavigelli et al., JETCAS 9(4) 2019.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.bits import PADDING, get, put
from accelsim.codecs.words import Words
from accelsim.jit import kernel

LONGEST_RUN = 16
RUN_BITS = 5
CODES_AT_ONCE = 6
"""Codes of up to 5 bits that a field or a window of 32 bits holds."""


@kernel
def write_zeros(words: Words, first: int, last: int, payload: NDArray[np.uint8], at: int) -> int:
    """Write the stream of ``words[first:last]`` at bit ``at``; returns the next bit."""
    run = 0
    for some in range(first, last, CODES_AT_ONCE):
        field, width = 0, 0
        # No branches on zeros here either: a run is written at its last zero.
        for i in range(some, min(some + CODES_AT_ONCE, last)):
            is_zero = int(words[i] == 0)
            follows = int(i + 1 < last) & int(words[min(i + 1, last - 1)] == 0)
            run = (run + 1) * is_zero
            ends = is_zero & (1 - (follows & int(run < LONGEST_RUN)))
            added = (1 - is_zero) + RUN_BITS * ends
            field = (field << added) | ((1 - is_zero) + (run - 1) * ends)
            width += added
            run &= LONGEST_RUN - 1
        at = put(payload, at, field, width)
    return at


@kernel
def read_zeros(
    payload: NDArray[np.uint8], at: int, end: int, words: Words, first: int, last: int
) -> int:
    """Set words to 1 where they are not zero, else 0; returns the next bit, -1 if broken."""
    for i in range(first, last):
        words[i] = 0
    i, wrong, partial = first, 0, 0
    while i < last and wrong == 0:
        if at >= end:
            return -1
        window, left = get(payload, at, 32), 32
        for _ in range(CODES_AT_ONCE):
            if i >= last:
                break
            flag = (window >> (left - 1)) & 1
            run = (window >> (left - RUN_BITS)) & (LONGEST_RUN - 1)
            words[i] = flag
            # A run is as long as it can be: only a full one is followed by another.
            wrong |= partial & (1 - flag)
            partial = (1 - flag) & int(run < LONGEST_RUN - 1)
            i += 1 + run * (1 - flag)
            left -= RUN_BITS - (RUN_BITS - 1) * flag
        at += 32 - left
    return at if wrong == 0 and i == last and at <= end else -1


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    words, payload = np.ones(1, np.uint16), np.zeros(PADDING, np.uint8)
    write_zeros(words, 0, 1, payload, 0)
    read_zeros(payload, 0, 1, words, 0, 1)
