"""Ramulator's controller: rules by hand, legality, fairness, refusals."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from accelsim.dram import state
from accelsim.dram.command import COMMANDS, Log
from accelsim.dram.config import DramConfig
from accelsim.dram.legality import check
from accelsim.dram.parameters import ControllerName, P, parameters
from accelsim.dram.policies.ramulator import RamulatorMemory
from accelsim.dram.replay import ReplayResult
from accelsim.dram.replay import replay as replay_with
from accelsim.dram.standard import STANDARDS
from accelsim.dram.traces.requests import Requests
from accelsim.energy.replay_report import replay_report
from accelsim.errors import ConfigError
from tests.dram import golden
from tests.dram.driving import Job, drive, transfer
from tests.dram.judging import assert_legal
from tests.dram.test_replay import ROW, make, traffic, with_controller
from tests.dram.uncompiled import use_plain_python

MATCHED = golden.config("DDR4_8Gb_x8_3200_1rank")
"""Every timing equals that of Ramulator's configuration DDR4_matched."""
T = MATCHED.timing
BANK = 8192  # bytes between bank groups in rochrababgco; banks of a group are 4 of them apart


def replay(config: DramConfig, requests: Requests) -> ReplayResult:
    return replay_with(config, requests, record_commands=True, controller="ramulator")


def with_timing(**changes: int) -> DramConfig:
    return replace(MATCHED, timing=replace(T, **changes))


def latency(result: ReplayResult, index: int, offered: int) -> int:
    return int(result.done_cycle[index]) - offered


def test_unloaded_latency_is_the_sum_of_its_steps() -> None:
    data = T.CL + T.burst_cycles
    result = replay(MATCHED, make((0, "R", 0), (64, "R", 1000), (ROW, "R", 2000)))
    assert latency(result, 0, 0) == 1 + T.tRCDRD + data == 49
    assert latency(result, 1, 1000) == 1 + data == 27
    assert latency(result, 2, 2000) == 1 + T.tRP + T.tRCDRD + data == 71
    assert (result.row_hits, result.row_misses, result.row_conflicts) == (1, 1, 1)


def test_a_row_stays_until_its_own_request_was_served() -> None:
    """The younger request wants another row; tRAS would allow it to close the first."""
    slow = with_timing(tRCDRD=60, tRCDWR=60)
    commands = replay(slow, make((0, "R", 0), (ROW, "R", 0))).commands
    names = [COMMANDS[code] for code in commands[:, Log.COMMAND]]
    assert names == ["activate", "read", "precharge", "activate", "read"]
    assert commands[2, Log.CYCLE] == commands[1, Log.CYCLE] + T.tRTP


def test_only_an_older_row_hit_holds_a_row_open() -> None:
    """With tRTP < tCCD_L a PRE is legal before the next RD of the open row."""
    quick = with_timing(tRTP=4)
    first, hit, conflict = (0, "R", 0), (128, "R", 100), (ROW, "R", 100)
    for two, wait in (((hit, conflict), T.tCCD_L + 4), ((conflict, hit), 4)):
        # The RD of line 1 issues in cycle 100, one after it was offered.
        commands = replay(quick, make(first, (64, "R", 99), *two)).commands
        is_precharge = commands[:, Log.COMMAND] == COMMANDS.index("precharge")
        assert commands[is_precharge][0, Log.CYCLE] == 100 + wait


def test_writes_start_when_no_read_waits() -> None:
    result = replay(MATCHED, make(*[(64 * i, "W", 0) for i in range(8)]))
    assert (result.writes, result.residual_writes) == (8, 0)
    # One ACT, then eight WR of one bank group.
    assert result.cycles == 1 + 1 + T.tRCDWR + 7 * T.tCCD_L


def test_a_read_of_a_buffered_write_needs_no_dram() -> None:
    # While a read waits for its bank, write mode does not start: the write stays buffered.
    result = replay(MATCHED, make((BANK, "R", 0), (0, "W", 0), (0, "R", 1), (0, "W", 3)))
    assert (result.reads, result.writes) == (1, 1)
    assert latency(result, 2, 2) == 1


