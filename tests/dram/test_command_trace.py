"""Command traces in files: DRAMsim3's own are legal, edited ones are not, broken ones refused."""

import gzip
import re
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from accelsim.dram.command import COMMANDS, Command
from accelsim.dram.legality import check
from accelsim.dram.replay import replay
from accelsim.dram.standard import STANDARDS
from accelsim.dram.traces import command_trace
from accelsim.dram.traces.command_csv import CommandCsv
from accelsim.dram.traces.command_trace import read_commands
from accelsim.errors import DramTraceError
from tests.dram import golden

DDR4 = golden.config("DDR4_8Gb_x8_3200")
MIXED = "DDR4_8Gb_x8_3200.f_rndmix"
HEADER = "cycle,command,channel,rank,bankgroup,bank,row,col"


def path_of(name: str) -> Path:
    return golden.DATA / "commands" / f"{name}.csv.gz"


@pytest.mark.parametrize("name", golden.COMMAND_TRACES)
def test_a_trace_is_read_as_it_stands(name: str) -> None:
    commands = read_commands(path_of(name), golden.config(name.rsplit(".", 1)[0])).commands
    listed = [(cycle, COMMANDS[code], *place) for cycle, code, _, *place in commands.tolist()]
    assert listed == golden.command_trace(name)


def ours() -> NDArray[np.int64]:
    return read_commands(path_of(MIXED), DDR4).commands


def test_a_command_one_cycle_earlier_is_found_wherever_it_was_tight() -> None:
    """ACTs of the mixed trace are never earlier than tRP after the PRE of their bank."""
    commands = ours()
    acts = np.flatnonzero(commands[:, 1] == Command.ACT)
    n_tight = 0
    for act in acts[-400:].tolist():
        before = commands[:act]
        same = (before[:, 3:6] == commands[act, 3:6]).all(axis=1) & (before[:, 1] == Command.PRE)
        pre = int(np.flatnonzero(same)[-1])
        if commands[act, 0] - commands[pre, 0] != DDR4.timing.tRP:
            continue
        n_tight += 1
        moved = commands[: act + 1].copy()
        moved[act, 0] -= 1
        found = check(DDR4, moved[moved[:, 0].argsort(kind="stable")], find_all=True)
        assert ("tRP", 22, 21) in {(v.rule, v.required_cycles, v.actual_cycles) for v in found}
        if n_tight == 20:
            return
    pytest.fail("no tight commands")


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_dropped_or_swapped_command_is_found(data: st.DataObject) -> None:
    commands = ours()
    kind = data.draw(st.sampled_from([Command.ACT, Command.PRE]))
    candidates = np.flatnonzero(commands[:-200, 1] == kind)
    k = int(data.draw(st.sampled_from(candidates.tolist())))
    dropped = check(DDR4, np.delete(commands, k, axis=0))
    same_bank = (commands[k:, 3:6] == commands[k, 3:6]).all(axis=1)
    following = k + int(np.flatnonzero(same_bank)[1])
    # Without its ACT a read or PRE meets a closed bank; without its PRE an ACT or REF an open one.
    if kind == Command.ACT:
        closed = commands[following, 1] == Command.PRE
        expected = {"PRE of an open bank" if closed else "RD, WR to the open row"}
    else:
        expected = {"ACT to a closed bank", "refresh of closed banks"}
    (found,) = dropped
    assert found.rule in expected
    swapped = commands.copy()
    swapped[[k, following], 1:] = swapped[[following, k], 1:]
    assert len(check(DDR4, swapped)) == 1


def test_a_refresh_that_comes_late_is_found_by_the_standard() -> None:
    config = STANDARDS["ddr4_3200_x64"].config()
    idle = golden.requests("h_idle20us", config)
    commands = replay(config, idle, record_commands=True).commands
    assert check(config, commands, "jedec") == ()
    refreshes = np.flatnonzero(commands[:, 1] == Command.REF)
    # Each is issued a little after it is due: with eight postponed it would come too late.
    dropped = np.delete(commands, refreshes[:7], axis=0)
    assert check(config, dropped, "jedec") == ()
    found = check(config, np.delete(commands, refreshes[:9], axis=0), "jedec")
    assert [v.rule for v in found] == ["tREFI, postponed"]


