"""Everything that the memory controllers remember, as arrays, and what each column means.

Rows of all channels lie one behind the other: bank ``b`` of rank ``r`` of channel ``c`` is
row ``(c * n_ranks + r) * n_banks + b``. Times are DRAM cycles; ``FAR`` is never.

The constants here are frozen into kernels.
"""

from __future__ import annotations

from enum import IntEnum, auto
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.command import Command, Log
from accelsim.dram.config import DramConfig
from accelsim.dram.parameters import ControllerName, P, parameters

FAR: Final = 1 << 62
CLOSED: Final = -1
NONE: Final = -1
LOG_MARGIN: Final = 4
"""Commands of one channel and cycle never exceed this."""


class Bank(IntEnum):
    """One bank: its row buffer, and when it may be refreshed."""

    ROW = 0
    """Open row, or CLOSED."""
    HITS = auto()
    """Column accesses since the ACT."""
    REF = auto()
    """First cycle at which a refresh is legal."""
    ACT_AWAKE = auto()
    """First legal cycle of an ACT, put aside while the rank refreshes itself."""
    LABEL = auto()
    """Whom the open row was opened for."""
    OWNED = auto()
    """Ramulator: 1 while the request that opened the row waits for its column command."""
    HIT_SCAN = auto()
    """Ramulator: the last scan that met a request for the open row."""


class Rank(IntEnum):
    """One rank: open banks, state time, and its last ACTs as rings of expiry times."""

    OPEN_BANKS = 0
    SINCE = 1
    """Cycle from which the present state (any bank open, or none) is not yet accounted."""
    ACTIVE_CYCLES = 2
    IDLE_CYCLES = 3
    REFRESHES = 4
    ACTS = 5
    """ACTs so far: the position in the rings."""
    FAW_RING = 6
    """4 columns: the cycle at which each of the last four ACTs leaves the tFAW window."""
    AW32_RING = 10
    """32 columns: the same for t32AW."""
    ASLEEP_CYCLES = 42
    ASLEEP_FROM = 43
    """Cycle of the last entry into self-refresh."""
    ASLEEP_TO = 44
    """Cycle of the last exit, or FAR while the rank sleeps."""
    OWES_REFRESH = 45
    """1 from an exit until a refresh: without one the rank may not sleep again."""
    OPEN_BANK_CYCLES = 46
    """Open banks, summed over cycles, if OPEN_BANKS is added for each from SINCE on."""
    WORK = 47
    """What keeps the rank awake: entries of its command queues, and its refresh."""
    BUSY_TO = 48
    """Power-down is not legal before this cycle."""
    DOWN_FROM = 49
    """Cycle from which the rank is powered down unless it gets work before, or FAR."""
    IDLE_DOWN_CYCLES = 50
    """Powered down with all banks closed: not among IDLE_CYCLES."""
    ACTIVE_DOWN_CYCLES = 51
    """Powered down with any bank open: not among ACTIVE_CYCLES."""
    END = 52


class Queue(IntEnum):
    """One command queue. The last two describe a per-bank queue only."""

    LENGTH = 0
    WRITES = auto()
    """Writes among its entries."""
    FIRST_READ = auto()
    """Slot of the oldest transaction of the read queue that comes here next, or NONE."""
    FIRST_WRITE = auto()
    """The same of the write buffer."""
    LAST_READ = auto()
    LAST_WRITE = auto()
    READ_PLACE = auto()
    """Place in the channel's list of queues that reads can move to, or NONE."""
    WRITE_PLACE = auto()
    FIRST_RD = auto()
    """Position of the oldest read of the open row, or NONE."""
    FIRST_WR = auto()
    """Position of the oldest write of the open row that no older read holds back, or NONE."""


