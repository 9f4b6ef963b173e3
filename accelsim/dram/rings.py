"""Putting transfers into the front end's rings, and growing rings that are too small."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.front import Block, FrontState, Out, Requester, Xfer
from accelsim.dram.memory import Transfer
from accelsim.dram.state import NONE
from accelsim.units import ceil_div


def put(front: FrontState, number: int, now_fs: int, period_fs: int, transfer: Transfer) -> None:
    """Append ``transfer`` to its requester's rings, which have room for it."""
    r = transfer.requester
    requester = front.requester[r]
    known = requester.tolist()
    start, x = known[Requester.BLOCKS], known[Requester.TRANSFERS]
    n = max(len(transfer.first_line), 1)
    rows = np.empty((n, len(Block)), np.int64)
    rows[:] = (0, 0, 0, 0, x, NONE, 0, NONE)
    if len(transfer.first_line):
        rows[:, Block.FIRST_LINE] = transfer.first_line
        rows[:, Block.N_LINES] = transfer.n_lines
        rows[:, Block.LINES_LEFT] = transfer.n_lines
        if transfer.ready_fs is not None:
            rows[:, Block.READY] = -(-transfer.ready_fs // period_fs)
        if transfer.decode_fs is not None and known[Requester.LANES]:
            sequence = known[Requester.DECODED]
            rows[:, Block.DECODE_FS] = transfer.decode_fs
            rows[:, Block.SEQUENCE] = np.arange(sequence, sequence + n)
            _write(front.stream[r], sequence, np.arange(start, start + n))
            requester[Requester.DECODED] = sequence + n
    _write(front.block[r], start, rows)
    front.xfer[r, x & (front.xfer.shape[1] - 1)] = (
        *(number, transfer.is_write, transfer.label),
        *(ceil_div(now_fs, period_fs), start, n, NONE, 0, 0, 0),
    )
    requester[Requester.BLOCKS], requester[Requester.TRANSFERS] = start + n, x + 1


def _write(ring: NDArray[np.int64], start: int, rows: NDArray[np.int64]) -> None:
    """Write ``rows`` to positions ``start``, ``start + 1``, ... of ``ring``."""
    at = start & (len(ring) - 1)
    if at + len(rows) <= len(ring):
        ring[at : at + len(rows)] = rows
        return
    fit = min(len(rows), len(ring) - at)
    ring[at : at + fit] = rows[:fit]
    ring[: len(rows) - fit] = rows[fit:]


def with_room(front: FrontState, r: int, n_blocks: int) -> FrontState:
    """``front``, its rings doubled until requester ``r`` can take ``n_blocks`` blocks more."""
    requester = front.requester[r].tolist()
    waiting = requester[Requester.TRANSFERS] - requester[Requester.RETIRED]
    if waiting >= front.xfer.shape[1]:
        size = 2 * front.xfer.shape[1]
        front = front._replace(
            xfer=_grown(front.xfer, front.requester[:, Requester.TRANSFERS], size),
            out=np.zeros((size * len(front.requester), len(Out)), np.int64),
        )
    oldest = requester[Requester.BLOCKS]
    if waiting:
        at = requester[Requester.RETIRED] % front.xfer.shape[1]
        oldest = int(front.xfer[r, at, Xfer.FIRST_BLOCK])
    # An empty block looks at the one before it, so one more than the unretired stay.
    needed = requester[Requester.BLOCKS] - oldest + max(n_blocks, 1) + 1
    if needed > front.block.shape[1]:
        size = 1 << (needed - 1).bit_length()
        front = front._replace(
            block=_grown(front.block, front.requester[:, Requester.BLOCKS], size),
            stream=_grown(front.stream, front.requester[:, Requester.DECODED], size),
        )
    return front


def _grown(ring: NDArray[np.int64], ends: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """The rings with ``size`` places; the last entries of each, up to its end, keep theirs."""
    grown = np.zeros((len(ring), size, *ring.shape[2:]), np.int64)
    for r, end in enumerate(ends.tolist()):
        kept = np.arange(max(0, end - ring.shape[1]), end)
        grown[r, kept % size] = ring[r, kept % ring.shape[1]]
    return grown