def test_reads_of_one_address_are_not_merged() -> None:
    assert replay(MATCHED, make(*[(0, "R", 0)] * 5)).reads == 5


def test_one_command_closes_all_banks_for_a_refresh() -> None:
    banks = [(group * BANK, "R", 0) for group in range(4)]
    commands = replay(MATCHED, make(*banks, (0, "R", 14000))).commands
    names = [COMMANDS[code] for code in commands[:, Log.COMMAND]]
    assert names[8:] == ["precharge_all", "refresh", "activate", "read"]
    # Its clock is one ahead: refreshes are due at tREFI - 1 of ours.
    assert commands[8, Log.CYCLE] == T.tREFI - 1
    assert commands[9, Log.CYCLE] == T.tREFI - 1 + T.tRP
    assert commands[8, Log.GROUP] == commands[8, Log.BANK] == -1


def test_a_refresh_waits_for_a_request_whose_row_is_open() -> None:
    """tRAS ends, and the refresh could close the bank, before tRCD does."""
    slow = with_timing(tRCDRD=60, tRCDWR=60)
    commands = replay(slow, make((0, "R", T.tREFI - 10), (64, "R", T.tREFI))).commands
    names = [COMMANDS[code] for code in commands[:, Log.COMMAND]]
    # The second request waits for the refresh, although its row is open until then.
    assert names == ["activate", "read", "precharge_all", "refresh", "activate", "read"]
    assert commands[2, Log.CYCLE] == commands[1, Log.CYCLE] + T.tRTP


def test_staggered_refresh_visits_ranks_in_turn_and_simultaneous_all() -> None:
    two = golden.config("DDR4_8Gb_x8_3200")
    trace = make((0, "R", 0), (0, "R", 26000))
    interval = T.tREFI // 2
    expected = {
        "rank_staggered": [(k * interval, (k - 1) % 2) for k in range(1, 5)],
        "rank_simultaneous": [(k * T.tREFI, r) for k in (1, 2) for r in (0, 1)],
    }
    for policy, due in expected.items():
        commands = replay(with_controller(two, refresh_policy=policy), trace).commands
        is_refresh = commands[:, Log.COMMAND] == COMMANDS.index("refresh")
        seen = commands[is_refresh][:, [Log.CYCLE, Log.RANK]].tolist()
        assert [rank for _, rank in seen] == [rank for _, rank in due]
        for (cycle, _), (at, _) in zip(seen, due, strict=True):
            assert 0 <= cycle - (at - 1) <= T.tRP + 1


def test_read_modify_write_ends() -> None:
    """DRAMsim3 hangs on this trace; Ramulator 2.1 takes 15 223 cycles."""
    result = replay(MATCHED, golden.requests("z_rmw", MATCHED))
    assert result.cycles == 15223


KINDS = st.fixed_dictionaries(
    {
        "refresh_policy": st.sampled_from(["rank_staggered", "rank_simultaneous"]),
        "transaction_queue_size": st.sampled_from([1, 9, 32]),
        "address_map": st.sampled_from(["rochracobabg", "rochrababgco", "rorabgbacoch"]),
    }
)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(STANDARDS)), KINDS, st.sampled_from([1, 2]), traffic())
def test_every_variant_obeys_the_standard_and_answers_all(
    name: str, variant: dict[str, object], channels: int, requests: list[tuple[int, str, int]]
) -> None:
    config = with_controller(STANDARDS[name].config(channels), **variant)
    size = config.n_lines * config.line_bytes
    result = replay(config, make(*[(a % size, k, t) for a, k, t in requests]))
    assert (result.done_cycle > 0).all()
    assert result.residual_writes == 0
    assert_legal(config, result.commands)
    assert result.active_rank_cycles + result.idle_rank_cycles == config.n_ranks * result.cycles


