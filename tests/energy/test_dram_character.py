"""What a memory can do, against what its timing and currents allow."""

from dataclasses import replace

import numpy as np
import pytest

from accelsim.dram.standard import DEFAULT_ADDRESS_MAP, STANDARDS
from accelsim.dram.traces.patterns import PATTERNS, at_load, random_lines
from accelsim.energy.dram import event_energy
from accelsim.energy.dram_character import LOADS, characterise, reached
from accelsim.report import dram_plot
from accelsim.report.style import styled
from accelsim.results.dram_tables import loads_table, patterns_table

DDR4 = STANDARDS["ddr4_3200_x64"].config()


@pytest.fixture(scope="module")
def character():
    return characterise(DDR4, n_requests=8000)


def lines_of(pattern: str, n: int) -> np.ndarray:
    return PATTERNS[pattern](DDR4, n).address // DDR4.line_bytes


def test_streams_are_consecutive_lines() -> None:
    assert lines_of("stream read", 5).tolist() == [0, 1, 2, 3, 4]
    assert PATTERNS["stream write"](DDR4, 5).is_write.tolist() == [1] * 5


def test_three_streams_take_turns_of_sixteen_lines_a_quarter_of_the_memory_apart() -> None:
    lines, writes = lines_of("three streams", 96), PATTERNS["three streams"](DDR4, 96).is_write
    quarter = DDR4.n_lines // 4
    starts = [0, quarter, 2 * quarter, 16, quarter + 16, 2 * quarter + 16]
    assert lines[::16].tolist() == starts
    assert (np.diff(lines.reshape(6, 16), axis=1) == 1).all()
    assert writes.reshape(6, 16)[:, 0].tolist() == [0, 0, 1, 0, 0, 1]


def test_tiles_are_rows_of_256_bytes_each_7168_bytes_on() -> None:
    rows = lines_of("tiles", 2 * 16 * 4).reshape(2, 16, 4) * DDR4.line_bytes
    assert (np.diff(rows, axis=2) == 64).all()
    assert (np.diff(rows[:, :, 0], axis=1) == 7168).all()
    assert rows[1, 0, 0] - rows[0, 0, 0] == 256


@pytest.mark.parametrize("name", list(STANDARDS))
def test_patterns_stay_inside_every_memory(name: str) -> None:
    config = STANDARDS[name].config()
    for pattern in PATTERNS.values():
        address = pattern(config, 500).address
        assert address.min() >= 0 and address.max() < config.n_lines * config.line_bytes


def test_requests_arrive_evenly_at_a_load() -> None:
    requests = at_load(DDR4, random_lines(DDR4, 4), np.zeros(4), 2.5)
    assert requests.arrival_cycle.tolist() == [0, 2, 5, 7]


def test_no_pattern_beats_the_peak_and_own_map_streams_near_it(character) -> None:
    assert all(0 < p.bandwidth_gb_s <= DDR4.peak_gb_s for p in character.patterns)
    assert reached(character.patterns, "stream read", DEFAULT_ADDRESS_MAP) > 0.9 * DDR4.peak_gb_s
    # One bank group at a time: a burst each tCCD_L, but for neighbours at the ends of rows.
    rows = reached(character.patterns, "stream read", "rochrababgco")
    t = DDR4.timing
    assert t.burst_cycles / t.tCCD_L < rows / DDR4.peak_gb_s < 0.75


def test_random_reads_are_held_by_four_activates_a_window(character) -> None:
    bound = 4 * DDR4.line_bytes / (DDR4.timing.tFAW * DDR4.timing.tCK_ns)
    reads = [p.bandwidth_gb_s for p in character.patterns if p.pattern == "random read"]
    assert max(reads) <= bound * 1.001  # every line another row: the hits of chance
    assert reached(character.patterns, "random read", DEFAULT_ADDRESS_MAP) > 0.8 * bound


def test_energy_is_priced_from_the_commands(character) -> None:
    each, bits = event_energy(DDR4, "typical"), 8 * DDR4.line_bytes
    for point in character.patterns:
        parts = point.energy_pj_per_bit
        assert parts["total"] == pytest.approx(sum(v for k, v in parts.items() if k != "total"))
        if point.pattern == "stream read":
            assert parts["dram_read"] == pytest.approx(each.read / bits)
            assert parts["dram_write"] == 0
        if point.pattern == "random read":
            # An ACT for each burst, but for hits and rows closed by refreshes.
            assert parts["dram_act"] == pytest.approx(each.activate / bits, rel=0.02)


def test_latency_rises_with_load_from_that_of_an_idle_memory(character) -> None:
    t = DDR4.timing
    closed_row = (1 + t.tRCDRD + t.CL + t.burst_cycles) * t.tCK_ns
    for pattern in ("stream read", "random read"):
        points = [p for p in character.loads if p.pattern == pattern]
        assert len(points) == len(LOADS)
        latencies = [p.average_latency_ns for p in points]
        assert latencies[-1] > latencies[0] and max(latencies) == latencies[-1]
        assert all(p.bandwidth_gb_s <= 1.01 * p.offered_gb_s for p in points)
        assert all(p.p99_latency_ns >= p.average_latency_ns for p in points)
    random = [p for p in character.loads if p.pattern == "random read"]
    assert closed_row < random[0].average_latency_ns < 2 * closed_row


def test_a_memory_without_refresh_pressure_answers_a_lone_stream_in_row_hit_time() -> None:
    calm = replace(DDR4, timing=replace(DDR4.timing, tREFI=1 << 30))
    points = characterise(calm, n_requests=2000).loads
    t = DDR4.timing
    row_hit = (1 + t.CL + t.burst_cycles) * t.tCK_ns
    first = next(p for p in points if p.pattern == "stream read")
    assert row_hit <= first.average_latency_ns < row_hit + t.tRCDRD * t.tCK_ns


def test_tables_and_picture_name_units_patterns_and_maps(character) -> None:
    text = patterns_table(character).plain() + loads_table(character).plain()
    for word in ("three streams", "rochrababgco", "pJ/bit", "GB/s", "typical currents"):
        assert word in text
    with styled():
        figure = dram_plot._figure(character, "Source: a test.")
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles[0] == "Read latency under load"
    assert "GB/s" in figure.axes[1].get_xlabel()
    assert "pJ/bit" in figure.axes[2].get_xlabel()
