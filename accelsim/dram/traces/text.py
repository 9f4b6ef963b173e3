"""Request traces as text, of DRAMsim3 and of Ramulator, read block by block.

DRAMsim3: ``0xADDR WORD CYCLE`` with a word of ``WORDS``. Ramulator: ``LD|ST ADDR``, or ``R|W``
and a number for each level of the hierarchy; its requests have no time and come as soon as they
are accepted. The first line tells which it is. Empty lines are skipped.
"""

from __future__ import annotations

import gzip
import zlib
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import IO, Final

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.address_map import AddressMap, address_map
from accelsim.dram.config import DramConfig
from accelsim.dram.system import ADDRESS_FIELDS
from accelsim.dram.traces.arrays import LAST_CYCLE, Requests
from accelsim.dram.traces.text_kernel import BEYOND, At, Form, parse_lines
from accelsim.errors import DramTraceError

WORDS: Final = {
    Form.DRAMSIM3: (
        ("READ", "read", "IFETCH", "P_FETCH", "P_MEM_RD", "P_LOCK_RD", "P_LOCK_WR"),
        ("WRITE", "write", "P_MEM_WR", "BOFF"),
    ),
    Form.LOAD_STORE: (("LD",), ("ST",)),
    Form.READ_WRITE: (("R",), ("W",)),
}
"""(reads, writes) of each form. DRAMsim3 treats any other word as a read, even a misspelt WRITE;
here it is refused. The additional words are those of DRAMSim2's traces."""
BLOCK_BYTES: Final = 1 << 19
"""Read at once; no request is longer."""
CHUNK_REQUESTS: Final = 1 << 16
EXAMPLES: Final = {
    Form.DRAMSIM3: "write `0xADDRESS READ|WRITE CYCLE`, say `0x1F40 READ 120`",
    Form.LOAD_STORE: "write `LD|ST ADDRESS`, say `LD 0x1F40`",
    Form.READ_WRITE: "write `R|W` and a number for each of",
}
_GZIP_MAGIC: Final = b"\x1f\x8b"


def levels(config: DramConfig) -> tuple[str, ...]:
    """The fields of one address in Ramulator's hierarchy of such a memory."""
    absent = set()
    if config.organisation.bankgroups == 1:
        absent.add("bg")
    if config.protocol.startswith("GDDR"):
        absent.add("ra")
    return tuple(field for field in ADDRESS_FIELDS if field not in absent)


def text_chunks(
    path: Path, config: DramConfig, on_progress: Callable[[float], None]
) -> Iterator[Requests]:
    """The requests in ``path``; raises ``DramTraceError`` for what cannot be replayed."""
    n_bytes = path.stat().st_size
    with path.open("rb") as raw:
        try:
            yield from _Reader(path, config).chunks(
                _unpacked(raw), lambda: on_progress(raw.tell() / n_bytes if n_bytes else 0.0)
            )
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DramTraceError(
                str(path), f"is not a readable gzip ({error})", "compress the trace again"
            ) from None


def _unpacked(raw: IO[bytes]) -> IO[bytes]:
    """``raw``, or what it holds if it is gzipped."""
    is_gzip = raw.peek(2)[:2] == _GZIP_MAGIC  # type: ignore[attr-defined]
    return gzip.GzipFile(fileobj=raw) if is_gzip else raw  # type: ignore[return-value]


