"""The lines that a memory accepted, as a request trace that DRAMsim3 can read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.memory import Memory
from accelsim.errors import DramTraceError


@runtime_checkable
class TrafficMemory(Protocol):
    """A memory that was opened with ``record_traffic=True``."""

    line_bytes: int

    def traffic(self) -> NDArray[np.int64]:
        """[n, 3] cycle, line and is_write of each accepted line."""
        ...


def write_traffic(path: Path, memory: Memory) -> None:
    """Write ``0xADDRESS READ|WRITE CYCLE`` for each line that ``memory`` accepted.

    Raises ``DramTraceError`` if the file cannot be written or the memory keeps no record.
    """
    if not isinstance(memory, TrafficMemory):
        raise DramTraceError(str(path), "this memory records no traffic", "use another policy")
    names = ("READ", "WRITE")
    beside = path.with_name(path.name + ".part")
    try:
        with beside.open("w", encoding="ascii") as file:
            for cycle, line, is_write in memory.traffic().tolist():
                file.write(f"0x{line * memory.line_bytes:X} {names[is_write]} {cycle}\n")
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise DramTraceError(
            str(path), error.strerror or "cannot be written", "choose a writable folder"
        ) from None
