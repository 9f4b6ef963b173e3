"""Rings of transfers and blocks that hold more, when they have become too small."""

from __future__ import annotations

import numpy as np

from accelsim.dram.front import FrontState, Out, Requester
from accelsim.jit import Ints


def grown(front: FrontState, n_blocks: int) -> FrontState:
    """``front`` with rings twice as large, or as many times as ``n_blocks`` more need."""
    requester, n = front.requester, len(front.requester)
    n_transfers = 2 * front.xfer.shape[1]
    # The block before the oldest stays, too, so that room for one more is needed.
    ring = 1 << (front.block.shape[1] + n_blocks).bit_length()
    return front._replace(
        xfer=_moved(front.xfer, requester[:, Requester.TRANSFERS], n_transfers),
        out=np.zeros((n_transfers * n, len(Out)), np.int64),
        block=_moved(front.block, requester[:, Requester.BLOCKS], ring),
        stream=_moved(front.stream, requester[:, Requester.DECODED], ring),
    )


def _moved(ring: Ints, ends: Ints, size: int) -> Ints:
    """The rings with ``size`` places; the last entries of each, up to its end, keep theirs."""
    moved = np.zeros((len(ring), size, *ring.shape[2:]), np.int64)
    for r, end in enumerate(ends.tolist()):
        kept = np.arange(max(0, end - ring.shape[1]), end)
        moved[r, kept % size] = ring[r, kept % ring.shape[1]]
    return moved
