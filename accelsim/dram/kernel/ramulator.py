"""One cycle of one channel under Ramulator 2.1's controller, and the next cycle that matters.

Each channel keeps three lists, oldest first: reads, writes, and the *opened* requests, whose
own ACT opened the row that they wait for. A cycle takes the first of these that can issue:
the oldest opened request whose column command is legal; the refresh that waits; and, only if
none waits, the oldest legal command of the reads, or in write mode of the writes. A bank is
not closed before the request that opened it, nor by a request that is younger than one for
the open row. An HBM channel issues a column command so, then a row command.
"""

from __future__ import annotations

from accelsim.dram.command import Command
from accelsim.dram.kernel.commands import (
    activate,
    precharge,
    precharge_all,
    read,
    refresh_rank,
    write,
)
from accelsim.dram.kernel.queues import legal_at
from accelsim.dram.kernel.tick import refresh_due, refresh_target
from accelsim.dram.kernel.transactions import (
    ANSWERED,
    QUEUED,
    READS,
    REFUSED,
    WRITES,
    find,
    free,
    new_slot,
    unlink,
)
from accelsim.dram.parameters import P
from accelsim.dram.state import CLOSED, FAR, NONE, Bank, Channel, ControllerState, Count, Rank, Slot
from accelsim.jit import part

OPENED = 2
"""The third list, after READS and WRITES."""
N_LISTS = 3
HIGH_TENTHS, LOW_TENTHS = 8, 2
"""Fill of the write buffer above which write mode starts, and below which it may end."""


@part
def append(s: ControllerState, c: int, which: int, i: int) -> None:
    """Put slot ``i`` at the end of a list of channel ``c``."""
    n = s.channel[c, Channel.READ_LENGTH + which]
    s.entry[N_LISTS * c + which, n] = i
    s.channel[c, Channel.READ_LENGTH + which] = n + 1


@part
def remove(s: ControllerState, c: int, which: int, position: int) -> None:
    """Take one entry out of a list of channel ``c``."""
    q, n = N_LISTS * c + which, s.channel[c, Channel.READ_LENGTH + which] - 1
    for k in range(position, n):
        s.entry[q, k] = s.entry[q, k + 1]
    s.channel[c, Channel.READ_LENGTH + which] = n


@part
def accept(
    s: ControllerState, c: int, t: int, key: int, line: int, is_write: int, label: int, token: int
) -> int:
    """As ``transactions.accept``; an answered read completes at ``t + 1``.

    Requests to a buffered write are answered, even when the buffers are full. Reads of the
    same address do not share a burst.
    """
    channel = s.channel
    if find(s, WRITES, key) != NONE:
        if not is_write:
            channel[c, Channel.LAST_RETURN] = max(channel[c, Channel.LAST_RETURN], t + 1)
        return ANSWERED
    which = WRITES if is_write else READS
    if channel[c, Channel.READ_LENGTH + which] == s.par[P.TRANSACTIONS]:
        return REFUSED
    i = new_slot(s, c, key, line, is_write, label, token)
    channel[c, Channel.ACCEPTED] += 1
    s.slot[i, Slot.AGE] = channel[c, Channel.ACCEPTED]
    s.slot[i, Slot.STARTED] = 0
    if not is_write:
        s.chain[token] = NONE
    append(s, c, which, i)
    channel[c, Channel.NEXT] = min(channel[c, Channel.NEXT], t + 1)
    return QUEUED


@part
def oldest_opened(s: ControllerState, c: int, t: int) -> int:
    """Position of the oldest opened request whose column command is legal, or NONE."""
    oldest, age = NONE, FAR
    for position in range(s.channel[c, Channel.QUEUED]):
        i = s.entry[N_LISTS * c + OPENED, position]
        when = legal_at(s, c, Command.RD + s.slot[i, Slot.IS_WRITE], s.slot[i, Slot.BANK])
        if when > t:
            s.channel[c, Channel.EARLIEST] = min(s.channel[c, Channel.EARLIEST], when)
        elif s.slot[i, Slot.AGE] < age:
            oldest, age = position, s.slot[i, Slot.AGE]
    return oldest


@part
def oldest_legal(s: ControllerState, c: int, which: int, t: int, columns: bool, rows: bool) -> int:
    """Position of the oldest request of a list whose next command is legal, or NONE.

    ``columns`` and ``rows`` say which commands may issue now.
    """
    s.channel[c, Channel.SCANS] += 1
    scan, soonest = s.channel[c, Channel.SCANS], FAR
    for position in range(s.channel[c, Channel.READ_LENGTH + which]):
        i = s.entry[N_LISTS * c + which, position]
        b = s.slot[i, Slot.BANK]
        row = s.bank[b, Bank.ROW]
        if row == s.slot[i, Slot.ROW]:
            s.bank[b, Bank.HIT_SCAN] = scan
            if not columns:
                continue
            when = legal_at(s, c, Command.RD + s.slot[i, Slot.IS_WRITE], b)
        elif not rows:
            continue
        elif row == CLOSED:
            when = legal_at(s, c, Command.ACT, b)
        elif s.bank[b, Bank.OWNED] == 1 or s.bank[b, Bank.HIT_SCAN] == scan:
            continue
        else:
            when = legal_at(s, c, Command.PRE, b)
        if when <= t:
            return position
        soonest = min(soonest, when)
    s.channel[c, Channel.EARLIEST] = min(s.channel[c, Channel.EARLIEST], soonest)
    return NONE


