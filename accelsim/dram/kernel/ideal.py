"""The ideal memory: one bus, fair and in order, and a constant latency behind it.

Time on the bus is counted in units of 1 / channels of a DRAM cycle, so that the peak
bandwidth of any number of channels is exact.
"""

from __future__ import annotations

from enum import IntEnum, auto

import numpy as np

from accelsim.dram.front import (
    PERIOD_FS,
    Block,
    Front,
    FrontState,
    Requester,
    Token,
    Xfer,
    new_front,
)
from accelsim.dram.kernel.by_address import front_at
from accelsim.dram.kernel.completion import block_arrived, retire
from accelsim.dram.kernel.serve import (
    BURSTS,
    await_arrival,
    block_sent,
    book_arrivals,
    next_arrival,
    next_line,
    note_hold,
    pass_empty_blocks,
    renew,
)
from accelsim.dram.state import FAR, NONE, Count
from accelsim.jit import Ints, addresses, state_kernel


class Bus(IntEnum):
    """The bus, and its constants."""

    FREE = 0
    """First unit of time at which the bus is free."""
    UNITS_PER_CYCLE = auto()
    UNITS_PER_LINE = auto()
    LATENCY = auto()
    """Cycles from the end of a line on the bus to its data."""


@state_kernel
def take(f: FrontState, bus: Ints, count: Ints, r: int, t: int) -> None:
    """The bus takes the next line of ``r`` in cycle ``t``."""
    requester, ring = f.requester, f.block.shape[1]
    b = requester[r, Requester.SENT]
    x = f.block[r, b & (ring - 1), Block.TRANSFER] & (f.xfer.shape[1] - 1)
    is_write, label = f.xfer[r, x, Xfer.IS_WRITE], f.xfer[r, x, Xfer.LABEL]
    units = bus[Bus.UNITS_PER_CYCLE]
    bus[Bus.FREE] = max(bus[Bus.FREE], t * units) + bus[Bus.UNITS_PER_LINE]
    count[label, Count.WR if is_write else Count.RD] += 1
    now_fs = (t + 1) * f.fixed[PERIOD_FS]
    if f.xfer[r, x, Xfer.FIRST_FS] == NONE:
        f.xfer[r, x, Xfer.FIRST_FS] = now_fs
    if f.front[Front.TRAFFIC] < f.traffic.shape[0]:
        n = f.front[Front.TRAFFIC]
        f.traffic[n, 0], f.traffic[n, 1], f.traffic[n, 2] = t, next_line(f, r), is_write
        f.front[Front.TRAFFIC] = n + 1
    if not is_write:
        token = f.front[Front.FREE_TOKEN]
        f.front[Front.FREE_TOKEN] = f.token[token, Token.NEXT]
        f.token[token, Token.REQUESTER] = r
        f.token[token, Token.BLOCK] = b
        requester[r, Requester.IN_FLIGHT] += 1
        arrival = -(-bus[Bus.FREE] // units) + bus[Bus.LATENCY]
        await_arrival(f, BURSTS, arrival, token)
    note_hold(f, r, b)
    requester[r, Requester.LINE] += 1
    if requester[r, Requester.LINE] == f.block[r, b & (ring - 1), Block.N_LINES]:
        block_sent(f, r, b, t)
        if is_write:
            block_arrived(f, r, b, now_fs)
    renew(f, r)
    pass_empty_blocks(f, r, t)


@state_kernel
def next_turn(f: FrontState, t: int) -> int:
    """The first requester after the one served last that has a line now, or NONE."""
    n, r = f.requester.shape[0], f.granted[0]
    for _ in range(n):
        r = r + 1 if r + 1 < n else 0
        if f.requester[r, Requester.AT] <= t:
            return int(r)
    return NONE


@state_kernel
def serve_ideal(front: Ints, bus: Ints, count: Ints, until_fs: int) -> int:
    """As ``accelsim.dram.kernel.serve.serve``, on the ideal bus."""
    f = front_at(front)
    n_requesters, period = f.requester.shape[0], f.fixed[PERIOD_FS]
    units = bus[Bus.UNITS_PER_CYCLE]
    f.front[Front.OUT] = 0
    for r in range(n_requesters):
        renew(f, r)
    while f.traffic.shape[0] == 0 or f.front[Front.TRAFFIC] + units <= f.traffic.shape[0]:
        offer = FAR
        for r in range(n_requesters):
            offer = min(offer, f.requester[r, Requester.AT])
        if offer < FAR:
            offer = max(offer, bus[Bus.FREE] // units, f.front[Front.NOW])
        arrival = next_arrival(f)
        t = min(arrival, offer)
        if t == FAR or t * period >= until_fs:
            break
        f.front[Front.NOW] = t
        if arrival <= offer:
            until_fs = book_arrivals(f, t, until_fs)
            continue
        for r in range(n_requesters):
            pass_empty_blocks(f, r, t)
        while bus[Bus.FREE] < (t + 1) * units:
            r = next_turn(f, t)
            if r == NONE:
                break
            f.granted[0] = r
            take(f, bus, count, r, t)
        f.front[Front.NOW] = t + 1
        if f.front[Front.DONE] > 0:
            for r in range(n_requesters):
                until_fs = retire(f, r, until_fs)
    return int(f.front[Front.OUT])


def warm_up() -> None:
    """Compile with the types of production."""
    front = new_front(1, 1, 1, 1, {})
    serve_ideal(
        addresses(front), np.ones(len(Bus), np.int64), np.zeros((1, len(Count)), np.int64), 0
    )
