"""Command queues: what each could issue, when, and what leaves or enters it.

A per-bank queue is summarised whenever it or its bank changes (oldest read and write of
the open row, whether the oldest entry may close it), so asking it takes a few comparisons.
A per-rank queue mixes banks and is scanned: see ``rank_queues``.
"""

from __future__ import annotations

from accelsim.dram.command import Command
from accelsim.dram.parameters import P
from accelsim.dram.state import CLOSED, FAR, NONE, Bank, Channel, ControllerState, Queue, Slot
from accelsim.jit import part

ROW_HIT_CAP = 4
"""After this many accesses the oldest entry may close a row that others still want."""
POSITION_BITS = 16
POSITION = 1 << POSITION_BITS
"""A choice is ``command * POSITION + position in the queue``."""


@part
def legal_at(s: ControllerState, c: int, command: int, b: int) -> int:
    """First cycle at which this command (ACT, PRE, RD, WR) of bank ``b`` is legal.

    For an ACT in a rank that refreshes itself: at which the rank may be woken.
    """
    return int(s.legal[c, command, b - c * s.legal.shape[2]])


@part
def held_back(s: ControllerState, q: int, position: int) -> bool:
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


@part
def is_stopped(s: ControllerState, c: int, q: int) -> bool:
    """True if queue ``q`` stands still for the refresh that waits."""
    return bool(s.channel[c, Channel.BLOCKED_FROM] <= q < s.channel[c, Channel.BLOCKED_TO])


@part
def want(s: ControllerState, c: int, q: int, command: int, wanted: bool) -> None:
    """Remember whether per-bank queue ``q`` has a use for this command now."""
    s.unwanted[c, command, q - c * s.unwanted.shape[2]] = 0 if wanted else FAR


@part
def changed(s: ControllerState, c: int, q: int) -> None:
    """Queue ``q`` of channel ``c`` or its bank changed: renew what is remembered of it."""
    if not s.par[P.PER_BANK]:
        return
    n, n_writes, row = s.queue[q, Queue.LENGTH], s.queue[q, Queue.WRITES], s.bank[q, Bank.ROW]
    works = n > 0 and not is_stopped(s, c, q)
    rd, wr, may_pre = NONE, NONE, False
    if works and row != CLOSED:
        conflict = s.wanted[q, 0] >> 1 != row
        if not (conflict and s.bank[q, Bank.HITS] >= s.par[P.HIT_LIMIT]):
            for position in range(n):
                wanted = s.wanted[q, position]
                if wanted == 2 * row and rd == NONE:
                    rd = position
                    if wr != NONE or n_writes == 0:
                        break
                elif wanted == 2 * row + 1 and wr == NONE and not held_back(s, q, position):
                    wr = position
                    if rd != NONE or n_writes == n:
                        break
        no_hit = rd == NONE and wr == NONE
        may_pre = conflict and (no_hit or s.bank[q, Bank.HITS] >= ROW_HIT_CAP)
    s.queue[q, Queue.FIRST_RD] = rd
    s.queue[q, Queue.FIRST_WR] = wr
    want(s, c, q, Command.ACT, works and row == CLOSED)
    want(s, c, q, Command.PRE, may_pre)
    want(s, c, q, Command.RD, rd != NONE)
    want(s, c, q, Command.WR, wr != NONE)


@part
def bank_queue_ready(s: ControllerState, c: int, k: int) -> int:
    """First cycle at which the ``k``-th queue of channel ``c`` can issue."""
    act = max(s.legal[c, Command.ACT, k], s.unwanted[c, Command.ACT, k])
    pre = max(s.legal[c, Command.PRE, k], s.unwanted[c, Command.PRE, k])
    rd = max(s.legal[c, Command.RD, k], s.unwanted[c, Command.RD, k])
    wr = max(s.legal[c, Command.WR, k], s.unwanted[c, Command.WR, k])
    return int(min(min(act, pre), min(rd, wr)))


@part
def ask_bank_queue(s: ControllerState, c: int, q: int, t: int) -> int:
    """The choice of per-bank queue ``q`` (its bank has the same number), which is ready."""
    k = q - c * s.legal.shape[2]
    if s.bank[q, Bank.ROW] == CLOSED:
        return Command.ACT * POSITION
    if max(s.legal[c, Command.PRE, k], s.unwanted[c, Command.PRE, k]) <= t:
        return Command.PRE * POSITION
    rd, wr = s.queue[q, Queue.FIRST_RD], s.queue[q, Queue.FIRST_WR]
    if wr == NONE or s.legal[c, Command.WR, k] > t:
        return int(Command.RD * POSITION + rd)
    if rd == NONE or s.legal[c, Command.RD, k] > t or wr < rd:
        return int(Command.WR * POSITION + wr)
    return int(Command.RD * POSITION + rd)


@part
def list_movable(s: ControllerState, c: int, which: int, q: int) -> None:
    """Queue ``q`` has room, and a transaction waits for it: list it."""
    n = s.channel[c, Channel.MOVABLE_READS + which]
    s.movable[c, which, n] = q
    s.queue[q, Queue.READ_PLACE + which] = n
    s.channel[c, Channel.MOVABLE_READS + which] = n + 1


@part
def unlist_movable(s: ControllerState, c: int, which: int, q: int) -> None:
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


@part
def append(s: ControllerState, c: int, q: int, i: int) -> None:
    """Put slot ``i`` at the end of queue ``q``, which has room."""
    n, is_write = s.queue[q, Queue.LENGTH], s.slot[i, Slot.IS_WRITE]
    s.entry[q, n] = i
    s.wanted[q, n] = 2 * s.slot[i, Slot.ROW] + is_write
    s.queue[q, Queue.LENGTH] = n + 1
    s.queue[q, Queue.WRITES] += is_write
    s.channel[c, Channel.QUEUED] += 1


@part
def erase(s: ControllerState, c: int, q: int, position: int) -> None:
    """Take one entry out of queue ``q``."""
    n = s.queue[q, Queue.LENGTH] - 1
    s.queue[q, Queue.WRITES] -= s.wanted[q, position] & 1
    for k in range(position, n):
        s.entry[q, k] = s.entry[q, k + 1]
        s.wanted[q, k] = s.wanted[q, k + 1]
    s.queue[q, Queue.LENGTH] = n
    s.channel[c, Channel.QUEUED] -= 1
    if n + 1 == s.par[P.QUEUE_DEPTH]:
        for which in range(2):
            if s.queue[q, Queue.FIRST_READ + which] != NONE:
                list_movable(s, c, which, q)
