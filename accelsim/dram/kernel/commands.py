"""What each DRAM command changes: bank state, the first legal cycles of others, counts.

``s`` is the ``State``, ``t`` the cycle of the command. Banks, groups and ranks are rows of
the state arrays, over all channels.
"""

from __future__ import annotations

from accelsim.dram.command import Command, Log
from accelsim.dram.parameters import P
from accelsim.dram.state import (
    CLOSED,
    FAR,
    NONE,
    Bank,
    Channel,
    ControllerState,
    Count,
    Misc,
    Rank,
    Slot,
)
from accelsim.jit import part


@part
def record(s: ControllerState, t: int, command: int, bank: int, row: int, column: int) -> None:
    """Append one command to the log, if there is one. ``bank`` is its (first) bank."""
    n = s.misc[Misc.LOG_LENGTH]
    if n >= s.log.shape[0]:
        return
    per_group, per_rank = s.par[P.N_BANKS_PER_GROUP], s.par[P.N_BANKS]
    ranks = s.par[P.N_RANKS]
    whole_rank = command == Command.REF or command == Command.PREA or command == Command.SRE
    s.log[n, Log.CYCLE] = t
    s.log[n, Log.COMMAND] = command
    s.log[n, Log.CHANNEL] = bank // (per_rank * ranks)
    s.log[n, Log.RANK] = bank // per_rank % ranks
    s.log[n, Log.GROUP] = NONE if whole_rank else bank % per_rank // per_group
    s.log[n, Log.BANK] = NONE if whole_rank else bank % per_group
    s.log[n, Log.ROW] = row
    s.log[n, Log.COLUMN] = column
    s.misc[Misc.LOG_LENGTH] = n + 1


@part
def account(s: ControllerState, r: int, t: int) -> None:
    """Add the cycles before ``t`` to the state that rank ``r`` was in."""
    passed = t - s.rank[r, Rank.SINCE]
    if s.rank[r, Rank.ASLEEP_TO] == FAR:
        s.rank[r, Rank.ASLEEP_CYCLES] += passed
    elif s.rank[r, Rank.OPEN_BANKS] > 0:
        s.rank[r, Rank.ACTIVE_CYCLES] += passed
        s.rank[r, Rank.OPEN_BANK_CYCLES] += passed * s.rank[r, Rank.OPEN_BANKS]
    else:
        s.rank[r, Rank.IDLE_CYCLES] += passed
    s.rank[r, Rank.SINCE] = t


@part
def delay(s: ControllerState, c: int, command: int, b: int, t: int) -> None:
    """This command of bank ``b`` is not legal before cycle ``t``."""
    k = b - c * s.legal.shape[2]
    s.legal[c, command, k] = max(s.legal[c, command, k], t)


@part
def delay_others(
    s: ControllerState, c: int, command: int, b: int, in_group: int, in_rank: int, elsewhere: int
) -> None:
    """This command is not legal before those cycles, as near as a bank is to ``b``.

    Cycles that have passed change nothing. One loop without branches over all banks of the
    channel: it becomes vector instructions.
    """
    n, own = s.legal.shape[2], b - c * s.legal.shape[2]
    r, g = own >> s.par[P.RANK_SHIFT], own >> s.par[P.GROUP_SHIFT]
    for k in range(n):
        t = in_rank if k >> s.par[P.RANK_SHIFT] == r else elsewhere
        t = in_group if k >> s.par[P.GROUP_SHIFT] == g else t
        s.legal[c, command, k] = max(s.legal[c, command, k], t)