def test_a_written_trace_is_read_again(tmp_path: Path) -> None:
    config = STANDARDS["hbm2_2000"].config(channels=2)
    commands = replay(config, golden.requests("z_hot256", config), record_commands=True).commands
    with (tmp_path / "c.csv").open("w", newline="", encoding="ascii") as file:
        CommandCsv(file).write(commands)
    np.testing.assert_array_equal(read_commands(tmp_path / "c.csv", config).commands, commands)
    windows = (tmp_path / "c.csv").read_bytes().replace(b"\n", b"\r\n")
    (tmp_path / "w.csv").write_bytes(windows)
    np.testing.assert_array_equal(read_commands(tmp_path / "w.csv", config).commands, commands)


DRAMSIM3_TEXT = """\
2                  activate               0   0   0   0      0x0      0x0
11                 activate               0   0   1   2      0x0      0xd
24                 read                   0   0   0   0      0x0      0x0
33                 read                   0   0   1   2      0x0      0xd
6240               precharge             -1   0   0   0     -0x1     -0x1
6241               precharge             -1   0   1   2     -0x1     -0x1
6263               refresh               -1   0  -1  -1     -0x1     -0x1
12480              refresh               -1   1  -1  -1     -0x1     -0x1
"""
"""What DRAMsim3, built with CMD_TRACE, wrote to ``dramsim3ch_0cmd.trace``."""


def test_dramsim3s_own_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "dramsim3ch_0cmd.trace"
    path.write_text(DRAMSIM3_TEXT)
    read = read_commands(path, DDR4)
    assert read.first_line == 1
    assert read.commands[[1, 4, 6]].tolist() == [
        [11, Command.ACT, 0, 0, 1, 2, 0, 13],
        [6240, Command.PRE, 0, 0, 0, 0, -1, -1],
        [6263, Command.REF, 0, 0, -1, -1, -1, -1],
    ]
    assert check(DDR4, read.commands) == ()
    # The file of another channel names it where the command has an address.
    path.write_text(re.sub("(activate|read) ( +)0", r"\1 \g<2>3", DRAMSIM3_TEXT))
    four = replace(DDR4, organisation=replace(DDR4.organisation, channels=4))
    assert read_commands(path, four).commands[:, 2].tolist() == [3] * 8


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("0xd", "0xg", ":2: '11                 activate               0   0   1   2"),
        ("0xd", "0x", ":2: '11 "),
        ("0x0", "0x1000000000000000", ":1: '2 "),
        ("     -0x1     -0x1\n12480", "\n12480", ":7: '6263               refresh"),
        ("11   ", "1    ", ":2: the command in cycle 1 follows one in cycle 2"),
        ("0   0   1   2", "1   0   1   2", ":2: the command has channel 1, not 0 to 0"),
        ("0   0   1   2", "0   0   1   4", ":2: the command has bank 4, not 0 to 3"),
        ("refresh  ", "REFab    ", ":7: "),
    ],
)
def test_a_malformed_line_of_dramsim3s_files_is_named(
    old: str, new: str, problem: str, tmp_path: Path
) -> None:
    path = tmp_path / "c.trace"
    path.write_text(DRAMSIM3_TEXT.replace(old, new, 1))
    with pytest.raises(DramTraceError) as caught:
        read_commands(path, DDR4)
    assert str(caught.value).startswith(f"{path}{problem}")


def test_a_trace_without_a_command_proves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    for text in (HEADER, f"{HEADER}\n"):
        path.write_text(text)
        with pytest.raises(DramTraceError, match="holds no command"):
            read_commands(path, DDR4)


