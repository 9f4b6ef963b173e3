"""Optimal prefix codes of limited length, in canonical order.

Lengths: package-merge, Larmore and Hirschberg, "A fast algorithm for optimal
length-limited Huffman codes", J. ACM 37(3), 1990. Order: canonical, Schwartz and Kallick,
"Generating a canonical prefix encoding", CACM 7(3), 1964.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.errors import CodecError


def code_lengths(counts: NDArray[np.int64], limit: int) -> NDArray[np.uint8]:
    """[n_symbols] bits of each symbol's code, 0 where a symbol does not occur.

    No prefix code with lengths up to ``limit`` codes these counts in fewer bits. Among
    symbols of equal count, later ones get the longer codes. A lone symbol gets 1 bit.
    Raises ``CodecError`` when more than 2^``limit`` symbols occur.

    >>> code_lengths(np.array([8, 4, 2, 1, 0]), limit=12)
    array([1, 2, 3, 3, 0], dtype=uint8)
    >>> code_lengths(np.array([8, 4, 2, 1, 0]), limit=2)
    array([2, 2, 2, 2, 0], dtype=uint8)
    """
    lengths = np.zeros(len(counts), np.uint8)
    symbols = np.flatnonzero(counts)
    n = len(symbols)
    if n > 1 << limit:
        raise CodecError(
            f"huffman: {n} symbols occur, but codes of at most {limit} bits tell only "
            f"{1 << limit} apart; quantise to fewer levels or use another codec"
        )
    if n <= 1:
        lengths[symbols] = 1
        return lengths
    rising = np.lexsort((-symbols, counts[symbols]))
    lengths[symbols[rising]] = _package_merge(counts[symbols][rising], limit)
    return lengths


def _package_merge(weights: NDArray[np.int64], limit: int) -> NDArray[np.uint8]:
    """Code lengths of two or more rising ``weights``.

    Each level merges the leaves with the pairs (packages) of the level below. Of the top
    level the 2 n - 2 lightest items are taken; a taken package takes its two items of the
    level below, which are again its lightest. A leaf's length is how often it is taken.
    """
    n = len(weights)
    leaves_among_first = []
    packages = np.empty(0, np.int64)
    for _ in range(limit):
        items = np.concatenate([weights, packages])
        order = np.argsort(items, kind="stable")
        leaves_among_first.append(np.concatenate([[0], np.cumsum(order < n)]))
        paired = items[order][: len(items) // 2 * 2]
        packages = paired[0::2] + paired[1::2]
    lengths = np.zeros(n, np.uint8)
    n_taken = 2 * n - 2
    for leaves in reversed(leaves_among_first):
        n_leaves = leaves[n_taken]
        lengths[:n_leaves] += 1
        n_taken = 2 * (n_taken - n_leaves)
    return lengths


def canonical_codes(lengths: NDArray[np.uint8]) -> NDArray[np.int64]:
    """[n_symbols] codes, counting upwards in the order (length, symbol); 0 without a code.

    >>> [f"{c:03b}" for c in canonical_codes(np.array([1, 3, 2, 3], np.uint8))]
    ['000', '110', '010', '111']
    """
    order, spans, longest = _in_code_order(lengths)
    first_windows = np.cumsum(spans) - spans
    codes = np.zeros(len(lengths), np.int64)
    codes[order] = first_windows >> (longest - lengths[order].astype(np.int64))
    return codes


def decoding_table(lengths: NDArray[np.uint8]) -> tuple[NDArray[np.int64], int]:
    """For each window of the longest code's bits, ``symbol * 32 + length`` of its first code.

    Returns (table [2^longest], longest). 0 where no code starts so.

    >>> decoding_table(np.array([1, 2, 2], np.uint8))   # 0, 10, 11
    (array([ 1,  1, 34, 66]), 2)
    """
    order, spans, longest = _in_code_order(lengths)
    table = np.zeros(1 << longest, np.int64)
    entries = np.repeat(order * 32 + lengths[order], spans)
    table[: len(entries)] = entries
    return table, longest


def _in_code_order(
    lengths: NDArray[np.uint8],
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Symbols by (length, symbol), the windows that each one's code covers, the longest."""
    symbols = np.flatnonzero(lengths)
    order = symbols[np.argsort(lengths[symbols], kind="stable")]
    longest = int(lengths.max(initial=0))
    return order, np.left_shift(1, longest - lengths[order].astype(np.int64)), longest
