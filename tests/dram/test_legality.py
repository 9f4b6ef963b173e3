"""The judge of command traces: states, sentences, what it refuses; compiled and in Python."""

from dataclasses import replace

import numpy as np
import pytest

from accelsim.dram import legality
from accelsim.dram.command import COMMANDS
from accelsim.dram.legality import LevelName, check
from accelsim.dram.rules.judge import judge
from accelsim.dram.rules.rule import STATE_NAMES, StateRule
from accelsim.dram.standard import STANDARDS
from accelsim.errors import ConfigError, DramTraceError, UnknownNameError
from tests.dram.scenarios import (
    DDR4,
    DDR4_ONE_RANK,
    FAR,
    GDDR6,
    HBM2,
    A,
    Line,
    trace,
)

STATES = [
    (StateRule.ACT_OPEN, [A, (FAR, "ACT", 0, 0, 0)]),
    (StateRule.COLUMN_CLOSED, [(9, "RD", 0, 0, 0)]),
    (StateRule.COLUMN_CLOSED, [A, (FAR, "WR9", 0, 0, 0)]),
    (StateRule.COLUMN_CLOSED, [A, (FAR, "RDA", 0, 0, 0), (300, "RD", 0, 0, 0)]),
    (StateRule.COLUMN_CLOSED, [A, (FAR, "PRE", 0, 0, 0), (300, "WRA", 0, 0, 0)]),
    (StateRule.COLUMN_CLOSED, [A, (FAR, "PREA", 0, 0, 0), (300, "RD", 0, 0, 0)]),
    (StateRule.REF_OPEN, [A, (FAR, "REF", 0, 0, 0)]),
    (StateRule.REF_OPEN, [A, (FAR, "SRE", 0, 0, 0)]),
    (StateRule.IN_SELF_REFRESH, [(9, "SRE", 0, 0, 0), (FAR, "ACT", 0, 0, 0)]),
    (StateRule.IN_SELF_REFRESH, [(9, "SRE", 0, 0, 0), (FAR, "SRE", 0, 0, 0)]),
    (StateRule.NOT_IN_SELF_REFRESH, [(9, "SRX", 0, 0, 0)]),
    (StateRule.NOT_A_COMMAND, [(9, "REFB", 0, 0, 0)]),
    (
        StateRule.NO_REF_SINCE_SRX,
        [(9, "SRE", 0, 0, 0), (FAR, "SRX", 0, 0, 0), (5000, "SRE", 0, 0, 0)],
    ),
]


@pytest.mark.parametrize("level", ["model", "jedec"])
@pytest.mark.parametrize(("state", "lines"), STATES, ids=str)
def test_a_state_forbids_a_command(state: StateRule, lines: list[Line], level: LevelName) -> None:
    if (state, level) == (StateRule.NOT_A_COMMAND, "model"):
        return  # the controller can refresh any bank
    assert check(DDR4, trace(*lines[:-1]), level) == ()
    (found,) = check(DDR4, trace(*lines), level, True)
    assert (found.rule, found.required_cycles) == (STATE_NAMES[state], None)
    assert found.second.index == len(lines) - 1


@pytest.mark.parametrize("command", ["PRE", "PREA"])
def test_a_precharge_of_closed_banks_is_allowed_by_the_standard_alone(command: str) -> None:
    lines = trace((9, command, 0, 0, 0))
    assert check(DDR4, lines, "jedec") == ()
    assert [v.rule for v in check(DDR4, lines, "model")] == [STATE_NAMES[StateRule.PRE_CLOSED]]


@pytest.mark.parametrize("level", ["model", "jedec"])
def test_self_refresh_is_no_command_of_a_memory_without_its_times(level: LevelName) -> None:
    for command in ("SRE", "SRX"):
        found = check(HBM2, trace((9, command, 0, 0, 0)), level, True)
        assert found[0].rule == STATE_NAMES[StateRule.NOT_A_COMMAND]
    sleeps = replace(HBM2, timing=replace(HBM2.timing, tCKESR=8, tXS=268))
    night = [(9, "SRE", 0, 0, 0), (17, "SRX", 0, 0, 0)]
    assert check(sleeps, trace(*night, (285, "ACT", 0, 0, 0)), level) == ()
    found = check(sleeps, trace(*night, (284, "ACT", 0, 0, 0)), level, True)
    assert [v.rule for v in found] == ["tXS"]


