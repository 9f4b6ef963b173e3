"""Applies a compiled level to a trace of commands, one command after the other.

``i`` is the row of a command; ``b``, ``g``, ``r`` and ``c`` are its bank, group, rank and
channel, each numbered through the whole memory.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.command import Command, Log
from accelsim.dram.rules.history import (
    CLOSED,
    NEVER,
    RING,
    Found,
    History,
    RankHistory,
    Size,
    new_history,
)
from accelsim.dram.rules.rule import Entry, Level, Scope, StateRule
from accelsim.dram.system import Organisation
from accelsim.jit import part, state_kernel


@part
def report(h: History, rule: int, first: int, second: int, required: int, actual: int) -> None:
    """Note one violation, and count it."""
    n = h.n_found[0]
    if n < h.found.shape[0]:
        h.found[n, Found.RULE] = rule
        h.found[n, Found.FIRST] = first
        h.found[n, Found.SECOND] = second
        h.found[n, Found.REQUIRED] = required
        h.found[n, Found.ACTUAL] = actual
    h.n_found[0] = n + 1


@part
def last_in(h: History, kind: int, scope: int, b: int, g: int, r: int, c: int) -> int:
    """The last command of this kind in this scope of bank, group, rank and channel."""
    size = h.size
    if scope == Scope.BANK:
        return int(h.last[b, kind])
    if scope == Scope.GROUP:
        return int(h.last[size[Size.ALL_GROUPS] + g, kind])
    if scope == Scope.RANK:
        return int(h.last[size[Size.ALL_RANKS] + r, kind])
    if scope == Scope.CHANNEL:
        return int(h.last[size[Size.ALL_CHANNELS] + c, kind])
    if scope == Scope.OTHER_BANK or scope == Scope.OPEN_BANKS:
        start, n = r * size[Size.BANKS], size[Size.BANKS]
        own = b if scope == Scope.OTHER_BANK else NEVER
    elif scope == Scope.OTHER_GROUP:
        start = size[Size.ALL_GROUPS] + r * size[Size.GROUPS]
        n, own = size[Size.GROUPS], size[Size.ALL_GROUPS] + g
    else:
        start = size[Size.ALL_RANKS] + c * size[Size.RANKS]
        n, own = size[Size.RANKS], size[Size.ALL_RANKS] + r
    latest = NEVER
    for place in range(start, start + n):
        if place != own and (scope != Scope.OPEN_BANKS or h.open_row[place] != CLOSED):
            latest = max(latest, h.last[place, kind])
    return int(latest)


@part
def check_distances(
    h: History, trace: NDArray[np.int64], i: int, b: int, g: int, r: int, c: int
) -> None:
    """Every rule whose later command is row ``i``."""
    t, command = trace[i, Log.CYCLE], trace[i, Log.COMMAND]
    channel = h.size[Size.ALL_CHANNELS] + c
    for k in range(h.begin[command], h.begin[command + 1]):
        required, window = h.entries[k, Entry.CYCLES], h.entries[k, Entry.WINDOW]
        if window > 1:
            n = h.rank[r, RankHistory.WINDOWED]
            first = h.ring[r, (n - window) % RING] if n >= window else NEVER
        else:
            kind = h.entries[k, Entry.FIRST]
            # Most are long ago in the whole channel.
            first = h.last[channel, kind]
            if first == NEVER or t - trace[first, Log.CYCLE] >= required:
                continue
            first = last_in(h, kind, h.entries[k, Entry.SCOPE], b, g, r, c)
        if first != NEVER and t - trace[first, Log.CYCLE] < required:
            actual = t - trace[first, Log.CYCLE]
            report(h, h.entries[k, Entry.RULE], first, i, required, actual)


@part
def first_open(h: History, r: int) -> int:
    """The first bank of rank ``r`` with an open row, or NEVER."""
    first = r * h.size[Size.BANKS]
    for bank in range(first, first + h.size[Size.BANKS]):
        if h.open_row[bank] != CLOSED:
            return int(bank)
    return NEVER


@part
def check_state(h: History, i: int, command: int, row: int, b: int, r: int) -> None:
    """What the states of the rank and its banks allow."""
    entered = h.rank[r, RankHistory.ENTERED]
    if not h.allowed[command]:
        report(h, StateRule.NOT_A_COMMAND, NEVER, i, 0, 0)
    if command == Command.SRX:
        if entered == NEVER:
            report(h, StateRule.NOT_IN_SELF_REFRESH, NEVER, i, 0, 0)
    elif entered != NEVER:
        report(h, StateRule.IN_SELF_REFRESH, entered, i, 0, 0)
    if command == Command.ACT:
        if h.open_row[b] != CLOSED:
            report(h, StateRule.ACT_OPEN, h.changed[b], i, 0, 0)
    elif command == Command.PRE:
        if h.open_row[b] == CLOSED and not h.size[Size.CLOSE_IDLE]:
            report(h, StateRule.PRE_CLOSED, h.changed[b], i, 0, 0)
    elif command == Command.REFB:
        if h.open_row[b] != CLOSED:
            report(h, StateRule.REF_OPEN, h.changed[b], i, 0, 0)
    elif command == Command.PREA:
        if first_open(h, r) == NEVER and not h.size[Size.CLOSE_IDLE]:
            report(h, StateRule.PRE_CLOSED, NEVER, i, 0, 0)
    elif command == Command.REF or command == Command.SRE:
        bank = first_open(h, r)
        if bank != NEVER:
            report(h, StateRule.REF_OPEN, h.changed[bank], i, 0, 0)
        if command == Command.SRE and h.rank[r, RankHistory.LEFT] != NEVER:
            report(h, StateRule.NO_REF_SINCE_SRX, h.rank[r, RankHistory.LEFT], i, 0, 0)
    elif command != Command.SRX and h.open_row[b] != row:
        report(h, StateRule.COLUMN_CLOSED, h.changed[b], i, 0, 0)


@part
def latest_refresh(h: History, r: int) -> int:
    """Cycles after ``BASE`` by which rank ``r`` must be refreshed again.

    The k-th refresh is due after k intervals; one more than may wait must not be.
    """
    interval, n_banks = h.size[Size.REFRESH_CYCLES], h.size[Size.BANKS]
    most = (h.size[Size.POSTPONED] + 1) * interval
    return int(most + h.rank[r, RankHistory.REFRESHED] * interval // n_banks)


@part
def check_postponed(h: History, i: int, t: int, r: int) -> None:
    """At row ``i``, no more refreshes of rank ``r`` may be due than may wait."""
    rank = h.rank
    if (
        h.size[Size.REFRESH_CYCLES] == 0
        or rank[r, RankHistory.IS_LATE]
        or rank[r, RankHistory.ENTERED] != NEVER
    ):
        return
    passed = t - rank[r, RankHistory.BASE]
    if passed > latest_refresh(h, r):
        report(h, StateRule.POSTPONED, NEVER, i, latest_refresh(h, r), passed)
        rank[r, RankHistory.IS_LATE] = 1


@part
def note_refresh(h: History, trace: NDArray[np.int64], i: int, r: int, start: int, n: int) -> None:
    """Row ``i`` refreshes banks [start, start + n) of rank ``r``."""
    interval, n_banks, rank = h.size[Size.REFRESH_CYCLES], h.size[Size.BANKS], h.rank
    t, postponed = trace[i, Log.CYCLE], h.size[Size.POSTPONED]
    if interval > 0:
        longest, oldest = 0, NEVER
        for bank in range(start, start + n):
            last = h.refreshed[bank]
            gap = t if last == NEVER else t - trace[last, Log.CYCLE]
            if gap > longest:
                longest, oldest = gap, last
            h.refreshed[bank] = i
        if longest > (postponed + 1) * interval:
            report(h, StateRule.REFRESH_GAP, oldest, i, (postponed + 1) * interval, longest)
        if n == 1:
            if h.turn[start] == rank[r, RankHistory.TURN]:
                report(h, StateRule.BANK_TWICE, h.last[start, Command.REFB], i, 0, 0)
            else:
                h.turn[start] = rank[r, RankHistory.TURN]
                rank[r, RankHistory.IN_TURN] += 1
        if n > 1 or rank[r, RankHistory.IN_TURN] == n_banks:
            rank[r, RankHistory.TURN] += 1
            rank[r, RankHistory.IN_TURN] = 0
        due = (t - rank[r, RankHistory.BASE]) // interval
        most = (due + postponed) * n_banks
        rank[r, RankHistory.REFRESHED] = min(most, rank[r, RankHistory.REFRESHED] + n)
        if t - rank[r, RankHistory.BASE] <= latest_refresh(h, r):
            rank[r, RankHistory.IS_LATE] = 0
    rank[r, RankHistory.LEFT] = NEVER


@part
def leave_self_refresh(h: History, trace: NDArray[np.int64], i: int, r: int) -> None:
    """Row ``i`` ends it: meanwhile the rank refreshed itself, and nothing became due.

    Refreshes of banks begin a new turn, as after one of the rank.
    """
    entered = h.rank[r, RankHistory.ENTERED]
    if entered != NEVER:
        h.rank[r, RankHistory.BASE] += trace[i, Log.CYCLE] - trace[entered, Log.CYCLE]
    first = r * h.size[Size.BANKS]
    for bank in range(first, first + h.size[Size.BANKS]):
        h.refreshed[bank] = i
    h.rank[r, RankHistory.TURN] += 1
    h.rank[r, RankHistory.IN_TURN] = 0
    h.rank[r, RankHistory.ENTERED] = NEVER
    h.rank[r, RankHistory.LEFT] = i


@part
def precharge(h: History, i: int, b: int) -> None:
    """Row ``i`` closes bank ``b``."""
    if h.open_row[b] != CLOSED:
        h.changed[b] = i
    h.open_row[b] = CLOSED


@part
def note(h: History, command: int, i: int, b: int, g: int) -> None:
    """Row ``i`` is the last such command of bank ``b`` and its group ``g``."""
    h.last[b, command] = i
    h.last[h.size[Size.ALL_GROUPS] + g, command] = i


@part
def carry_out(h: History, trace: NDArray[np.int64], i: int, b: int, g: int, r: int, c: int) -> None:
    """What row ``i`` changes, legal or not."""
    command, size = trace[i, Log.COMMAND], h.size
    if command == Command.ACT:
        h.open_row[b] = trace[i, Log.ROW]
        h.changed[b] = i
    elif command == Command.PRE or command == Command.RDA or command == Command.WRA:
        precharge(h, i, b)
    elif command == Command.PREA:
        first = r * size[Size.BANKS]
        for bank in range(first, first + size[Size.BANKS]):
            precharge(h, i, bank)
            note(h, command, i, bank, bank // size[Size.BANKS_PER_GROUP])
    elif command == Command.REFB:
        note_refresh(h, trace, i, r, b, 1)
    elif command == Command.REF:
        note_refresh(h, trace, i, r, r * size[Size.BANKS], size[Size.BANKS])
    elif command == Command.SRE:
        # Self refresh begins with a refresh (JESD79-3F and -4B).
        note_refresh(h, trace, i, r, r * size[Size.BANKS], size[Size.BANKS])
        h.rank[r, RankHistory.ENTERED] = i
    elif command == Command.SRX:
        leave_self_refresh(h, trace, i, r)
    if h.windowed[command]:
        n = h.rank[r, RankHistory.WINDOWED]
        h.ring[r, n % RING] = i
        h.rank[r, RankHistory.WINDOWED] = n + 1
    if command < Command.REF or command == Command.REFB:
        note(h, command, i, b, g)
    h.last[size[Size.ALL_RANKS] + r, command] = i
    h.last[size[Size.ALL_CHANNELS] + c, command] = i


@state_kernel
def judge(h: History, trace: NDArray[np.int64], stop_at: int) -> None:
    """Judge the whole ``trace`` [n, len(Log)], or until ``stop_at`` violations are found.

    Cycles must not fall within a channel, and places must be inside the memory; ranks that
    are refreshed as a whole have group and bank -1.
    """
    size = h.size
    for i in range(trace.shape[0]):
        c = trace[i, Log.CHANNEL]
        r = c * size[Size.RANKS] + trace[i, Log.RANK]
        g = r * size[Size.GROUPS] + max(0, trace[i, Log.GROUP])
        b = g * size[Size.BANKS_PER_GROUP] + max(0, trace[i, Log.BANK])
        check_state(h, i, trace[i, Log.COMMAND], trace[i, Log.ROW], b, r)
        check_distances(h, trace, i, b, g, r, c)
        check_postponed(h, i, trace[i, Log.CYCLE], r)
        carry_out(h, trace, i, b, g, r, c)
        if h.n_found[0] >= stop_at:
            return
    last = trace.shape[0] - 1
    if last >= 0:
        for r in range(h.rank.shape[0]):
            check_postponed(h, last, trace[last, Log.CYCLE], r)


def warm_up() -> None:
    """Compile with the types of production."""
    organisation = Organisation(1, 1, 1, 1, 1, 1, 8, 8, 1)
    level = Level((), (), close_idle_banks=True, refresh_cycles=0)
    judge(new_history(organisation, level, 1), np.zeros((1, len(Log)), np.int64), 1)
