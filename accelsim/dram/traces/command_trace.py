"""Command traces in files: those of ``dram replay --commands``, and DRAMsim3's; also gzipped.

CSV: the first line names the columns, ``cycle,command,channel,rank,bankgroup,bank,row,col``
or the same without ``channel``. DRAMsim3's ``*cmd.trace``, one file for each channel: the same
columns without a header, between spaces, row and column hexadecimal, and channel -1 where a
refresh is the reason. A million lines take less than a second.
"""

from __future__ import annotations

import gzip
import re
import zlib
from codecs import BOM_UTF8
from dataclasses import dataclass
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
_COMMA, _NEWLINE, _MINUS, _ZERO, _NINE, _X, _A, _F = (np.uint8(ord(c)) for c in ",\n-09xaf")
_ZERO_CODE: Final = ord("0")
_TEN_CODE: Final = ord("a") - 10
_MOST_DIGITS, _MOST_HEX_DIGITS = 18, 15
"""They fit an int64."""


@dataclass(frozen=True)
class CommandTrace:
    """The commands of one file, in its order."""

    commands: NDArray[np.int64]  # [n, 8] in the order of ``COLUMNS``
    first_line: int
    """Line of the file with row 0 of ``commands``."""


def read_commands(path: str | Path, config: DramConfig) -> CommandTrace:
    """The commands in a file, for the memory of ``config``. Channel 0 if the file names none.

    Raises ``DramTraceError`` with the line that is no command of this memory.
    """
    path = Path(path)
    content = _content(path).replace(b"\r\n", b"\n").removeprefix(BOM_UTF8)
    names: tuple[str, ...] = COLUMNS
    body, first_line = content, 1
    is_dramsim3 = len(content.split(b"\n", 1)[0].split()) == len(COLUMNS)
    if is_dramsim3:
        body = re.sub(rb"[ \t]+", b",", re.sub(rb"[ \t]+(?=\n|\Z)", b"", content))
    else:
        header, _, body = content.partition(b"\n")
        names, first_line = tuple(header.decode("ascii", "replace").strip().split(",")), 2
        if names not in (COLUMNS, tuple(name for name in COLUMNS if name != "channel")):
            raise DramTraceError(
                f"{path}:1",
                f"{','.join(names)[:60]!r} is no header of a command trace",
                f"the first line is {','.join(COLUMNS)}, or that without channel",
            )
    commands, good = _parsed(body, names)
    if good < len(commands):
        line = content.split(b"\n")[good + first_line - 1].decode("ascii", "replace").strip()
        raise DramTraceError(
            f"{path}:{good + first_line}",
            f"{line[:60]!r} is no command",
            f"write {(' ' if is_dramsim3 else ',').join(names)} "
            f"with command one of {', '.join(NAMES)}",
        )
    if not len(commands):
        raise DramTraceError(str(path), "holds no command", "was anything replayed?")
    if is_dramsim3:
        _name_channel(commands)
    problem = misplaced(config, commands)
    if problem:
        raise DramTraceError(
            f"{path}:{problem[0] + first_line}",
            f"the command {problem[1]}",
            f"check it against the memory {config.name}",
        )
    return CommandTrace(commands, first_line)


def _parsed(body: bytes, names: tuple[str, ...]) -> tuple[NDArray[np.int64], int]:
    """[lines, 8] commands, and how many lines precede the first that is malformed."""
    text = np.frombuffer(body.rstrip() + b"\n", np.uint8)
    n = int(np.count_nonzero(text == _NEWLINE)) if len(text) > 1 else 0
    commands = np.zeros((n, len(Field)), np.int64)
    fields = np.array([COLUMNS.index(name) for name in names], np.int64)
    return commands, int(parse(text, fields, _words(), commands))


def _name_channel(commands: NDArray[np.int64]) -> None:
    """Give commands without a channel that of all others, if it is one."""
    channel = commands[:, Field.CHANNEL]
    named = np.unique(channel[channel >= 0])
    if len(named) <= 1:
        channel[channel == -1] = named[0] if len(named) else 0


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
def number_at(text: NDArray[np.uint8], start: int) -> tuple[int, int]:
    """The number at ``start``, decimal or 0x, and its end; which is ``start`` if there is none."""
    sign, at, base, most, value = 1, start, 10, _MOST_DIGITS, 0
    if text[at] == _MINUS:
        sign = -1
        at += 1
    if text[at] == _ZERO and text[at + 1] == _X:
        base, most = 16, _MOST_HEX_DIGITS
        at += 2
    first = at
    while at - first < most:
        digit = int(np.int64(text[at]))
        if _ZERO <= text[at] <= _NINE:
            digit -= _ZERO_CODE
        elif base == 16 and _A <= text[at] <= _F:
            digit -= _TEN_CODE
        else:
            break
        value = base * value + digit
        at += 1
    return sign * value, (at if at > first else start)


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
            if fields[f] == Field.COMMAND:
                value = word_at(text, at, words)
                if value < 0:
                    return line
                while text[at] != _COMMA:
                    at += 1
            else:
                value, end = number_at(text, at)
                if end == at:
                    return line
                at = end
            if text[at] != (_NEWLINE if f == len(fields) - 1 else _COMMA):
                return line
            at += 1
            out[line, fields[f]] = value
    return int(out.shape[0])


def warm_up() -> None:
    """Compile with the types of production."""
    fields = np.arange(len(COLUMNS))
    parse(np.frombuffer(b"x\n", np.uint8), fields, _words(), np.zeros((1, len(Field)), np.int64))
