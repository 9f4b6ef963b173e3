"""One cycle of one channel, in DRAMsim3's order, and the next cycle that matters.

Order: a refresh becomes due; the waiting refresh issues a command, else the queues do; an
HBM channel issues a second one; in a cycle without a command an idle rank may fall asleep;
one transaction moves to a command queue. Whoever drives the channel then offers new requests
for this cycle. All cycles from there to ``Channel.NEXT`` would change nothing and are skipped.
"""

from __future__ import annotations

from accelsim.dram.command import Command
from accelsim.dram.kernel.commands import (
    activate,
    precharge,
    read,
    refresh_bank,
    refresh_rank,
    write,
)
from accelsim.dram.kernel.power_down import begin_work, end_work
from accelsim.dram.kernel.queues import POSITION, POSITION_BITS, changed, erase, legal_at
from accelsim.dram.kernel.self_refresh import asleep_at, sleep, wake
from accelsim.dram.kernel.transactions import move, release
from accelsim.dram.kernel.turns import choose, renew_turn
from accelsim.dram.parameters import BANK_STAGGERED, SIMULTANEOUS, P
from accelsim.dram.state import CLOSED, FAR, NONE, Bank, Channel, ControllerState, Queue, Rank, Slot
from accelsim.jit import part


@part
def refresh_due(s: ControllerState, c: int, t: int) -> None:
    """The refresh timer of channel ``c`` fires."""
    n = 1
    if s.par[P.REFRESH_POLICY] == SIMULTANEOUS and not s.par[P.STRICT]:
        # DRAMsim3 leaves its loop over the ranks after the first.
        n = s.par[P.N_RANKS]
    if s.channel[c, Channel.REFRESH_DUE] == s.channel[c, Channel.REFRESH_DONE]:
        s.channel[c, Channel.REFRESH_TRY] = t
    s.channel[c, Channel.REFRESH_DUE] += n
    s.channel[c, Channel.REFRESH_AT] += s.par[P.REFRESH_INTERVAL]
    drop_refreshes(s, c)


@part
def refresh_target(s: ControllerState, c: int) -> int:
    """Bank (its rank's first, for a whole rank) of the refresh that waits longest.

    NONE if that rank refreshes itself, or did so when the timer fired.
    """
    k, par = s.channel[c, Channel.REFRESH_DONE], s.par
    simultaneous = par[P.REFRESH_POLICY] == SIMULTANEOUS
    fired = k // par[P.N_RANKS] if simultaneous and not par[P.STRICT] else k
    due = (fired + 1) * par[P.REFRESH_INTERVAL]
    if par[P.REFRESH_POLICY] == BANK_STAGGERED:
        group, k = k % par[P.N_GROUPS], k // par[P.N_GROUPS]
        bank, k = k % par[P.N_BANKS_PER_GROUP], k // par[P.N_BANKS_PER_GROUP]
        rank = c * par[P.N_RANKS] + k % par[P.N_RANKS]
        if asleep_at(s, rank, due):
            return NONE
        return int((rank * par[P.N_GROUPS] + group) * par[P.N_BANKS_PER_GROUP] + bank)
    rank = c * par[P.N_RANKS] + k % par[P.N_RANKS]
    last = rank
    if simultaneous and par[P.STRICT]:
        # DRAMsim3 leaves its loop over the ranks after the first that is awake.
        rank, last = c * par[P.N_RANKS], (c + 1) * par[P.N_RANKS] - 1
    while asleep_at(s, rank, due):
        if rank == last:
            return NONE
        rank += 1
    return int(rank * par[P.N_BANKS])


@part
def drop_refreshes(s: ControllerState, c: int) -> None:
    """Pass over waiting refreshes of ranks that refresh themselves."""
    channel = s.channel
    while channel[c, Channel.REFRESH_DONE] < channel[c, Channel.REFRESH_DUE]:
        if refresh_target(s, c) != NONE:
            return
        channel[c, Channel.REFRESH_DONE] += 1
    channel[c, Channel.REFRESH_TRY] = FAR


@part
def stop_queues(s: ControllerState, c: int, target: int, t: int) -> None:
    """Stop the command queues of the bank or rank that is to be refreshed."""
    rank = target >> s.par[P.RANK_SHIFT]
    if not s.par[P.PER_BANK]:
        first, n = rank, 1
    elif s.par[P.REFRESH_POLICY] == BANK_STAGGERED:
        first, n = target, 1
    else:
        first, n = rank * s.par[P.N_BANKS], s.par[P.N_BANKS]
    s.channel[c, Channel.BLOCKED_FROM] = first
    s.channel[c, Channel.BLOCKED_TO] = first + n
    for q in range(first, first + n):
        if s.queue[q, Queue.LENGTH] > 0:
            changed(s, c, q)
    renew_turn(s, c, t)


@part
def release_queues(s: ControllerState, c: int) -> None:
    """Let the stopped command queues go on."""
    first, end = s.channel[c, Channel.BLOCKED_FROM], s.channel[c, Channel.BLOCKED_TO]
    s.channel[c, Channel.BLOCKED_FROM] = 0
    s.channel[c, Channel.BLOCKED_TO] = 0
    for q in range(first, end):
        if s.queue[q, Queue.LENGTH] > 0:
            changed(s, c, q)


