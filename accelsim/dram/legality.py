"""An independent checker that says whether every command of a trace is legal.

It uses the names of the standards, and has two levels. ``model`` checks the distances that the
controller itself keeps, with DRAMsim3's deviations if the configuration has them; ``jedec`` checks
what the standards require of a controller. The rules are in ``accelsim.dram.rules`` and share
nothing with the controller.

A command trace shows when commands were issued, not when data arrived: latencies are only checked
to the extent that bursts must not collide on the bus.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.command import COMMANDS, Command, Log
from accelsim.dram.config import DramConfig
from accelsim.dram.rules.history import NEVER, History, new_history
from accelsim.dram.rules.jedec import jedec_level
from accelsim.dram.rules.judge import judge
from accelsim.dram.rules.model import model_level
from accelsim.dram.rules.rule import STATE_NAMES, WHOLE_RANK, Level, StateRule
from accelsim.errors import DramTraceError, UnknownNameError

LevelName: TypeAlias = Literal["model", "jedec"]
LAST_CYCLE: Final = 1 << 53
_AT_MOST: Final = (STATE_NAMES[StateRule.POSTPONED], STATE_NAMES[StateRule.REFRESH_GAP])
_NO_STOP: Final = 1 << 62
_SHORT: Final = tuple(command.name for command in Command)


@dataclass(frozen=True)
class Issued:
    """One command of the trace. Group, bank, row and column are -1 where there is none."""

    index: int
    """Row of the command in the trace."""
    cycle: int
    command: str
    channel: int
    rank: int
    bankgroup: int
    bank: int
    row: int
    column: int

    @property
    def place(self) -> str:
        """Its destination, in words."""
        place = f"channel {self.channel}, rank {self.rank}"
        if self.bank >= 0:
            place += f", bank group {self.bankgroup}, bank {self.bank}"
        return place


@dataclass(frozen=True)
class Violation:
    """A rule that a command breaks."""

    rule: str
    """Name of the rule in the standard, such as ``tFAW``."""
    first: Issued | None
    """The earlier command involved, if any; for tFAW the first one of the window."""
    second: Issued
    required_cycles: int | None
    """Least distance (for tREFI the greatest), or None if the rule is about states.

    Without a ``first``, in cycles from the start, not counting those in self-refresh.
    """
    actual_cycles: int | None

    def __str__(self) -> str:
        """One sentence."""
        second = f"cycle {self.second.cycle}: {self.second.command} of {self.second.place}"
        after = f"{self.first.command} in cycle {self.first.cycle}" if self.first else "the start"
        if self.required_cycles is None:
            because = f" (since {after})" if self.first else ""
            return f"{second} breaks the rule `{self.rule}`{because}"
        limit = "at most" if self.rule in _AT_MOST else "at least"
        return (
            f"{second} comes {self.actual_cycles} cycles after {after}; "
            f"{self.rule} is {limit} {self.required_cycles}"
        )


def check(
    config: DramConfig,
    commands: NDArray[np.int64],  # [n, 8] as ``ReplayResult.commands``
    level: LevelName = "model",
    find_all: bool = False,
) -> tuple[Violation, ...]:
    """The first violation in ``commands`` or all, in order; none if every command is legal.

    Columns are cycle, command (a position in ``accelsim.dram.command.COMMANDS``), channel,
    rank, bank group, bank, row and column. One command can break several rules.

    Raises ``DramTraceError`` for commands that this memory cannot have been given, and
    ``ConfigError`` if level ``jedec`` does not know the memory's family.

    >>> from accelsim.dram.standard import STANDARDS
    >>> act, read = [100, 0, 0, 0, 0, 0, 7, 0], [116, 2, 0, 0, 0, 0, 7, 0]
    >>> found, = check(STANDARDS["ddr4_2400_x16"].config(), np.array([act, read]))
    >>> found.rule, found.required_cycles, found.actual_cycles
    ('tRCD', 17, 16)
    """
    rules = _level(config, level)
    problem = misplaced(config, commands)
    if problem:
        raise DramTraceError(
            f"command {problem[0]}", problem[1], f"check it against the memory {config.name}"
        )
    trace = np.ascontiguousarray(commands, np.int64)
    result = _judged(config, rules, trace, 1, stop_at=1)
    if find_all and result.n_found[0]:
        n = int(_judged(config, rules, trace, 0, _NO_STOP).n_found[0])
        result = _judged(config, rules, trace, n, _NO_STOP)
    found = result.found[: int(result.n_found[0])]
    return tuple(_violation(rules, trace, row) for row in found.tolist())


def misplaced(config: DramConfig, commands: NDArray[np.int64]) -> tuple[int, str] | None:
    """(row, what is wrong) of the first command with a destination that does not exist."""
    if commands.ndim != 2 or commands.shape[1] != len(Log) or commands.dtype.kind not in "iu":
        return 0, f"is not a row of {len(Log)} integers (cycle, command, channel, rank, ...)"
    o = config.organisation
    command, channel = commands[:, Log.COMMAND], commands[:, Log.CHANNEL]
    optional: dict[Log, tuple[Command, ...]] = {
        **dict.fromkeys((Log.GROUP, Log.BANK), WHOLE_RANK),
        # A precharge may name the row and column that it is issued for.
        **dict.fromkeys((Log.ROW, Log.COLUMN), (Command.PRE, Command.REFB, *WHOLE_RANK)),
    }
    ends = (LAST_CYCLE, len(COMMANDS), o.channels, o.ranks, o.bankgroups, o.banks_per_group)
    problems = []
    for field, end in zip(Log, (*ends, o.rows, o.columns), strict=True):
        value = commands[:, field]
        if not len(value) or (value.min() >= 0 and value.max() < end):
            continue
        absent = np.isin(command, optional.get(field, ())) & (value == -1)
        bad = ((value < 0) | (value >= end)) & ~absent
        if bad.any():
            row = int(bad.argmax())
            name, least = field.name.lower(), -1 if command[row] in optional.get(field, ()) else 0
            problems.append((row, f"has {name} {value[row]}, not {least} to {end - 1}"))
    for c in np.unique(channel[(channel >= 0) & (channel < o.channels)]):
        rows = np.flatnonzero(channel == c)
        back = np.diff(commands[rows, Log.CYCLE]) < 0
        if back.any():
            row = int(rows[back.argmax() + 1])
            cycle, before = commands[row, Log.CYCLE], commands[rows[back.argmax()], Log.CYCLE]
            problems.append((row, f"in cycle {cycle} follows one in cycle {before}"))
    return min(problems, default=None)


def _level(config: DramConfig, name: str) -> Level:
    if name == "model":
        return model_level(config)
    if name == "jedec":
        return jedec_level(config)
    raise UnknownNameError("level", name, get_args(LevelName))


def _judged(
    config: DramConfig, level: Level, trace: NDArray[np.int64], room: int, stop_at: int
) -> History:
    history = new_history(config.organisation, level, room)
    judge(history, trace, stop_at)
    return history


def _violation(level: Level, trace: NDArray[np.int64], found: list[int]) -> Violation:
    rule, first, second, required, actual = found
    distance = rule >= 0 or rule in (StateRule.POSTPONED, StateRule.REFRESH_GAP)
    return Violation(
        level.rules[rule].name if rule >= 0 else STATE_NAMES[StateRule(rule)],
        None if first == NEVER else _issued(trace, first),
        _issued(trace, second),
        required if distance else None,
        actual if distance else None,
    )


def _issued(trace: NDArray[np.int64], index: int) -> Issued:
    cycle, command, *place = trace[index].tolist()
    return Issued(index, cycle, _SHORT[command], *place)