class Slot(IntEnum):
    """One accepted request that waits for its column command."""

    KEY = 0
    """Byte address: equal keys merge, or forward from write to read."""
    IS_WRITE = auto()
    RANK = auto()
    GROUP = auto()
    BANK = auto()
    ROW = auto()
    COLUMN = auto()
    QUEUE = auto()
    LABEL = auto()
    STARTED = auto()
    """Ramulator: 1 from its first command on."""
    TOKEN = auto()
    """Reads: the first of the chain of requests that this burst answers."""
    AGE = auto()
    """Rises with each accepted request of the channel."""
    WAIT_NEXT = auto()
    """Next transaction that waits for the same command queue, or NONE."""
    NEXT = auto()
    """Next slot of the same hash bucket, or of the free list."""


class Channel(IntEnum):
    """One channel's controller."""

    NEXT = 0
    """Next cycle in which anything can happen without a new request."""
    EARLIEST = auto()
    """First cycle at which a command queue can issue, as known now."""
    TURN = auto()
    """Command queue that issues then, counted from the channel's first."""
    MOVE_AT = auto()
    """No transaction can move to a command queue before this cycle."""
    POINTER = auto()
    """Command queue that issued last, counted from the channel's first."""
    DRAIN = auto()
    """Writes still to move before reads may again."""
    ACCEPTED = auto()
    MOVABLE_READS = auto()
    """Command queues with room for which a read, or a write, waits."""
    MOVABLE_WRITES = auto()
    READ_TURN = auto()
    """Reads that go before the next drain; always 0 with the simulators' own rules."""
    READ_LENGTH = auto()
    """Transactions in the read queue, and in the write buffer."""
    WRITE_LENGTH = auto()
    QUEUED = auto()
    """Entries in all command queues; Ramulator: requests whose own ACT opened their row."""
    REFRESH_AT = auto()
    """Next cycle at which a refresh becomes due."""
    REFRESH_DUE = auto()
    """Refreshes that became due so far; which bank the k-th is for follows from k."""
    REFRESH_DONE = auto()
    REFRESH_TRY = auto()
    """No command of the waiting refresh is legal before this cycle."""
    BLOCKED_FROM = auto()
    """Command queues [BLOCKED_FROM, BLOCKED_TO) stand still for the waiting refresh."""
    BLOCKED_TO = auto()
    READ_TOKEN = auto()
    """Chain of requests whose RD issued in this cycle, or NONE."""
    LAST_RETURN = auto()
    """Last cycle at which a completion or acknowledgement is handed back."""
    WRITE_MODE = auto()
    """Ramulator: 1 while the write buffer is served, 0 while the read buffer is."""
    SCANS = auto()
    """Ramulator: scans of a buffer so far."""
    LAST_BEAT = auto()
    """Cycle after the last beat of the last burst."""


class Count(IntEnum):
    """Command counts, by label."""

    ACT = 0
    PRE = auto()
    RD = auto()
    WR = auto()
    HIT = auto()
    MISS = auto()
    """Ramulator: requests whose first command found their bank closed."""
    CONFLICT = auto()
    """Ramulator: requests whose first command found another row open."""


class Misc(IntEnum):
    """Single numbers of the whole memory."""

    FREE_SLOT = 0
    LOG_LENGTH = auto()
    FLUSH = auto()
    """1: write buffers drain completely."""


N_TIMED: Final = Command.WR + 1
"""ACT, PRE, RD and WR: commands with a first legal cycle for each bank."""