@part
def try_refresh(s: ControllerState, c: int, t: int) -> bool:
    """Close one bank for the waiting refresh, or refresh; False if nothing is legal yet."""
    target = refresh_target(s, c)
    if s.channel[c, Channel.BLOCKED_TO] == 0:
        begin_work(s, c, target >> s.par[P.RANK_SHIFT], t)
        stop_queues(s, c, target, t)
    single = s.par[P.REFRESH_POLICY] == BANK_STAGGERED
    n = 1 if single else s.par[P.N_BANKS]
    all_closed, closed_when, open_when = True, 0, FAR
    for b in range(target, target + n):
        if s.bank[b, Bank.ROW] == CLOSED:
            closed_when = max(closed_when, s.bank[b, Bank.REF])
            continue
        all_closed = False
        when = legal_at(s, c, Command.PRE, b)
        if when <= t:
            precharge(s, c, b, t, NONE, NONE, s.bank[b, Bank.LABEL])
            s.channel[c, Channel.REFRESH_TRY] = t + 1
            return True
        open_when = min(open_when, when)
    if not all_closed or closed_when > t:
        s.channel[c, Channel.REFRESH_TRY] = closed_when if all_closed else open_when
        return False
    if single:
        refresh_bank(s, c, target, t)
    else:
        refresh_rank(s, c, target >> s.par[P.RANK_SHIFT], t)
    s.channel[c, Channel.REFRESH_DONE] += 1
    release_queues(s, c)
    end_work(s, target >> s.par[P.RANK_SHIFT], t, s.par[P.REF_TO_DOWN])
    s.channel[c, Channel.REFRESH_TRY] = t + 1
    drop_refreshes(s, c)
    return True


@part
def issue(s: ControllerState, c: int, choice: int, t: int) -> None:
    """Carry out the command chosen from the queue at the pointer of channel ``c``."""
    command, position = choice >> POSITION_BITS, choice & (POSITION - 1)
    q = c * s.par[P.N_QUEUES] + s.channel[c, Channel.POINTER]
    i = s.entry[q, position]
    if command == Command.ACT:
        if s.rank[s.slot[i, Slot.RANK], Rank.ASLEEP_TO] == FAR:
            wake(s, c, i, t)
        else:
            activate(s, c, i, t)
    elif command == Command.PRE:
        row, column = s.slot[i, Slot.ROW], s.slot[i, Slot.COLUMN]
        precharge(s, c, s.slot[i, Slot.BANK], t, row, column, s.slot[i, Slot.LABEL])
    else:
        if command == Command.RD:
            read(s, c, i, t)
        else:
            write(s, c, i, t)
        erase(s, c, q, position)
        release(s, i)
        busy = s.par[P.RD_TO_DOWN] if command == Command.RD else s.par[P.WR_TO_DOWN]
        end_work(s, s.slot[i, Slot.RANK], t, busy)
        s.channel[c, Channel.MOVE_AT] = t
    changed(s, c, q)


@part
def issue_commands(s: ControllerState, c: int, t: int) -> bool:
    """The commands of cycle ``t``: one, or on HBM one for the row and one for the column bus.

    False if there was none.
    """
    dual = s.par[P.DUAL]
    is_row = True
    if s.channel[c, Channel.REFRESH_TRY] > t or not try_refresh(s, c, t):
        if s.channel[c, Channel.EARLIEST] > t:
            return False
        choice = choose(s, c, t)
        is_row = choice < Command.RD * POSITION
        issue(s, c, choice, t)
    renew_turn(s, c, t if dual else t + 1)
    if dual and s.channel[c, Channel.EARLIEST] <= t:
        choice = choose(s, c, t)
        # As in DRAMsim3, the pointer stays at the queue whose choice is dropped.
        if is_row != (choice < Command.RD * POSITION):
            issue(s, c, choice, t)
        renew_turn(s, c, t + 1)
    return True


@part
def refreshed_rank(s: ControllerState, c: int) -> int:
    """The rank for which a refresh waits, or NONE."""
    if s.channel[c, Channel.REFRESH_DUE] == s.channel[c, Channel.REFRESH_DONE]:
        return NONE
    return int(refresh_target(s, c) >> s.par[P.RANK_SHIFT])


@part
def tick(s: ControllerState, c: int, t: int) -> None:
    """Everything that channel ``c`` does in cycle ``t``, before requests are offered.

    A read burst issued leaves its requests in ``Channel.READ_TOKEN``; their data is there
    ``P.READ_DELAY`` cycles later.
    """
    channel = s.channel
    channel[c, Channel.READ_TOKEN] = NONE
    if t == channel[c, Channel.REFRESH_AT]:
        refresh_due(s, c, t)
    is_free, may_sleep = True, FAR
    if min(channel[c, Channel.REFRESH_TRY], channel[c, Channel.EARLIEST]) <= t:
        is_free = not issue_commands(s, c, t)
    if s.par[P.SELF_REFRESH] > 0:
        may_sleep = sleep(s, c, t, is_free, refreshed_rank(s, c))
    if channel[c, Channel.MOVE_AT] <= t:
        move(s, c, t)
    soonest = min(channel[c, Channel.REFRESH_AT], channel[c, Channel.REFRESH_TRY])
    soonest = min(soonest, channel[c, Channel.EARLIEST], may_sleep)
    channel[c, Channel.NEXT] = max(t + 1, min(soonest, channel[c, Channel.MOVE_AT]))
