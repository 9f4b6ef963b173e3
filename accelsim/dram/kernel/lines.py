"""Lines on their way between requesters and a memory: sent, awaited, arrived.

What every co-simulated memory does with a line that it accepted; which line it accepts,
and when, is its own.
"""

from __future__ import annotations

from accelsim.dram.front import (
    OUTSTANDING,
    PERIOD_FS,
    Arrival,
    Block,
    Front,
    FrontState,
    Requester,
    Token,
)
from accelsim.dram.kernel.completion import block_arrived
from accelsim.dram.kernel.requester import begin_block, block_sent, note_hold, renew, turn_to_block
from accelsim.dram.state import FAR, NONE
from accelsim.jit import part

BURSTS, NEAR = 0, 1
"""Rings of arrivals: after a burst, and from the write buffer."""


@part
def pass_empty_blocks(f: FrontState, t: int) -> None:
    """Send blocks without lines; each arrives with the block before it."""
    if f.front[Front.EMPTY_BLOCKS] > 0:
        for r in range(f.requester.shape[0]):
            pass_empty_blocks_of(f, r, t)


@part
def pass_empty_blocks_of(f: FrontState, r: int, t: int) -> None:
    """The same of requester ``r``."""
    requester, ring = f.requester, f.block.shape[1]
    while (
        requester[r, Requester.AT] <= t
        and requester[r, Requester.NEXT_LINE] == requester[r, Requester.END_LINE]
    ):
        b = requester[r, Requester.SENT]
        f.front[Front.EMPTY_BLOCKS] -= 1
        note_hold(f, r, b)
        block_sent(f, r, b, t)
        if b == 0 or f.block[r, (b - 1) & (ring - 1), Block.ARRIVED_FS] != NONE:
            block_arrived(f, r, b, (t + 1) * f.fixed[PERIOD_FS])
        turn_to_block(f, r)


@part
def record_traffic(f: FrontState, t: int, line: int, is_write: int) -> None:
    """Append an accepted line to the record, if there is one."""
    n = f.front[Front.TRAFFIC]
    if n < f.traffic.shape[0]:
        f.traffic[n, 0], f.traffic[n, 1], f.traffic[n, 2] = t, line, is_write
        f.front[Front.TRAFFIC] = n + 1


@part
def line_accepted(f: FrontState, r: int, t: int) -> int:
    """The next line of ``r`` was accepted in cycle ``t``; the token of a read, or NONE."""
    requester, token = f.requester, NONE
    b, now_fs = requester[r, Requester.SENT], (t + 1) * f.fixed[PERIOD_FS]
    record_traffic(f, t, requester[r, Requester.NEXT_LINE], requester[r, Requester.IS_WRITE])
    if requester[r, Requester.BEGUN] == 0:
        begin_block(f, r, b, now_fs)
    requester[r, Requester.NEXT_LINE] += 1
    if not requester[r, Requester.IS_WRITE]:
        token = f.front[Front.FREE_TOKEN]
        f.front[Front.FREE_TOKEN] = f.token[token, Token.NEXT]
        f.token[token, Token.REQUESTER] = r
        f.token[token, Token.BLOCK] = b
        requester[r, Requester.IN_FLIGHT] += 1
        renew(f, r)
    if requester[r, Requester.NEXT_LINE] == requester[r, Requester.END_LINE]:
        block_sent(f, r, b, t)
        if requester[r, Requester.IS_WRITE]:
            block_arrived(f, r, b, now_fs)
        turn_to_block(f, r)
    return int(token)


@part
def await_arrival(f: FrontState, which: int, cycle: int, token: int) -> None:
    """Append to a ring; cycles never fall, since the delay of each ring is constant."""
    head = Front.NEAR_HEAD if which == NEAR else Front.BURST_HEAD
    count = Front.NEAR_COUNT if which == NEAR else Front.BURST_COUNT
    k, size = f.front[head] + f.front[count], f.arrival.shape[1]
    k = k if k < size else k - size
    f.arrival[which, k, Arrival.CYCLE] = cycle
    f.arrival[which, k, Arrival.TOKEN] = token
    f.front[count] += 1


@part
def next_arrival(f: FrontState) -> int:
    """Cycle of the next data to arrive, or FAR."""
    soonest = FAR
    if f.front[Front.BURST_COUNT] > 0:
        soonest = f.arrival[BURSTS, f.front[Front.BURST_HEAD], Arrival.CYCLE]
    if f.front[Front.NEAR_COUNT] > 0:
        soonest = min(soonest, f.arrival[NEAR, f.front[Front.NEAR_HEAD], Arrival.CYCLE])
    return soonest


@part
def line_arrived(f: FrontState, token: int, t: int) -> None:
    """The data of one read is there."""
    requester, r, b = f.requester, f.token[token, Token.REQUESTER], f.token[token, Token.BLOCK]
    f.token[token, Token.NEXT] = f.front[Front.FREE_TOKEN]
    f.front[Front.FREE_TOKEN] = token
    if requester[r, Requester.IN_FLIGHT] == f.fixed[OUTSTANDING]:
        requester[r, Requester.FREE_SINCE] = t
    requester[r, Requester.IN_FLIGHT] -= 1
    i = b & (f.block.shape[1] - 1)
    f.block[r, i, Block.LINES_LEFT] -= 1
    if f.block[r, i, Block.LINES_LEFT] == 0:
        block_arrived(f, r, b, t * f.fixed[PERIOD_FS])
        if requester[r, Requester.BLOCK_AT] == FAR:
            turn_to_block(f, r)
    renew(f, r)


@part
def book_arrivals(f: FrontState, t: int) -> None:
    """Book all data that arrives in cycle ``t``."""
    for which in range(2):
        head = Front.NEAR_HEAD if which == NEAR else Front.BURST_HEAD
        count = Front.NEAR_COUNT if which == NEAR else Front.BURST_COUNT
        while f.front[count] > 0:
            k = f.front[head]
            if f.arrival[which, k, Arrival.CYCLE] > t:
                break
            f.front[head] = k + 1 if k + 1 < f.arrival.shape[1] else 0
            f.front[count] -= 1
            line_arrived(f, f.arrival[which, k, Arrival.TOKEN], t)
