"""Command traces as CSV: those of ``dram replay --commands``, and DRAMsim3's, also gzipped.

The first line names the columns: ``cycle,command,channel,rank,bankgroup,bank,row,col``.
DRAMsim3 writes one file for each channel, without ``channel``. A million lines take
less than a second.
"""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.config import DramConfig
from accelsim.dram.legality import misplaced
from accelsim.dram.rules.history import Field
from accelsim.dram.rules.rule import NAMES
from accelsim.errors import DramTraceError
from accelsim.jit import kernel

COLUMNS: Final = ("cycle", "command", "channel", "rank", "bankgroup", "bank", "row", "col")
MAX_BYTES: Final = 4 << 30
"""Of a file, unpacked."""
FIRST_LINE: Final = 2
"""Line of the file with row 0 of the trace."""
_COMMA, _NEWLINE, _MINUS, _ZERO, _NINE = (np.uint8(ord(c)) for c in ",\n-09")
_ZERO_CODE: Final = ord("0")
_MOST_DIGITS: Final = 18
"""They fit an int64."""


def read_commands(path: str | Path, config: DramConfig) -> NDArray[np.int64]:
    """[n, 8] commands for the memory of ``config``, in the file's order; see ``COLUMNS``.

    Row k is line ``k + FIRST_LINE`` of the file. Channel 0 if the file names none.

    Raises ``DramTraceError`` with the line that is no command of this memory.
    """
    path = Path(path)
    header, _, body = _content(path).partition(b"\n")
    names = tuple(header.decode("ascii", "replace").strip().split(","))
    if names not in (COLUMNS, tuple(name for name in COLUMNS if name != "channel")):
        raise DramTraceError(
            f"{path}:1",
            f"{','.join(names)[:60]!r} is no header of a command trace",
            f"the first line is {','.join(COLUMNS)}, or that without channel",
        )
    text = np.frombuffer(body.replace(b"\r\n", b"\n").rstrip() + b"\n", np.uint8)
    n = int(np.count_nonzero(text == _NEWLINE)) if len(text) > 1 else 0
    commands = np.zeros((n, len(Field)), np.int64)
    fields = np.array([COLUMNS.index(name) for name in names], np.int64)
    good = parse(text, fields, _words(), commands)
    if good < n:
        line = body.split(b"\n", good + 1)[good].decode("ascii", "replace").strip()
        raise DramTraceError(
            f"{path}:{good + FIRST_LINE}",
            f"{line[:60]!r} is no command",
            f"write {','.join(names)} with command one of {', '.join(NAMES)}",
        )
    problem = misplaced(config, commands)
    if problem:
        raise DramTraceError(
            f"{path}:{problem[0] + FIRST_LINE}",
            f"the command {problem[1]}",
            f"check it against the memory {config.name}",
        )
    return commands


def _content(path: Path) -> bytes:
    fix = "give a CSV file of `accelsim dram replay --commands`"
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            content = (gzip.GzipFile(fileobj=file) if packed else file).read(MAX_BYTES + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DramTraceError(str(path), f"is no whole gzip file ({error})", fix) from None
    except OSError as error:
        raise DramTraceError(str(path), error.strerror or "cannot be read", fix) from None
    if len(content) > MAX_BYTES:
        raise DramTraceError(str(path), "holds more than 4 GiB", "split the trace")
    return content


def _words() -> NDArray[np.uint8]:
    """[commands, longest] the names of commands, each followed by commas."""
    longest = max(map(len, NAMES)) + 1
    padded = "".join(name.ljust(longest, ",") for name in NAMES).encode()
    return np.frombuffer(padded, np.uint8).reshape(len(NAMES), longest)


@kernel
def word_at(text: NDArray[np.uint8], start: int, words: NDArray[np.uint8]) -> int:
    """Which of ``words`` stands at ``start``, followed by a comma; -1 if none."""
    for w in range(words.shape[0]):
        k = 0
        while start + k < len(text) and text[start + k] == words[w, k]:
            if words[w, k] == _COMMA:
                return w
            k += 1
    return -1


@kernel
def parse(
    text: NDArray[np.uint8],  # ends with a newline
    fields: NDArray[np.int64],  # [n] column of ``out`` for each field of a line
    words: NDArray[np.uint8],  # [commands, longest]
    out: NDArray[np.int64],  # [lines, columns]
) -> int:
    """Fill ``out``; the number of lines before the first that is malformed."""
    at = 0
    for line in range(out.shape[0]):
        for f in range(len(fields)):
            value, digits, sign = 0, 0, 1
            if fields[f] == Field.COMMAND:
                value = word_at(text, at, words)
                if value < 0:
                    return line
                while text[at] != _COMMA:
                    at += 1
            else:
                if text[at] == _MINUS:
                    sign = -1
                    at += 1
                while digits < _MOST_DIGITS and _ZERO <= text[at] <= _NINE:
                    value = 10 * value + int(np.int64(text[at])) - _ZERO_CODE
                    digits += 1
                    at += 1
                if digits == 0:
                    return line
            if text[at] != (_NEWLINE if f == len(fields) - 1 else _COMMA):
                return line
            at += 1
            out[line, fields[f]] = sign * value
    return int(out.shape[0])


def warm_up() -> None:
    """Compile with the types of production."""
    fields = np.arange(len(COLUMNS))
    parse(np.frombuffer(b"x\n", np.uint8), fields, _words(), np.zeros((1, len(Field)), np.int64))
