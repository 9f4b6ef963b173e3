"""Request traces: DRAMsim3 text (``0xADDR READ|WRITE CYCLE``) and numpy ``.npz`` files.

Nothing in a trace is executed: text is parsed word by word, arrays are read without pickle.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.config import DramConfig
from accelsim.errors import DramTraceError

WRITE_WORDS: Final = frozenset({"WRITE", "write", "P_MEM_WR", "BOFF"})
"""As DRAMsim3: every other word is a read."""
MAX_BYTES: Final = 4 << 30
"""Of a trace file, unpacked."""
LAST_CYCLE: Final = 1 << 53
# What zipfile and numpy raise on foreign and damaged files, or on a header that lies.
_UNREADABLE: Final = (
    *(ValueError, EOFError, KeyError, NotImplementedError, MemoryError),
    *(zipfile.BadZipFile, zlib.error),
)


@dataclass(frozen=True)
class Requests:
    """Requests in order of arrival; each is one burst, at the address rounded down to it."""

    address: NDArray[np.int64]  # [n] bytes
    is_write: NDArray[np.int64]  # [n] 0 or 1
    arrival_cycle: NDArray[np.int64]  # [n] DRAM cycle, 0: as soon as accepted

    def __len__(self) -> int:
        return len(self.address)


def read_requests(path: str | Path, config: DramConfig, line_address_bytes: int = 64) -> Requests:
    """The trace in ``path`` for the memory of ``config``.

    In an ``.npz``, ``addr`` holds byte addresses, or ``line`` addresses in units of
    ``line_address_bytes``; ``w`` or ``is_write`` is 1 for writes; ``t_ns`` are arrival times
    in nanoseconds, which become the first clock edge not before them.

    Raises ``DramTraceError`` with the line or index of what cannot be replayed.
    """
    path = Path(path)
    try:
        if path.suffix.lower() == ".npz":
            return _from_npz(path, config, line_address_bytes)
        return _from_text(path, config)
    except OSError as error:
        raise DramTraceError(
            str(path), error.strerror or "cannot be read", "check the path of the trace"
        ) from None


def _from_text(path: Path, config: DramConfig) -> Requests:
    address, is_write, cycle = [], [], []
    end = config.n_lines * config.line_bytes
    last = 0
    with path.open("r", encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            words = line.split(maxsplit=3)
            if not words:
                continue
            where = f"{path}:{number}"
            try:
                a, c = int(words[0], 16), int(words[2])
                if not words[1].replace("_", "").isalnum() or "_" in words[0] + words[2]:
                    raise ValueError
            except (ValueError, IndexError):
                raise DramTraceError(
                    where,
                    f"{line.strip()[:60]!r} is no request",
                    "write `0xADDRESS READ|WRITE CYCLE`, say `0x1F40 READ 120`",
                ) from None
            _check(where, a, c, last, end)
            last = c
            address.append(a)
            is_write.append(words[1] in WRITE_WORDS)
            cycle.append(c)
    return Requests(
        np.array(address, np.int64), np.array(is_write, np.int64), np.array(cycle, np.int64)
    )


def _check(where: str, address: int, cycle: int, last_cycle: int, end: int) -> None:
    if not 0 <= address < end:
        raise DramTraceError(
            where,
            f"address {address:#x} lies outside the memory of {end:#x} bytes",
            "replay on a larger memory, or move the addresses",
        )
    if not last_cycle <= cycle < LAST_CYCLE:
        raise DramTraceError(
            where,
            f"cycle {cycle} comes after {last_cycle}",
            "requests are replayed in order: sort the trace by cycle (0 or more)",
        )


def _from_npz(path: Path, config: DramConfig, line_address_bytes: int) -> Requests:
    arrays = _load(path)
    address = _integers(path, arrays, ("line", "addr"))
    is_write = _integers(path, arrays, ("w", "is_write"))
    if "t_ns" not in arrays or arrays["t_ns"].dtype.kind not in "fiu":
        raise DramTraceError(
            str(path), "has no array of numbers 't_ns'", "arrival times in nanoseconds, 0: at once"
        )
    t_ns = arrays["t_ns"].astype(np.float64)
    if not address.shape == is_write.shape == t_ns.shape or address.ndim != 1:
        raise DramTraceError(
            str(path),
            f"arrays differ in shape: {address.shape}, {is_write.shape}, {t_ns.shape}",
            "one address, one write flag and one time for each request",
        )
    if "line" in arrays:
        _first_bad(path, address > (1 << 62) // line_address_bytes, "lies outside the memory")
        address = address * line_address_bytes
    outside = (address < 0) | (address >= config.n_lines * config.line_bytes)
    _first_bad(path, outside, "has an address outside the memory")
    _first_bad(path, (is_write != 0) & (is_write != 1), "has a write flag that is not 0 or 1")
    with np.errstate(over="ignore", invalid="ignore"):
        cycle = np.ceil(t_ns / config.timing.tCK_ns)
        unusable = ~((cycle >= 0) & (cycle < LAST_CYCLE))
    _first_bad(path, unusable, "has a time that is negative or no number")
    _first_bad(path, np.diff(t_ns, prepend=0.0) < 0, "arrives before the one in front of it")
    return Requests(address, is_write, cycle.astype(np.int64))


def _load(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > MAX_BYTES:
            raise DramTraceError(
                str(path), f"unpacks to {unpacked >> 20} MiB", "split the trace (limit: 4 GiB)"
            )
        with np.load(path, allow_pickle=False) as data:
            wanted = {"line", "addr", "w", "is_write", "t_ns"}
            found = {name: data[name] for name in data.files if name in wanted}
        # numpy hands out a member that is no array as bytes.
        return {name: value for name, value in found.items() if isinstance(value, np.ndarray)}
    except _UNREADABLE as error:
        raise DramTraceError(
            str(path),
            f"is no readable .npz ({(str(error).splitlines() or ['damaged'])[0][:80]})",
            "np.savez(path, line=..., w=..., t_ns=...)",
        ) from None


def _integers(
    path: Path, arrays: dict[str, NDArray[Any]], names: tuple[str, str]
) -> NDArray[np.int64]:
    found = [name for name in names if name in arrays]
    if len(found) != 1 or arrays[found[0]].dtype.kind not in "biu":
        raise DramTraceError(
            str(path),
            f"needs exactly one integer array named {names[0]!r} or {names[1]!r}",
            "np.savez(path, line=..., w=..., t_ns=...)",
        )
    values = arrays[found[0]]
    if values.dtype == np.uint64 and values.size and int(values.max()) > 1 << 62:
        raise DramTraceError(
            str(path), f"{found[0]} {int(values.max())} is too large", "addresses below 2^62"
        )
    return values.astype(np.int64)


def _first_bad(path: Path, bad: NDArray[np.bool_], problem: str) -> None:
    if bad.any():
        index = int(np.flatnonzero(bad)[0])
        raise DramTraceError(
            f"{path}: request {index}", problem, "see docs/dram.md for what a trace may hold"
        )