def test_a_trace_may_hold_self_refresh(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text(f"{HEADER}\n9,self_refresh_enter,0,1,-1,-1,-1,-1\n")
    assert read_commands(path, DDR4).commands.tolist() == [[9, Command.SRE, 0, 1, -1, -1, -1, -1]]


GOOD = "5,activate,0,0,1,2,3,4"
BAD_LINES = {
    "activate": "'activate' is not a command",
    "": "'' is not a command",
    "9": "'9' is not a command",
    "9,activate,0,0,1,2,3": "is not a command",
    "9,activate,0,0,1,2,3,4,5": "is not a command",
    "9,activate,0,0,1,2,3,": "is not a command",
    "9,act,0,0,1,2,3,4": "is not a command",
    "9,activated,0,0,1,2,3,4": "is not a command",
    "9,activate,0,0,1,2,3,x": "is not a command",
    "9,activate,0,0,1,2,3,--4": "is not a command",
    "9,activate,0,0,1,2,3,4.0": "is not a command",
    " 9,activate,0,0,1,2,3,4": "is not a command",
    "9999999999999999999,activate,0,0,1,2,3,4": "is not a command",
    "999999999999999999,activate,0,0,1,2,3,4": "the command has cycle 999999999999999999",
    "9,activate,0,7,1,2,3,4": "the command has rank 7, not 0 to 1",
    "4,activate,0,0,1,2,3,4": "the command in cycle 4 follows one in cycle 5",
}


@pytest.mark.parametrize("line", BAD_LINES)
def test_a_malformed_line_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text("\n".join([HEADER, GOOD, line, GOOD.replace("5", "50", 1), ""]))
    with pytest.raises(DramTraceError) as caught:
        read_commands(path, DDR4)
    assert str(caught.value).startswith(f"{path}:3: ")
    assert BAD_LINES[line] in str(caught.value)


FILES: dict[str, Callable[[Path], object]] = {
    "no such file": lambda path: None,
    "is a directory": lambda path: path.mkdir(),
    "not a header": lambda path: path.write_text(f"{GOOD}\n"),
    "'' is not a header": lambda path: path.write_text(""),
    "not a complete gzip": lambda path: path.write_bytes(gzip.compress(b"cycle" * 999)[:30]),
    "'x' is not a command": lambda path: path.write_text(f"{HEADER}\nx"),
}


@pytest.mark.parametrize("problem", FILES)
def test_a_file_that_is_no_trace_is_refused(problem: str, tmp_path: Path) -> None:
    FILES[problem](tmp_path / "c.csv")
    with pytest.raises(DramTraceError, match=f"(?i){problem}"):
        read_commands(tmp_path / "c.csv", DDR4)


def test_a_file_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_trace, "MAX_BYTES", 1000)
    (tmp_path / "c.csv").write_bytes(gzip.compress(f"{HEADER}\n".encode() * 100))
    with pytest.raises(DramTraceError, match="more than 4 GiB"):
        read_commands(tmp_path / "c.csv", DDR4)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="0159,-\nactive x\r", max_size=60))
def test_no_text_is_read_beyond_its_end_or_fails_unexplained(text: str) -> None:
    body = text.encode() + b"\n"
    parse = command_trace.parse.py_func  # type: ignore[attr-defined]
    lines = np.zeros((body.count(b"\n"), 8), np.int64)
    data, words = np.frombuffer(body, np.uint8), command_trace._words()
    good = parse(data, np.arange(8), words, lines)
    compiled = np.zeros_like(lines)
    assert command_trace.parse(data, np.arange(8), words, compiled) == good
    np.testing.assert_array_equal(lines, compiled)


def test_how_a_file_is_cut_into_blocks_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read_commands(path_of(MIXED), DDR4).commands
    text = gzip.decompress(path_of(MIXED).read_bytes())
    for block_bytes in (60, 1000, 65536):
        monkeypatch.setattr(command_trace, "BLOCK_BYTES", block_bytes)
        for name, content in (("c.csv", text + b"\r\n \n\n"), ("c.csv.gz", gzip.compress(text))):
            (tmp_path / name).write_bytes(content)
            np.testing.assert_array_equal(read_commands(tmp_path / name, DDR4).commands, whole)
    rows = text.rstrip().split(b"\n")
    rows[4000] = b"nonsense"
    (tmp_path / "c.csv").write_bytes(b"\n".join(rows))
    with pytest.raises(DramTraceError, match=r"c.csv:4001: 'nonsense' is not a command"):
        read_commands(tmp_path / "c.csv", DDR4)


@pytest.mark.parametrize("filling", [b"\n", b" ", b"7", b"\x00"])
def test_a_bomb_needs_no_memory(tmp_path: Path, filling: bytes) -> None:
    path = tmp_path / "c.csv.gz"
    path.write_bytes(gzip.compress(f"{HEADER}\n{GOOD}\n".encode() + filling * (64 << 20) + b"x"))
    tracemalloc.start()
    with pytest.raises(DramTraceError, match="is not a command"):
        read_commands(path, DDR4)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Some copies of a block of 1 MiB; of newlines each is a row of eight numbers, too.
    assert peak < 1 << 27
