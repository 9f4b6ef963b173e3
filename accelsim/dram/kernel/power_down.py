"""Ranks without work power down: when, for how long, and what waking them costs.

A rank has work while an entry waits in its command queues, from the moment on at which its
refresh has its turn, and in self-refresh. ``P.POWER_DOWN`` cycles after the last of it the
clock enable (CKE) falls, but not before the data of its last read or write is over (tRDPDEN,
tWRPDEN), nor in the tRFC of a refresh, which is priced above standby. New work raises CKE in
its own cycle, tCKE after it fell at least; every command follows tXP later.

That a rank falls asleep follows from its last command, so no cycle is executed for it; the
time is booked on waking. What tCKE prolongs is booked as standby. CKE is a pin: nothing of
this is a command, and nothing is recorded.
"""

from __future__ import annotations

from accelsim.dram.command import Command
from accelsim.dram.kernel.commands import delay
from accelsim.dram.parameters import P
from accelsim.dram.state import FAR, Bank, ControllerState, Rank
from accelsim.jit import part


@part
def book(s: ControllerState, r: int, since: int, t: int) -> None:
    """Rank ``r`` was powered down from ``since`` to ``t``."""
    passed = t - since
    # The next account takes the rank as awake since the last one.
    if s.rank[r, Rank.OPEN_BANKS] > 0:
        s.rank[r, Rank.ACTIVE_DOWN_CYCLES] += passed
        s.rank[r, Rank.ACTIVE_CYCLES] -= passed
    else:
        s.rank[r, Rank.IDLE_DOWN_CYCLES] += passed
        s.rank[r, Rank.IDLE_CYCLES] -= passed


@part
def begin_work(s: ControllerState, c: int, r: int, t: int) -> None:
    """Rank ``r`` of channel ``c`` gets an entry, or the turn of its refresh: it wakes."""
    if s.par[P.POWER_DOWN] == 0:
        return
    since = s.rank[r, Rank.DOWN_FROM]
    s.rank[r, Rank.WORK] += 1
    s.rank[r, Rank.DOWN_FROM] = FAR
    if since >= t:
        return
    book(s, r, since, t)
    up = max(t, since + s.par[P.DOWN_TO_UP])
    # Without an open row the DLL may have been off, which reads alone need (DDR3).
    is_open = s.rank[r, Rank.OPEN_BANKS] > 0
    read_at = up + (s.par[P.UP_TO_ANY] if is_open else s.par[P.UP_TO_RD])
    up += s.par[P.UP_TO_ANY]
    n = s.par[P.N_BANKS]
    for b in range(r * n, r * n + n):
        delay(s, c, Command.ACT, b, up)
        delay(s, c, Command.PRE, b, up)
        delay(s, c, Command.RD, b, read_at)
        delay(s, c, Command.WR, b, up)
        s.bank[b, Bank.REF] = max(s.bank[b, Bank.REF], up)


@part
def end_work(s: ControllerState, r: int, t: int, busy: int) -> None:
    """A command of cycle ``t`` did one piece of work, and CKE stays for ``busy`` cycles."""
    if s.par[P.POWER_DOWN] == 0:
        return
    s.rank[r, Rank.BUSY_TO] = max(s.rank[r, Rank.BUSY_TO], t + busy)
    s.rank[r, Rank.WORK] -= 1
    if s.rank[r, Rank.WORK] == 0:
        s.rank[r, Rank.DOWN_FROM] = max(t + s.par[P.POWER_DOWN], s.rank[r, Rank.BUSY_TO])


@part
def begin_own_work(s: ControllerState, r: int, t: int) -> None:
    """Rank ``r`` gets a command in ``t`` that was foreseen: CKE has risen tXP before.

    So it is with self-refresh. Where that would be a stay below tCKE, CKE never fell.
    """
    if s.par[P.POWER_DOWN] == 0:
        return
    since, up = s.rank[r, Rank.DOWN_FROM], t - s.par[P.UP_TO_ANY]
    if up - since >= s.par[P.DOWN_TO_UP]:
        book(s, r, since, up)
    s.rank[r, Rank.WORK] += 1
    s.rank[r, Rank.DOWN_FROM] = FAR


@part
def book_until(s: ControllerState, r: int, t: int) -> None:
    """Book what rank ``r``, which may be powered down, was so before ``t``."""
    since = s.rank[r, Rank.DOWN_FROM]
    if since < t:
        book(s, r, since, t)
        s.rank[r, Rank.DOWN_FROM] = t
