"""Lines of request traces as numbers: the compiled part of ``accelsim.dram.traces.text``.

It takes what nearly all lines are and stops in front of the first that looks odd, which is
then read with all care, or refused, in Python.
"""

from __future__ import annotations

from enum import IntEnum, auto
from typing import Final

import numpy as np
from numpy.typing import NDArray

from accelsim.jit import kernel

MAX_WORD: Final = 8
MAX_DIGITS: Final = 15
"""Of any base up to 16: the value stays below 2^60."""


def code(word: str) -> int:
    """A word of at most eight characters as a number."""
    return int.from_bytes(word.encode("ascii"))


WRITE: Final = code("WRITE")
WRITE_LOWER: Final = code("write")
P_MEM_WR: Final = code("P_MEM_WR")
BOFF: Final = code("BOFF")
LD: Final = code("LD")
ST: Final = code("ST")
R: Final = code("R")
W: Final = code("W")
BLANK, TAB, RETURN, NEWLINE, COMMA, UNDERSCORE = (ord(c) for c in " \t\r\n,_")
DIGIT_0, DIGIT_9, LOWER_A, LOWER_Z, LOWER_X = (ord(c) for c in "09azx")
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
def skip(text: NDArray[np.uint8], i: int) -> int:
    """The first position from ``i`` on that is no blank."""
    while text[i] == BLANK or text[i] == TAB or text[i] == RETURN:
        i += 1
    return i


@kernel
def number(text: NDArray[np.uint8], i: int, base: int) -> tuple[int, int]:
    """The value at ``i`` and the position behind it; that is ``i`` if there is no plain number.

    Base 16 may have a prefix 0x, base 0 is 16 with it and 10 without.
    """
    start = i
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
        value = value * base + digit
        i += 1
        if i - first > MAX_DIGITS:
            return 0, start
    return value, i if i > first else start


@kernel
def word(text: NDArray[np.uint8], i: int) -> tuple[int, int]:
    """The code of the word at ``i`` (0 if it is long) and the position behind it."""
    start, value, n_plain = i, 0, 0
    while True:
        letter = text[i] | TO_LOWER
        is_plain = DIGIT_0 <= text[i] <= DIGIT_9 or LOWER_A <= letter <= LOWER_Z
        if not is_plain and text[i] != UNDERSCORE:
            break
        n_plain += is_plain
        if i - start < MAX_WORD:
            value = value * 256 + int(text[i])
        i += 1
    if n_plain == 0:
        return 0, start
    return value if i - start <= MAX_WORD else 0, i


@kernel
def dramsim3_line(
    text: NDArray[np.uint8], i: int, value: NDArray[np.int64], row: int
) -> tuple[int, bool]:
    """The position behind a request of this form, or ODD; and whether it is a write."""
    value[row, 0], behind = number(text, i, HEXADECIMAL)
    start = skip(text, behind)
    what, end = word(text, start)
    cycle = skip(text, end)
    value[row, 1], last = number(text, cycle, DECIMAL)
    is_write = what in (WRITE, WRITE_LOWER, P_MEM_WR, BOFF)
    if behind == i or start == behind or end == start or cycle == end or last == cycle:
        return ODD, is_write
    return last, is_write


@kernel
def ramulator_line(
    text: NDArray[np.uint8], i: int, form: int, n_levels: int, value: NDArray[np.int64], row: int
) -> tuple[int, bool]:
    """The same of Ramulator's forms."""
    what, end = word(text, i)
    read, write, base, n = LD, ST, 0, 1
    if form == Form.READ_WRITE:
        read, write, base, n = R, W, DECIMAL, n_levels
    i = skip(text, end)
    if i == end or (what != read and what != write):
        return ODD, False
    for level in range(n):
        if level > 0:
            if text[i] != COMMA:
                return ODD, False
            i += 1
        value[row, level], behind = number(text, i, base)
        if behind == i:
            return ODD, False
        i = behind
    return i, what == write


@kernel
def parse_lines(
    text: NDArray[np.uint8],  # the last byte is a newline
    form: int,
    n_levels: int,  # numbers in a line of READ_WRITE
    at: NDArray[np.int64],  # [len(At)] in and out
    value: NDArray[np.int64],  # [n, >= 2] out: address and cycle; or the levels
    is_write: NDArray[np.int64],  # [n] out
    line: NDArray[np.int64],  # [n] out: number of the line, from 1
) -> None:
    """Parse until the text ends, ``n`` requests are there, or a line looks odd."""
    start, n_lines, row = at[At.BYTE], at[At.LINES], 0
    while start < len(text) and row < len(is_write):
        i = skip(text, start)
        if text[i] != NEWLINE:
            if form == Form.DRAMSIM3:
                i, write = dramsim3_line(text, i, value, row)
            else:
                i, write = ramulator_line(text, i, form, n_levels, value, row)
            if i == ODD:
                break
            i = skip(text, i)
            if text[i] != NEWLINE:
                break
            is_write[row], line[row] = write, n_lines + 1
            row += 1
        n_lines += 1
        start = i + 1
    at[At.BYTE], at[At.LINES], at[At.ROWS] = start, n_lines, row


def warm_up() -> None:
    """Compile with the types of production."""
    text = np.frombuffer(b"0x40 READ 0\n", np.uint8)
    one, at = np.zeros(1, np.int64), np.zeros(len(At), np.int64)
    parse_lines(text, int(Form.DRAMSIM3), 6, at, np.zeros((1, 6), np.int64), one, one.copy())
