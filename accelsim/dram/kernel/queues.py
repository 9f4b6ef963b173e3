"""Command queues: what each could issue, when, and which one issues next.

A per-bank queue is summarised whenever it or its bank changes (oldest read and write of
the open row, whether the oldest entry may close it), so asking it in a cycle takes a few
comparisons. A per-rank queue mixes banks and is scanned.
"""

from __future__ import annotations

from accelsim.dram.parameters import P
from accelsim.dram.state import (
    CLOSED,
    FAR,
    NONE,
    Bank,
    Channel,
    Command,
    Group,
    Queue,
    Rank,
    Slot,
    State,
)
from accelsim.jit import state_kernel

ROW_HIT_CAP = 4
"""After this many accesses the oldest entry may close a row that others still want."""
POSITION = 1 << 16
"""A choice is ``command * POSITION + position in the queue``."""


@state_kernel
def act_legal(s: State, b: int) -> int:
    """First cycle at which an ACT of bank ``b`` is legal, or the exit of its sleeping rank."""
    r = b >> s.par[P.RANK_SHIFT]
    if s.rank[r, Rank.ASLEEP_TO] == FAR:
        return int(s.rank[r, Rank.ASLEEP_FROM] + s.par[P.SREFE_TO_SREFX])
    n = s.rank[r, Rank.ACTS]
    when = max(s.bank[b, Bank.ACT], s.group[b >> s.par[P.GROUP_SHIFT], Group.ACT])
    when = max(when, s.rank[r, Rank.FAW_RING + n % 4])
    if s.par[P.AW32] > 0:
        when = max(when, s.rank[r, Rank.AW32_RING + n % 32])
    return int(when)


@state_kernel
def pre_legal(s: State, b: int) -> int:
    """First cycle at which a PRE of bank ``b`` is legal."""
    return int(max(s.bank[b, Bank.PRE], s.group[b >> s.par[P.GROUP_SHIFT], Group.PRE]))


@state_kernel
def column_legal(s: State, b: int, is_write: int) -> int:
    """First cycle at which a RD or WR of the open row of bank ``b`` is legal."""
    g = b >> s.par[P.GROUP_SHIFT]
    if is_write:
        return int(max(s.bank[b, Bank.WR], s.group[g, Group.WR]))
    return int(max(s.bank[b, Bank.RD], s.group[g, Group.RD]))


@state_kernel
def held_back(s: State, q: int, position: int) -> bool:
    """True if an older read of the same column waits before this write."""
    i = s.entry[q, position]
    for older in range(position):
        j = s.entry[q, older]
        if (
            not s.slot[j, Slot.IS_WRITE]
            and s.slot[j, Slot.COLUMN] == s.slot[i, Slot.COLUMN]
            and s.slot[j, Slot.ROW] == s.slot[i, Slot.ROW]
            and s.slot[j, Slot.BANK] == s.slot[i, Slot.BANK]
        ):
            return True
    return False


@state_kernel
def note_row_work(s: State, c: int, q: int, work: int) -> None:
    """Keep the channel's number of queues in which an ACT or a PRE may be next."""
    s.channel[c, Channel.ROW_WORK] += work - s.queue[q, Queue.ROW_WORK]
    s.queue[q, Queue.ROW_WORK] = work


