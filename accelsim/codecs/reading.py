"""How to interpret the integers of an array file: words, nibbles, order of dimensions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from accelsim.codecs.base import Values, Word
from accelsim.errors import CodecError, UserError

Nibbles: TypeAlias = Literal["low", "high"]
"""Which half of a byte holds the first of its two words."""


@dataclass(frozen=True)
class Reading:
    """Properties that an array file does not state. Traces state all of them."""

    word: Word | None = None
    """None: width and sign of the dtype."""
    bits: int | None = None
    """Another width, with the sign of the dtype."""
    nibbles: Nibbles | None = None
    """Each byte holds two words of 4 bits; the last dimension doubles."""
    channels_last: bool = False
    """Dimensions are (..., rows, cols, channels)."""

    def __post_init__(self) -> None:
        if self.word is not None and self.bits is not None:
            raise UserError("--word", "and --bits both give a width", "give one of them")
        width = self.word.bits if self.word is not None else self.bits
        if self.nibbles is not None and width not in (None, 4):
            raise UserError(
                "--nibbles", f"holds words of 4 bits, not {width}", "leave the width out"
            )

    def words_of(self, values: Values, of_trace: Word | None) -> tuple[Values, Word]:
        """The array as (..., channels, rows, cols) of words, and the word.

        ``of_trace`` is the word that a trace states. Raises ``UserError`` for options that do not
        fit the array, ``CodecError`` for a dtype or width that is not a valid word.
        """
        if of_trace is not None and (self.nibbles or self.channels_last):
            option = "--nibbles" if self.nibbles else "--channels-last"
            raise UserError(option, "is for arrays; a trace says how it is stored", "leave it out")
        signed = values.dtype.kind == "i" if of_trace is None else of_trace.signed
        if self.nibbles is not None:
            word = self.word or Word(4, signed)
            values = unpacked(values, self.nibbles, signed=word.signed)
        elif self.word is not None:
            word = self.word
        elif self.bits is not None:
            word = Word(self.bits, signed)
        else:
            word = of_trace or _of_dtype(values)
        return (_channels_first(values) if self.channels_last else values), word


AS_STORED = Reading()
"""One word per item, with the width and sign of the dtype; dimensions unchanged."""


def word_named(text: str) -> Word:
    """A word as users write it: u or s, and its bits.

    >>> word_named("u4"), word_named("s5")
    (Word(bits=4, signed=False), Word(bits=5, signed=True))
    """
    found = re.fullmatch(r"([us])([0-9]{1,2})", text)
    if not found or not 2 <= int(found[2]) <= 16:
        fix = "write u or s and 2 to 16 bits, as in u4 or s5"
        raise UserError("--word", f"cannot read {text!r}", fix)
    return Word(int(found[2]), found[1] == "s")


def unpacked(values: Values, first: Nibbles, *, signed: bool) -> Values:
    """The two words of 4 bits in each byte; the last dimension doubles.

    >>> unpacked(np.array([0xF1], np.uint8), "low", signed=True)
    array([ 1, -1], dtype=int8)
    """
    if values.itemsize != 1 or values.ndim == 0:
        raise UserError("--nibbles", f"needs bytes, the array has {values.dtype}", "save uint8")
    patterns = np.ascontiguousarray(values).view(np.uint8)
    low, high = patterns & 15, patterns >> 4
    pairs = np.stack([low, high] if first == "low" else [high, low], axis=-1)
    words = pairs.reshape(*values.shape[:-1], 2 * values.shape[-1])
    return ((words ^ 8).astype(np.int8) - 8).astype(np.int8) if signed else words


def _of_dtype(values: Values) -> Word:
    if values.itemsize > 2:
        raise CodecError(f"holds {values.dtype}, wider than the 16 bits of the widest word")
    return Word(8 * values.itemsize, values.dtype.kind == "i")


def _channels_first(values: Values) -> Values:
    if values.ndim < 3:
        problem = f"needs rows, columns and channels; the array has shape {values.shape}"
        raise UserError("--channels-last", problem, "leave it out")
    return np.ascontiguousarray(np.moveaxis(values, -1, -3))
