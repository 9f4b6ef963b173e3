"""DRAM energy from counts, against closed forms and published figures."""

import pytest

from accelsim.dram.events import DramEvents
from accelsim.dram.replay import replay
from accelsim.dram.standard import STANDARDS
from accelsim.energy.dram import event_energy, price_dram
from accelsim.energy.dram_catalogue import catalogue
from accelsim.energy.replay_report import replay_report
from tests.dram import golden


def test_a_burst_is_voltage_times_current_times_time() -> None:
    """DDR4-2400 x16: 1.2 V x (243 - 47) mA x 4 x 0.8333 ns over 128 bits is 6.12 pJ/bit."""
    each = event_energy(STANDARDS["ddr4_2400_x16"].config())
    assert each.read == pytest.approx(1.2 * 196 * 4 * 5 / 6)
    assert each.read / 128 == pytest.approx(6.12, abs=0.01)


def test_every_part_is_its_count_times_its_price() -> None:
    config = STANDARDS["ddr4_3200_x16"].config()
    each = event_energy(config, "typical")
    events = DramEvents(
        activates=2,
        reads=3,
        writes=5,
        refreshes=7,
        active_rank_cycles=11,
        idle_rank_cycles=13,
        self_refresh_rank_cycles=17,
        open_bank_cycles=19,
        active_power_down_rank_cycles=23,
        idle_power_down_rank_cycles=29,
    )
    parts = price_dram(events, config, "typical")
    assert parts["dram_act"] == 2 * each.activate
    assert parts["dram_read"] == 3 * each.read
    assert parts["dram_write"] == 5 * each.write
    assert parts["dram_refresh"] == 7 * each.refresh
    standby = 11 * each.active_cycle + 19 * each.open_bank_cycle + 13 * each.idle_cycle
    standby += 17 * each.self_refresh_cycle
    standby += 23 * each.active_power_down_cycle + 29 * each.power_down_cycle
    assert parts["dram_background"] == pytest.approx(standby)
    assert parts["dram_io"] == 8 * each.io and parts["dram_phy"] == 8 * each.phy


def test_termination_is_half_the_bits_low_on_a_pod_bus() -> None:
    """One DDR4-3200 line low for 0.3125 ns: 1.44 V2 / 94 ohm x 0.3125 ns = 4.8 pJ."""
    config = STANDARDS["ddr4_3200_x16"].config()
    assert config.power.io_pj_per_bit == pytest.approx(4.8 / 2, abs=0.01)


@pytest.mark.parametrize("name", list(STANDARDS))
def test_typical_is_never_more_than_the_data_sheet(name: str) -> None:
    config = STANDARDS[name].config()
    most, typical = event_energy(config, "max"), event_energy(config, "typical")
    for part, value in vars(typical).items():
        assert 0 <= value <= vars(most)[part]


def test_an_imported_file_has_dramsim3s_parts_only() -> None:
    each = event_energy(golden.config("DDR4_8Gb_x8_3200"))
    assert each.io == each.phy == 0


def test_the_report_has_the_keys_of_the_command_line() -> None:
    config = golden.config("DDR4_8Gb_x8_3200")
    report = replay_report(replay(config, golden.requests("a_seqrd", config)), config, 0.5)
    assert list(report) == [
        *("requests", "cycles", "reads", "writes", "activates", "precharges", "refreshes"),
        *("row_hits", "average_read_latency_cycles", "residual_writes", "bandwidth_gb_s"),
        *("served_gb_s", "peak_gb_s"),
        *("energy_mode", "energy_pj", "io_pj", "phy_pj", "host_seconds"),
    ]
    assert (report["energy_mode"], report["io_pj"], report["phy_pj"]) == ("max", 0, 0)
    assert report["bandwidth_gb_s"] == pytest.approx(5000 * 64 / (30087 * 0.63))
    assert report["served_gb_s"] == report["bandwidth_gb_s"]  # nothing merged
    assert report["peak_gb_s"] == pytest.approx(64 / (4 * 0.63))
    energy = report["energy_pj"]
    assert energy["total"] == pytest.approx(sum(v for k, v in energy.items() if k != "total"))


def test_the_catalogue_lists_every_standard() -> None:
    entries = catalogue()
    assert [entry.name for entry in entries] == list(STANDARDS)
    assert all(0 < e.stream.device < e.random.device for e in entries)
