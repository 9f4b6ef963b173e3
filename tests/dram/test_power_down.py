"""Power-down by hand: when ranks fall asleep, for how long, and what waking costs."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from accelsim.dram.command import Log
from accelsim.dram.config import DramConfig
from accelsim.dram.parameters import ControllerName, P, parameters
from accelsim.dram.replay import ReplayResult, replay
from accelsim.dram.standard import STANDARDS
from accelsim.dram.traces.patterns import PATTERNS
from accelsim.errors import ConfigError
from tests.dram.judging import assert_legal
from tests.dram.scenarios import with_ranks
from tests.dram.states import all_states
from tests.dram.test_liveness import make, named

DDR4 = STANDARDS["ddr4_3200_x64"].config()
IDLE = 128
"""Idle cycles before power-down, of every standard."""


def asleep_after(config: DramConfig, cycles: int) -> DramConfig:
    return replace(config, controller=replace(config.controller, power_down_cycles=cycles))


def down_cycles(result: ReplayResult) -> tuple[int, int]:
    """With a bank open, and with none."""
    return result.active_power_down_rank_cycles, result.idle_power_down_rank_cycles


# ---- by hand


@pytest.mark.parametrize("name", list(STANDARDS))
def test_a_read_wakes_a_rank_that_sleeps_since_the_start(name: str) -> None:
    """The request is offered in 1000 and moved in 1001, where CKE rises; ACT is tXP later."""
    config = STANDARDS[name].config()
    t = config.timing
    result = replay(config, make((0, "R", 1000)), True)
    activate = 1001 + t.tXP
    read = max(activate + t.tRCDRD - t.AL, 1001 + t.tXPDLL)
    assert result.commands[:, Log.CYCLE].tolist() == [activate, read]
    assert down_cycles(result) == (0, 1001 - IDLE)
    awake = replay(asleep_after(config, 0), make((0, "R", 1000)))
    assert result.done_cycle[0] - awake.done_cycle[0] == read - (1002 + t.tRCDRD - t.AL)
    assert down_cycles(awake) == (0, 0)


def test_ddr3_reads_wait_for_the_dll_only_if_no_row_was_open() -> None:
    """tXPDLL is 20 cycles, more than tXP + tRCD = 16; a read of an open row waits for tXP."""
    config = STANDARDS["ddr3_1600_x64"].config()
    next_column = config.line_bytes * config.organisation.banks
    result = replay(config, make((0, "R", 1000), (next_column, "R", 2000)), True)
    assert named(result, "read").tolist() == [1001 + 20, 2001 + 5]


def test_one_read_in_20_us() -> None:
    """Three reads of one row; two refreshes close it and wake the rank, one meanwhile asleep."""
    t = DDR4.timing
    result = replay(DDR4, make((0, "R", 32_000), (64, "R", 64_000)), True)
    assert_legal(DDR4, result.commands)
    first, second = 32_001 + t.tXP, 64_001 + t.tXP
    refreshes = [t.tREFI * k + t.tXP for k in (1, 2, 3, 4, 5)]
    # The first after each read closes its row.
    refreshes[2] += t.tRP
    assert named(result, "refresh").tolist() == refreshes
    assert named(result, "activate").tolist() == [first, second]
    # Idle since 0, since a refresh is over (longer than 128 cycles), since the read.
    starts = [IDLE, *[r + t.tRFC for r in refreshes[:2]]]
    read = first + t.tRCDRD
    idle = [t.tREFI - starts[0], 2 * t.tREFI - starts[1], 32_001 - starts[2]]
    idle += [4 * t.tREFI - (refreshes[2] + t.tRFC), 5 * t.tREFI - (refreshes[3] + t.tRFC)]
    idle += [64_001 - (refreshes[4] + t.tRFC)]
    assert down_cycles(result) == (3 * t.tREFI - (read + IDLE), sum(idle))
    assert all_states(result) == result.cycles


@pytest.mark.parametrize("kind", ["R", "W"])
@pytest.mark.parametrize("page_policy", ["open", "close"])
def test_power_down_waits_for_the_data(kind: str, page_policy: str) -> None:
    """JEDEC: tRDPDEN = RL + BL/2 + 1; tWRPDEN = WL + BL/2 + tWR; with a precharge one more."""
    config = STANDARDS["ddr4_3200_x64"].config(power_down_cycles=1, page_policy=page_policy)  # type: ignore[arg-type]
    t = config.timing
    # Nine writes: at more than eight an idle channel drains them; the read comes last. The
    # ninth is moved in cycle 9, until when the rank sleeps from cycle 1 on.
    before = [(64 * k, "W", 0) for k in range(9)] if kind == "W" else [(0, "R", 0)]
    result = replay(config, make(*before, (1 << 20, "R", 3000)), True)
    column = ("write" if kind == "W" else "read") + ("_p" if page_policy == "close" else "")
    last = int(named(result, column)[-1 if kind == "W" else 0])
    over = t.CL + 4 + 1 if kind == "R" else t.CWL + 4 + t.tWR + (page_policy == "close")
    at_start = 9 - 1 if kind == "W" else 0
    assert sum(down_cycles(result)) == at_start + 3001 - (last + over)


def test_ddr5_writes_outlast_the_read_behind_them() -> None:
    """Its tWR of 72 cycles ends later than a read that follows tWTR_S = 6 cycles after."""
    config = STANDARDS["ddr5_4800_x32"].config(power_down_cycles=1)
    t = config.timing
    burst = config.line_bytes
    requests = [(burst * k, "W", 0) for k in range(9)]
    result = replay(config, make(*requests, (burst * 33, "R", 0), (burst, "R", 4000)), True)
    write, read = named(result, "write")[-1], named(result, "read")[0]
    data_over = max(write + t.CWL + 8 + t.tWR, read + t.CL + 8 + 1)
    assert read > write and data_over == write + t.CWL + 8 + t.tWR
    at_start = 9 - 1  # until the ninth write is moved
    assert sum(down_cycles(result)) == at_start + 4001 - data_over


def test_a_stay_is_not_shorter_than_tcke() -> None:
    """CKE falls in 128; a request that is moved in 130 raises it in 128 + 8."""
    t = DDR4.timing
    result = replay(DDR4, make((0, "R", 129)), True)
    assert named(result, "activate").tolist() == [IDLE + t.tCKE + t.tXP]
    assert down_cycles(result) == (0, 2)  # the rest of tCKE is booked as standby
    # Moved in the cycle in which CKE would fall, it finds the rank awake.
    assert named(replay(DDR4, make((0, "R", 127)), True), "activate").tolist() == [129]


def test_a_refresh_wakes_its_rank_and_is_no_power_down() -> None:
    t = DDR4.timing
    result = replay(DDR4, make((0, "R", 3 * t.tREFI - 100)), True)
    assert named(result, "refresh").tolist() == [t.tREFI + t.tXP, 2 * t.tREFI + t.tXP]
    each = t.tREFI - (t.tXP + t.tRFC)
    assert down_cycles(result) == (0, t.tREFI - IDLE + each + each - 99)


def test_only_the_rank_that_is_asked_wakes() -> None:
    config = with_ranks(DDR4)
    result = replay(config, make((64 * 1024, "R", 3000), (64 * 1024, "R", 3000)), True)
    ranks = set(result.commands[:, Log.RANK].tolist())
    assert len(ranks) == 1
    read = named(result, "read")[0]
    other = result.cycles - IDLE
    own = 3001 - IDLE + max(0, result.cycles - (read + IDLE))
    assert sum(down_cycles(result)) == own + other


def test_self_refresh_comes_when_it_would_and_power_down_ends_before() -> None:
    config = STANDARDS["ddr4_3200_x64"].config(self_refresh_cycles=1000, page_policy="close")
    t = config.timing
    requests = make((0, "R", 5000), (0, "R", 20_000), (0, "R", 21_800))
    result = replay(config, requests, True)
    assert_legal(config, result.commands)
    without = replay(asleep_after(config, 0), requests, True)
    assert np.array_equal(result.commands[:-2], without.commands[:-2])
    # Asleep from 999 on; awake in 5002; refreshed 1000 cycles after the RDA, before it sleeps;
    # awake again in 20 002. The last request finds it powered down.
    read, again, _ = named(result, "read_p")
    refresh = named(result, "refresh")[0]
    enter = named(result, "self_refresh_enter")
    assert (enter[0], refresh, enter[1]) == (999, read + 999, refresh + t.tRFC)
    stays = (999 - t.tXP - IDLE, refresh - t.tXP - (read + IDLE), 21_801 - (again + IDLE))
    assert down_cycles(result) == (0, sum(stays))
    assert result.self_refresh_rank_cycles == without.self_refresh_rank_cycles


def test_where_self_refresh_follows_at_once_cke_never_falls() -> None:
    """Between 128 and 137 there is no time for tCKE and tXP; one cycle more, and there is."""
    t = DDR4.timing
    for threshold, expected in ((IDLE + t.tCKE + t.tXP, 0), (IDLE + t.tCKE + t.tXP + 1, t.tCKE)):
        config = STANDARDS["ddr4_3200_x64"].config(self_refresh_cycles=threshold)
        assert down_cycles(replay(config, make((0, "R", 3000)))) == (0, expected)


# ---- what does not change


@pytest.mark.parametrize("pattern", list(PATTERNS))
def test_saturated_traffic_has_the_commands_that_it_had(pattern: str) -> None:
    requests = PATTERNS[pattern](DDR4, 4000)
    found, expected = (replay(asleep_after(DDR4, n), requests, True) for n in (IDLE, 0))
    assert np.array_equal(found.commands, expected.commands)


@pytest.mark.parametrize(
    ("compat", "controller"), [("dramsim3", "dramsim3"), ("none", "ramulator")]
)
def test_other_controllers_know_no_power_down(compat: Any, controller: ControllerName) -> None:
    config = replace(DDR4, compat=compat)
    assert parameters(config, controller)[P.POWER_DOWN] == 0
    result = replay(config, make((0, "R", 5000)), controller=controller)
    assert down_cycles(result) == (0, 0)


def test_a_memory_without_its_times_refuses() -> None:
    with pytest.raises(ConfigError, match="tXP, tCKE: 0, 8 do not allow power-down"):
        replace(DDR4, timing=replace(DDR4.timing, tXP=0))
    with pytest.raises(ConfigError, match="power_down_cycles: must be 0 or more, got -1"):
        asleep_after(DDR4, -1)
