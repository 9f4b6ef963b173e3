"""The lines that a memory accepted, as a request trace that other simulators can read."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.config import DramConfig
from accelsim.dram.memory import Memory
from accelsim.dram.traces.arrays import Requests
from accelsim.dram.traces.write import TraceForm, write_requests
from accelsim.errors import DramTraceError


@runtime_checkable
class TrafficMemory(Protocol):
    """A memory that was opened with ``record_traffic=True``."""

    config: DramConfig

    def traffic(self) -> NDArray[np.int64]:
        """[n, 3] cycle, line and is_write of each accepted line."""
        ...


def write_traffic(path: Path, memory: Memory, form: TraceForm | None = None) -> None:
    """Write a request for each line that ``memory`` accepted, in ``form`` (else by suffix).

    Raises ``UserError`` if the file cannot be written or the memory keeps no record.
    """
    if not isinstance(memory, TrafficMemory):
        raise DramTraceError(str(path), "this memory records no traffic", "use another policy")
    cycle, line, is_write = memory.traffic().T
    requests = Requests(line * memory.config.line_bytes, is_write, cycle)
    write_requests(path, requests, memory.config, form)
