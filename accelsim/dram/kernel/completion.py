"""From arrived lines to done transfers: blocks, the decoder's recurrence, reports in order.

``f`` is the ``FrontState``, ``r`` a requester. Times are femtoseconds.
"""

from __future__ import annotations

from accelsim.dram.front import PERIOD_FS, Block, Front, FrontState, Lane, Out, Requester, Xfer
from accelsim.dram.state import FAR, NONE
from accelsim.jit import part


@part
def block_done(f: FrontState, r: int, b: int, done_fs: int) -> None:
    """Block ``b`` is where it should be: one less for its transfer."""
    ring = f.block.shape[1]
    x = f.block[r, b & (ring - 1), Block.TRANSFER] & (f.xfer.shape[1] - 1)
    f.xfer[r, x, Xfer.DONE_FS] = max(f.xfer[r, x, Xfer.DONE_FS], done_fs)
    f.xfer[r, x, Xfer.BLOCKS_LEFT] -= 1
    if f.xfer[r, x, Xfer.BLOCKS_LEFT] == 0:
        f.front[Front.DONE] += 1


@part
def run_lane(f: FrontState, r: int, sequence: int) -> None:
    """Start all blocks that the lane of this stream position can start now."""
    ring, lanes = f.block.shape[1], f.requester[r, Requester.LANES]
    period, fill = f.requester[r, Requester.PERIOD_FS], f.requester[r, Requester.FILL_FS]
    lane = sequence % lanes
    at = f.lane[r, lane, Lane.NEXT]
    while at < f.requester[r, Requester.DECODED]:
        b = f.stream[r, at & (ring - 1)]
        arrived = f.block[r, b & (ring - 1), Block.ARRIVED_FS]
        if arrived == NONE:
            break
        start = max(arrived, f.lane[r, lane, Lane.FREE_FS])
        start = -(-start // period) * period
        done = start + f.block[r, b & (ring - 1), Block.DECODE_FS]
        f.start[r, at % f.requester[r, Requester.FIFO]] = start
        f.lane[r, lane, Lane.FREE_FS] = done
        block_done(f, r, b, done + fill)
        at += lanes
    f.lane[r, lane, Lane.NEXT] = at


@part
def block_arrived(f: FrontState, r: int, b: int, now_fs: int) -> None:
    """All lines of block ``b`` are there; empty blocks behind it arrive with it."""
    ring = f.block.shape[1]
    while True:
        f.block[r, b & (ring - 1), Block.ARRIVED_FS] = now_fs
        x = f.block[r, b & (ring - 1), Block.TRANSFER] & (f.xfer.shape[1] - 1)
        f.xfer[r, x, Xfer.ARRIVED_FS] = max(f.xfer[r, x, Xfer.ARRIVED_FS], now_fs)
        sequence = f.block[r, b & (ring - 1), Block.SEQUENCE]
        if sequence == NONE:
            block_done(f, r, b, now_fs)
        else:
            run_lane(f, r, sequence)
        b += 1
        if b >= f.requester[r, Requester.SENT] or f.block[r, b & (ring - 1), Block.N_LINES] > 0:
            break
        if f.block[r, b & (ring - 1), Block.ARRIVED_FS] != NONE:
            break


@part
def retire(f: FrontState, r: int) -> int:
    """Report the transfers of ``r`` that are done, in order; when the first arrived, or FAR."""
    ring, requester, first_fs = f.xfer.shape[1], f.requester, FAR
    while requester[r, Requester.RETIRED] < requester[r, Requester.TRANSFERS]:
        x = requester[r, Requester.RETIRED] & (ring - 1)
        if f.xfer[r, x, Xfer.BLOCKS_LEFT] > 0:
            break
        arrived = max(f.xfer[r, x, Xfer.ARRIVED_FS], requester[r, Requester.LAST_FS])
        requester[r, Requester.LAST_FS] = arrived
        requester[r, Requester.RETIRED] += 1
        f.front[Front.DONE] -= 1
        n = f.front[Front.OUT]
        first = f.xfer[r, x, Xfer.FIRST_FS]
        f.out[n, Out.TRANSFER] = f.xfer[r, x, Xfer.NUMBER]
        f.out[n, Out.FIRST_FS] = arrived if first == NONE else first
        f.out[n, Out.ARRIVED_FS] = arrived
        f.out[n, Out.DONE_FS] = max(arrived, f.xfer[r, x, Xfer.DONE_FS])
        f.out[n, Out.HELD_FS] = f.xfer[r, x, Xfer.HELD] * f.fixed[PERIOD_FS]
        f.front[Front.OUT] = n + 1
        first_fs = min(first_fs, arrived)
    return int(first_fs)
