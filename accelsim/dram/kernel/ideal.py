"""The ideal memory: one bus, fair and in order, and a constant latency behind it.

Time on the bus is counted in units of 1 / channels of a DRAM cycle, so that the peak
bandwidth of any number of channels is exact.
"""

from __future__ import annotations

from enum import IntEnum, auto

import numpy as np

from accelsim.dram.front import PERIOD_FS, Front, FrontState, Requester, new_front
from accelsim.dram.kernel.by_address import front_at
from accelsim.dram.kernel.completion import retire
from accelsim.dram.kernel.lines import (
    BURSTS,
    await_arrival,
    book_arrivals,
    line_accepted,
    next_arrival,
    pass_empty_blocks,
    pass_empty_blocks_of,
)
from accelsim.dram.kernel.requester import offer_at
from accelsim.dram.state import FAR, NONE, Count
from accelsim.jit import Ints, addresses, part, state_kernel


class Bus(IntEnum):
    """The bus, and its constants."""

    FREE = 0
    """First unit of time at which the bus is free."""
    UNITS_PER_CYCLE = auto()
    UNITS_PER_LINE = auto()
    LATENCY = auto()
    """Cycles from the end of a line on the bus to its data."""


@part
def take(f: FrontState, bus: Ints, count: Ints, r: int, t: int) -> None:
    """The bus takes the next line of ``r`` in cycle ``t``."""
    units = bus[Bus.UNITS_PER_CYCLE]
    bus[Bus.FREE] = max(bus[Bus.FREE], t * units) + bus[Bus.UNITS_PER_LINE]
    column = Count.WR if f.requester[r, Requester.IS_WRITE] else Count.RD
    count[f.requester[r, Requester.LABEL], column] += 1
    token = line_accepted(f, r, t)
    if token != NONE:
        await_arrival(f, BURSTS, -(-bus[Bus.FREE] // units) + bus[Bus.LATENCY], token)
    pass_empty_blocks_of(f, r, t)


@part
def next_turn(f: FrontState, t: int) -> int:
    """The requester whose line is due first, after the one served last, or NONE."""
    n, r = f.requester.shape[0], f.granted[0]
    chosen, due = NONE, FAR
    for _ in range(n):
        r = r + 1 if r + 1 < n else 0
        if f.requester[r, Requester.AT] <= t and f.requester[r, Requester.DUE] < due:
            chosen, due = r, f.requester[r, Requester.DUE]
    return int(chosen)


@state_kernel
def serve_ideal(front: Ints, bus: Ints, count: Ints, until_fs: int) -> int:
    """As ``accelsim.dram.kernel.serve.serve``, on the ideal bus."""
    f = front_at(front)
    n_requesters, period = f.requester.shape[0], f.fixed[PERIOD_FS]
    units = bus[Bus.UNITS_PER_CYCLE]
    f.front[Front.OUT] = 0
    while True:
        if f.front[Front.DONE] > 0:
            for r in range(n_requesters):
                until_fs = min(until_fs, retire(f, r))
        if f.traffic.shape[0] > 0 and f.front[Front.TRAFFIC] + units > f.traffic.shape[0]:
            f.front[Front.IDLE_TO_FS] = 0
            break
        offer = offer_at(f)
        if offer < FAR:
            offer = max(offer, bus[Bus.FREE] // units, f.front[Front.NOW])
        arrival = next_arrival(f)
        t = min(arrival, offer)
        if t == FAR or t * period >= until_fs:
            f.front[Front.IDLE_TO_FS] = t * period if t < FAR else FAR
            break
        f.front[Front.NOW] = t
        if arrival <= offer:
            book_arrivals(f, t)
            continue
        pass_empty_blocks(f, t)
        while bus[Bus.FREE] < (t + 1) * units:
            r = next_turn(f, t)
            if r == NONE:
                break
            f.granted[0] = r
            take(f, bus, count, r, t)
        f.front[Front.NOW] = t + 1
    return int(f.front[Front.OUT])


def warm_up() -> None:
    """Compile with the types of production."""
    front = new_front(1, 1, 1, 1, {})
    serve_ideal(
        addresses(front), np.ones(len(Bus), np.int64), np.zeros((1, len(Count)), np.int64), 0
    )
