"""Lower bounds for an array: zeroth-order entropy, and an ideal Huffman code.

Both are totals over the array in bits, both come from one histogram, and neither counts a
table. The Huffman code is not limited in length, and costs at least 1 bit per value.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Values, Word
from accelsim.codecs.words import Words, to_words
from accelsim.jit import kernel


@kernel
def _count(words: Words, counts: NDArray[np.int64]) -> None:
    for i in range(len(words)):
        counts[words[i]] += 1


@kernel
def _merge_cost(weights: NDArray[np.int64]) -> int:
    """Sum of all inner nodes of the Huffman tree; ``weights`` rise, and are overwritten.

    Two queues: leaves not yet used, and inner nodes, which come out in rising order too.
    Inner node k takes the place of a leaf that is used by then.
    """
    n = len(weights)
    cost, leaf, inner = 0, 0, 0
    for made in range(n - 1):
        node = 0
        for _ in range(2):
            if inner < made and (leaf >= n or weights[inner] < weights[leaf]):
                node += weights[inner]
                inner += 1
            else:
                node += weights[leaf]
                leaf += 1
        weights[made] = node
        cost += node
    return cost


def histogram(values: Values, word: Word) -> NDArray[np.int64]:
    """[2^bits] number of occurrences of each pattern; negative values in two's complement.

    >>> histogram(np.array([0, 1, 1, -1]), Word(2, signed=True))
    array([1, 2, 0, 1])
    """
    counts = np.zeros(1 << word.bits, np.int64)
    _count(to_words(values, word), counts)
    return counts


def entropy_bits(counts: NDArray[np.int64]) -> float:
    """Total bits at the zeroth-order entropy (Shannon 1948) of these counts.

    >>> entropy_bits(np.array([2, 1, 1]))   # 1/2, 1/4, 1/4: 1.5 bits per value
    6.0
    """
    present = counts[counts > 0].astype(np.float64)
    total = present.sum()
    return float(max(0.0, -(present * np.log2(present / total)).sum())) if total else 0.0


def huffman_bits(counts: NDArray[np.int64]) -> int:
    """Total bits of an optimal prefix code (Huffman 1952) for these counts, without table.

    A single symbol takes 1 bit each time.

    >>> huffman_bits(np.array([5, 2, 1, 1]))   # lengths 1, 2, 3, 3
    15
    """
    present = np.sort(counts[counts > 0])
    return int(present[0]) if len(present) == 1 else int(_merge_cost(present))


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    huffman_bits(histogram(np.array([0, 1, 1, 2], np.uint8), Word(8)))