@state_kernel
def changed(s: State, c: int, q: int, b: int) -> None:
    """Queue ``q`` of channel ``c`` or its bank ``b`` changed: renew what is remembered of it."""
    n = s.queue[q, Queue.LENGTH]
    blocked = s.channel[c, Channel.BLOCKED_FROM] <= q < s.channel[c, Channel.BLOCKED_TO]
    if n == 0 or blocked:
        s.ready[q] = FAR
        note_row_work(s, c, q, 0)
        return
    if not s.par[P.PER_BANK]:
        s.ready[q] = 0
        note_row_work(s, c, q, 1)
        return
    row = s.bank[b, Bank.ROW]
    if row == CLOSED:
        s.ready[q] = act_legal(s, b)
        note_row_work(s, c, q, 1)
        return
    first_rd, first_wr = NONE, NONE
    conflict = s.slot[s.entry[q, 0], Slot.ROW] != row
    if conflict and s.bank[b, Bank.HITS] >= s.par[P.HIT_LIMIT]:
        n = 0
    for position in range(n):
        i = s.entry[q, position]
        if s.slot[i, Slot.ROW] != row:
            continue
        if not s.slot[i, Slot.IS_WRITE]:
            if first_rd == NONE:
                first_rd = position
        elif first_wr == NONE and not held_back(s, q, position):
            first_wr = position
        if first_rd != NONE and first_wr != NONE:
            break
    no_hit = first_rd == NONE and first_wr == NONE
    may_pre = conflict and (no_hit or s.bank[b, Bank.HITS] >= ROW_HIT_CAP)
    s.queue[q, Queue.FIRST_RD] = first_rd
    s.queue[q, Queue.FIRST_WR] = first_wr
    s.queue[q, Queue.MAY_PRE] = may_pre
    ready = FAR
    if may_pre:
        ready = pre_legal(s, b)
    if first_rd != NONE:
        ready = min(ready, column_legal(s, b, 0))
    if first_wr != NONE:
        ready = min(ready, column_legal(s, b, 1))
    s.ready[q] = ready
    note_row_work(s, c, q, may_pre)


@state_kernel
def ask_bank_queue(s: State, q: int, t: int) -> int:
    """The choice of per-bank queue ``q`` (its bank has the same number), or NONE."""
    if s.bank[q, Bank.ROW] == CLOSED:
        when = act_legal(s, q)
        s.ready[q] = when
        return Command.ACT * POSITION if when <= t else NONE
    soonest = FAR
    if s.queue[q, Queue.MAY_PRE]:
        soonest = pre_legal(s, q)
        if soonest <= t:
            return Command.PRE * POSITION
    rd, wr = s.queue[q, Queue.FIRST_RD], s.queue[q, Queue.FIRST_WR]
    choice = NONE
    if rd != NONE:
        when = column_legal(s, q, 0)
        soonest = min(soonest, when)
        if when <= t:
            choice = Command.RD * POSITION + rd
    if wr != NONE:
        when = column_legal(s, q, 1)
        soonest = min(soonest, when)
        if when <= t and (choice == NONE or wr < rd):
            choice = Command.WR * POSITION + wr
    s.ready[q] = soonest
    return choice


@state_kernel
def may_precharge(s: State, q: int, position: int) -> bool:
    """Arbitration of a PRE in a queue of many banks."""
    b = s.slot[s.entry[q, position], Slot.BANK]
    for older in range(position):
        if s.slot[s.entry[q, older], Slot.BANK] == b:
            return False
    if s.bank[b, Bank.HITS] >= ROW_HIT_CAP:
        return True
    for younger in range(position + 1, s.queue[q, Queue.LENGTH]):
        j = s.entry[q, younger]
        if s.slot[j, Slot.BANK] == b and s.slot[j, Slot.ROW] == s.bank[b, Bank.ROW]:
            return False
    return True


@state_kernel
def overtakes(s: State, q: int, position: int) -> bool:
    """True if an older entry waits for the same bank, but another row."""
    i = s.entry[q, position]
    for older in range(position):
        j = s.entry[q, older]
        same_bank = s.slot[j, Slot.BANK] == s.slot[i, Slot.BANK]
        if same_bank and s.slot[j, Slot.ROW] != s.slot[i, Slot.ROW]:
            return True
    return False


