"""Request traces of any kind, read completely or piece by piece.

- DRAMsim3 text, ``0xADDR READ|WRITE CYCLE``;
- Ramulator text, ``LD|ST ADDR`` or ``R|W channel,rank,bankgroup,bank,row,column``;
- numpy ``.npz``, see ``accelsim.dram.traces.npz``.

Text may be gzipped. Nothing in a trace is executed: text is parsed word by word, arrays are
read without pickle. Memory is bounded by the size of a piece, whatever a file claims to contain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from accelsim.dram.config import DramConfig
from accelsim.dram.traces.arrays import Requests
from accelsim.dram.traces.npz import npz_chunks
from accelsim.dram.traces.text import text_chunks
from accelsim.errors import DramTraceError

__all__ = ["Requests", "read_requests", "request_chunks"]


def request_chunks(
    path: str | Path,
    config: DramConfig,
    line_address_bytes: int | None = None,
    on_progress: Callable[[float], None] = lambda share: None,
) -> Iterator[Requests]:
    """The trace in ``path`` for the memory of ``config``, in pieces of any size, in order.

    In an ``.npz``, ``line`` holds addresses in units of ``line_address_bytes``, else of a burst
    of the memory.
    ``on_progress`` is called from time to time with the fraction of the file read, 0 to 1.

    Raises ``DramTraceError`` with the line or index of what cannot be replayed.
    """
    path = Path(path)
    n_requests = 0
    try:
        if path.suffix.lower() == ".npz":
            line_bytes = line_address_bytes or config.line_bytes
            chunks = npz_chunks(path, config, line_bytes, on_progress)
        else:
            chunks = text_chunks(path, config, on_progress)
        for chunk in chunks:
            n_requests += len(chunk)
            yield chunk
    except OSError as error:
        raise DramTraceError(
            str(path), error.strerror or "cannot be read", "check the path of the trace"
        ) from None
    if n_requests == 0:
        raise DramTraceError(
            str(path), "holds no request", "one request a line, say `0x1F40 READ 120`"
        )


def read_requests(
    path: str | Path, config: DramConfig, line_address_bytes: int | None = None
) -> Requests:
    """The whole trace in ``path``, as ``request_chunks`` reads it."""
    chunks = list(request_chunks(path, config, line_address_bytes))
    return Requests(
        np.concatenate([chunk.address for chunk in chunks]),
        np.concatenate([chunk.is_write for chunk in chunks]),
        np.concatenate([chunk.arrival_cycle for chunk in chunks]),
    )
