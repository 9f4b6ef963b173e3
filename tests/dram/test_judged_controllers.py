"""The controllers before the judge: random memories, policies, depths, ranks, refresh and sleep."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from accelsim.dram import state
from accelsim.dram.config import DramConfig
from accelsim.dram.legality import check
from accelsim.dram.parameters import ControllerName, P, parameters
from accelsim.dram.replay import ReplayResult, replay
from accelsim.dram.standard import STANDARDS
from accelsim.dram.system import Compat
from accelsim.dram.traces.requests import Requests
from accelsim.errors import ConfigError
from tests.dram.judging import assert_legal
from tests.dram.scenarios import with_ranks
from tests.dram.test_liveness import CONTROLLERS, endless_traffic, make
from tests.dram.test_replay import with_controller

KINDS: dict[str, tuple[ControllerName, Compat]] = {
    "DRAMsim3's, mended": ("dramsim3", "none"),
    "DRAMsim3's as it is": ("dramsim3", "dramsim3"),
    "Ramulator's": ("ramulator", "none"),
    "Ramulator's as it is": ("ramulator", "dramsim3"),
}
FOREIGN_TO_RAMULATOR = {
    "page_policy": "open",
    "refresh_policy": "rank_staggered",
    "unified_queue": False,
    "self_refresh_cycles": 0,
}


def able_to_sleep(config: DramConfig) -> DramConfig:
    """With times and a current of self-refresh where the standard has none: tRFC + 10 ns."""
    t, (rail, *others) = config.timing, config.power.rails
    return replace(
        config,
        timing=replace(
            t,
            tCKESR=t.tCKESR or int(15 / t.tCK_ns) + 1,
            tXS=t.tXS or t.tRFC + int(10 / t.tCK_ns) + 1,
            tXSDLL=t.tXSDLL or (512 if config.protocol == "DDR3" else 1024),
        ),
        power=replace(config.power, rails=(replace(rail, IDD6=rail.IDD6 or 10.0), *others)),
    )


def refreshing_often(config: DramConfig, share: int) -> DramConfig:
    """With a ``share`` of tREFI as long as that leaves time, so that short runs see refreshes."""
    t = config.timing
    least = config.organisation.ranks * 2 * (t.tRFC + t.tRC)
    interval = max(least, t.tREFI // share)
    by_bank = max(1, t.tREFIb * interval // t.tREFI)
    return replace(config, timing=replace(t, tREFI=interval, tREFIb=by_bank))


@settings(max_examples=250, deadline=None)
@given(
    st.sampled_from(sorted(KINDS)),
    st.sampled_from(sorted(STANDARDS)),
    st.sampled_from([1, 2]),
    st.sampled_from([1, 2, 4]),
    CONTROLLERS,
    st.sampled_from([1, 10]),
    endless_traffic(),
)
def test_every_command_of_every_controller_is_legal(
    kind: str,
    name: str,
    channels: int,
    ranks: int,
    changes: dict[str, object],
    share: int,
    requests: list[tuple[int, str, int]],
) -> None:
    controller, compat = KINDS[kind]
    config = replace(with_ranks(STANDARDS[name].config(channels), ranks), compat=compat)
    config = refreshing_often(able_to_sleep(config), share)
    if controller == "ramulator":
        simultaneous = changes["refresh_policy"] == "rank_simultaneous"
        changes = changes | FOREIGN_TO_RAMULATOR
        changes["refresh_policy"] = "rank_simultaneous" if simultaneous else "rank_staggered"
    try:
        config = with_controller(config, **changes)
    except ConfigError:
        # No time to refresh bank by bank, or DRAMsim3 never serves a request so.
        assert changes["refresh_policy"] == "bank_staggered"
        config = with_controller(config, **changes | {"refresh_policy": "rank_staggered"})
    size = config.n_lines * config.line_bytes
    trace = make(*[(a % size, k, t) for a, k, t in requests])
    result = replay(config, trace, record_commands=True, controller=controller)
    assert (result.done_cycle > 0).all()
    assert_legal(config, result.commands, controller)


def bank_by_bank(config: DramConfig, page_policy: str) -> ReplayResult:
    """Random requests without pause, half of them writes."""
    config = with_controller(config, refresh_policy="bank_staggered", page_policy=page_policy)
    rng = np.random.default_rng(1)
    lines = rng.integers(0, config.n_lines, 8000) * config.line_bytes
    requests = Requests(lines, rng.integers(0, 2, 8000), np.zeros(8000, np.int64))
    return replay(config, requests, record_commands=True)


@pytest.mark.parametrize("page_policy", ["open", "close"])
@pytest.mark.parametrize(
    ("name", "ranks"),
    [
        *(("lpddr4_3200_x16", 1), ("lpddr4_3200_x16", 2), ("lpddr4_4266_x16", 2)),
        *(("hbm2_2000_x64", 1), ("hbm2_2400_x64", 1)),
    ],
)
def test_banks_are_refreshed_in_time_under_load(name: str, ranks: int, page_policy: str) -> None:
    """In DRAMsim3 each ACT of the rank puts the refresh off by tRC: an eighth of them comes."""
    config = with_ranks(STANDARDS[name].config(), ranks)
    result = bank_by_bank(config, page_policy)
    assert_legal(config, result.commands)
    due = result.cycles // (config.timing.tREFIb // ranks)
    assert due - 8 * ranks <= result.refreshes <= due


def test_a_refreshed_bank_counts_in_tfaw() -> None:
    """HBM2 with tFAW longer than four tRRD, and a refresh short enough to leave time."""
    standard = STANDARDS["hbm2_2000"].config()
    config = replace(standard, timing=replace(standard.timing, tRFCb=100))
    commands = bank_by_bank(config, "open").commands
    assert check(config, commands) == ()
    rules = {v.rule for v in check(config, commands, "jedec", find_all=True)}
    assert not rules & {"tFAW", "tRRD_L", "tRRD_S", "tRREFD", "tRFCSB"}


@pytest.mark.parametrize(
    ("delay", "rule"),
    [("SREFE_TO_SREFX", "tCKESR"), ("SREFX_TO_ACT", "tXS"), ("SREFX_TO_RD", "tXSDLL")],
)
def test_the_judge_finds_a_sleeper_that_is_one_cycle_early(
    delay: str, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests that come about when a rank falls asleep, and others long after."""
    config = STANDARDS["ddr4_3200_x64"].config(self_refresh_cycles=100, page_policy="close")
    rng = np.random.default_rng(3)
    # Awake again: the DLL locks (1024), 99 idle cycles, one refresh (560); then it sleeps.
    cycles = np.cumsum(rng.choice([*range(1670, 1710), *range(4000, 4040)], 1000))
    trace = make(*[(64 * i, "R", int(t)) for i, t in enumerate(cycles)])
    for level in ("model", "jedec"):
        assert check(config, replay(config, trace, True).commands, level) == ()

    def early(config: DramConfig, controller: ControllerName) -> NDArray[np.int64]:
        table = parameters(config, controller)
        table[P[delay]] -= 1
        return table

    monkeypatch.setattr(state, "parameters", early)
    commands = replay(config, trace, True).commands
    for level in ("model", "jedec"):
        found = check(config, commands, level, find_all=True)
        assert {(v.rule, v.required_cycles - v.actual_cycles) for v in found} == {(rule, 1)}
