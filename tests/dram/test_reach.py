"""What one engine reaches of the peak: reckoned, and measured on the memories themselves."""

from dataclasses import replace
from itertools import pairwise

import pytest

from accelsim.dram.address_map import address_map
from accelsim.dram.config import DramConfig
from accelsim.dram.memory import POLICIES
from accelsim.dram.reach import (
    busy_channels,
    enough_outstanding_reads,
    latency_bound_gb_s,
    reach_warnings,
    reachable_gb_s,
)
from accelsim.dram.standard import STANDARDS
from tests.dram.driving import Job, drive, transfer

HBM2 = STANDARDS["hbm2_2000_x64"]
DDR4 = STANDARDS["ddr4_2400_x16"]


def read_gb_s(config: DramConfig, outstanding: int, policy: str = "dramsim3") -> float:
    """Of one engine that reads a long stream."""
    lines = 4000 * config.organisation.channels
    memory = POLICIES[policy](config, 1, 1, {}, outstanding)
    (done,) = drive(memory, [[Job(transfer(0, [0], [lines]), 0)]])
    return lines * config.line_bytes / (done.arrived_fs * 1e-6)


@pytest.mark.parametrize("policy", ["dramsim3", "ramulator"])
@pytest.mark.parametrize(
    "name", ["ddr4_2400_x16", "hbm2_2000_x64", "lpddr5_6400_x16", "ddr5_4800_x32"]
)
def test_twice_the_channels_read_a_stream_twice_as_fast(name: str, policy: str) -> None:
    """With the map and the reads in flight that a memory has if nobody says otherwise."""
    found = []
    for channels in (1, 2, 4, 8):
        config = STANDARDS[name].config(channels)
        found.append(read_gb_s(config, enough_outstanding_reads(config), policy))
        assert found[-1] > 0.85 * config.peak_gb_s
    for one, two in pairwise(found):
        assert two == pytest.approx(2 * one, rel=0.03)


def test_reads_in_flight_cover_latency_or_fill_the_queues() -> None:
    """HBM2: 33 clocks until the last beat, a line every 2: 16.5 lines, fewer than 32 in a
    queue. A queue of 4 leaves the latency: 17 for each channel."""
    t = HBM2.config().timing
    assert (1 + t.tRCDRD + t.CL + t.burst_cycles, t.burst_cycles) == (33, 2)
    assert [enough_outstanding_reads(HBM2.config(n)) for n in (1, 4, 16)] == [32, 128, 512]
    shallow = HBM2.config(4, transaction_queue_size=4)
    assert enough_outstanding_reads(shallow) == 4 * 17
    assert enough_outstanding_reads(HBM2.config(64, transaction_queue_size=4096)) == 4096


def test_few_reads_in_flight_bound_the_bandwidth() -> None:
    """4 lines of 16 bytes in 22 clocks of 5/6 ns, CL = 17 and a burst of 4: the row is open."""
    config = DDR4.config()
    bound = latency_bound_gb_s(config, 4)
    assert bound == pytest.approx(4 * 16 / (22 / 1.2))
    assert 0.85 * bound < read_gb_s(config, 4) <= bound
    # The ideal memory has one latency, that of a closed bank.
    assert read_gb_s(config, 4, "ideal") == pytest.approx(4 * 16 / (39 / 1.2), rel=0.01)
    (text,) = reach_warnings(config, 4, "dramsim3")
    assert "a DMA engine reaches at most 3.49 of 4.8 GB/s; 32 are enough" in text


@pytest.mark.parametrize(
    ("text", "channels"),
    [
        ("roracobabgch", 16),  # line by line
        ("rorabacochbg", 2 * 4 / 3),  # 4 lines in 3 clocks, each 2 clocks on a bus
        ("rochracobabg", 1),  # 512 lines in a row, 512 in flight
    ],
)
def test_the_map_decides_how_many_channels_a_stream_uses(text: str, channels: float) -> None:
    config = HBM2.config(16, text)
    assert busy_channels(config, 512) == pytest.approx(channels)
    measured = read_gb_s(config, 512)
    assert 0.8 < measured / reachable_gb_s(config, 512) <= 1.05
    assert bool(list(reach_warnings(config, 512, "dramsim3"))) == (channels < 16)
    assert not list(reach_warnings(config, 512, "ideal"))


def test_what_comes_without_being_set_is_not_warned_of() -> None:
    for name in STANDARDS:
        for channels in (1, 2, 16):
            config = STANDARDS[name].config(channels)
            assert not list(reach_warnings(config, enough_outstanding_reads(config), "dramsim3"))


def test_one_channel_is_mapped_as_without_a_channel_field() -> None:
    config = DDR4.config()
    old = replace(config, controller=replace(config.controller, address_map="rochracobabg"))
    assert address_map(config).decode(123457) == address_map(old).decode(123457)