@state_kernel
def ask_rank_queue(s: State, q: int, t: int) -> int:
    """The choice of per-rank queue ``q``, or NONE."""
    soonest = FAR
    for position in range(s.queue[q, Queue.LENGTH]):
        i = s.entry[q, position]
        b, is_write = s.slot[i, Slot.BANK], s.slot[i, Slot.IS_WRITE]
        if s.bank[b, Bank.ROW] == CLOSED:
            when, command = act_legal(s, b), Command.ACT * POSITION
        elif s.bank[b, Bank.ROW] != s.slot[i, Slot.ROW]:
            if not may_precharge(s, q, position):
                continue
            when, command = pre_legal(s, b), Command.PRE * POSITION
        elif s.bank[b, Bank.HITS] >= s.par[P.HIT_LIMIT] and overtakes(s, q, position):
            continue
        elif is_write:
            if held_back(s, q, position):
                continue
            when, command = column_legal(s, b, 1), Command.WR * POSITION
        else:
            when, command = column_legal(s, b, 0), Command.RD * POSITION
        if when <= t:
            return command + position
        soonest = min(soonest, when)
    s.ready[q] = soonest
    return NONE


@state_kernel
def soonest_ready(s: State, c: int) -> int:
    """First cycle at which a queue of channel ``c`` might issue."""
    n = s.par[P.N_QUEUES]
    soonest = FAR
    for q in range(c * n, c * n + n):
        soonest = min(soonest, s.ready[q])
    return int(soonest)


@state_kernel
def soonest_row_command(s: State, c: int) -> int:
    """First cycle at which an ACT or a PRE of channel ``c`` might be legal, or FAR."""
    soonest, left = FAR, s.channel[c, Channel.ROW_WORK]
    q = c * s.par[P.N_QUEUES]
    while left > 0:
        if s.queue[q, Queue.ROW_WORK] == 1:
            left -= 1
            when = s.ready[q] if s.bank[q, Bank.ROW] == CLOSED else pre_legal(s, q)
            soonest = min(soonest, when)
        q += 1
    return int(soonest)


@state_kernel
def choose(s: State, c: int, t: int) -> int:
    """The command that channel ``c`` issues in cycle ``t``, or NONE; moves the pointer.

    Queues are asked in turn after the one that issued last.
    """
    n = s.par[P.N_QUEUES]
    first = c * n
    if soonest_ready(s, c) > t:
        s.channel[c, Channel.EARLIEST] = soonest_ready(s, c)
        return NONE
    q = s.channel[c, Channel.POINTER]
    for _ in range(n):
        q = q + 1 if q + 1 < first + n else first
        if s.ready[q] > t:
            continue
        choice = ask_bank_queue(s, q, t) if s.par[P.PER_BANK] else ask_rank_queue(s, q, t)
        if choice != NONE:
            s.channel[c, Channel.POINTER] = q
            s.channel[c, Channel.EARLIEST] = t + 1
            return choice
    s.channel[c, Channel.EARLIEST] = soonest_ready(s, c)
    return NONE


@state_kernel
def list_movable(s: State, c: int, which: int, q: int) -> None:
    """Queue ``q`` has room, and a transaction waits for it: list it."""
    n = s.channel[c, Channel.MOVABLE_READS + which]
    s.movable[c, which, n] = q
    s.queue[q, Queue.READ_PLACE + which] = n
    s.channel[c, Channel.MOVABLE_READS + which] = n + 1


@state_kernel
def unlist_movable(s: State, c: int, which: int, q: int) -> None:
    """Take queue ``q`` from that list, if it is there; the last takes its place."""
    place = s.queue[q, Queue.READ_PLACE + which]
    if place == NONE:
        return
    n = s.channel[c, Channel.MOVABLE_READS + which] - 1
    last = s.movable[c, which, n]
    s.movable[c, which, place] = last
    s.queue[last, Queue.READ_PLACE + which] = place
    s.queue[q, Queue.READ_PLACE + which] = NONE
    s.channel[c, Channel.MOVABLE_READS + which] = n


@state_kernel
def erase(s: State, c: int, q: int, position: int) -> None:
    """Take one entry out of queue ``q``."""
    n = s.queue[q, Queue.LENGTH] - 1
    for k in range(position, n):
        s.entry[q, k] = s.entry[q, k + 1]
    s.queue[q, Queue.LENGTH] = n
    s.channel[c, Channel.QUEUED] -= 1
    if n + 1 == s.par[P.QUEUE_DEPTH]:
        for which in range(2):
            if s.queue[q, Queue.FIRST_READ + which] != NONE:
                list_movable(s, c, which, q)