class ControllerState(NamedTuple):
    """All state of all channels. Kernels change it in place."""

    par: NDArray[np.int64]  # [len(P)]
    bank: NDArray[np.int64]  # [n_banks, len(Bank)]
    rank: NDArray[np.int64]  # [n_ranks, Rank.END]
    channel: NDArray[np.int64]  # [n_channels, len(Channel)]
    legal: NDArray[np.int64]  # [n_channels, 4, banks] first legal cycles of ACT, PRE, RD, WR
    unwanted: NDArray[np.int64]  # [n_channels, 4, queues] FAR: no use in this per-bank queue; 0
    queue: NDArray[np.int64]  # [n_queues, len(Queue)]
    entry: NDArray[np.int64]  # [n_queues, depth] slots, oldest first
    wanted: NDArray[np.int64]  # [n_queues, depth] row * 2 + is_write of each entry
    movable: NDArray[np.int64]  # [n_channels, 2, queues] those with room, wanted by reads, writes
    slot: NDArray[np.int64]  # [n_slots, len(Slot)]
    bucket: NDArray[np.int64]  # [2, n_buckets] first slot of each hash bucket: reads, writes
    counts: NDArray[np.int64]  # [n_labels, len(Count)]
    chain: NDArray[np.int64]  # [n_tokens] next request answered by the same burst, or NONE
    misc: NDArray[np.int64]  # [len(Misc)]
    log: NDArray[np.int64]  # [n_log, len(Log)]; no rows: commands are not recorded


def new_state(
    config: DramConfig,
    n_labels: int,
    n_tokens: int,
    n_log: int = 0,
    controller: ControllerName = "dramsim3",
) -> ControllerState:
    """Idle channels at cycle 0, all banks closed."""
    par = parameters(config, controller)
    n_channels, n_ranks = int(par[P.N_CHANNELS]), int(par[P.N_CHANNELS] * par[P.N_RANKS])
    n_queues = int(n_channels * par[P.N_QUEUES])
    depth, transactions = int(par[P.QUEUE_DEPTH]), int(par[P.TRANSACTIONS])
    n_slots = 2 * n_channels * transactions + n_queues * depth
    n_buckets = 1 << (4 * n_slots - 1).bit_length()

    bank = np.zeros((int(n_ranks * par[P.N_BANKS]), len(Bank)), np.int64)
    bank[:, Bank.ROW] = CLOSED
    channel = np.zeros((n_channels, len(Channel)), np.int64)
    channel[:, [Channel.EARLIEST, Channel.MOVE_AT, Channel.REFRESH_TRY]] = FAR
    channel[:, Channel.REFRESH_AT] = par[P.FIRST_REFRESH]
    # Idle ranks may have to fall asleep at once.
    channel[:, Channel.NEXT] = 0 if par[P.SELF_REFRESH] > 0 else par[P.FIRST_REFRESH]
    channel[:, [Channel.READ_TOKEN, Channel.LAST_RETURN]] = NONE
    rank = np.zeros((n_ranks, int(Rank.END)), np.int64)
    rank[:, Rank.DOWN_FROM] = par[P.POWER_DOWN] if par[P.POWER_DOWN] > 0 else FAR
    queue = np.zeros((n_queues, len(Queue)), np.int64)
    queue[:, Queue.FIRST_READ : Queue.WRITE_PLACE + 1] = NONE
    queues = int(par[P.N_QUEUES])
    banks = int(par[P.N_RANKS] * par[P.N_BANKS])
    slot = np.zeros((n_slots, len(Slot)), np.int64)
    slot[:, Slot.NEXT] = np.arange(1, n_slots + 1)
    slot[-1, Slot.NEXT] = NONE
    return ControllerState(
        par=par,
        bank=bank,
        rank=rank,
        channel=channel,
        legal=np.zeros((n_channels, N_TIMED, banks), np.int64),
        unwanted=np.full((n_channels, N_TIMED, queues), FAR, np.int64),
        queue=queue,
        entry=np.zeros((n_queues, depth), np.int64),
        wanted=np.zeros((n_queues, depth), np.int64),
        movable=np.zeros((n_channels, 2, queues), np.int64),
        slot=slot,
        bucket=np.full((2, n_buckets), NONE, np.int64),
        counts=np.zeros((n_labels, len(Count)), np.int64),
        chain=np.full(n_tokens, NONE, np.int64),
        misc=np.zeros(len(Misc), np.int64),
        log=np.zeros((n_log, len(Log)), np.int64),
    )
