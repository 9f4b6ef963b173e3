"""A rule: the least number of cycles between two commands, and the scope in which it applies.

A level is a list of such rules, together with rules for the states of banks and for refreshes.

The rules are written from the standards and not from the controller. Only the configuration is
shared with it, so that an error in one cannot be hidden by the other.

The constants here are frozen into kernels.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum, auto
from typing import Final

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.command import Command

READS: Final = (Command.RD, Command.RDA)
WRITES: Final = (Command.WR, Command.WRA)
COLUMN: Final = (*READS, *WRITES)
ROW: Final[tuple[Command, ...]] = tuple(c for c in Command if c not in COLUMN)
REFRESHES: Final = (Command.REF, Command.REFB)
PRECHARGES: Final = (Command.PRE, Command.PREA)
WHOLE_RANK: Final = (Command.REF, Command.PREA, Command.SRE, Command.SRX)
"""Commands without a bank."""


class Scope(IntEnum):
    """Where the earlier command must have gone, relative to the later one, for a rule to apply."""

    BANK = 0
    """The same bank."""
    OTHER_BANK = auto()
    """Another bank of the rank."""
    GROUP = auto()
    """The same bank group, any bank."""
    OTHER_GROUP = auto()
    """Another bank group of the rank."""
    RANK = auto()
    """The same rank, any bank."""
    OTHER_RANK = auto()
    """Another rank of the channel."""
    CHANNEL = auto()
    OPEN_BANKS = auto()
    """Every bank of the rank whose row is open."""


class StateRule(IntEnum):
    """Rules without a distance. Negative, to distinguish them from positions of other rules."""

    ACT_OPEN = -1
    COLUMN_CLOSED = -2
    PRE_CLOSED = -3
    REF_OPEN = -4
    NOT_A_COMMAND = -5
    IN_SELF_REFRESH = -6
    NOT_IN_SELF_REFRESH = -7
    NO_REF_SINCE_SRX = -8
    BANK_TWICE = -9
    POSTPONED = -10
    REFRESH_GAP = -11


STATE_NAMES: Final = {
    StateRule.ACT_OPEN: "ACT to a closed bank",
    StateRule.COLUMN_CLOSED: "RD, WR to the open row",
    StateRule.PRE_CLOSED: "PRE of an open bank",
    StateRule.REF_OPEN: "refresh of closed banks",
    StateRule.NOT_A_COMMAND: "commands of this family",
    StateRule.IN_SELF_REFRESH: "self refresh ends before other commands",
    StateRule.NOT_IN_SELF_REFRESH: "SRX after SRE",
    StateRule.NO_REF_SINCE_SRX: "REF between SRX and SRE",
    StateRule.BANK_TWICE: "every bank refreshed in turn",
    StateRule.POSTPONED: "tREFI, postponed",
    StateRule.REFRESH_GAP: "tREFI, apart",
}


@dataclass(frozen=True)
class Rule:
    """The last of ``first`` in ``scope`` lies at least ``cycles`` before each of ``then``.

    With a ``window`` of n, the n-th last one. ``name`` is that of the standard.
    """

    name: str
    first: Collection[Command]
    then: Collection[Command]
    scope: Scope
    cycles: int
    window: int = 1


@dataclass(frozen=True)
class Level:
    """Everything that one level checks on one memory."""

    rules: tuple[Rule, ...]
    commands: Collection[Command]
    """The commands that the memory has."""
    close_idle_banks: bool
    """A PRE of a closed bank is allowed, and does nothing."""
    refresh_cycles: int
    """tREFI; 0: refreshes are not counted."""
    postponed: int = 8
    """Refreshes that may be postponed, and that may be issued in advance."""
    windowed: Collection[Command] = (Command.ACT,)
    """The commands that rules with a window count."""


class Entry(IntEnum):
    """Columns of a compiled table: one rule, for one earlier and one later command."""

    FIRST = 0
    SCOPE = auto()
    CYCLES = auto()
    WINDOW = auto()
    RULE = auto()
    """Its position in ``Level.rules``."""


def compiled(level: Level) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """[n, len(Entry)] entries ordered by later command, and [len(Command) + 1] where each begins.

    >>> rule = Rule("tRP", (Command.PRE,), (Command.ACT,), Scope.BANK, 14)
    >>> entries, begin = compiled(Level((rule,), tuple(Command), True, 0))
    >>> entries.tolist(), begin.tolist()
    ([[1, 0, 14, 1, 0]], [0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1])
    """
    entries: list[tuple[int, ...]] = []
    begin = [0]
    for then in Command:
        for number, rule in enumerate(level.rules):
            if then not in rule.then or rule.cycles <= 0:
                continue
            # A window counts all its commands alike.
            firsts = sorted(rule.first) if rule.window == 1 else [min(rule.first)]
            entries += [(f, rule.scope, rule.cycles, rule.window, number) for f in firsts]
        begin.append(len(entries))
    table = np.array(entries, np.int64).reshape(-1, len(Entry))
    return table, np.array(begin, np.int64)