class _Reader:
    """The text, and the arrays that are filled for every piece."""

    def __init__(self, path: Path, config: DramConfig) -> None:
        self._path, self._config = path, config
        self._end = config.n_lines * config.line_bytes
        self._levels = levels(config)
        self._form: Form | None = None
        self._last_cycle = 0
        self._at = np.zeros(len(At), np.int64)
        self._value = np.zeros((CHUNK_REQUESTS, len(ADDRESS_FIELDS)), np.int64)
        self._is_write, self._line = np.zeros((2, CHUNK_REQUESTS), np.int64)

    def chunks(self, file: IO[bytes], on_block: Callable[[], None]) -> Iterator[Requests]:
        """Requests of whole lines; a block's last, partial line waits for the next block."""
        rest, mark = b"", BOM_UTF8
        while block := file.read(BLOCK_BYTES):
            on_block()
            block, mark = block.removeprefix(mark), b""
            end = block.rfind(b"\n") + 1
            if end:
                yield from self._parsed(rest + block[:end])
                rest = block[end:]
            else:
                rest += block
            if len(rest) > BLOCK_BYTES:
                raise self._no_request(int(self._at[At.LINES]) + 1, rest)
        if rest:
            yield from self._parsed(rest + b"\n")

    def _parsed(self, text: bytes) -> Iterator[Requests]:
        if self._form is None:
            self._form = _form_of(text)
        if self._form is None:  # nothing but empty lines
            self._at[At.LINES] += text.count(b"\n")
            return
        n_levels = len(self._levels) if self._form == Form.READ_WRITE else 0
        words, n_reads = _word_table(self._form)
        data = np.frombuffer(text, np.uint8)
        self._at[At.BYTE] = 0
        while self._at[At.BYTE] < len(data):
            arrays = self._value, self._is_write, self._line
            parse_lines(data, int(self._form), words, n_reads, n_levels, self._at, *arrays)
            n = int(self._at[At.ROWS])
            if n:
                yield self._requests(n)
            start = int(self._at[At.BYTE])
            if n < CHUNK_REQUESTS and start < len(data):
                line = text[start : text.index(b"\n", start)]
                raise self._no_request(int(self._at[At.LINES]) + 1, line)

    def _requests(self, n: int) -> Requests:
        """The first ``n`` rows, checked."""
        if self._form == Form.READ_WRITE:
            address = self._compose(n)
        else:
            address = self._value[:n, 0].copy()
            bad = (address < 0) | (address >= self._end)
            if bad.any():
                first = int(np.argmax(bad))
                shown = f" {int(address[first]):#x}" if abs(address[first]) < BEYOND else ""
                raise DramTraceError(
                    self._place(first),
                    f"address{shown} lies outside the memory of {self._end:#x} bytes",
                    "replay on a larger memory, or move the addresses",
                )
        cycle = np.zeros(n, np.int64)
        if self._form == Form.DRAMSIM3:
            cycle = self._value[:n, 1].copy()
            before = np.concatenate([[self._last_cycle], cycle[:-1]])
            if (cycle >= LAST_CYCLE).any():
                raise DramTraceError(
                    self._place(int(np.argmax(cycle >= LAST_CYCLE))),
                    f"the cycle lies beyond {LAST_CYCLE:,}, hours of memory time",
                    "cycles are DRAM clocks: check the unit",
                )
            bad = cycle < before
            if bad.any():
                first = int(np.argmax(bad))
                raise DramTraceError(
                    self._place(first),
                    f"cycle {cycle[first]} comes after {before[first]}",
                    "requests are replayed in order: sort the trace by cycle (0 or more)",
                )
            self._last_cycle = int(cycle[-1])
        return Requests(address, self._is_write[:n].copy(), cycle)

    def _compose(self, n: int) -> NDArray[np.int64]:
        """Addresses from the numbers of each level."""
        mapping: AddressMap = address_map(self._config)
        line = np.zeros(n, np.int64)
        for at, field in enumerate(self._levels):
            position = ADDRESS_FIELDS.index(field)
            value, bits = self._value[:n, at], mapping.bits[position]
            bad = (value < 0) | (value >> bits != 0)
            if bad.any():
                first = int(np.argmax(bad))
                raise DramTraceError(
                    self._place(first),
                    f"{field} {value[first]} lies outside the memory, which has {1 << bits}",
                    f"write {','.join(self._levels)}, co in bursts, each counted from 0",
                )
            line += value << mapping.shift[position]
        return line * self._config.line_bytes

    def _place(self, row: int) -> str:
        return f"{self._path}:{self._line[row]}"

    def _no_request(self, number: int, line: bytes) -> DramTraceError:
        form = self._form or Form.DRAMSIM3
        fix = EXAMPLES[form]
        if form == Form.READ_WRITE:
            fix += f" {','.join(self._levels)}"
        shown = line[:300].decode("utf-8", "replace").strip()[:60]
        problem, words = f"{shown!r} is not a request", shown.split()
        if form == Form.DRAMSIM3 and len(words) == 3 and words[1] not in chain(*WORDS[form]):
            problem += f": {words[1]!r} is neither READ nor WRITE"
            fix = f"{fix}; DRAMsim3 would take any other word for READ"
        return DramTraceError(f"{self._path}:{number}", problem, fix)


def _form_of(text: bytes) -> Form | None:
    """The form, recognised by the first word of the first line that is not empty."""
    words = text.lstrip(b" \t\r\n").split(maxsplit=1)
    if not words:
        return None
    if words[0] in (b"LD", b"ST"):
        return Form.LOAD_STORE
    return Form.READ_WRITE if words[0] in (b"R", b"W") else Form.DRAMSIM3


@cache
def _word_table(form: Form) -> tuple[NDArray[np.uint8], int]:
    """[n, longest + 1] the words of a form, reads first, padded with zeros; how many read."""
    reads, writes = WORDS[form]
    longest = max(map(len, (*reads, *writes))) + 1
    padded = b"".join(each.encode().ljust(longest, b"\0") for each in (*reads, *writes))
    return np.frombuffer(padded, np.uint8).reshape(-1, longest), len(reads)
