"""The controller by hand, and what no golden trace covers: legality, no hang, uncompiled."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from accelsim.dram import state
from accelsim.dram.command import COMMANDS
from accelsim.dram.config import DramConfig
from accelsim.dram.legality import check
from accelsim.dram.parameters import ControllerName, P, parameters
from accelsim.dram.replay import ReplayResult, replay
from accelsim.dram.standard import STANDARDS
from accelsim.dram.system import Controller
from accelsim.dram.traces.requests import Requests
from accelsim.errors import ConfigError
from tests.dram import golden
from tests.dram.judging import assert_legal
from tests.dram.scenarios import LPDDR4, with_ranks
from tests.dram.states import all_states
from tests.dram.uncompiled import use_plain_python

DDR4 = golden.config("DDR4_8Gb_x8_3200_1rank")
ROW = 1 << 17  # bytes between rows of one bank in rochrababgco: 16 banks x 8 KiB


def make(*requests: tuple[int, str, int]) -> Requests:
    """Requests of (byte address, R or W, cycle)."""
    return Requests(
        np.array([a for a, _, _ in requests], np.int64),
        np.array([kind == "W" for _, kind, _ in requests], np.int64),
        np.array([t for _, _, t in requests], np.int64),
    )


def latency(result: ReplayResult, index: int, offered: int) -> int:
    return int(result.done_cycle[index]) - offered - 1


def with_controller(config: DramConfig, **changes: object) -> DramConfig:
    return replace(config, controller=replace(config.controller, **changes))  # type: ignore[arg-type]


def test_unloaded_latency_is_the_sum_of_its_steps() -> None:
    t = DDR4.timing
    data = t.CL + t.burst_cycles
    result = replay(DDR4, make((0, "R", 0), (64, "R", 1000), (ROW, "R", 2000)))
    assert latency(result, 0, 0) == 1 + t.tRCDRD + data == 49
    assert latency(result, 1, 1000) == 1 + data == 27
    assert latency(result, 2, 2000) == 1 + t.tRP + t.tRCDRD + data == 71


def test_a_read_of_a_buffered_write_needs_no_dram() -> None:
    result = replay(DDR4, make((0, "W", 0), (0, "R", 5)))
    assert (result.reads, result.writes, result.residual_writes) == (0, 0, 1)
    assert latency(result, 1, 5) == 1


def test_equal_addresses_share_one_command() -> None:
    result = replay(DDR4, make(*[(0, "R", 0)] * 5, *[(64, "W", 0)] * 5))
    assert (result.reads, result.residual_writes) == (1, 1)


def test_two_addresses_of_one_burst_are_two_commands() -> None:
    """Only equal addresses merge, as in DRAMsim3."""
    result = replay(DDR4, make((0, "R", 0), (32, "R", 0)))
    assert result.reads == 2


def test_a_read_meets_the_buffered_write_of_its_line() -> None:
    """Natively by line: 0x40 to 0x4F is one burst. DRAMsim3 compares addresses, and lets the
    read overtake the write."""
    native = STANDARDS["ddr4_2400_x16"].config()
    trace = make((0x40, "W", 0), (0x48, "R", 1), (0x4F, "R", 1), (0x47, "W", 1))
    result = replay(native, trace)
    assert (result.reads, result.writes, result.residual_writes) == (0, 0, 1)
    strict = replay(replace(DDR4, compat="dramsim3"), make((0x40, "W", 0), (0x48, "R", 1)))
    assert (strict.reads, strict.residual_writes) == (1, 1)


def test_the_fifth_activate_waits_for_the_window_of_four() -> None:
    banks = [(group * 8192, "R", 0) for group in range(4)] + [(4 * 8192, "R", 0)]
    commands = replay(DDR4, make(*banks), record_commands=True).commands
    acts = commands[commands[:, 1] == 0, 0]
    # In the cycle in which the window opens, the read of the fourth bank has the bus.
    assert acts[3] + DDR4.timing.tRCDRD == acts[0] + DDR4.timing.tFAW
    assert acts[4] - acts[0] == DDR4.timing.tFAW + 1
    assert acts[1] - acts[0] == DDR4.timing.tRRD_S


def test_eight_writes_stay_in_the_buffer() -> None:
    lines = [(64 * i, "W", 0) for i in range(8)]
    assert replay(DDR4, make(*lines)).residual_writes == 8
    assert replay(DDR4, make(*lines, (64 * 8, "W", 0))).residual_writes == 0


def test_an_empty_trace_takes_one_cycle() -> None:
    result = replay(DDR4, make())
    assert (result.requests, result.cycles, result.average_read_latency_cycles) == (0, 1, 0.0)


@pytest.mark.parametrize("name", ["DDR4_8Gb_x8_3200", "DDR3_8Gb_x8_1600", "HBM2_8Gb_x128_1ch"])
@pytest.mark.parametrize("compat", ["dramsim3", "none"])
def test_read_modify_write_does_not_hang(name: str, compat: str) -> None:
    """DRAMsim3 itself hangs for ever on this trace."""
    config = replace(golden.config(name), compat=compat)  # type: ignore[arg-type]
    result = replay(config, golden.requests("z_rmw", config))
    assert result.reads > 0 and (result.done_cycle > 0).all()


VARIANTS = st.fixed_dictionaries(
    {
        "page_policy": st.sampled_from(["open", "close"]),
        "queue_structure": st.sampled_from(["per_bank", "per_rank"]),
        "refresh_policy": st.sampled_from(
            ["rank_staggered", "rank_simultaneous", "bank_staggered"]
        ),
        "unified_queue": st.booleans(),
        "command_queue_size": st.sampled_from([1, 3, 8]),
        "transaction_queue_size": st.sampled_from([1, 9, 32]),
        "address_map": st.sampled_from(["rochracobabg", "rochrababgco", "rorabgbacoch"]),
    }
)
MEMORIES = st.sampled_from(sorted(STANDARDS))


@st.composite
def traffic(draw: st.DrawFn) -> list[tuple[int, str, int]]:
    """Few lines, so that requests meet in rows, banks and addresses; bursts and pauses."""
    n = draw(st.integers(1, 120))
    seed = np.random.default_rng(draw(st.integers(0, 2**32)))
    span = draw(st.sampled_from([4, 64, 4096]))
    stride = draw(st.sampled_from([16, 1024, 1 << 17]))
    cycles = np.cumsum(seed.integers(0, draw(st.sampled_from([1, 3, 400])), n))
    share = draw(st.sampled_from([0.0, 0.5, 0.9]))
    return [
        (int(seed.integers(0, span)) * stride, "W" if seed.random() < share else "R", int(c))
        for c in cycles
    ]


@settings(max_examples=120, deadline=None)
@given(MEMORIES, VARIANTS, st.sampled_from([1, 2]), st.sampled_from([1, 2]), traffic())
def test_every_variant_obeys_the_standard_and_answers_all(
    name: str,
    variant: dict[str, object],
    channels: int,
    ranks: int,
    requests: list[tuple[int, str, int]],
) -> None:
    try:
        config = with_controller(with_ranks(STANDARDS[name].config(channels), ranks), **variant)
    except ConfigError:
        # Where a bank's refresh is as long as a rank's, there is no time to do it bank by bank.
        assert variant["refresh_policy"] == "bank_staggered"
        reject()
    size = config.n_lines * config.line_bytes
    result = replay(config, make(*[(a % size, k, t) for a, k, t in requests]), True)
    assert (result.done_cycle > 0).all()
    assert_legal(config, result.commands)
    assert all_states(result) == config.n_ranks * result.cycles
    names = [COMMANDS[code] for code in result.commands[:, 1]]
    reads = names.count("read") + names.count("read_p")
    assert (result.reads, result.activates) == (reads, names.count("activate"))


@pytest.mark.parametrize("name", sorted(STANDARDS))
@pytest.mark.parametrize("page_policy", ["open", "close"])
@pytest.mark.parametrize("refresh_policy", ["rank_staggered", "rank_simultaneous"])
@pytest.mark.parametrize(("ranks", "queues"), [(1, "per_rank"), (2, "per_bank")])
def test_long_traffic_on_every_standard_is_legal(
    name: str, page_policy: str, refresh_policy: str, ranks: int, queues: str
) -> None:
    """Two channels, half of the requests writes, now dense and now with pauses of refreshes."""
    config = with_controller(
        with_ranks(STANDARDS[name].config(channels=2), ranks),
        page_policy=page_policy,
        refresh_policy=refresh_policy,
        queue_structure=queues,
    )
    rng = np.random.default_rng(11)
    address = rng.integers(0, 1 << 22, 3000) // config.line_bytes * config.line_bytes
    pause = np.where(rng.random(3000) < 0.002, 40_000, rng.integers(0, 6, 3000))
    requests = Requests(address, rng.integers(0, 2, 3000), np.cumsum(pause))
    assert_legal(config, replay(config, requests, True).commands)


DDR4_TWO_RANKS = replace(golden.config("DDR4_8Gb_x8_3200"), compat="none")
BY_BANK = with_controller(LPDDR4, refresh_policy="bank_staggered")
MANY_ACTS = replace(LPDDR4, timing=replace(LPDDR4.timing, tFAW=1, tRRD_S=1))
GDDR6 = golden.config("GDDR6_8Gb_x16_bus32")


def many_refreshes(tRTP: int) -> DramConfig:
    """Meeting closed pages soon after their ACT."""
    timing = replace(DDR4_TWO_RANKS.timing, tREFI=1000, tRFC=100, tRTP=tRTP)
    return with_controller(replace(DDR4_TWO_RANKS, timing=timing), page_policy="close")


@pytest.mark.parametrize(
    ("delay", "rule", "config"),
    [
        ("RD_TO_RD_L", "tCCD_L", DDR4_TWO_RANKS),
        ("RD_TO_RD_S", "tCCD_S", DDR4_TWO_RANKS),
        ("RD_TO_RD_R", "tRTRS", DDR4_TWO_RANKS),
        ("RD_TO_WR", "tRTW", DDR4_TWO_RANKS),
        ("RD_TO_WR_R", "tRTRS", DDR4_TWO_RANKS),
        ("WR_TO_RD_L", "tWTR_L", DDR4_TWO_RANKS),
        ("WR_TO_RD_S", "tWTR_S", DDR4_TWO_RANKS),
        ("WR_TO_WR_L", "tCCD_L", DDR4_TWO_RANKS),
        ("WR_TO_WR_S", "tCCD_S", DDR4_TWO_RANKS),
        ("WR_TO_WR_R", "data bus", DDR4_TWO_RANKS),
        ("ACT_TO_RD", "tRCD", DDR4_TWO_RANKS),
        ("ACT_TO_WR", "tRCD", DDR4_TWO_RANKS),
        ("ACT_TO_PRE", "tRAS", DDR4_TWO_RANKS),
        ("ACT_TO_ACT_L", "tRRD_L", with_controller(DDR4, address_map="rochrabacobg")),
        ("ACT_TO_ACT_S", "tRRD_S", DDR4_TWO_RANKS),
        ("RD_TO_PRE", "tRTP", DDR4_TWO_RANKS),
        ("WR_TO_PRE", "tWR", DDR4_TWO_RANKS),
        ("PRE_TO_ACT", "tRP", DDR4_TWO_RANKS),
        ("REF_TO_ACT", "tRFC", DDR4_TWO_RANKS),
        ("FAW", "tFAW", DDR4_TWO_RANKS),
        ("PRE_TO_PRE", "tPPD", MANY_ACTS),
        ("RDA_TO_ACT", "tRP after RDA", with_controller(DDR4, page_policy="close")),
        ("WRA_TO_ACT", "tRP after WRA", with_controller(DDR4, page_policy="close")),
        ("REFB_TO_ACT_SAME", "tRFCb", BY_BANK),
        ("REFB_TO_ACT_OTHER", "tRRD_S", BY_BANK),
        ("ACT_TO_REFB_L", "tRRD_S", BY_BANK),
        ("ACT_TO_REF", "tRC", many_refreshes(6)),
        ("RDA_TO_REF", "tRP after RDA", many_refreshes(40)),
        ("AW32", "t32AW", replace(GDDR6, timing=replace(GDDR6.timing, t32AW=500))),
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_the_judge_finds_a_controller_that_is_one_cycle_early(
    delay: str, rule: str, config: DramConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    lines = rng.integers(0, 1 << 20, 6000) // config.line_bytes * config.line_bytes
    trace = make(*[(int(a), "RW"[i // 40 % 2], 0) for i, a in enumerate(lines)])
    assert check(config, replay(config, trace, True).commands) == ()

    def early(config: DramConfig, controller: ControllerName) -> NDArray[np.int64]:
        table = parameters(config, controller)
        table[P[delay]] -= 1
        return table

    monkeypatch.setattr(state, "parameters", early)
    found = check(config, replay(config, trace, True).commands, find_all=True)
    assert {(v.rule, v.required_cycles - v.actual_cycles) for v in found} == {(rule, 1)}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 64), st.sampled_from(["dramsim3", "none"]))
def test_random_read_modify_write_never_hangs(seed: int, depth: int, compat: str) -> None:
    """A read and a write of the same line, ``depth`` requests apart."""
    rng = np.random.default_rng(seed)
    lines = rng.integers(0, 512, 150) * 64
    mixed: list[tuple[int, str, int]] = []
    for i, line in enumerate(lines):
        mixed.append((int(line), "R", 0))
        if i >= depth:
            mixed.append((int(lines[i - depth]), "W", 0))
    result = replay(replace(DDR4, compat=compat), make(*mixed))  # type: ignore[arg-type]
    assert (result.done_cycle > 0).all()


@settings(max_examples=25, deadline=None)
@given(traffic(), st.sampled_from(["per_bank", "per_rank"]))
def test_one_queue_for_each_bank_equals_the_general_scan_on_one_bank(
    requests: list[tuple[int, str, int]], structure: str
) -> None:
    """With one bank, a per-rank queue is a per-bank queue: two programs, one answer."""
    o = replace(DDR4.organisation, bankgroups=1, banks_per_group=1)
    one = replace(DDR4, organisation=o)
    size = one.n_lines * one.line_bytes
    trace = make(*[(a % size, k, t) for a, k, t in requests])
    fast = replay(with_controller(one, queue_structure="per_bank"), trace, True)
    scan = replay(with_controller(one, queue_structure="per_rank"), trace, True)
    np.testing.assert_array_equal(fast.commands, scan.commands)


def test_bank_refreshes_visit_every_bank_in_turn() -> None:
    config = with_controller(STANDARDS["lpddr4_3200_x16"].config(), refresh_policy="bank_staggered")
    result = replay(config, make((0, "R", 0), (0, "R", 9 * 780)), record_commands=True)
    banks = result.commands[result.commands[:, 1] == COMMANDS.index("refresh_bank"), 5]
    assert banks.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 0]


def test_simultaneous_refresh_reaches_all_ranks_except_in_dramsim3() -> None:
    config = golden.config("DDR4_8Gb_x8_3200")
    two_ranks = with_controller(config, refresh_policy="rank_simultaneous")
    trace = make((0, "R", 0), (0, "R", 30000))
    for compat, ranks in (("dramsim3", {0}), ("none", {0, 1})):
        result = replay(replace(two_ranks, compat=compat), trace, True)  # type: ignore[arg-type]
        is_refresh = result.commands[:, 1] == COMMANDS.index("refresh")
        assert set(result.commands[is_refresh, 3].tolist()) == ranks


@pytest.mark.parametrize("name", ["ddr4_2400_x16", "hbm2_2000"])
def test_compiled_and_plain_python_agree(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    trace = make(
        *[(int(rng.integers(0, 64)) * 4096, "RW"[rng.integers(2)], int(i * 3)) for i in range(80)]
    )
    config = STANDARDS[name].config(channels=2)
    compiled = replay(config, trace, True)
    use_plain_python(monkeypatch)
    plain = replay(config, trace, True)
    np.testing.assert_array_equal(compiled.commands, plain.commands)
    np.testing.assert_array_equal(compiled.done_cycle, plain.done_cycle)
    assert compiled.cycles == plain.cycles


def test_default_controller_values_are_dramsim3s() -> None:
    assert Controller("rochracobabg").command_queue_size == 8
    assert Controller("rochracobabg").transaction_queue_size == 32
