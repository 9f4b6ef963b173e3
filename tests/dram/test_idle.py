"""Idle time in closed form against the controllers themselves, left idle for that time."""

from dataclasses import asdict, replace

import pytest

from accelsim.dram.config import DramConfig
from accelsim.dram.controlled import ControlledMemory
from accelsim.dram.events import NO_EVENTS, DramEvents
from accelsim.dram.idle import idle_background
from accelsim.dram.memory import POLICIES
from accelsim.dram.standard import STANDARDS
from accelsim.dram.system import Compat, RefreshPolicy
from accelsim.units import ceil_div
from tests.dram.driving import transfer


def left_idle(config: DramConfig, pause: int, pauses: int) -> DramEvents:
    """What a controller does in so many pauses of ``pause`` cycles, each after a few reads.

    Every rank gets some, at eight phases of the refresh timer.
    """
    memory = POLICIES["dramsim3"](config, 1, 1, {})
    assert isinstance(memory, ControlledMemory)
    period, total = config.clock.period_fs, NO_EVENTS
    lines = [0, *(1 << bit for bit in range(20))]  # every bit of rank and bank is set once
    now = 0
    for number in range(pauses):
        interval_fs = config.timing.tREFI * period
        now = ceil_div(now + 1000 * period, interval_fs) * interval_fs + number * interval_fs // 8
        while memory.advance(now):
            pass
        memory.submit(now, transfer(0, lines, [1] * len(lines)))
        (done,) = memory.advance(None)
        now = done.arrived_fs + 200 * period
        while memory.advance(now):
            pass
        before = memory.background_at(now)
        now += pause * period
        while memory.advance(now):
            pass
        total += memory.background_at(now) - before
    return total


def with_two_ranks(name: str, **controller: object) -> DramConfig:
    config = STANDARDS[name].config()
    return replace(
        config,
        organisation=replace(config.organisation, ranks=2),
        controller=replace(config.controller, **controller),  # type: ignore[arg-type]
    )


def agree(config: DramConfig, pause: int, pauses: int, within: float) -> None:
    found, expected = (
        idle_background(config, pause * pauses, pauses),
        left_idle(config, pause, pauses),
    )
    whole = pause * pauses * config.n_ranks
    assert found.self_refresh_rank_cycles == pytest.approx(
        expected.self_refresh_rank_cycles, abs=within * whole
    )
    # Rows that stay open until the first refresh are taken as closed.
    down = expected.idle_power_down_rank_cycles + expected.active_power_down_rank_cycles
    assert found.idle_power_down_rank_cycles == pytest.approx(down, abs=within * whole)
    assert found.active_rank_cycles == pytest.approx(
        expected.active_rank_cycles, abs=within * whole
    )
    assert found.refreshes == pytest.approx(
        expected.refreshes, abs=pauses * config.n_ranks + 0.02 * expected.refreshes
    )
    states = asdict(found)
    assert sum(n for name, n in states.items() if name.endswith("rank_cycles")) == whole


@pytest.mark.parametrize("policy", ["rank_simultaneous", "rank_staggered"])
@pytest.mark.parametrize("standard", ["ddr4_3200_x64", "lpddr4_3200_x16"])
def test_a_memory_that_powers_down_does_so_between_its_refreshes(
    standard: str, policy: RefreshPolicy
) -> None:
    config = with_two_ranks(standard, refresh_policy=policy)
    agree(config, 100 * config.timing.tREFI, 2, within=0.02)


@pytest.mark.parametrize("intervals", [4, 12])
def test_a_memory_that_sleeps_falls_asleep_once_in_each_pause(intervals: int) -> None:
    """Short pauses, so that what comes before sleep weighs: an eighth of them, and more."""
    config = with_two_ranks("lpddr4_3200_x16", self_refresh_cycles=1000)
    agree(config, intervals * config.timing.tREFI, 8, within=0.04)


@pytest.mark.parametrize("policy", ["rank_simultaneous", "rank_staggered"])
def test_dramsim3_never_sleeps_again_and_refreshes_as_it_does(policy: RefreshPolicy) -> None:
    compat: Compat = "dramsim3"
    config = with_two_ranks("ddr4_3200_x64", refresh_policy=policy, self_refresh_cycles=1000)
    agree(replace(config, compat=compat), 50 * config.timing.tREFI, 2, within=0.02)
