"""Request traces in numpy's ``.npz``, read in pieces from its members.

``addr`` holds byte addresses, or ``line`` holds numbers of lines, where a line is one burst of the
memory. ``w`` or ``is_write`` is 1 for writes; ``t_ns`` holds arrival times in nanoseconds, which
are rounded up to the next clock edge (``first_edge``). All arrays are one-dimensional and have the
same length.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from accelsim.dram.config import DramConfig
from accelsim.dram.traces.arrays import LAST_CYCLE, Requests, first_edge
from accelsim.errors import DramTraceError

CHUNK_REQUESTS: Final = 1 << 17
# What zipfile and numpy raise on foreign and damaged files, or on an inconsistent header.
_UNREADABLE: Final = (
    *(ValueError, EOFError, KeyError, NotImplementedError, RuntimeError, OverflowError),
    *(zipfile.BadZipFile, zlib.error, UnicodeError),
)
_HEADERS: Final = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


class _Column:
    """One array of the file, read from its start."""

    def __init__(self, archive: zipfile.ZipFile, stream: IO[bytes], member: str) -> None:
        version = npy.read_magic(stream)
        if version not in _HEADERS:
            raise ValueError(f"{member} is of version {version}")
        self.shape, _, self.dtype = _HEADERS[version](stream)
        self.name, self._stream = member.removesuffix(".npy"), stream
        if self.dtype.hasobject:
            raise ValueError(f"{self.name} holds Python objects")
        n_values = 1
        for extent in self.shape:
            n_values *= extent
        there = archive.getinfo(member).file_size - stream.tell()
        if n_values * self.dtype.itemsize != there:
            raise ValueError(f"{self.name} has {there} bytes for {n_values} {self.dtype}")

    def read(self, n: int) -> NDArray[Any]:
        """The next ``n`` values."""
        data = self._stream.read(n * self.dtype.itemsize)
        if len(data) < n * self.dtype.itemsize:
            raise EOFError(f"{self.name} ends early")
        return np.frombuffer(data, self.dtype)


def npz_chunks(
    path: Path, config: DramConfig, line_bytes: int, on_progress: Callable[[float], None]
) -> Iterator[Requests]:
    """The requests in ``path``; raises ``DramTraceError`` for what cannot be replayed."""
    try:
        yield from _chunks(path, config, line_bytes, on_progress)
    except _UNREADABLE as error:
        problem = (str(error).strip("'\"").splitlines() or ["damaged"])[0][:80]
        raise DramTraceError(
            str(path),
            f"is not a readable .npz ({problem})",
            "np.savez(path, line=..., w=..., t_ns=...)",
        ) from None


def _chunks(
    path: Path, config: DramConfig, line_bytes: int, on_progress: Callable[[float], None]
) -> Iterator[Requests]:
    with ExitStack() as stack:
        archive = stack.enter_context(zipfile.ZipFile(path))
        members = {name.removesuffix(".npy"): name for name in archive.namelist()}

        def column(*names: str, kinds: str, what: str) -> _Column:
            found = [name for name in names if name in members]
            if len(found) == 1:
                member = members[found[0]]
                opened = _Column(archive, stack.enter_context(archive.open(member)), member)
                if opened.dtype.kind in kinds:
                    return opened
            wanted = " or ".join(map(repr, names))
            raise DramTraceError(
                str(path),
                f"needs {what} named {wanted}",
                "np.savez(path, line=..., w=..., t_ns=...)",
            )

        address = column("line", "addr", kinds="biu", what="exactly one integer array")
        is_write = column("w", "is_write", kinds="biu", what="exactly one integer array")
        t_ns = column("t_ns", kinds="fiu", what="an array of numbers (arrival in ns)")
        if not address.shape == is_write.shape == t_ns.shape or len(address.shape) != 1:
            raise DramTraceError(
                str(path),
                f"arrays differ in shape: {address.shape}, {is_write.shape}, {t_ns.shape}",
                "one address, one write flag and one time for each request",
            )
        unit = line_bytes if address.name == "line" else 1
        n_requests, last_ns = address.shape[0], 0.0
        for start in range(0, n_requests, CHUNK_REQUESTS):
            n = min(CHUNK_REQUESTS, n_requests - start)
            times = t_ns.read(n).astype(np.float64)
            yield _requests(
                path, start, config, address.read(n), unit, is_write.read(n), times, last_ns
            )
            last_ns = float(times[-1])
            on_progress((start + n) / n_requests)


def _requests(
    path: Path,
    start: int,
    config: DramConfig,
    address: NDArray[Any],
    unit: int,
    is_write: NDArray[Any],
    t_ns: NDArray[np.float64],
    last_ns: float,
) -> Requests:
    """Checked requests ``start``, ``start`` + 1, ...; the previous one arrived at ``last_ns``."""

    def refuse(bad: NDArray[np.bool_], problem: str) -> None:
        if bad.any():
            where = f"{path}: request {start + int(np.argmax(bad))}"
            raise DramTraceError(where, problem, "docs/dram_traces.md says what it may hold")

    end = config.n_lines * config.line_bytes
    refuse((address < 0) | (address > (end - 1) // unit), "has an address outside the memory")
    refuse((is_write != 0) & (is_write != 1), "has a write flag that is not 0 or 1")
    with np.errstate(over="ignore", invalid="ignore"):
        cycle = first_edge(t_ns, config.timing.tCK_ns)
        unusable = ~((t_ns >= 0) & (cycle < LAST_CYCLE))
    refuse(unusable, f"has a time that is negative, no number, or beyond {LAST_CYCLE:,} cycles")
    refuse(np.diff(t_ns, prepend=last_ns) < 0, "arrives before the one in front of it")
    return Requests(
        address.astype(np.int64) * unit, is_write.astype(np.int64), cycle.astype(np.int64)
    )
