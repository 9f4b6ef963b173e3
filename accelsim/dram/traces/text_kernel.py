"""Lines of request traces as numbers: the compiled part of ``accelsim.dram.traces.text``.

This is the whole grammar. Blanks are spaces, tabs and carriage returns; a number is a run of
digits of any length behind an optional minus. What does not fit stops the parser in front of
its line.
"""

from __future__ import annotations

from enum import IntEnum, auto
from typing import Final

import numpy as np
from numpy.typing import NDArray

from accelsim.jit import kernel

BEYOND: Final = 1 << 62
"""What stands for any larger number: outside of every memory and time."""
FITS: Final = 1 << 58
"""Below it another digit of any base up to 16 still fits."""
BLANK, TAB, RETURN, NEWLINE, COMMA, MINUS = (ord(c) for c in " \t\r\n,-")
DIGIT_0, DIGIT_9, LOWER_A, LOWER_X = (ord(c) for c in "09ax")
TO_LOWER: Final = 0x20
DECIMAL: Final = 10
HEXADECIMAL: Final = 16
ODD: Final = -1


class Form(IntEnum):
    """How the lines of a trace look."""

    DRAMSIM3 = 0
    """``0xADDR WORD CYCLE``"""
    LOAD_STORE = auto()
    """Ramulator: ``LD|ST ADDR``"""
    READ_WRITE = auto()
    """Ramulator: ``R|W n,n,...``, a number for each level"""


class At(IntEnum):
    """Where the parser is."""

    BYTE = 0
    """Start of the first line that is not parsed."""
    LINES = auto()
    """Lines in front of it."""
    ROWS = auto()
    """Requests parsed by this call."""


@kernel
def is_blank(letter: int) -> bool:
    return letter in (BLANK, TAB, RETURN)


@kernel
def skip(text: NDArray[np.uint8], i: int) -> int:
    """The first position from ``i`` on that is no blank."""
    while is_blank(text[i]):
        i += 1
    return i


@kernel
def number(text: NDArray[np.uint8], i: int, base: int) -> tuple[int, int]:
    """The value at ``i`` and the position behind it; that is ``i`` if there is no number.

    Base 16 may have a prefix 0x, base 0 is 16 with it and 10 without.
    """
    start, sign = i, 1
    if text[i] == MINUS:
        sign = -1
        i += 1
    if base != DECIMAL and text[i] == DIGIT_0 and text[i + 1] | TO_LOWER == LOWER_X:
        base = HEXADECIMAL
        i += 2
    base = base or DECIMAL
    value, first = 0, i
    while True:
        letter = text[i] | TO_LOWER
        if DIGIT_0 <= text[i] <= DIGIT_9:
            digit = int(text[i]) - DIGIT_0
        elif base == HEXADECIMAL and LOWER_A <= letter < LOWER_A + 6:
            digit = int(letter) - LOWER_A + 10
        else:
            break
        value = value * base + digit if value < FITS else BEYOND
        i += 1
    return sign * value, i if i > first else start


@kernel
def word(text: NDArray[np.uint8], i: int, words: NDArray[np.uint8]) -> tuple[int, int]:
    """Which of ``words`` stands at ``i``, and the first position behind it that is no blank.

    ODD if none does, or no blank follows.
    """
    for w in range(words.shape[0]):
        k = 0
        while words[w, k] != 0 and text[i + k] == words[w, k]:
            k += 1
        if words[w, k] == 0 and is_blank(text[i + k]):
            return w, skip(text, i + k)
    return ODD, i


@kernel
def dramsim3_line(
    text: NDArray[np.uint8],
    i: int,
    words: NDArray[np.uint8],
    value: NDArray[np.int64],
    row: int,
) -> tuple[int, int]:
    """The position behind a request of this form, or ODD; and its word."""
    value[row, 0], behind = number(text, i, HEXADECIMAL)
    what, cycle = word(text, skip(text, behind), words)
    value[row, 1], last = number(text, cycle, DECIMAL)
    if behind == i or not is_blank(text[behind]) or what == ODD or last == cycle:
        return ODD, what
    return last, what


@kernel
def ramulator_line(
    text: NDArray[np.uint8],
    i: int,
    words: NDArray[np.uint8],
    n_levels: int,
    value: NDArray[np.int64],
    row: int,
) -> tuple[int, int]:
    """The same of Ramulator's forms: one address, or ``n_levels`` numbers."""
    what, i = word(text, i, words)
    if what == ODD:
        return ODD, what
    for level in range(max(n_levels, 1)):
        if level > 0:
            if text[i] != COMMA:
                return ODD, what
            i += 1
        value[row, level], behind = number(text, i, DECIMAL if n_levels else 0)
        if behind == i:
            return ODD, what
        i = behind
    return i, what


@kernel
def parse_lines(
    text: NDArray[np.uint8],  # the last byte is a newline
    form: int,
    words: NDArray[np.uint8],  # [n, longest + 1] of the form, reads first, padded with zeros
    n_reads: int,  # of ``words``
    n_levels: int,  # numbers in a line of READ_WRITE, else 0
    at: NDArray[np.int64],  # [len(At)] in and out
    value: NDArray[np.int64],  # [n, >= 2] out: address and cycle; or the levels
    is_write: NDArray[np.int64],  # [n] out
    line: NDArray[np.int64],  # [n] out: number of the line, from 1
) -> None:
    """Parse until the text ends, ``n`` requests are there, or a line is not a request."""
    start, n_lines, row = at[At.BYTE], at[At.LINES], 0
    while start < len(text) and row < len(is_write):
        i = skip(text, start)
        if text[i] != NEWLINE:
            if form == Form.DRAMSIM3:
                i, what = dramsim3_line(text, i, words, value, row)
            else:
                i, what = ramulator_line(text, i, words, n_levels, value, row)
            if i == ODD:
                break
            i = skip(text, i)
            if text[i] != NEWLINE:
                break
            is_write[row], line[row] = what >= n_reads, n_lines + 1
            row += 1
        n_lines += 1
        start = i + 1
    at[At.BYTE], at[At.LINES], at[At.ROWS] = start, n_lines, row


def warm_up() -> None:
    """Compile with the types of production."""
    text = np.frombuffer(b"0x40 READ 0\n", np.uint8)
    words = np.frombuffer(b"READ\0", np.uint8).reshape(1, 5)
    one, at = np.zeros(1, np.int64), np.zeros(len(At), np.int64)
    value = np.zeros((1, 6), np.int64)
    parse_lines(text, int(Form.DRAMSIM3), words, 1, 0, at, value, one, one.copy())
