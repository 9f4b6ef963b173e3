"""Signed words so folded that small magnitudes are small patterns: 0, -1, 1, -2, ...

The pattern of r is 2 r for r >= 0 and -2 r - 1 for r < 0. It has as many bits as the word
and maps zero to zero, so masks and zero runs keep their meaning.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Word
from accelsim.codecs.words import Words
from accelsim.jit import kernel


@kernel
def _fold(words: Words, word_bits: int, folded: NDArray[np.uint16]) -> None:
    mask = (1 << word_bits) - 1
    for i in range(len(words)):
        word = int(words[i])
        folded[i] = ((word << 1) & mask) ^ (-(word >> (word_bits - 1)) & mask)


@kernel
def _unfold(words: Words, word_bits: int) -> None:
    mask = (1 << word_bits) - 1
    for i in range(len(words)):
        word = int(words[i])
        words[i] = (word >> 1) ^ (-(word & 1) & mask)


def fold(words: Words, word: Word) -> Words:
    """Patterns for coding: zigzagged if the word has a sign, else ``words`` itself.

    >>> fold(np.array([0, 15, 1, 14, 8], np.uint16), Word(4, signed=True))   # 0 -1 1 -2 -8
    array([ 0,  1,  2,  3, 15], dtype=uint16)
    """
    if not word.signed:
        return words
    folded = np.empty_like(words)
    _fold(words, word.bits, folded)
    return folded


def unfold(words: Words, word: Word) -> None:
    """Turn what ``fold`` returned back into two's complement, in place.

    >>> words = np.array([0, 1, 2, 3, 15], np.uint16)
    >>> unfold(words, Word(4, signed=True))
    >>> words
    array([ 0, 15,  1, 14,  8], dtype=uint16)
    """
    if word.signed:
        _unfold(words, word.bits)


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    word = Word(8, signed=True)
    unfold(fold(np.ones(1, np.uint16), word), word)
