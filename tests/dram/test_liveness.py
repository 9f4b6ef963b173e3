"""No request waits for ever, whatever the traffic and the controller; ranks sleep and wake."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from accelsim.dram.command import COMMANDS
from accelsim.dram.config import DramConfig
from accelsim.dram.ini_files.read import read_ini
from accelsim.dram.parameters import ROW_HIT_LIMIT
from accelsim.dram.policies.dramsim3 import Dramsim3Memory
from accelsim.dram.replay import ReplayResult, replay
from accelsim.dram.standard import STANDARDS
from accelsim.dram.traces.requests import Requests
from accelsim.energy.dram import event_energy
from accelsim.energy.replay_report import replay_energy_pj
from accelsim.errors import ConfigError
from tests.dram import golden
from tests.dram.driving import Job, drive, transfer
from tests.dram.judging import assert_legal
from tests.dram.states import all_states

DDR4 = STANDARDS["ddr4_3200_x64"].config(address_map="rochrababgco")
BANK_BYTES, ROW_BYTES = 8192, 1 << 17  # of DDR4: bank group above column, row on top
SLEEPS = STANDARDS["ddr4_3200_x64"].config(self_refresh_cycles=1000, power_down_cycles=0)


def make(*requests: tuple[int, str, int]) -> Requests:
    """Requests of (byte address, R or W, cycle)."""
    return Requests(
        np.array([a for a, _, _ in requests], np.int64),
        np.array([kind == "W" for _, kind, _ in requests], np.int64),
        np.array([t for _, _, t in requests], np.int64),
    )


def named(result: ReplayResult, name: str) -> NDArray[np.int64]:
    """Cycles of the commands of this name."""
    code = COMMANDS.index(name)
    return result.commands[result.commands[:, 1] == code, 0]


# ---- no request starves


@pytest.mark.parametrize("structure", ["per_bank", "per_rank"])
def test_endless_row_hits_give_way_to_the_oldest_conflict(structure: str) -> None:
    """In DRAMsim3 the victim waits for the next refresh: every hit delays its precharge."""
    config = replace(DDR4, controller=replace(DDR4.controller, queue_structure=structure))  # type: ignore[arg-type]
    hits = [(64 * (i % 128), "R", 0) for i in range(3000)]
    trace = make(*hits[:100], (ROW_BYTES, "R", 0), *hits[100:])
    t = config.timing
    # Its queue's 8 entries and the 32 transactions are older; then the open row's quota.
    to_head = (40 + ROW_HIT_LIMIT) * max(t.tCCD_L, t.burst_cycles)
    row_change = t.tRTP + t.tRP + t.tRCDRD + t.CL + t.burst_cycles
    offered = 100 * t.tCCD_L
    assert replay(config, trace).done_cycle[100] <= offered + to_head + row_change
    strict = replay(replace(config, compat="dramsim3"), trace)
    assert strict.done_cycle[100] > t.tREFI


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["per_bank", "per_rank"]),
    st.integers(1, 17),
    st.integers(1, 40),
    st.integers(1, 4),
    st.integers(1, 1000),
)
def test_no_stream_of_hits_locks_a_conflict_out(
    structure: str, command_queue: int, transactions: int, streams: int, at: int
) -> None:
    """Up to four banks with an endless stream of hits each, and one conflict somewhere."""
    queues = {"command_queue_size": command_queue, "transaction_queue_size": transactions}
    chosen = replace(DDR4.controller, queue_structure=structure, **queues)  # type: ignore[arg-type]
    config = replace(DDR4, controller=chosen)
    hits = [(BANK_BYTES * (i % streams) + 64 * (i // streams % 128), "R", 0) for i in range(2500)]
    result = replay(config, make(*hits[:at], (ROW_BYTES, "R", 0), *hits[at:]))
    t = config.timing
    older = transactions + command_queue * streams + streams * ROW_HIT_LIMIT
    row_change = t.tRAS + t.tRTP + t.tRP + t.tRCDRD + t.CL + t.burst_cycles
    refresh = t.tRFC + t.tRP + t.tRC
    waited = result.done_cycle[at] - result.accepted_cycle[at]
    assert waited <= older * t.tCCD_L + row_change + refresh < t.tREFI / 3


CONTROLLERS = st.fixed_dictionaries(
    {
        "page_policy": st.sampled_from(["open", "close"]),
        "queue_structure": st.sampled_from(["per_bank", "per_rank"]),
        "refresh_policy": st.sampled_from(
            ["rank_staggered", "rank_simultaneous", "bank_staggered"]
        ),
        "unified_queue": st.booleans(),
        "command_queue_size": st.integers(1, 17),
        "transaction_queue_size": st.integers(1, 40),
        "self_refresh_cycles": st.sampled_from([0, 0, 1, 60, 900]),
        "power_down_cycles": st.sampled_from([0, 1, 30, 128]),
        "address_map": st.sampled_from(["rochracobabg", "rochrababgco", "rorabgbacoch"]),
    }
)


@st.composite
def endless_traffic(draw: st.DrawFn) -> list[tuple[int, str, int]]:
    """Two kinds of requesters without pause, mixed: they hit, conflict, write and pause."""
    seed = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, pause = draw(st.integers(50, 600)), draw(st.sampled_from([0, 0, 40, 3000]))
    rows, writes = draw(st.integers(1, 6)), draw(st.sampled_from([0.0, 0.1, 0.5, 0.95]))
    few = draw(st.sampled_from([0.02, 0.3]))
    cycles = np.cumsum(seed.choice([0, 0, 0, pause], n))
    stride = draw(st.sampled_from([BANK_BYTES, ROW_BYTES]))
    requests = []
    for i in range(n):
        line = 64 * int(seed.integers(0, 128)) if seed.random() > few else 64 * (i % 4)
        row = int(seed.integers(0, rows)) * stride
        requests.append((row + line, "W" if seed.random() < writes else "R", int(cycles[i])))
    return requests


def bound_cycles(config: DramConfig) -> int:
    """A request is the oldest of its bank after those before it had their turn of a row.

    Each entry in front of it may let a row's quota pass, each access may stand behind one of
    every other bank and both turnarounds of the bus, and refreshes and waking come on top.
    """
    t, c, o = config.timing, config.controller, config.organisation
    in_front = c.command_queue_size * (1 if c.queue_structure == "per_bank" else o.banks)
    in_front += 2 * c.transaction_queue_size
    turnaround = t.CL + t.CWL + 2 * t.burst_cycles + t.tWTR_L + t.tRTRS
    row_change = t.tRC + t.tWR + t.tFAW + turnaround
    busy = in_front * (row_change + ROW_HIT_LIMIT * turnaround)
    share = 1 - (t.tRFC + t.tRC + t.tRP) * o.ranks / t.tREFI
    waking = t.tCKE + t.tXP + t.tXS + t.tXSDLL + t.tCKESR
    return int(busy / share) + waking + t.tRFC + config.n_ranks * t.tRFC


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["ddr4_2400_x16", "ddr4_3200_x64"]),
    st.sampled_from([1, 2]),
    st.sampled_from([1, 2]),
    CONTROLLERS,
    endless_traffic(),
)
def test_no_request_waits_longer_than_its_bound(
    name: str,
    channels: int,
    ranks: int,
    controller: dict[str, object],
    requests: list[tuple[int, str, int]],
) -> None:
    standard = STANDARDS[name].config(channels)
    # tREFIb of one bank in sixteen: DDR4 has none of its own.
    timing = replace(standard.timing, tRFCb=200, tREFIb=780)
    config = replace(
        standard,
        organisation=replace(standard.organisation, ranks=ranks),
        timing=timing,
        controller=replace(standard.controller, **controller),  # type: ignore[arg-type]
    )
    size = config.n_lines * config.line_bytes
    result = replay(config, make(*[(a % size, k, t) for a, k, t in requests]), True)
    assert_legal(config, result.commands)
    waited = result.done_cycle - result.accepted_cycle
    assert (result.done_cycle > 0).all() and waited.max() <= bound_cycles(config)
    assert all_states(result) == config.n_ranks * result.cycles


# ---- self-refresh, by hand


def test_a_rank_sleeps_wakes_and_sleeps_again_as_the_standard_says() -> None:
    t = SLEEPS.timing
    result = replay(SLEEPS, make((0, "R", 5000), (64 * 16, "R", 40_000), (0, "R", 80_000)), True)
    assert_legal(SLEEPS, result.commands)
    entries, exits = named(result, "self_refresh_enter"), named(result, "self_refresh_exit")
    # Idle from cycle 0 on; requests are offered, moved, and wake in three consecutive cycles.
    assert entries[0] == 999 and exits.tolist() == [5002, 40_002, 80_002]
    reads = named(result, "read")
    assert reads[0] == 5002 + max(t.tXS + t.tRCDRD, t.tXSDLL)
    # The row stays open until the first refresh after waking; 1000 idle cycles later the
    # refresh that may have been lost on waking has happened, and the rank sleeps again.
    closing = named(result, "precharge")[0]
    assert closing == 12480 and entries[1] == closing + 999
    assert named(result, "refresh")[0] == closing + t.tRP
    assert len(entries) == 3
    assert result.self_refresh_rank_cycles == (exits - entries - 1).sum()


def test_a_rank_that_woke_is_refreshed_before_it_sleeps_again() -> None:
    config = replace(SLEEPS, controller=replace(SLEEPS.controller, page_policy="close"))
    t = config.timing
    result = replay(config, make((0, "R", 5000), (0, "R", 11_900)), True)
    assert_legal(config, result.commands)
    access = named(result, "read_p")[0]
    # No refresh was due since it woke: it gets one when it could fall asleep, and then sleeps.
    assert named(result, "refresh")[0] == access + 999
    assert named(result, "self_refresh_enter")[1] == access + 999 + t.tRFC


def test_no_refresh_is_sent_to_a_sleeping_rank() -> None:
    """Of two ranks one works; the other one refreshes itself for a whole millisecond."""
    config = replace(SLEEPS, organisation=replace(SLEEPS.organisation, ranks=2))
    result = replay(config, make(*[(64, "R", 400 * i) for i in range(4000)]), True)
    assert_legal(config, result.commands)
    is_refresh = result.commands[:, 1] == COMMANDS.index("refresh")
    assert set(result.commands[is_refresh, 3].tolist()) == {0}
    assert result.self_refresh_rank_cycles == result.cycles - 1000


def test_self_refresh_saves_what_the_currents_say() -> None:
    """DDR4: IDD6 is 30 mA where standby takes IDD2N = 37 mA and refreshes on top; IPP 3 mA."""
    asleep, awake = (
        replay(config, make((0, "R", 10**6)))
        for config in (SLEEPS, STANDARDS["ddr4_3200_x64"].config(power_down_cycles=0))
    )
    energy = replay_energy_pj(asleep, SLEEPS)
    cycles = asleep.self_refresh_rank_cycles
    assert energy["self_refresh"] == pytest.approx(cycles * (1.2 * 30 + 2.5 * 3) * 8 * 0.625)
    each = event_energy(SLEEPS)
    assert each.self_refresh_cycle / each.idle_cycle == pytest.approx(
        (1.2 * 30 + 2.5 * 3) / (1.2 * 37 + 2.5 * 3)
    )
    assert energy["total"] < 0.7 * replay_energy_pj(awake, SLEEPS)["total"]


def test_a_memory_counts_sleep_whenever_it_is_asked() -> None:
    period = SLEEPS.clock.period_fs
    memory = Dramsim3Memory(SLEEPS, 1, 1, {})
    jobs = [Job(transfer(0, [5], [1]), at * period) for at in (0, 30_000)]
    drive(memory, [jobs], [k * 977 * period for k in range(60)])
    end = memory.finish(60_000 * period)
    seen = memory.background_at(end)
    counted = memory.counts()
    assert counted.background == seen
    assert all_states(seen) == counted.cycles == 60_000
    assert seen.self_refresh_rank_cycles > 20_000


def test_dramsim3s_rule_lets_a_rank_sleep_only_until_its_first_request() -> None:
    strict = replace(SLEEPS, compat="dramsim3")
    result = replay(strict, make((0, "R", 5000), (0, "R", 10**6)), True)
    assert named(result, "self_refresh_enter").tolist() == [999]


def test_a_sleeping_rank_needs_its_current() -> None:
    with pytest.raises(ConfigError, match="IDD6"):
        STANDARDS["hbm2_2000"].config(self_refresh_cycles=1)


def test_an_imported_file_brings_its_threshold() -> None:
    assert golden.config("DDR4_8Gb_x8_3200").controller.self_refresh_cycles == 0
    config, warnings = read_ini(golden.DATA / "variants" / "ddr4_sleep.ini")
    assert config.controller.self_refresh_cycles == 1000
    assert (config.timing.tCKESR, config.timing.tXS) == (9, 576)
    assert any("only until its first request" in warning for warning in warnings)
