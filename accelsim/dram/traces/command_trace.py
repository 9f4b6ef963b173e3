"""Command traces in files: those of ``dram replay --commands`` and of DRAMsim3; possibly gzipped.

CSV: the first line names the columns, ``cycle,command,channel,rank,bankgroup,bank,row,col``
or the same without ``channel``. DRAMsim3's ``*cmd.trace``, one file for each channel: the same
columns without a header, between spaces, row and column hexadecimal, and channel -1 if a
refresh is the cause. A million lines take less than a second.
"""

from __future__ import annotations

import gzip
import re
import zlib
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.command import COMMANDS, Log
from accelsim.dram.config import DramConfig
from accelsim.dram.legality import misplaced
from accelsim.errors import DramTraceError
from accelsim.jit import kernel

COLUMNS: Final = ("cycle", "command", "channel", "rank", "bankgroup", "bank", "row", "col")
MAX_BYTES: Final = 4 << 30
"""Largest size of a file, unpacked."""
BLOCK_BYTES: Final = 1 << 20
"""Read at once; no line is longer."""
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

    Raises ``DramTraceError`` with the line that is not a command of this memory.
    """
    path = Path(path)
    form: _Form | None = None
    parts = [np.zeros((0, len(Log)), np.int64)]
    for block in _blocks(path):
        if form is None:
            form = _Form.of(path, block.partition(b"\n")[0])
            block = block if form.is_dramsim3 else block.partition(b"\n")[2]
        commands, good = form.parsed(block)
        parts.append(commands)
        if good < len(commands):
            n_before = sum(map(len, parts[:-1]))
            line = block.split(b"\n", good + 1)[good].decode("ascii", "replace").strip()
            raise DramTraceError(
                f"{path}:{n_before + good + form.first_line}",
                f"{line[:60]!r} is not a command",
                f"write {(' ' if form.is_dramsim3 else ',').join(form.names)} "
                f"with command one of {', '.join(COMMANDS)}",
            )
    commands = np.concatenate(parts)
    if form is None or not len(commands):
        form = form or _Form.of(path, b"")
        raise DramTraceError(str(path), "holds no command", "was anything replayed?")
    if form.is_dramsim3:
        _name_channel(commands)
    problem = misplaced(config, commands)
    if problem:
        raise DramTraceError(
            f"{path}:{problem[0] + form.first_line}",
            f"the command {problem[1]}",
            f"check it against the memory {config.name}",
        )
    return CommandTrace(commands, form.first_line)


@dataclass(frozen=True)
class _Form:
    """The form of the lines of a file."""

    names: tuple[str, ...]
    is_dramsim3: bool

    @classmethod
    def of(cls, path: Path, line: bytes) -> _Form:
        """The form that the first line of a file announces."""
        if len(line.split()) == len(COLUMNS):
            return cls(COLUMNS, True)
        names = tuple(line.decode("ascii", "replace").strip().split(","))
        if names not in (COLUMNS, tuple(name for name in COLUMNS if name != "channel")):
            raise DramTraceError(
                f"{path}:1",
                f"{','.join(names)[:60]!r} is not a header of a command trace",
                f"the first line is {','.join(COLUMNS)}, or that without channel",
            )
        return cls(names, False)

    @property
    def first_line(self) -> int:
        return 1 if self.is_dramsim3 else 2

    def parsed(self, block: bytes) -> tuple[NDArray[np.int64], int]:
        """[lines, 8] commands, and how many lines precede the first that is malformed."""
        if self.is_dramsim3:
            block = re.sub(rb"[ \t]+", b",", re.sub(rb"[ \t]+(?=\n)", b"", block))
        text = np.frombuffer(block, np.uint8)
        commands = np.zeros((int(np.count_nonzero(text == _NEWLINE)), len(Log)), np.int64)
        fields = np.array([COLUMNS.index(name) for name in self.names], np.int64)
        return commands, int(parse(text, fields, _words(), commands))


def _blocks(path: Path) -> Iterator[bytes]:
    """Whole lines of a file, each ended by a newline; blank ones at its end are left out."""
    rest, mark, n_bytes = b"", BOM_UTF8, 0
    with _opened(path) as read:
        while data := read(BLOCK_BYTES):
            n_bytes += len(data)
            if n_bytes > MAX_BYTES:
                raise DramTraceError(str(path), "holds more than 4 GiB", "split the trace")
            rest, mark = (rest + data).removeprefix(mark), b""
            # Possible blank lines at the end are kept back, unless there are too many.
            end = rest.rfind(b"\n", 0, max(len(rest.rstrip()), len(rest) - BLOCK_BYTES)) + 1
            if end:
                yield rest[:end].replace(b"\r\n", b"\n")
                rest = rest[end:]
            elif len(rest) > BLOCK_BYTES:
                yield rest + b"\n"
                rest = b""
    if rest.strip():
        yield rest.rstrip().replace(b"\r\n", b"\n") + b"\n"


@contextmanager
def _opened(path: Path) -> Iterator[Callable[[int], bytes]]:
    """A reader of a file, unpacked if it is gzipped."""
    fix = "give a CSV file of `accelsim dram replay --commands`"
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            yield (gzip.GzipFile(fileobj=file) if packed else file).read
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DramTraceError(str(path), f"is not a complete gzip file ({error})", fix) from None
    except OSError as error:
        raise DramTraceError(str(path), error.strerror or "cannot be read", fix) from None


def _name_channel(commands: NDArray[np.int64]) -> None:
    """Give commands without a channel the channel of all others, if there is only one."""
    channel = commands[:, Log.CHANNEL]
    named = np.unique(channel[channel >= 0])
    if len(named) <= 1:
        channel[channel == -1] = named[0] if len(named) else 0


def _words() -> NDArray[np.uint8]:
    """[commands, longest] the names of commands, each followed by commas."""
    longest = max(map(len, COMMANDS)) + 1
    padded = "".join(name.ljust(longest, ",") for name in COMMANDS).encode()
    return np.frombuffer(padded, np.uint8).reshape(len(COMMANDS), longest)


@kernel
def word_at(text: NDArray[np.uint8], start: int, words: NDArray[np.uint8]) -> int:
    """Which of ``words`` is at ``start``, followed by a comma; -1 if none."""
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
            if fields[f] == Log.COMMAND:
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
    parse(np.frombuffer(b"x\n", np.uint8), fields, _words(), np.zeros((1, len(Log)), np.int64))