@part
def activate(s: ControllerState, c: int, i: int, t: int) -> None:
    """ACT: open the row that the request in slot ``i`` wants."""
    b, r = s.slot[i, Slot.BANK], s.slot[i, Slot.RANK]
    par = s.par
    s.bank[b, Bank.ROW] = s.slot[i, Slot.ROW]
    s.bank[b, Bank.HITS] = 0
    s.bank[b, Bank.LABEL] = s.slot[i, Slot.LABEL]
    delay(s, c, Command.ACT, b, t + par[P.ACT_TO_ACT])
    delay(s, c, Command.RD, b, t + par[P.ACT_TO_RD])
    delay(s, c, Command.WR, b, t + par[P.ACT_TO_WR])
    delay(s, c, Command.PRE, b, t + par[P.ACT_TO_PRE])
    s.bank[b, Bank.REF] = max(s.bank[b, Bank.REF], t + par[P.ACT_TO_REF])
    if par[P.ACT_TO_REFB_S] > 0:
        for other in range(r * par[P.N_BANKS], (r + 1) * par[P.N_BANKS]):
            if other != b:
                is_near = other >> par[P.GROUP_SHIFT] == b >> par[P.GROUP_SHIFT]
                when = t + (par[P.ACT_TO_REFB_L] if is_near else par[P.ACT_TO_REFB_S])
                s.bank[other, Bank.REF] = max(s.bank[other, Bank.REF], when)
    n = s.rank[r, Rank.ACTS] + 1
    s.rank[r, Rank.FAW_RING + (n - 1) % 4] = t + par[P.FAW]
    s.rank[r, Rank.AW32_RING + (n - 1) % 32] = t + par[P.AW32]
    s.rank[r, Rank.ACTS] = n
    window = s.rank[r, Rank.FAW_RING + n % 4]
    if par[P.AW32] > 0:
        window = max(window, s.rank[r, Rank.AW32_RING + n % 32])
    in_group, in_rank = t + par[P.ACT_TO_ACT_L], t + par[P.ACT_TO_ACT_S]
    delay_others(s, c, Command.ACT, b, max(in_group, window), max(in_rank, window), t)
    if s.rank[r, Rank.OPEN_BANKS] == 0:
        account(s, r, t)
    # The next account takes the bank as open since the last one.
    s.rank[r, Rank.OPEN_BANK_CYCLES] -= t - s.rank[r, Rank.SINCE]
    s.rank[r, Rank.OPEN_BANKS] += 1
    s.counts[s.slot[i, Slot.LABEL], Count.ACT] += 1
    record(s, t, Command.ACT, b, s.slot[i, Slot.ROW], s.slot[i, Slot.COLUMN])


@part
def close(s: ControllerState, b: int, r: int, t: int) -> None:
    """The row of bank ``b`` leaves its buffer."""
    s.bank[b, Bank.ROW] = CLOSED
    s.bank[b, Bank.HITS] = 0
    if s.rank[r, Rank.OPEN_BANKS] == 1:
        account(s, r, t)
    # The next account takes the bank as closed since the last one.
    s.rank[r, Rank.OPEN_BANK_CYCLES] += t - s.rank[r, Rank.SINCE]
    s.rank[r, Rank.OPEN_BANKS] -= 1


@part
def precharge(
    s: ControllerState, c: int, b: int, t: int, row: int, column: int, label: int
) -> None:
    """PRE of bank ``b``, wanted by ``label`` for ``row`` and ``column`` (-1: by a refresh)."""
    par = s.par
    delay(s, c, Command.ACT, b, t + par[P.PRE_TO_ACT])
    s.bank[b, Bank.REF] = max(s.bank[b, Bank.REF], t + par[P.PRE_TO_ACT])
    if par[P.PRE_TO_PRE] > 0:
        in_rank = t + par[P.PRE_TO_PRE]
        delay_others(s, c, Command.PRE, b, in_rank, in_rank, t)
    close(s, b, b >> par[P.RANK_SHIFT], t)
    s.counts[label, Count.PRE] += 1
    record(s, t, Command.PRE, b, row, column)


@part
def precharge_all(s: ControllerState, c: int, r: int, t: int) -> None:
    """PRE of all banks of rank ``r`` in one command, charged to those whose rows close."""
    first, n = r * s.par[P.N_BANKS], s.par[P.N_BANKS]
    for b in range(first, first + n):
        delay(s, c, Command.ACT, b, t + s.par[P.PREAB_TO_ACT])
        s.bank[b, Bank.REF] = max(s.bank[b, Bank.REF], t + s.par[P.PREAB_TO_ACT])
        if s.bank[b, Bank.ROW] != CLOSED:
            close(s, b, r, t)
            s.counts[s.bank[b, Bank.LABEL], Count.PRE] += 1
    record(s, t, Command.PREA, first, NONE, NONE)


@part
def count_access(s: ControllerState, i: int, count: int) -> None:
    """One more RD or WR of the request in slot ``i``: a row hit unless it is the row's first."""
    b, label = s.slot[i, Slot.BANK], s.slot[i, Slot.LABEL]
    s.counts[label, count] += 1
    if s.bank[b, Bank.HITS] > 0:
        s.counts[label, Count.HIT] += 1
    s.bank[b, Bank.HITS] += 1


