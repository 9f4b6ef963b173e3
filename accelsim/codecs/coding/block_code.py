"""Optimal prefix codes inside kernels, for formats that build a new one for each block.

The lengths are those of ``accelsim.codecs.coding.huffman_code.code_lengths`` (tested):
package-merge, Larmore and Hirschberg, J. ACM 37(3), 1990, and the same order among equal counts.
Everything works on arrays that the caller allocates once, see ``Scratch``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.code_limits import LONG_LIMIT
from accelsim.codecs.words import Words
from accelsim.jit import kernel


class Scratch(NamedTuple):
    """What ``build_lengths`` works on; its arguments in this order."""

    counts: NDArray[np.int64]  # [2^W] how often each word occurs; zero before the first block
    lengths: NDArray[np.int64]  # [2^W] bits of each word's code, where its count is not zero
    keys: NDArray[np.int64]  # [2^W] count and word in one integer, to be sorted
    packages: NDArray[np.int64]  # [2, 2^W] weights of packages on one level and on the next
    is_leaf: NDArray[np.uint8]  # [LONG_LIMIT, 2^(W + 1)] kind of each item of each level

    @staticmethod
    def for_words(word_bits: int) -> Scratch:
        """Room for all words of ``word_bits``."""
        n = 1 << word_bits
        return Scratch(
            np.zeros(n, np.int64),
            np.empty(n, np.int64),
            np.empty(n, np.int64),
            np.empty((2, n), np.int64),
            np.empty((LONG_LIMIT, 2 * n), np.uint8),
        )


@kernel
def longest_allowed(n_symbols: int) -> int:
    """The limit of code lengths: 12 bits, and 16 above 4096 symbols."""
    return 12 if n_symbols <= 4096 else 16


@kernel
def sort_keys(keys: NDArray[np.int64], n: int) -> None:
    """Sort ``keys[:n]`` in place (heapsort, Williams 1964)."""
    for built in range(n // 2 + n - 1):
        # First the heap is built from its last parent on; then its largest leaves it.
        root, size = n // 2 - 1 - built, n
        if root < 0:
            root, size = 0, n - 1 - (built - n // 2)
            keys[0], keys[size] = keys[size], keys[0]
        key = keys[root]
        child = 2 * root + 1
        while child < size:
            child += int(child + 1 < size and keys[child + 1] > keys[child])
            if keys[child] <= key:
                break
            keys[root] = keys[child]
            root = child
            child = 2 * root + 1
        keys[root] = key


@kernel
def build_lengths(
    words: Words,
    first: int,
    last: int,
    counts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    keys: NDArray[np.int64],
    packages: NDArray[np.int64],
    is_leaf: NDArray[np.uint8],
) -> int:
    """Fill ``counts`` and ``lengths`` for ``words[first:last]``; returns the highest word.

    A lone symbol gets 0 bits. ``clear_counts`` makes room for the next block.
    """
    highest = 0
    for i in range(first, last):
        counts[words[i]] += 1
        highest = max(highest, int(words[i]))
    n = 0
    for symbol in range(highest + 1):
        if counts[symbol] != 0:
            keys[n] = (counts[symbol] << 16) | (65535 - symbol)
            lengths[symbol] = 0
            n += 1
    if n < 2:
        return highest
    sort_keys(keys, n)
    levels = min(longest_allowed(n), n - 1)
    n_packages = 0
    for level in range(levels):
        # Merge leaves with the packages of the level below; pairs are the next packages.
        below = level & 1
        leaf, package, pair = 0, 0, 0
        for item in range(n + n_packages):
            weight = keys[leaf] >> 16 if leaf < n else 0
            takes_leaf = leaf < n and (package == n_packages or weight <= packages[below, package])
            is_leaf[level, item] = takes_leaf
            if takes_leaf:
                leaf += 1
            else:
                weight = packages[below, package]
                package += 1
            if item & 1:
                packages[1 - below, item >> 1] = pair + weight
            pair = weight
        n_packages = (n + n_packages) >> 1
    n_taken = 2 * n - 2
    for level in range(levels - 1, -1, -1):
        n_leaves = 0
        for item in range(n_taken):
            n_leaves += int(is_leaf[level, item])
        for leaf in range(n_leaves):
            lengths[65535 - (keys[leaf] & 65535)] += 1
        n_taken = 2 * (n_taken - n_leaves)
    return highest


@kernel
def clear_counts(counts: NDArray[np.int64], highest: int) -> None:
    """Forget the block whose highest word is ``highest``."""
    for symbol in range(highest + 1):
        counts[symbol] = 0


@kernel
def first_codes(
    counts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    highest: int,
    codes: NDArray[np.int64],
    next_codes: NDArray[np.int64],
) -> None:
    """Fill ``codes`` [2^W] in canonical order; ``next_codes`` [18] is room for one per length."""
    for length in range(len(next_codes)):
        next_codes[length] = 0
    for symbol in range(highest + 1):
        if counts[symbol] != 0:
            next_codes[lengths[symbol] + 1] += 1
    # From the number of shorter codes to the first code of each length.
    next_codes[1] = 0
    for length in range(1, len(next_codes) - 1):
        next_codes[length + 1] = (next_codes[length] + next_codes[length + 1]) << 1
    for symbol in range(highest + 1):
        if counts[symbol] != 0:
            codes[symbol] = next_codes[lengths[symbol]]
            next_codes[lengths[symbol]] += 1


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    scratch = Scratch.for_words(8)
    highest = build_lengths(np.arange(3).astype(np.uint16), 0, 3, *scratch)
    codes, next_codes = np.empty(256, np.int64), np.empty(18, np.int64)
    first_codes(scratch.counts, scratch.lengths, highest, codes, next_codes)
    clear_counts(scratch.counts, highest)
