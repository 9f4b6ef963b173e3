"""The block that a requester sends: when it may be offered, and how it begins and ends.

What is asked in every cycle lies in the requester's own row (``Requester``): it is renewed
when its turn comes to another block, or when data or a decoder lane sets it free.
"""

from __future__ import annotations

from accelsim.dram.front import OUTSTANDING, PERIOD_FS, Block, Front, FrontState, Requester, Xfer
from accelsim.dram.state import FAR, NONE
from accelsim.jit import part


@part
def offer_at(f: FrontState) -> int:
    """First cycle at which any requester may offer a line, or FAR; looked up when one changed."""
    if f.front[Front.OFFER_AT] == NONE:
        soonest = FAR
        for r in range(f.requester.shape[0]):
            soonest = min(soonest, f.requester[r, Requester.AT])
        f.front[Front.OFFER_AT] = soonest
    return int(f.front[Front.OFFER_AT])


@part
def renew(f: FrontState, r: int) -> None:
    """Find out when the next line of requester ``r`` may be offered."""
    requester = f.requester
    f.front[Front.OFFER_AT] = NONE
    waits = requester[r, Requester.IN_FLIGHT] >= f.fixed[OUTSTANDING]
    if waits and not requester[r, Requester.IS_WRITE]:
        requester[r, Requester.AT] = FAR
    else:
        requester[r, Requester.AT] = requester[r, Requester.BLOCK_AT]


@part
def turn_to_block(f: FrontState, r: int) -> None:
    """Look at the block that requester ``r`` sends next; none of its lines is accepted yet."""
    requester, b = f.requester, f.requester[r, Requester.SENT]
    if b == requester[r, Requester.BLOCKS]:
        requester[r, Requester.AT] = requester[r, Requester.BLOCK_AT] = FAR
        f.front[Front.OFFER_AT] = NONE
        return
    i = b & (f.block.shape[1] - 1)
    x = f.block[r, i, Block.TRANSFER] & (f.xfer.shape[1] - 1)
    at = max(f.block[r, i, Block.READY], f.xfer[r, x, Xfer.SUBMITTED])
    sequence = f.block[r, i, Block.SEQUENCE]
    if sequence != NONE and sequence >= requester[r, Requester.FIFO]:
        start = f.start[r, sequence % requester[r, Requester.FIFO]]
        at = FAR if start == NONE else max(at, -(-start // f.fixed[PERIOD_FS]))
    requester[r, Requester.BLOCK_AT] = at
    requester[r, Requester.NEXT_LINE] = f.block[r, i, Block.FIRST_LINE]
    requester[r, Requester.END_LINE] = (
        f.block[r, i, Block.FIRST_LINE] + f.block[r, i, Block.N_LINES]
    )
    requester[r, Requester.BEGUN] = 0
    requester[r, Requester.IS_WRITE] = f.xfer[r, x, Xfer.IS_WRITE]
    requester[r, Requester.LABEL] = f.xfer[r, x, Xfer.LABEL]
    requester[r, Requester.DUE] = f.xfer[r, x, Xfer.DUE]
    renew(f, r)


@part
def note_hold(f: FrontState, r: int, b: int) -> None:
    """Block ``b`` is offered for the first time: book what the decoder alone cost it."""
    requester, i = f.requester, b & (f.block.shape[1] - 1)
    sequence = f.block[r, i, Block.SEQUENCE]
    if sequence == NONE or sequence < requester[r, Requester.FIFO]:
        return
    x = f.block[r, i, Block.TRANSFER] & (f.xfer.shape[1] - 1)
    start = f.start[r, sequence % requester[r, Requester.FIFO]]
    other = max(f.block[r, i, Block.READY], f.xfer[r, x, Xfer.SUBMITTED])
    other = max(other, requester[r, Requester.HEAD_SINCE], requester[r, Requester.FREE_SINCE])
    f.xfer[r, x, Xfer.HELD] += max(0, -(-start // f.fixed[PERIOD_FS]) - other)


@part
def begin_block(f: FrontState, r: int, b: int, now_fs: int) -> None:
    """The first line of block ``b`` is accepted."""
    f.requester[r, Requester.BEGUN] = 1
    note_hold(f, r, b)
    x = f.block[r, b & (f.block.shape[1] - 1), Block.TRANSFER] & (f.xfer.shape[1] - 1)
    if f.xfer[r, x, Xfer.FIRST_FS] == NONE:
        f.xfer[r, x, Xfer.FIRST_FS] = now_fs


@part
def block_sent(f: FrontState, r: int, b: int, t: int) -> None:
    """The next block of ``r`` has its turn; ``b`` now holds its place in the decoder's FIFO."""
    sequence = f.block[r, b & (f.block.shape[1] - 1), Block.SEQUENCE]
    f.requester[r, Requester.HEAD_SINCE] = t + 1
    if sequence != NONE:
        f.start[r, sequence % f.requester[r, Requester.FIFO]] = NONE
    f.requester[r, Requester.SENT] = b + 1
