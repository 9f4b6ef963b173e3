"""Converting integers to words, the bit patterns that codecs work on, and back.

A word of W bits is a pattern 0 .. 2^W - 1, always ``uint16`` here, so that each kernel is
compiled for one type. Negative numbers are in two's complement of W bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Blocks, Values, Word
from accelsim.errors import CodecError

Words = NDArray[np.uint16]


def to_words(values: Values, word: Word) -> Words:
    """The patterns of ``values`` (any integer dtype, any shape), flat in C order.

    Raises ``CodecError`` for values that the word cannot hold.

    >>> to_words(np.array([-1, 3]), Word(4, signed=True))
    array([15,  3], dtype=uint16)
    """
    check_range(values, word)
    flat = np.ascontiguousarray(values).reshape(-1)
    if not word.signed:
        return flat.astype(np.uint16)
    return flat.astype(np.int16).view(np.uint16) & np.uint16((1 << word.bits) - 1)


def from_words(words: Words, word: Word) -> Values:
    """The values of these patterns, in the dtype of the word.

    >>> from_words(np.array([15, 3], np.uint16), Word(4, signed=True))
    array([-1,  3], dtype=int8)
    """
    if not word.signed:
        return words.astype(word.dtype)
    unused = 16 - word.bits
    return ((words << unused).view(np.int16) >> unused).astype(word.dtype)


def check_range(values: Values, word: Word) -> None:
    """Raise ``CodecError`` unless every value fits the word."""
    if values.dtype.kind not in "iu":
        raise CodecError(f"codecs take integers, not {values.dtype}")
    if values.size == 0 or _fits_by_dtype(values.dtype, word):
        return
    low, high = int(values.min()), int(values.max())
    if low < word.low or high > word.high:
        sign = "signed" if word.signed else "unsigned"
        raise CodecError(
            f"values {low} to {high} do not fit {sign} words of {word.bits} bits "
            f"({word.low} to {word.high})"
        )


def checked_offsets(blocks: Blocks) -> NDArray[np.int64]:
    """The offsets, writable int64 as kernels are compiled for.

    Raises ``CodecError`` unless they rise from 0 to the number of values.
    """
    offsets = np.require(blocks.offsets, np.int64, ["C", "W"])
    if (
        len(offsets) < 1
        or offsets[0] != 0
        or offsets[-1] != blocks.values.size
        or bool(np.any(np.diff(offsets) < 0))
    ):
        raise CodecError("block offsets must rise from 0 to the number of values")
    return offsets


def _fits_by_dtype(dtype: np.dtype[Any], word: Word) -> bool:
    info = np.iinfo(dtype)
    return word.low <= info.min and info.max <= word.high
