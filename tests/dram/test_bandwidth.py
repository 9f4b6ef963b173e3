"""Bytes on the bus, requests served, and what the driver can offer."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.dram.channel_replay import replay_channels
from accelsim.dram.chunked_replay import ReplayCounts
from accelsim.dram.replay import replay
from accelsim.dram.standard import STANDARDS
from accelsim.dram.traces.patterns import PATTERNS
from accelsim.dram.traces.requests import Requests
from accelsim.energy.dram_character import characterise
from accelsim.energy.replay_report import driver_gb_s, replay_report

HBM2 = STANDARDS["hbm2_2000_x64"].config(16)


def some(n: int, span: int, line_bytes: int, seed: int) -> Requests:
    rng = np.random.default_rng(seed)
    return Requests(
        rng.integers(0, span, n) * line_bytes,
        rng.integers(0, 2, n),
        np.sort(rng.integers(0, 3 * n, n)) * (seed % 2),
    )


def test_merged_writes_are_served_but_move_once() -> None:
    """Eight writes of one line: DRAMsim3's figure counts 8, the bus saw none of them yet."""
    config = STANDARDS["ddr4_3200_x64"].config()
    zeros = np.zeros(8, np.int64)
    result = replay(config, Requests(zeros, zeros + 1, zeros))
    report = replay_report(result, config, 0.0)
    time_ns = result.cycles * 0.625
    assert (result.writes, result.residual_writes) == (0, 1)
    assert report["bandwidth_gb_s"] == 0
    assert report["served_gb_s"] == pytest.approx(8 * 64 / time_ns)
    assert report["peak_gb_s"] == pytest.approx(25.6)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(STANDARDS)),
    st.sampled_from([1, 4]),
    st.integers(1, 400),
    st.sampled_from([1, 8, 1 << 16]),
    st.integers(0, 1 << 32),
)
def test_no_trace_moves_more_than_the_peak(
    name: str, channels: int, n: int, span: int, seed: int
) -> None:
    config = STANDARDS[name].config(channels, "rorabgbacoch")
    report = replay_report(replay(config, some(n, span, config.line_bytes, seed)), config, 0.0)
    assert report["bandwidth_gb_s"] <= report["peak_gb_s"]
    assert report["served_gb_s"] <= driver_gb_s(config)


def test_the_driver_offers_a_line_a_clock_whatever_the_channels() -> None:
    assert driver_gb_s(HBM2) == 32  # 32 bytes each ns
    assert HBM2.peak_gb_s == 256  # 16 channels, two clocks a burst


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(sorted(STANDARDS)), st.integers(1, 300), st.integers(0, 1 << 32))
def test_one_channel_replays_as_by_the_driver(name: str, n: int, seed: int) -> None:
    config = STANDARDS[name].config()
    requests = some(n, 1 << 12, config.line_bytes, seed)
    alone, driven = replay_channels(config, requests), replay(config, requests)
    assert alone.counts == ReplayCounts(
        **{f.name: getattr(driven, f.name) for f in fields(ReplayCounts)}
    )
    assert alone.done_cycle.tolist() == driven.done_cycle.tolist()


@pytest.mark.parametrize("address_map", ["rorabgbacoch", "rochracobabg", "chrorabgbaco"])
def test_channels_with_equal_work_do_what_one_does(address_map: str) -> None:
    """Each gets the requests of one channel; everything but the cycles is fourfold."""
    one = STANDARDS["ddr4_3200_x64"].config(1, address_map)
    four = STANDARDS["ddr4_3200_x64"].config(4, address_map)
    requests = some(500, 1 << 14, 64, 3)
    shift = {"rorabgbacoch": 0, "rochracobabg": 11, "chrorabgbaco": 27}[address_map]
    line = requests.address // 64
    low, high = line & ((1 << shift) - 1), line >> shift
    copies = [((high << 2 | c) << shift | low) * 64 for c in range(4)]
    spread = Requests(
        np.stack(copies, axis=1).reshape(-1),
        np.repeat(requests.is_write, 4),
        np.repeat(requests.arrival_cycle, 4),
    )
    single, together = replay_channels(one, requests), replay_channels(four, spread)
    assert together.counts.cycles == single.counts.cycles
    for key in ("reads", "writes", "activates", "refreshes", "idle_rank_cycles", "requests"):
        assert getattr(together.counts, key) == 4 * getattr(single.counts, key)
    latency = single.counts.average_read_latency_cycles
    assert together.counts.average_read_latency_cycles == pytest.approx(latency)
    assert together.done_cycle.reshape(-1, 4).tolist() == [[d] * 4 for d in single.done_cycle]


def test_every_rank_stands_by_until_the_last_channel_is_done() -> None:
    config = STANDARDS["ddr4_3200_x64"].config(2, "chrorabgbaco")
    only_first = PATTERNS["stream read"](replace(config), 3000)
    counts = replay_channels(config, only_first).counts
    standby = ("active_rank_cycles", "idle_rank_cycles", "self_refresh_rank_cycles")
    down = ("active_power_down_rank_cycles", "idle_power_down_rank_cycles")
    assert sum(getattr(counts, key) for key in (*standby, *down)) == 2 * counts.cycles


def test_sixteen_channels_are_characterised_at_their_own_rate() -> None:
    """A stream changes the channel with every line, so that each of 16 has 1250 of 20 000 lines,
    two ns each: the peak, but for the first latency and a refresh."""
    found = characterise(HBM2, "typical")
    own = HBM2.controller.address_map
    (point,) = [p for p in found.patterns if (p.pattern, p.address_map) == ("stream read", own)]
    bound_gb_s = 20_000 * 32 / (1250 * 2)
    assert bound_gb_s == found.peak_gb_s
    assert 0.97 * bound_gb_s < point.bandwidth_gb_s <= bound_gb_s
    assert point.energy_pj_per_bit["dram_background"] < 0.3
    assert all(0 < p.bandwidth_gb_s <= found.peak_gb_s for p in found.patterns)