def test_one_command_can_break_several_rules() -> None:
    found = check(DDR4, trace(A, (1, "ACT", 0, 0, 0)), "jedec", find_all=True)
    assert [v.rule for v in found] == [STATE_NAMES[StateRule.ACT_OPEN], "tRC", "tRRD_L"]
    assert check(DDR4, trace(A, (1, "ACT", 0, 0, 0)), "jedec") == found[:1]


def test_channels_are_judged_each_for_itself() -> None:
    two = STANDARDS["ddr4_2400_x16"].config(channels=2)
    lines = trace(A, (0, "ACT", 0, 0, 0), (17, "RD", 0, 0, 0), (17, "RD", 0, 0, 0))
    lines[1::2, 2] = 1
    assert check(two, lines) == check(two, lines, "jedec") == ()
    lines[3, 2] = 0
    assert check(two, lines)[0].rule == "command bus"


def test_sentences() -> None:
    found = check(DDR4, trace(A, (21, "RD", 0, 0, 0)))
    assert str(found[0]) == (
        "cycle 21: RD of channel 0, rank 0, bank group 0, bank 0 comes 21 cycles after "
        "ACT in cycle 0; tRCD is at least 22"
    )
    found = check(DDR4, trace(A, (99, "REF", 0, 0, 0)))
    assert str(found[0]) == (
        "cycle 99: REF of channel 0, rank 0 breaks the rule `refresh of closed banks` "
        "(since ACT in cycle 0)"
    )
    found = check(DDR4_ONE_RANK, trace((112321, "ACT", 0, 0, 0)), "jedec")
    assert str(found[0]).endswith(
        "comes 112321 cycles after the start; tREFI, postponed is at most 112320"
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ((0, 1, 99), "command 0: has command 99, not 0 to 10"),
        ((1, 3, 2), "command 1: has rank 2, not 0 to 1"),
        ((1, 5, -1), "command 1: has bank -1, not 0 to 3"),
        ((1, 6, 1 << 20), "command 1: has row 1048576, not 0 to 65535"),
        ((1, 0, -1), "command 1: has cycle -1"),
        ((0, 0, 30), "command 1: in cycle 22 follows one in cycle 30"),
    ],
)
def test_a_command_that_cannot_be_is_refused(change: tuple[int, int, int], sentence: str) -> None:
    lines = trace(A, (22, "RD", 0, 0, 0))
    row, column, value = change
    lines[row, column] = value
    with pytest.raises(DramTraceError, match=sentence):
        check(DDR4, lines)


def test_arrays_of_another_form_levels_and_families_that_are_not_there() -> None:
    with pytest.raises(DramTraceError, match="not a row of 8 integers"):
        check(DDR4, np.zeros((3, 7), np.int64))
    with pytest.raises(UnknownNameError, match="'jedec'"):
        check(DDR4, trace(A), "jedek")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="no rules of GDDR5"):
        check(replace(GDDR6, protocol="GDDR5"), trace(A), "jedec")
    assert check(DDR4, np.zeros((0, 8), np.int64)) == ()


def test_compiled_and_plain_python_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    n = 400
    lines = np.zeros((n, 8), np.int64)
    lines[:, 0] = np.cumsum(rng.choice([0, 1, 5, 300, 9000, 130_000], n))
    lines[:, 1] = rng.integers(0, len(COMMANDS), n)
    for column, end in ((3, 2), (4, 4), (5, 4), (6, 2)):
        lines[:, column] = rng.integers(0, end, n)
    compiled = check(DDR4, lines, "jedec", find_all=True)
    assert {v.rule for v in compiled} >= set(STATE_NAMES.values()) - {"PRE of an open bank"}
    plain_parts(monkeypatch)
    assert check(DDR4, lines, "jedec", find_all=True) == compiled


def plain_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the judge's compiled functions by their source."""
    from accelsim.dram.rules import judge as module

    monkeypatch.setattr(legality, "judge", judge.py_func)  # type: ignore[attr-defined]
    for name, value in vars(module).copy().items():
        if hasattr(value, "py_func"):
            monkeypatch.setattr(module, name, value.py_func)
