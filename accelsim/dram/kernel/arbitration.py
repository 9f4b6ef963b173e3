"""Which DMA engine's line a channel takes: that which is due first, and prefetches yield.

Every transfer says when it is due (the machine: the place of its row in the program), so a
tile that the array needs next goes before one that it needs later. Arbitration alone would
not do: prefetched lines that fill the controller's queues make later ones wait that are due
before them. So reads that are due later than what some engine has yet to send come only as
far as the bus would otherwise run dry.

``s`` is the ``State``, ``f`` the ``FrontState``, ``c`` a channel, ``r`` a requester.
"""

from __future__ import annotations

from accelsim.dram.front import FrontState, Requester
from accelsim.dram.kernel.controller import would_accept
from accelsim.dram.kernel.requester import offer_at
from accelsim.dram.kernel.transactions import channel_of
from accelsim.dram.parameters import P
from accelsim.dram.state import FAR, Channel, ControllerState
from accelsim.jit import part


@part
def first_due(f: FrontState, t: int) -> int:
    """When the first of all lines that are not accepted yet is due, or FAR.

    Reads that cannot be offered yet count, for they will come; writes do not.
    """
    requester, first = f.requester, FAR
    for r in range(requester.shape[0]):
        counts = requester[r, Requester.AT] <= t or not requester[r, Requester.IS_WRITE]
        if counts and requester[r, Requester.SENT] < requester[r, Requester.BLOCKS]:
            first = min(first, requester[r, Requester.DUE])
    return int(first)


@part
def would_take(s: ControllerState, f: FrontState, c: int, r: int, t: int) -> bool:
    """True if channel ``c`` would take the next line of ``r`` in cycle ``t``, as known now."""
    requester = f.requester
    line, is_write = requester[r, Requester.NEXT_LINE], requester[r, Requester.IS_WRITE]
    if not would_accept(s, c, line, is_write):
        return False
    waiting = s.channel[c, Channel.READ_LENGTH] + s.channel[c, Channel.QUEUED]
    if is_write or waiting < s.par[P.ENOUGH_READS]:
        return True
    return bool(requester[r, Requester.DUE] <= first_due(f, t))


@part
def next_offer(s: ControllerState, f: FrontState, t: int) -> int:
    """First cycle from ``t`` on at which some requester can be served, as known now."""
    requester, soonest = f.requester, offer_at(f)
    if soonest > t:
        return soonest
    soonest = FAR
    for r in range(requester.shape[0]):
        at, line = requester[r, Requester.AT], requester[r, Requester.NEXT_LINE]
        if at > t:
            soonest = min(soonest, at)
            continue
        is_empty = line == requester[r, Requester.END_LINE]
        if is_empty or would_take(s, f, channel_of(s, line), r, t):
            return t
    return int(soonest)