@part
def choose_mode(s: ControllerState, c: int) -> int:
    """READS or WRITES: the list that is served now."""
    channel, room = s.channel, s.par[P.TRANSACTIONS]
    reads, writes = channel[c, Channel.READ_LENGTH], channel[c, Channel.WRITE_LENGTH]
    if channel[c, Channel.WRITE_MODE] == 0:
        reads_turn = channel[c, Channel.READ_TURN] > 0
        if reads == 0 or (10 * writes > HIGH_TENTHS * room and not reads_turn):
            channel[c, Channel.WRITE_MODE] = 1
            channel[c, Channel.DRAIN] = writes
    elif reads > 0:
        # Ramulator would let a writer that never pauses lock out all reads.
        drained = s.par[P.READ_TURNS] and channel[c, Channel.DRAIN] <= 0
        if drained or 10 * writes < LOW_TENTHS * room:
            channel[c, Channel.WRITE_MODE] = 0
            channel[c, Channel.DRAIN] = 0
            channel[c, Channel.READ_TURN] = reads if s.par[P.READ_TURNS] else 0
    return int(channel[c, Channel.WRITE_MODE])


@part
def issue_column(s: ControllerState, c: int, i: int, t: int) -> None:
    """RD or WR of slot ``i``, which is in no list any more."""
    if s.slot[i, Slot.IS_WRITE]:
        write(s, c, i, t)
    else:
        read(s, c, i, t)
    free(s, i)


@part
def advance(s: ControllerState, c: int, which: int, position: int, t: int) -> None:
    """Issue the next command of one entry of the reads or writes, which is legal."""
    channel, i = s.channel, s.entry[N_LISTS * c + which, position]
    b, label = s.slot[i, Slot.BANK], s.slot[i, Slot.LABEL]
    row, wanted = s.bank[b, Bank.ROW], s.slot[i, Slot.ROW]
    if s.slot[i, Slot.STARTED] == 0 and row != wanted:
        s.counts[label, Count.MISS if row == CLOSED else Count.CONFLICT] += 1
        s.slot[i, Slot.STARTED] = 1
    if row != CLOSED and row != wanted:
        precharge(s, c, b, t, wanted, s.slot[i, Slot.COLUMN], label)
        return
    remove(s, c, which, position)
    unlink(s, i)
    if which == WRITES:
        channel[c, Channel.DRAIN] -= 1
    else:
        channel[c, Channel.READ_TURN] = max(0, channel[c, Channel.READ_TURN] - 1)
    if row == CLOSED:
        activate(s, c, i, t)
        s.bank[b, Bank.OWNED] = 1
        append(s, c, OPENED, i)
    else:
        issue_column(s, c, i, t)


@part
def try_refresh(s: ControllerState, c: int, t: int) -> bool:
    """Close all banks of the rank whose refresh waits, or refresh it; False if not legal yet."""
    first = refresh_target(s, c)
    r, soonest = first >> s.par[P.RANK_SHIFT], 0
    is_open = s.rank[r, Rank.OPEN_BANKS] > 0
    for b in range(first, first + s.par[P.N_BANKS]):
        if s.bank[b, Bank.OWNED] == 1:
            return False
        soonest = max(soonest, legal_at(s, c, Command.PRE, b) if is_open else s.bank[b, Bank.REF])
    if soonest > t:
        s.channel[c, Channel.EARLIEST] = min(s.channel[c, Channel.EARLIEST], soonest)
        return False
    if is_open:
        precharge_all(s, c, r, t)
    else:
        refresh_rank(s, c, r, t)
        s.channel[c, Channel.REFRESH_DONE] += 1
    return True


@part
def issue_one(s: ControllerState, c: int, t: int, columns: bool, rows: bool) -> bool:
    """Issue the command of highest priority among those allowed; False if none is legal."""
    if columns:
        position = oldest_opened(s, c, t)
        if position != NONE:
            i = s.entry[N_LISTS * c + OPENED, position]
            remove(s, c, OPENED, position)
            s.bank[s.slot[i, Slot.BANK], Bank.OWNED] = 0
            issue_column(s, c, i, t)
            return True
    if s.channel[c, Channel.REFRESH_DUE] > s.channel[c, Channel.REFRESH_DONE]:
        return rows and try_refresh(s, c, t)
    which = choose_mode(s, c)
    position = oldest_legal(s, c, which, t, columns, rows)
    if position == NONE:
        return False
    advance(s, c, which, position, t)
    return True


@part
def tick(s: ControllerState, c: int, t: int) -> None:
    """Everything that channel ``c`` does in cycle ``t``, before requests are offered.

    A read burst issued leaves its request in ``Channel.READ_TOKEN``; its data is there
    ``P.READ_DELAY`` cycles later.
    """
    channel = s.channel
    channel[c, Channel.READ_TOKEN] = NONE
    channel[c, Channel.EARLIEST] = FAR
    if t == channel[c, Channel.REFRESH_AT]:
        refresh_due(s, c, t)
    if s.par[P.DUAL]:
        issued = issue_one(s, c, t, True, False)
        issued = issue_one(s, c, t, False, True) or issued
    else:
        issued = issue_one(s, c, t, True, True)
    soonest = min(channel[c, Channel.REFRESH_AT], channel[c, Channel.EARLIEST])
    channel[c, Channel.NEXT] = t + 1 if issued else soonest
