"""One cycle of one channel, in DRAMsim3's order, and the next cycle that matters.

Order: a refresh becomes due; the waiting refresh issues a command, else the queues do; an
HBM channel issues a second one; one transaction moves to a command queue. Whoever drives
the channel then offers new requests for this cycle. All cycles from there to
``Channel.NEXT`` would change nothing and are skipped.
"""

from __future__ import annotations

from accelsim.dram.kernel.commands import precharge, read, refresh_bank, refresh_rank, write
from accelsim.dram.kernel.queues import (
    POSITION,
    changed,
    choose,
    erase,
    issue_row_command,
    pre_legal,
)
from accelsim.dram.kernel.transactions import move, release
from accelsim.dram.parameters import BANK_STAGGERED, SIMULTANEOUS, P
from accelsim.dram.state import CLOSED, FAR, NONE, Bank, Channel, Command, Group, Misc, Slot, State
from accelsim.jit import state_kernel


@state_kernel
def refresh_due(s: State, c: int, t: int) -> None:
    """The refresh timer of channel ``c`` fires."""
    n = 1
    if s.par[P.REFRESH_POLICY] == SIMULTANEOUS and not s.par[P.STRICT]:
        # DRAMsim3 leaves its loop over the ranks after the first.
        n = s.par[P.N_RANKS]
    if s.channel[c, Channel.REFRESH_DUE] == s.channel[c, Channel.REFRESH_DONE]:
        s.channel[c, Channel.REFRESH_TRY] = t
    s.channel[c, Channel.REFRESH_DUE] += n
    s.channel[c, Channel.REFRESH_AT] += s.par[P.REFRESH_INTERVAL]


@state_kernel
def refresh_target(s: State, c: int) -> int:
    """Bank (its rank's first, for a whole rank) of the refresh that waits longest."""
    k, par = s.channel[c, Channel.REFRESH_DONE], s.par
    if par[P.REFRESH_POLICY] == BANK_STAGGERED:
        group, k = k % par[P.N_GROUPS], k // par[P.N_GROUPS]
        bank, k = k % par[P.N_BANKS_PER_GROUP], k // par[P.N_BANKS_PER_GROUP]
        rank = c * par[P.N_RANKS] + k % par[P.N_RANKS]
        return int((rank * par[P.N_GROUPS] + group) * par[P.N_BANKS_PER_GROUP] + bank)
    rank = c * par[P.N_RANKS] + k % par[P.N_RANKS]
    if par[P.REFRESH_POLICY] == SIMULTANEOUS and par[P.STRICT]:
        rank = c * par[P.N_RANKS]
    return int(rank * par[P.N_BANKS])


@state_kernel
def stop_queues(s: State, c: int, target: int) -> None:
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
        changed(s, c, q, q)


@state_kernel
def release_queues(s: State, c: int) -> None:
    """Let the stopped command queues go on."""
    first, end = s.channel[c, Channel.BLOCKED_FROM], s.channel[c, Channel.BLOCKED_TO]
    s.channel[c, Channel.BLOCKED_FROM] = 0
    s.channel[c, Channel.BLOCKED_TO] = 0
    for q in range(first, end):
        changed(s, c, q, q)


@state_kernel
def try_refresh(s: State, c: int, t: int) -> bool:
    """Close one bank for the waiting refresh, or refresh; False if nothing is legal yet."""
    target = refresh_target(s, c)
    if s.channel[c, Channel.BLOCKED_TO] == 0:
        stop_queues(s, c, target)
    single = s.par[P.REFRESH_POLICY] == BANK_STAGGERED
    n = 1 if single else s.par[P.N_BANKS]
    all_closed, closed_when, open_when = True, 0, FAR
    for b in range(target, target + n):
        if s.bank[b, Bank.ROW] == CLOSED:
            closed_when = max(closed_when, s.bank[b, Bank.REF])
            continue
        all_closed = False
        when = pre_legal(s, b)
        if when <= t:
            precharge(s, b, t, NONE, NONE, s.bank[b, Bank.LABEL])
            s.channel[c, Channel.REFRESH_TRY] = t + 1
            return True
        open_when = min(open_when, when)
    if single:
        group = s.group[target >> s.par[P.GROUP_SHIFT], Group.REFB]
        closed_when = max(closed_when, group)
    if not all_closed or closed_when > t:
        s.channel[c, Channel.REFRESH_TRY] = closed_when if all_closed else open_when
        return False
    if single:
        refresh_bank(s, target, t)
    else:
        refresh_rank(s, target >> s.par[P.RANK_SHIFT], t)
    s.channel[c, Channel.REFRESH_DONE] += 1
    release_queues(s, c)
    s.channel[c, Channel.EARLIEST] = t
    waiting = s.channel[c, Channel.REFRESH_DUE] > s.channel[c, Channel.REFRESH_DONE]
    s.channel[c, Channel.REFRESH_TRY] = t + 1 if waiting else FAR
    return True


@state_kernel
def issue(s: State, c: int, choice: int, t: int) -> None:
    """Carry out the command chosen from the queue at the pointer of channel ``c``."""
    command, position = choice // POSITION, choice % POSITION
    if command < Command.RD:
        issue_row_command(s, c, choice, t)
        return
    q = s.channel[c, Channel.POINTER]
    i = s.entry[q, position]
    if command == Command.RD:
        read(s, i, c, t)
    else:
        write(s, i, c, t)
    erase(s, c, q, position)
    release(s, i)
    changed(s, c, q, s.slot[i, Slot.BANK])
    s.channel[c, Channel.MOVE_AT] = t
    if s.channel[c, Channel.ROW_WORK] == 0:
        gap = s.par[P.RD_GAP] if command == Command.RD else s.par[P.WR_GAP]
        s.channel[c, Channel.EARLIEST] = t + gap


@state_kernel
def tick(s: State, c: int, t: int) -> None:
    """Everything that channel ``c`` does in cycle ``t``, before requests are offered.

    A read burst issued leaves its requests in ``Channel.READ_TOKEN``; their data is there
    ``P.READ_DELAY`` cycles later.
    """
    channel = s.channel
    channel[c, Channel.READ_TOKEN] = NONE
    if t == channel[c, Channel.REFRESH_AT]:
        refresh_due(s, c, t)
    choice, issued = NONE, False
    if channel[c, Channel.REFRESH_TRY] <= t:
        issued = try_refresh(s, c, t)
    if not issued and channel[c, Channel.EARLIEST] <= t:
        choice = choose(s, c, t)
        if choice != NONE:
            issue(s, c, choice, t)
            issued = True
    if issued and s.par[P.DUAL]:
        second = choose(s, c, t)
        if second != NONE:
            row = choice < Command.RD * POSITION
            if row != (second < Command.RD * POSITION):
                issue(s, c, second, t)
                s.misc[Misc.DUAL_COMMANDS] += 1
    if channel[c, Channel.MOVE_AT] <= t:
        move(s, c, t)
    soonest = min(channel[c, Channel.REFRESH_AT], channel[c, Channel.REFRESH_TRY])
    soonest = min(soonest, channel[c, Channel.EARLIEST])
    channel[c, Channel.NEXT] = max(t + 1, min(soonest, channel[c, Channel.MOVE_AT]))
