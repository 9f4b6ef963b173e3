"""Writing request traces in the forms that DRAMsim3, Ramulator and numpy read.

``load_store`` and ``read_write`` are Ramulator's forms: they keep the order but not the times.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.address_map import address_map
from accelsim.dram.config import DramConfig
from accelsim.dram.system import ADDRESS_FIELDS
from accelsim.dram.traces.arrays import Requests
from accelsim.dram.traces.text import levels
from accelsim.errors import UserError
from accelsim.whole_files import replacing

TraceForm: TypeAlias = Literal["dramsim3", "load_store", "read_write", "npz"]
PIECE: Final = 1 << 16
"""Lines that are turned into text at once."""


def form_of(path: Path, form: TraceForm | None) -> TraceForm:
    """The form in which ``path`` is written: by its name if ``form`` is None.

    Raises ``UserError`` if name and form contradict each other, so that nothing could read the
    file.
    """
    by_name: TraceForm = "npz" if path.suffix.lower() == ".npz" else "dramsim3"
    if form is not None and (form == "npz") != (by_name == "npz"):
        raise UserError(
            str(path),
            f"does not go with the form {form}",
            "arrays are in files called .npz, text in others",
        )
    return form or by_name


def write_requests(
    path: Path, requests: Requests, config: DramConfig, form: TraceForm | None = None
) -> None:
    """Write ``requests`` to the memory of ``config`` to a file, completely or not at all.

    Without ``form``, ``.npz`` means numpy arrays and every other suffix DRAMsim3's form; text is
    gzipped if the name ends in ``.gz``. Raises ``UserError`` if the file cannot be written.
    """
    form = form_of(path, form)
    with replacing(path) as unfinished:
        if form == "npz":
            with unfinished.open("wb") as file:
                t_ns = requests.arrival_cycle * config.timing.tCK_ns
                is_write = requests.is_write.astype(np.uint8)
                np.savez(file, addr=requests.address, is_write=is_write, t_ns=t_ns)
            return
        lines = LINES[form](requests, config)
        if path.suffix.lower() == ".gz":
            # Without the time, so that the same trace gives the same file.
            with unfinished.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, 0) as packed:
                packed.writelines(text.encode("ascii") for text in lines)
        else:
            with unfinished.open("w", encoding="ascii") as plain:
                plain.writelines(lines)


def _dramsim3(requests: Requests, config: DramConfig) -> Iterator[str]:
    names = ("READ", "WRITE")
    for address, is_write, cycle in _pieces(
        requests.address, requests.is_write, requests.arrival_cycle
    ):
        rows = zip(address, is_write, cycle, strict=True)
        yield "".join(f"0x{a:X} {names[w]} {t}\n" for a, w, t in rows)


def _load_store(requests: Requests, config: DramConfig) -> Iterator[str]:
    names = ("LD", "ST")
    for address, is_write in _pieces(requests.address, requests.is_write):
        rows = zip(address, is_write, strict=True)
        yield "".join(f"{names[w]} 0x{a:X}\n" for a, w in rows)


def _read_write(requests: Requests, config: DramConfig) -> Iterator[str]:
    names, mapping = ("R", "W"), address_map(config)
    line = requests.address // config.line_bytes
    places = [ADDRESS_FIELDS.index(field) for field in levels(config)]
    numbers = [(line >> mapping.shift[p]) & ((1 << mapping.bits[p]) - 1) for p in places]
    for is_write, *each in _pieces(requests.is_write, *numbers):
        rows = zip(is_write, *each, strict=True)
        yield "".join(f"{names[w]} {','.join(map(str, place))}\n" for w, *place in rows)


LINES: Final[dict[str, Callable[[Requests, DramConfig], Iterator[str]]]] = {
    "dramsim3": _dramsim3,
    "load_store": _load_store,
    "read_write": _read_write,
}


def _pieces(*columns: NDArray[np.int64]) -> Iterator[list[list[int]]]:
    for start in range(0, len(columns[0]), PIECE):
        yield [column[start : start + PIECE].tolist() for column in columns]
