"""Pauses between images: priced once each, by the memory's own model of idle time."""

from dataclasses import asdict, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.dram.events import DramEvents
from accelsim.dram.idle import idle_background
from accelsim.energy.dram import price_dram
from accelsim.energy.idle import frame_rate_warnings, idle_seconds, price_idle
from accelsim.energy.parts import EnergyParts
from accelsim.energy.price import price
from accelsim.energy.sram import table
from accelsim.hardware.chip import Chip
from accelsim.hardware.read import chip_from_resolved
from accelsim.sim.counts import RunCounts
from tests.energy.test_price import CHIP, a_run, layer, only


def at_frame_rate(hz: float | None, **more: object) -> Chip:
    keys = {key.replace("__", "."): value for key, value in more.items()}
    return chip_from_resolved(CHIP.resolved, {"frame_rate_hz": hz, **keys})


def test_without_a_frame_rate_there_is_no_idle_energy() -> None:
    run = a_run(layer(cycles=1000))
    assert price_idle(run, CHIP) == EnergyParts()
    assert idle_seconds(run, CHIP) == 0.0
    assert frame_rate_warnings(run, CHIP) == []


def test_at_a_frame_rate_buffers_and_pes_leak_and_dram_stands_by_between_images() -> None:
    """Two images at 10 Hz have 200 ms; the run takes 50; 150 ms are idle on both channels."""
    chip = at_frame_rate(10.0, dram__channels=2)
    run = a_run(layer(cycles=50_000_000), images=2)
    idle = price_idle(run, chip)
    assert idle_seconds(run, chip) == pytest.approx(0.15)
    leakage_mw = sum(table()["lop", 45, 128, kib].leakage_mw for kib in (64, 128, 32))
    assert idle.leakage == pytest.approx(leakage_mw * 1e9 * 0.15)
    # As in a run of 50 ms, for three times as long; the clock has stopped.
    running = price(layer(cycles=50_000_000), chip)
    assert idle.array_leakage == pytest.approx(3 * running.array_leakage)
    config = chip.dram.config
    cycles = round(0.15e9 / config.timing.tCK_ns)
    # Each refresh wakes its rank, follows tXP later and takes tRFC, longer than the 128 cycles.
    refreshes = cycles // config.timing.tREFI
    awake = refreshes * (config.timing.tXP + config.timing.tRFC)
    events = DramEvents(
        refreshes=refreshes * 2,
        idle_rank_cycles=awake * 2,
        idle_power_down_rank_cycles=(cycles - awake) * 2,
    )
    standby = price_dram(events, config, "typical")
    assert idle.dram_background == pytest.approx(standby["dram_background"], rel=1e-6)
    assert idle.dram_refresh == pytest.approx(standby["dram_refresh"], rel=1e-4)
    assert {*only(idle)} == {"leakage", "array_leakage", "dram_background", "dram_refresh"}
    assert price(run, chip) == price(run.layers[0], chip) + idle


@pytest.mark.parametrize("sleeps_after", [0, 1000])
def test_there_is_one_pause_after_each_image(sleeps_after: int) -> None:
    """Eight images wait eight times as long as one, and so often fall asleep anew."""
    chip = at_frame_rate(
        20_000.0, dram__standard="lpddr4_3200_x16", dram__self_refresh_cycles=sleeps_after
    )
    one = price_idle(a_run(layer(cycles=10_000)), chip)
    eight = price_idle(a_run(layer(cycles=80_000), images=8), chip)
    assert one.dram_background > 0
    for name, energy in asdict(one).items():
        assert asdict(eight)[name] == pytest.approx(8 * energy, rel=0.02), name
    if sleeps_after:
        together = idle_background(chip.dram.config, round(8 * 40e-6 * 1.6e9), pauses=1)
        apart = idle_background(chip.dram.config, round(8 * 40e-6 * 1.6e9), pauses=8)
        assert apart.self_refresh_rank_cycles < 0.97 * together.self_refresh_rank_cycles


def test_a_slower_frame_rate_costs_more_for_each_image() -> None:
    run = a_run(layer(cycles=1_000_000))
    slow, fast = (price(run, at_frame_rate(hz)).total for hz in (10.0, 100.0))
    assert slow > fast > price(run, CHIP).total


def test_a_chip_that_is_too_slow_has_no_idle_time_and_says_so() -> None:
    """1e9 cycles at 1 GHz last one second: two frames a second cannot be kept."""
    run, chip = a_run(layer(cycles=10**9)), at_frame_rate(2.0)
    assert price_idle(run, chip) == EnergyParts()
    (warning,) = frame_rate_warnings(run, chip)
    assert "2 images/s were asked for, but this run reaches 1 from a cold start" in warning


def test_overlapping_images_are_judged_by_their_steady_state() -> None:
    """Images end at 10, 14 and 18 ms: 250 a second, though three take 18 ms."""
    run = RunCounts((layer(cycles=18_000_000),), 18_000_000, (10_000_000, 14_000_000, 18_000_000))
    assert frame_rate_warnings(run, at_frame_rate(250.0)) == []
    (warning,) = frame_rate_warnings(run, at_frame_rate(251.0))
    assert "reaches 250 in steady state" in warning


@settings(deadline=None, max_examples=30)
@given(st.floats(0.5, 900.0), st.integers(1, 5))
def test_layers_and_pauses_add_up_to_the_run(hz: float, images: int) -> None:
    chip = at_frame_rate(hz)
    run = a_run(layer(cycles=400_000 * images), layer(cycles=600_000 * images), images=images)
    layers = [price(one, chip) for one in run.layers]
    whole = price(run, chip)
    assert whole.total == pytest.approx(
        sum(one.total for one in layers) + price_idle(run, chip).total, rel=1e-12
    )
    assert idle_seconds(run, chip) + images * 1e-3 == pytest.approx(images / hz)


def test_an_idle_memory_with_refresh_by_bank_refreshes_at_its_own_interval() -> None:
    chip = at_frame_rate(10.0)
    config = chip.dram.config
    by_bank = replace(
        config,
        controller=replace(config.controller, refresh_policy="bank_staggered"),
        timing=replace(config.timing, tREFIb=1000, tRFCb=100),
    )
    run = a_run(layer(cycles=50_000_000))  # 50 of 100 ms
    idle = price_idle(run, replace(chip, dram=replace(chip.dram, config=by_bank)))
    refreshes = round(0.05e9 / config.timing.tCK_ns) // 1000
    expected = price_dram(DramEvents(refreshes=refreshes), by_bank, "typical")["dram_refresh"]
    assert idle.dram_refresh == pytest.approx(expected, rel=1e-4)