@pytest.mark.parametrize(
    ("delay", "rule", "required"),
    [
        *(("ACT_TO_PRE", "tRAS", 52), ("RD_TO_PRE", "tRTP", 40)),
        *(("WR_TO_PRE", "tWR", 16 + 4 + 24), ("PREAB_TO_ACT", "tRP", 22)),
    ],
)
def test_the_judge_finds_a_precharge_of_all_banks_that_is_one_cycle_early(
    delay: str, rule: str, required: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refreshes every 1000 clocks meet rows in every state."""
    config = with_timing(tREFI=1000, tRFC=100, tRTP=40 if rule == "tRTP" else T.tRTP)
    lines = np.random.default_rng(3).integers(0, 1 << 20, 6000) // 64 * 64
    trace = make(*[(int(a), "RW"[i // 40 % 2], 0) for i, a in enumerate(lines)])

    def early(config: DramConfig, controller: ControllerName) -> NDArray[np.int64]:
        table = parameters(config, controller)
        table[P[delay]] -= 1
        return table

    monkeypatch.setattr(state, "parameters", early)
    found = check(config, replay(config, trace).commands, find_all=True)
    assert {(v.rule, v.required_cycles, v.actual_cycles) for v in found} == {
        (rule, required, required - 1)
    }
    assert any("PREA" in (v.second.command, v.first and v.first.command) for v in found)


@pytest.mark.parametrize("name", ["ddr4_2400_x16", "hbm2_2000"])
def test_compiled_and_plain_python_agree(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    trace = make(
        *[(int(rng.integers(0, 64)) * 4096, "RW"[rng.integers(2)], int(i * 3)) for i in range(80)]
    )
    config = STANDARDS[name].config(channels=2)
    compiled = replay(config, trace)
    use_plain_python(monkeypatch)
    plain = replay(config, trace)
    np.testing.assert_array_equal(compiled.commands, plain.commands)
    np.testing.assert_array_equal(compiled.done_cycle, plain.done_cycle)


def test_a_writer_that_never_pauses_does_not_lock_out_reads() -> None:
    """By Ramulator's own rule write mode would last; native standards give reads a turn."""
    ends = {}
    for compat in ("none", "dramsim3"):
        config = replace(STANDARDS["ddr4_2400_x16"].config(), compat=compat)  # type: ignore[arg-type]
        memory = RamulatorMemory(config, 2, 1, {})
        writes = [Job(transfer(1, [1 << 20], [8000], is_write=True), 0)]
        reads = [Job(transfer(0, [0], [1000]), 0)]
        ends[compat] = [done.done_fs for done in drive(memory, [reads, writes])]
    assert ends["none"][0] < ends["none"][1] / 2
    assert ends["dramsim3"][0] > ends["dramsim3"][1]


def test_finish_finds_nothing_left_after_a_pause() -> None:
    config = STANDARDS["ddr4_2400_x16"].config()
    memory = RamulatorMemory(config, 1, 1, {})
    drive(memory, [[Job(transfer(0, [0], [5], is_write=True), 0)]])
    memory.finish(10**9)
    counts = memory.counts()
    assert (counts.drain_writes, counts.by_label[0].writes) == (0, 5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"page_policy": "close"}, "page_policy"),
        ({"refresh_policy": "bank_staggered"}, "refresh_policy"),
        ({"unified_queue": True}, "unified_queue"),
    ],
)
def test_what_this_controller_does_not_know_is_refused(
    change: dict[str, object], message: str
) -> None:
    config = with_controller(MATCHED, **change)
    runs: tuple[Callable[[], object], ...] = (
        lambda: replay(config, make((0, "R", 0))),
        lambda: RamulatorMemory(config, 1, 1, {}),
    )
    for run in runs:
        with pytest.raises(ConfigError, match=message):
            run()


def test_the_report_says_what_first_commands_found() -> None:
    report = replay_report(replay(MATCHED, make((0, "R", 0), (ROW, "R", 0))), MATCHED, 0.5)
    assert (report["row_hits"], report["row_misses"], report["row_conflicts"]) == (0, 1, 1)