@part
def read(s: ControllerState, c: int, i: int, t: int) -> None:
    """RD of slot ``i``; with a closed-page policy the bank precharges itself (RDA)."""
    b, par = s.slot[i, Slot.BANK], s.par
    to_group, to_rank, elsewhere = par[P.RD_TO_RD_L], par[P.RD_TO_RD_S], par[P.RD_TO_RD_R]
    delay_others(s, c, Command.RD, b, t + to_group, t + to_rank, t + elsewhere)
    to_rank, elsewhere = par[P.RD_TO_WR], par[P.RD_TO_WR_R]
    delay_others(s, c, Command.WR, b, t + to_rank, t + to_rank, t + elsewhere)
    count_access(s, i, Count.RD)
    command = Command.RD
    if par[P.CLOSE_PAGE]:
        command = Command.RDA
        delay(s, c, Command.ACT, b, t + par[P.RDA_TO_ACT])
        s.bank[b, Bank.REF] = max(s.bank[b, Bank.REF], t + par[P.RDA_TO_REF])
        close(s, b, s.slot[i, Slot.RANK], t)
    else:
        delay(s, c, Command.PRE, b, t + par[P.RD_TO_PRE])
    s.channel[c, Channel.READ_TOKEN] = s.slot[i, Slot.TOKEN]
    done = t + par[P.READ_DELAY]
    s.channel[c, Channel.LAST_RETURN] = max(s.channel[c, Channel.LAST_RETURN], done)
    s.channel[c, Channel.LAST_BEAT] = max(s.channel[c, Channel.LAST_BEAT], done)
    record(s, t, command, b, s.slot[i, Slot.ROW], s.slot[i, Slot.COLUMN])


@part
def write(s: ControllerState, c: int, i: int, t: int) -> None:
    """WR of slot ``i``; with a closed-page policy the bank precharges itself (WRA)."""
    b, par = s.slot[i, Slot.BANK], s.par
    to_group, to_rank, elsewhere = par[P.WR_TO_RD_L], par[P.WR_TO_RD_S], par[P.WR_TO_RD_R]
    delay_others(s, c, Command.RD, b, t + to_group, t + to_rank, t + elsewhere)
    to_group, to_rank, elsewhere = par[P.WR_TO_WR_L], par[P.WR_TO_WR_S], par[P.WR_TO_WR_R]
    delay_others(s, c, Command.WR, b, t + to_group, t + to_rank, t + elsewhere)
    count_access(s, i, Count.WR)
    command = Command.WR
    if par[P.CLOSE_PAGE]:
        command = Command.WRA
        delay(s, c, Command.ACT, b, t + par[P.WRA_TO_ACT])
        s.bank[b, Bank.REF] = max(s.bank[b, Bank.REF], t + par[P.WRA_TO_ACT])
        close(s, b, s.slot[i, Slot.RANK], t)
    else:
        delay(s, c, Command.PRE, b, t + par[P.WR_TO_PRE])
    done = t + par[P.WRITE_DELAY]
    s.channel[c, Channel.LAST_BEAT] = max(s.channel[c, Channel.LAST_BEAT], done)
    record(s, t, command, b, s.slot[i, Slot.ROW], s.slot[i, Slot.COLUMN])


@part
def refresh_rank(s: ControllerState, c: int, r: int, t: int) -> None:
    """REF of all banks of rank ``r``, which are closed."""
    first, n = r * s.par[P.N_BANKS], s.par[P.N_BANKS]
    for b in range(first, first + n):
        delay(s, c, Command.ACT, b, t + s.par[P.REF_TO_ACT])
        s.bank[b, Bank.REF] = max(s.bank[b, Bank.REF], t + s.par[P.REF_TO_ACT])
    s.rank[r, Rank.REFRESHES] += 1
    s.rank[r, Rank.OWES_REFRESH] = 0
    record(s, t, Command.REF, first, NONE, NONE)


@part
def refresh_bank(s: ControllerState, c: int, b: int, t: int) -> None:
    """REF of bank ``b`` alone, which is closed."""
    par = s.par
    r = b >> par[P.RANK_SHIFT]
    first = r * par[P.N_BANKS]
    for other in range(first, first + par[P.N_BANKS]):
        to_act = par[P.REFB_TO_ACT_SAME] if other == b else par[P.REFB_TO_ACT_OTHER]
        to_ref = par[P.REFB_TO_REFB_SAME] if other == b else par[P.REFB_TO_REFB_OTHER]
        delay(s, c, Command.ACT, other, t + to_act)
        s.bank[other, Bank.REF] = max(s.bank[other, Bank.REF], t + to_ref)
    s.rank[r, Rank.REFRESHES] += 1
    record(s, t, Command.REFB, b, NONE, NONE)
