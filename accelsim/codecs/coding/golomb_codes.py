"""Golomb codes: a run names a bucket of values, a suffix the value in it.

Rice codes (Rice and Plaunt, IEEE Trans. Communications 1971) have buckets of 2^k values,
exponential Golomb codes (Teuhola, Inf. Proc. Letters 1978) of 2^k, 2^(k+1), 2^(k+2), ...
values. The code of index z, most significant bit first:

  Rice       z >> k ones, a zero; then k bits, z mod 2^k
  Exp-Golomb L zeros, a one; then L + k bits, z - (2^L - 1) 2^k; L = floor(log2((z >> k) + 1))

A format says which index each word has.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Word
from accelsim.codecs.bits import MAX_FIELD_BITS
from accelsim.codecs.words import from_words

WINDOW_BITS = 12
"""Codes up to this length are decoded by one look-up; the table stays in the first cache."""

LENGTH_FIELD_BITS = 5
"""Of an entry of that table: the length of the code; the word lies above it."""


class PrefixCode(NamedTuple):
    """The codes of all words, as the kernels use them."""

    widths: NDArray[np.int64]  # [2^W] length of each word's code
    tails: NDArray[np.int64]  # [2^W] the last bits of it, at most 32; before them only the run
    short: NDArray[np.int64]  # [2^WINDOW_BITS] word and length of the code that starts so, or 0
    words: NDArray[np.int64]  # [n_indices] the word that has each index, or -1
    k: int
    growth: int  # bits by which the suffix grows with the run: 0 Rice, 1 Exp-Golomb
    run_bit: int  # what runs consist of: 1 Rice, 0 Exp-Golomb
    flag_bits: int  # bits before the run of a long code


def indices_of(word: Word) -> NDArray[np.int64]:
    """[2^W] the index of each pattern: the value itself, or zigzag where it has a sign.

    >>> indices_of(Word(2, signed=True))   # 0, 1, -2, -1
    array([0, 2, 3, 1])
    """
    values = values_of(word)
    return np.where(values >= 0, values << int(word.signed), -2 * values - 1)


def values_of(word: Word) -> NDArray[np.int64]:
    """[2^W] the value of each pattern."""
    return from_words(np.arange(1 << word.bits).astype(np.uint16), word).astype(np.int64)


def rice_code(indices: NDArray[np.int64], k: int) -> PrefixCode:
    """The Rice codes of words with these indices.

    >>> rice_code(np.arange(4), k=1).widths
    array([2, 2, 3, 3])
    """
    runs = indices >> k
    # Any 32 of the ones do: what a tail lacks is run.
    ones = (1 << np.minimum(runs, MAX_FIELD_BITS)) - 1
    tails = (ones << (1 + k)) | (indices & ((1 << k) - 1))
    return _prefix_code(indices, runs + 1 + k, tails, k, growth=0, run_bit=1, flag_bits=0)


def exp_golomb_code(indices: NDArray[np.int64], k: int, flagged: bool = False) -> PrefixCode:
    """The Exp-Golomb codes of words with these indices.

    ``flagged`` puts a 1 before each code; words of index -1 then have the code 0.

    >>> exp_golomb_code(np.arange(9), k=0).widths
    array([1, 3, 3, 5, 5, 5, 5, 7, 7])
    """
    runs = np.frexp((np.maximum(indices, 0) >> k) + 1)[1].astype(np.int64) - 1
    widths = flagged + 2 * runs + 1 + k
    tails = indices + (1 << k)  # - (2^L - 1) 2^k for the bucket, + 2^(L + k) for the one before
    if flagged:
        tails = np.where(indices < 0, 0, tails | (1 << (widths - 1)))
        widths = np.where(indices < 0, 1, widths)
    return _prefix_code(indices, widths, tails, k, growth=1, run_bit=0, flag_bits=int(flagged))


def _prefix_code(
    indices: NDArray[np.int64],
    widths: NDArray[np.int64],
    tails: NDArray[np.int64],
    k: int,
    *,
    growth: int,
    run_bit: int,
    flag_bits: int,
) -> PrefixCode:
    short = np.zeros(1 << WINDOW_BITS, np.int64)
    fitting = np.flatnonzero(widths <= WINDOW_BITS)
    unused = WINDOW_BITS - widths[fitting]
    spans = 1 << unused
    codes = tails[fitting] & ((1 << widths[fitting]) - 1)
    within = np.arange(spans.sum()) - np.repeat(np.cumsum(spans) - spans, spans)
    entries = (fitting << LENGTH_FIELD_BITS) | widths[fitting]
    short[np.repeat(codes << unused, spans) + within] = np.repeat(entries, spans)
    words = np.full(indices.max() + 1, -1, np.int64)
    coded = np.flatnonzero(indices >= 0)
    words[indices[coded]] = coded
    return PrefixCode(widths, tails, short, words, k, growth, run_bit, flag_bits)
