"""Command queues of whole ranks: their entries want different banks, so they are scanned."""

from __future__ import annotations

from accelsim.dram.command import Command
from accelsim.dram.kernel.queues import POSITION, ROW_HIT_CAP, held_back, is_stopped, legal_at
from accelsim.dram.parameters import P
from accelsim.dram.state import CLOSED, FAR, NONE, Bank, ControllerState, Queue, Slot
from accelsim.jit import part


@part
def may_precharge(s: ControllerState, q: int, position: int) -> bool:
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


@part
def overtakes(s: ControllerState, q: int, position: int) -> bool:
    """True if an older entry waits for the same bank, but another row."""
    i = s.entry[q, position]
    for older in range(position):
        j = s.entry[q, older]
        same_bank = s.slot[j, Slot.BANK] == s.slot[i, Slot.BANK]
        if same_bank and s.slot[j, Slot.ROW] != s.slot[i, Slot.ROW]:
            return True
    return False


@part
def next_command(s: ControllerState, q: int, position: int) -> int:
    """The command that an entry needs now, or NONE if others have to go first."""
    i = s.entry[q, position]
    b, row = s.slot[i, Slot.BANK], s.slot[i, Slot.ROW]
    if s.bank[b, Bank.ROW] == CLOSED:
        return Command.ACT
    if s.bank[b, Bank.ROW] != row:
        return Command.PRE if may_precharge(s, q, position) else NONE
    if s.bank[b, Bank.HITS] >= s.par[P.HIT_LIMIT] and overtakes(s, q, position):
        return NONE
    if s.slot[i, Slot.IS_WRITE]:
        return NONE if held_back(s, q, position) else Command.WR
    return Command.RD


@part
def rank_queue_ready(s: ControllerState, c: int, k: int) -> int:
    """First cycle at which the ``k``-th queue of channel ``c`` can issue, or FAR."""
    q, soonest = c * s.par[P.N_QUEUES] + k, FAR
    if is_stopped(s, c, q):
        return FAR
    for position in range(s.queue[q, Queue.LENGTH]):
        command = next_command(s, q, position)
        if command != NONE:
            b = s.slot[s.entry[q, position], Slot.BANK]
            soonest = min(soonest, legal_at(s, c, command, b))
    return soonest


@part
def ask_rank_queue(s: ControllerState, c: int, q: int, t: int) -> int:
    """The choice of per-rank queue ``q``: the oldest entry whose command is legal, or NONE."""
    for position in range(s.queue[q, Queue.LENGTH]):
        command = next_command(s, q, position)
        if command != NONE:
            b = s.slot[s.entry[q, position], Slot.BANK]
            if legal_at(s, c, command, b) <= t:
                return int(command * POSITION + position)
    return NONE
