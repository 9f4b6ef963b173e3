"""The state that the checker keeps of a command trace, as arrays, and the meaning of each column.

To check a rule it is enough to know the last command of each kind in each bank, bank group, rank
and channel. So a command costs as many look-ups as it has rules, however long the trace is.

The constants here are frozen into kernels.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import IntEnum, auto
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.command import Command
from accelsim.dram.rules.rule import Level, compiled
from accelsim.dram.system import Organisation

NEVER: Final = -1
CLOSED: Final = -1
RING: Final = 32
"""The longest window, t32AW of GDDR."""


class Size(IntEnum):
    """Sizes of the memory and of the level."""

    RANKS = 0
    GROUPS = auto()
    BANKS_PER_GROUP = auto()
    BANKS = auto()
    ALL_GROUPS = auto()
    """Index of the first bank group: banks come before it ..."""
    ALL_RANKS = auto()
    """... then ranks ..."""
    ALL_CHANNELS = auto()
    """... then channels."""
    PLACES = auto()
    CLOSE_IDLE = auto()
    REFRESH_CYCLES = auto()
    POSTPONED = auto()


class RankHistory(IntEnum):
    """State of a rank. Commands are rows of the trace, or NEVER."""

    ENTERED = 0
    """The SRE, while in self-refresh."""
    LEFT = auto()
    """The SRX, until the next refresh."""
    REFRESHED = auto()
    """Banks refreshed since ``BASE``; refreshes in advance count only as far as allowed."""
    BASE = auto()
    """Cycle from which refreshes are due: 0, shifted by all time in self-refresh."""
    IS_LATE = auto()
    """1 if the rank is late with its refreshes and this has been reported."""
    TURN = auto()
    """Turns in which every bank was refreshed."""
    IN_TURN = auto()
    """Banks refreshed since."""
    WINDOWED = auto()
    """Commands counted by windows so far: the position in the ring."""


class History(NamedTuple):
    """State of the trace so far."""

    size: NDArray[np.int64]  # [len(Size)]
    entries: NDArray[np.int64]  # [n, len(Entry)]
    begin: NDArray[np.int64]  # [len(Command) + 1]
    allowed: NDArray[np.int64]  # [len(Command)] 1: the memory has this command
    windowed: NDArray[np.int64]  # [len(Command)] 1: windows count this command
    last: NDArray[np.int64]  # [places, len(Command)] row of the trace, or NEVER
    open_row: NDArray[np.int64]  # [n_banks] or CLOSED
    changed: NDArray[np.int64]  # [n_banks] the command that opened or closed it, or NEVER
    refreshed: NDArray[np.int64]  # [n_banks] its last refresh or SRX, or NEVER
    turn: NDArray[np.int64]  # [n_banks] the turn of its last refresh, or NEVER
    rank: NDArray[np.int64]  # [n_ranks, len(RankHistory)]
    ring: NDArray[np.int64]  # [n_ranks, RING] the last commands that windows count
    found: NDArray[np.int64]  # [n, len(Found)] out: what is wrong
    n_found: NDArray[np.int64]  # [1] also counts those that ``found`` has no room for


class Found(IntEnum):
    """One violation."""

    RULE = 0
    """A position in ``Level.rules``, or a ``StateRule``."""
    FIRST = auto()
    """Row of the earlier command, or NEVER."""
    SECOND = auto()
    REQUIRED = auto()
    """Cycles, or 0 if the rule is not a distance."""
    ACTUAL = auto()


def new_history(organisation: Organisation, level: Level, room: int) -> History:
    """State before the first command: all banks closed and refreshed, with room for violations."""
    size, n_ranks = _sizes(organisation, level), organisation.channels * organisation.ranks
    n_banks = n_ranks * organisation.banks
    entries, begin = compiled(level)
    rank = np.zeros((n_ranks, len(RankHistory)), np.int64)
    rank[:, [RankHistory.ENTERED, RankHistory.LEFT]] = NEVER
    return History(
        size=size,
        entries=entries,
        begin=begin,
        allowed=_flags(level.commands),
        windowed=_flags(level.windowed),
        last=np.full((int(size[Size.PLACES]), len(Command)), NEVER, np.int64),
        open_row=np.full(n_banks, CLOSED, np.int64),
        changed=np.full(n_banks, NEVER, np.int64),
        refreshed=np.full(n_banks, NEVER, np.int64),
        turn=np.full(n_banks, NEVER, np.int64),
        rank=rank,
        ring=np.zeros((n_ranks, RING), np.int64),
        found=np.zeros((room, len(Found)), np.int64),
        n_found=np.zeros(1, np.int64),
    )


def _flags(commands: Collection[Command]) -> NDArray[np.int64]:
    return np.array([command in commands for command in Command], np.int64)


def _sizes(o: Organisation, level: Level) -> NDArray[np.int64]:
    n_ranks = o.channels * o.ranks
    all_groups = n_ranks * o.banks
    all_ranks = all_groups + n_ranks * o.bankgroups
    all_channels = all_ranks + n_ranks
    return np.array(
        [
            *(o.ranks, o.bankgroups, o.banks_per_group, o.banks),
            *(all_groups, all_ranks, all_channels, all_channels + o.channels),
            *(level.close_idle_banks, level.refresh_cycles, level.postponed),
        ],
        np.int64,
    )
