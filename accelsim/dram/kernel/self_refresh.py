"""Idle ranks refresh themselves: when a rank falls asleep, when it wakes, and what changes.

A rank sleeps in a cycle without any other command, after ``P.SELF_REFRESH`` cycles in which
all its banks were closed, if its command queues are empty and no refresh waits for it. Its
next request wakes it: SRX stands where its ACT would, tCKESR after the entry at least;
ACT and REF follow tXS later, reads tXSDLL. Refreshes that become due meanwhile are its own.

DRAMsim3 never learns that a command queue ran empty: there a rank sleeps only until its
first request. Otherwise a rank that woke is refreshed once more before it sleeps again, as
the standards demand since it may have lost a refresh on waking.
"""

from __future__ import annotations

from accelsim.dram.command import Command
from accelsim.dram.kernel.commands import account, delay, record, refresh_rank
from accelsim.dram.kernel.power_down import begin_own_work, end_work
from accelsim.dram.parameters import BANK_STAGGERED, P
from accelsim.dram.state import FAR, NONE, Bank, ControllerState, Queue, Rank, Slot
from accelsim.jit import part


@part
def asleep_at(s: ControllerState, r: int, t: int) -> bool:
    """True if rank ``r`` sleeps, or did when cycle ``t`` began."""
    until = s.rank[r, Rank.ASLEEP_TO]
    return bool(until == FAR or s.rank[r, Rank.ASLEEP_FROM] < t <= until)


@part
def is_wanted(s: ControllerState, r: int) -> bool:
    """True if requests keep rank ``r`` awake."""
    if s.par[P.STRICT] and (s.rank[r, Rank.ACTS] > 0 or s.rank[r, Rank.ASLEEP_TO] > 0):
        return True
    n = s.par[P.N_BANKS] if s.par[P.PER_BANK] else 1
    waiting = 0
    for q in range(r * n, r * n + n):
        waiting += s.queue[q, Queue.LENGTH]
    return bool(waiting > 0)


@part
def may_sleep_at(s: ControllerState, r: int, t: int) -> int:
    """First cycle at which rank ``r`` may enter self-refresh as it looks in ``t``, or FAR."""
    rank = s.rank
    if rank[r, Rank.ASLEEP_TO] == FAR or rank[r, Rank.OPEN_BANKS] > 0:
        return FAR
    # DRAMsim3 counts the cycle of the closing command as the first idle one.
    when = rank[r, Rank.SINCE] + s.par[P.SELF_REFRESH] - 1
    if when > t:
        return int(when)
    if is_wanted(s, r):
        return FAR
    if s.par[P.STRICT] and s.par[P.REFRESH_POLICY] == BANK_STAGGERED:
        # There the refresh of a bank delays no entry.
        return int(when)
    first = r * s.par[P.N_BANKS]
    for b in range(first, first + s.par[P.N_BANKS]):
        when = max(when, s.bank[b, Bank.REF])
    return int(when)


@part
def enter(s: ControllerState, c: int, r: int, t: int) -> None:
    """SRE of rank ``r``, whose banks are closed."""
    # DRAMsim3 books the cycle of the command as idle.
    account(s, r, t + 1)
    s.rank[r, Rank.ASLEEP_FROM] = t
    s.rank[r, Rank.ASLEEP_TO] = FAR
    first = r * s.par[P.N_BANKS]
    for b in range(first, first + s.par[P.N_BANKS]):
        k = b - c * s.legal.shape[2]
        s.bank[b, Bank.ACT_AWAKE] = s.legal[c, Command.ACT, k]
        s.legal[c, Command.ACT, k] = t + s.par[P.SREFE_TO_SREFX]
    record(s, t, Command.SRE, r * s.par[P.N_BANKS], NONE, NONE)


@part
def sleep(s: ControllerState, c: int, t: int, is_free: bool, waiting: int) -> int:
    """Let one idle rank of channel ``c`` fall asleep if cycle ``t`` has no other command.

    ``waiting`` is the rank for which a refresh waits, or NONE. Returns the first cycle after
    ``t`` at which a rank might, as far as known now.
    """
    soonest = FAR
    for r in range(c * s.par[P.N_RANKS], (c + 1) * s.par[P.N_RANKS]):
        if r == waiting:
            continue
        when = may_sleep_at(s, r, t)
        if when > t or not is_free:
            soonest = min(soonest, max(when, t + 1))
            continue
        begin_own_work(s, r, t)
        if s.rank[r, Rank.OWES_REFRESH] == 1:
            refresh_rank(s, c, r, t)
            end_work(s, r, t, s.par[P.REF_TO_ACT])
            if s.par[P.REFRESH_POLICY] == BANK_STAGGERED:
                # Counts are in refreshes of the policy: this one is of all banks.
                s.rank[r, Rank.REFRESHES] += s.par[P.N_BANKS] - 1
            soonest = min(soonest, t + 1)
        else:
            enter(s, c, r, t)
        is_free = False
    return int(soonest)


@part
def wake(s: ControllerState, c: int, i: int, t: int) -> None:
    """SRX of the rank that the request in slot ``i`` wants."""
    r, b = s.slot[i, Slot.RANK], s.slot[i, Slot.BANK]
    account(s, r, t)
    end_work(s, r, t, 0)
    s.rank[r, Rank.ASLEEP_TO] = t
    s.rank[r, Rank.OWES_REFRESH] = 1
    n = s.par[P.N_BANKS]
    for bank in range(r * n, r * n + n):
        k = bank - c * s.legal.shape[2]
        s.legal[c, Command.ACT, k] = max(s.bank[bank, Bank.ACT_AWAKE], t + s.par[P.SREFX_TO_ACT])
        s.bank[bank, Bank.REF] = max(s.bank[bank, Bank.REF], t + s.par[P.SREFX_TO_ACT])
        delay(s, c, Command.RD, bank, t + s.par[P.SREFX_TO_RD])
    record(s, t, Command.SRX, b, s.slot[i, Slot.ROW], s.slot[i, Slot.COLUMN])
