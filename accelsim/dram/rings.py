"""Putting transfers into the front end's rings, and growing rings that are too small."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.front import Block, FrontState, Out, Requester, Xfer
from accelsim.dram.memory import Transfer
from accelsim.dram.state import NONE


class Rings:
    """Where each requester's next transfer goes. Counts only rise; places are modulo size."""

    def __init__(self, front: FrontState, period_fs: int) -> None:
        self.front = front
        self._period_fs = period_fs
        n = len(front.requester)
        self._transfers, self._blocks, self._decoded = [0] * n, [0] * n, [0] * n
        self._has_decoder = (front.requester[:, Requester.LANES] > 0).tolist()
        # Numbers up to which transfers and blocks surely fit; found anew when reached.
        self._transfers_fit, self._blocks_fit = [0] * n, [0] * n

    def put(self, number: int, now_fs: int, transfer: Transfer) -> None:
        """Append ``transfer`` as ``number`` to its requester's rings, which grow if need be."""
        r, n = transfer.requester, len(transfer.first_line)
        x, start = self._transfers[r], self._blocks[r]
        # A transfer without blocks holds one block without lines.
        end = start + max(n, 1)
        if x >= self._transfers_fit[r] or end > self._blocks_fit[r]:
            self._make_room(r, end)
        front, period_fs = self.front, self._period_fs
        ring = front.block.shape[1]
        if n == 1 and transfer.ready_fs is None and transfer.decode_fs is None:
            first, lines = transfer.first_line[0], transfer.n_lines[0]
            front.block[r, start & (ring - 1)] = (first, lines, 0, 0, x, NONE, lines, NONE)
        else:
            _write(front.block[r], start, self._rows(r, x, start, end, transfer))
        front.xfer[r, x & (front.xfer.shape[1] - 1)] = (
            *(number, transfer.is_write, transfer.label, -(-now_fs // period_fs)),
            *(start, end - start, NONE, 0, 0, 0),
        )
        requester = front.requester[r]
        self._transfers[r] = requester[Requester.TRANSFERS] = x + 1
        self._blocks[r] = requester[Requester.BLOCKS] = end

    def _rows(self, r: int, x: int, start: int, end: int, transfer: Transfer) -> NDArray[np.int64]:
        rows = np.empty((end - start, len(Block)), np.int64)
        rows[:] = (0, 0, 0, 0, x, NONE, 0, NONE)
        if len(transfer.first_line) == 0:
            return rows
        rows[:, Block.FIRST_LINE] = transfer.first_line
        rows[:, Block.N_LINES] = transfer.n_lines
        rows[:, Block.LINES_LEFT] = transfer.n_lines
        if transfer.ready_fs is not None:
            rows[:, Block.READY] = -(-transfer.ready_fs // self._period_fs)
        if transfer.decode_fs is not None and self._has_decoder[r] and not transfer.is_write:
            first = self._decoded[r]
            self._decoded[r] = first + end - start
            rows[:, Block.DECODE_FS] = transfer.decode_fs
            rows[:, Block.SEQUENCE] = np.arange(first, self._decoded[r])
            _write(self.front.stream[r], first, np.arange(start, end))
            self.front.requester[r, Requester.DECODED] = self._decoded[r]
        return rows

    def _make_room(self, r: int, end: int) -> None:
        """Find out, or double until, one more transfer fits, with blocks up to ``end``."""
        front = self.front
        retired = int(front.requester[r, Requester.RETIRED])
        if self._transfers[r] - retired >= front.xfer.shape[1]:
            size = 2 * front.xfer.shape[1]
            front = front._replace(
                xfer=_grown(front.xfer, self._transfers, size),
                out=np.zeros((size * len(front.requester), len(Out)), np.int64),
            )
            self._transfers_fit = [0] * len(front.requester)
        oldest = self._blocks[r]
        if retired < self._transfers[r]:
            oldest = int(front.xfer[r, retired % front.xfer.shape[1], Xfer.FIRST_BLOCK])
        # An empty block looks at the one before it, so one more than the unretired stay.
        needed = end - oldest + 1
        if needed > front.block.shape[1]:
            size = 1 << (needed - 1).bit_length()
            front = front._replace(
                block=_grown(front.block, self._blocks, size),
                stream=_grown(front.stream, self._decoded, size),
            )
            self._blocks_fit = [0] * len(front.requester)
        self._transfers_fit[r] = retired + front.xfer.shape[1]
        self._blocks_fit[r] = oldest - 1 + front.block.shape[1]
        self.front = front


def _write(ring: NDArray[np.int64], start: int, rows: NDArray[np.int64]) -> None:
    """Write ``rows`` to positions ``start``, ``start + 1``, ... of ``ring``."""
    at = start & (len(ring) - 1)
    fit = min(len(rows), len(ring) - at)
    ring[at : at + fit] = rows[:fit]
    if fit < len(rows):
        ring[: len(rows) - fit] = rows[fit:]


def _grown(ring: NDArray[np.int64], ends: list[int], size: int) -> NDArray[np.int64]:
    """The rings with ``size`` places; the last entries of each, up to its end, keep theirs."""
    grown = np.zeros((len(ring), size, *ring.shape[2:]), np.int64)
    for r, end in enumerate(ends):
        kept = np.arange(max(0, end - ring.shape[1]), end)
        grown[r, kept % size] = ring[r, kept % ring.shape[1]]
    return grown
