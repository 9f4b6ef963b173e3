"""What coders of asymmetric numeral systems share: quantised frequencies, fitted and checked.

Duda, "Asymmetric numeral systems: entropy coding combining speed of Huffman coding with
compression rate of arithmetic coding", arXiv 1311.2540, 2013. The probability of a symbol
is its frequency f in parts of M = 2^R. What a value costs is close to log2(M / f) bits,
whole bits or not.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from dataclasses import dataclass, field, replace
from functools import cached_property
from heapq import heapify, heapreplace
from math import log1p
from typing import Self

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Values, Word
from accelsim.codecs.coding.unseen import WIDEST_FULL_TABLE_BITS, with_unseen
from accelsim.codecs.lossless import WordCodec
from accelsim.codecs.rates import histogram
from accelsim.codecs.words import Words, from_words
from accelsim.errors import CodecError
from accelsim.jit import kernel

STATES = (1, 2, 4, 8, 16, 32)
"""Numbers of interleaved states: powers of two, so that a mask finds the state of a value."""

FREQUENCY_FIELD = np.dtype("<i4")


def quantised(counts: NDArray[np.int64], total: int) -> NDArray[np.int64]:
    """[n_symbols] frequencies that sum to ``total``, at least 1 for each symbol that occurs.

    No such frequencies code these counts in fewer bits, -sum(counts * log2(f / total)).
    The cost is convex in each frequency, so giving one part after the other to the symbol
    that gains most is optimal. Of equal gains the smaller symbol's comes first.

    >>> quantised(np.array([90, 9, 0, 1]), 16)
    array([14,  1,  0,  1])
    """
    frequencies = np.zeros(len(counts), np.int64)
    symbols = np.flatnonzero(counts)
    weights = counts[symbols].tolist()
    if not weights:
        return frequencies
    # No optimum gives a symbol less than its share of the parts that remain after one part
    # for each. If s had less, its next part would gain more than n / spare, so the last part
    # of every other t gains that too, hence f_t < n_t * spare / n + 1; all sum to below total.
    n, spare = sum(weights), total - len(weights)
    parts = [max(1, weight * spare // n) for weight in weights]
    gains = [(-w * log1p(1 / f), s) for s, (w, f) in enumerate(zip(weights, parts, strict=True))]
    heapify(gains)
    for _ in range(total - sum(parts)):
        s = gains[0][1]
        parts[s] += 1
        heapreplace(gains, (-weights[s] * log1p(1 / parts[s]), s))
    frequencies[symbols] = parts
    return frequencies


@kernel
def join_streams(
    stream: NDArray[np.uint16],
    begins: NDArray[np.int64],
    ends: NDArray[np.int64],
    joined: NDArray[np.uint16],
) -> None:
    """Copy the words of each block, ``begins[i]`` to ``ends[i]``, one behind the other."""
    at = 0
    for block in range(len(begins)):
        for i in range(begins[block], ends[block]):
            joined[at] = stream[i]
            at += 1


@dataclass(frozen=True)
class AnsCodec(WordCodec):
    """Values take turns on ``states`` states. Without ``fit`` no value has a frequency."""

    word: Word
    states: int = 1
    frequencies: bytes = field(default=b"", repr=False)
    """[2^W + 1] int32: parts of 2^R of each word, then of the escape; empty before ``fit``."""

    evidence = "literature"
    needs = ("block_buffer",)

    def __post_init__(self) -> None:
        if self.states not in STATES:
            allowed = ", ".join(map(str, STATES))
            raise CodecError(f"{self.name}: states must be one of {allowed}, not {self.states}")

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    @abstractmethod
    def probability_bits(self, n_symbols: int) -> int:
        """R for a table of so many symbols, each of which needs one part of 2^R."""

    def fit(self, calibration: Values, *, every_symbol: bool = False) -> Self:
        """The best frequencies for these values; ``with_unseen`` for ``every_symbol``.

        Raises ``CodecError`` for values outside the word.
        """
        counts = histogram(calibration, self.word)
        counts = with_unseen(counts, self.word.bits) if every_symbol else np.append(counts, 0)
        total = 1 << self.probability_bits(int(np.count_nonzero(counts)))
        return replace(self, frequencies=quantised(counts, total).astype(FREQUENCY_FIELD).tobytes())

    @property
    def parameters(self) -> dict[str, int | str]:
        fitted = any(self.frequencies)
        table = hashlib.sha256(self.frequencies).hexdigest() if fitted else "not fitted"
        return {**super().parameters, "states": self.states, "table": table}

    @cached_property
    def _frequencies(self) -> NDArray[np.int64]:
        """[2^W + 1] frequencies of the words and of the escape."""
        if not self.frequencies:
            return np.zeros((1 << self.word.bits) + 1, np.int64)
        return np.frombuffer(self.frequencies, FREQUENCY_FIELD).astype(np.int64)

    @property
    def _range_bits(self) -> int:
        """R: the frequencies sum to 2^R."""
        total = int(self._frequencies.sum())
        return total.bit_length() - 1 if total else self.probability_bits(1 << self.word.bits)

    @property
    def _smallest(self) -> int:
        """The frequency of the rarest symbol; before ``fit`` the smallest possible."""
        present = self._frequencies[self._frequencies > 0]
        return int(present.min()) if present.size else 1

    @property
    def _may_escape(self) -> bool:
        fitted = self._frequencies.any()
        return bool(self._frequencies[-1]) if fitted else self.word.bits > WIDEST_FULL_TABLE_BITS

    @property
    def table_bits(self) -> int:
        """R bits for each value of the word, and for an escape."""
        return self._range_bits * ((1 << self.word.bits) + bool(self._frequencies[-1]))

    @cached_property
    def _of_words(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """[2^W] symbol, frequency and escapes of each word: 1, 0, or -1 if it has no code."""
        own = self._frequencies[:-1]
        symbols = np.where(own > 0, np.arange(len(own)), len(own))
        escapes = np.where(own > 0, 0, 1 if self._frequencies[-1] else -1)
        return symbols, self._frequencies[symbols], escapes

    def _refuse_uncoded(self, words: Words) -> None:
        """Raise ``CodecError`` that names the first word without a code, if there is one."""
        uncodable = self._of_words[2] < 0
        if not uncodable.any():
            return
        uncoded = words[uncodable[words]][:1]
        if uncoded.size:
            raise CodecError(
                f"{self.name}: value {from_words(uncoded, self.word)[0]} has no frequency; it "
                "did not occur in the values of fit(). Fit with every_symbol=True to code all "
                "values"
            )


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    words, place = np.zeros(1, np.uint16), np.zeros(1, np.int64)
    join_streams(words, place, place, words)
