"""Pins priced by their data: by hand, against the constants they replace, and as laws."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.dram.events import DramEvents
from accelsim.dram.standard import STANDARDS
from accelsim.energy.dram import EnergyMode, event_energy, price_dram
from accelsim.energy.dram_io import pin_prices, with_data
from accelsim.program.work import BusCounts
from tests.dram import golden

MODES: tuple[EnergyMode, EnergyMode] = ("max", "typical")
each_standard = pytest.mark.parametrize("name", list(STANDARDS))


def priced(
    name: str, mode: EnergyMode, events: DramEvents, bus: BusCounts
) -> tuple[dict[str, float], dict[str, float]]:
    """Without and with the data."""
    config = STANDARDS[name].config()
    before = price_dram(events, config, mode)
    return before, with_data(before, events, bus, config, mode)


def bus(name: str, events: DramEvents, costly: float, toggles: float) -> BusCounts:
    """So many for each bit that is moved."""
    bits = 8 * STANDARDS[name].organisation.line_bytes
    read, written = events.reads * bits, events.writes * bits
    return BusCounts(
        round(read * costly), round(read * toggles), round(written * costly),
        round(written * toggles),
    )  # fmt: skip


def test_ten_zeros_and_a_toggle_on_ddr4_by_hand() -> None:
    """1.44 V2 / 94 ohm for 0.3125 ns each; 1.7 pF over a swing of 1.2 x 60/94 V, halved."""
    events = DramEvents(reads=1, writes=1)
    _, after = priced("ddr4_3200_x64", "typical", events, BusCounts(10, 0, 0, 1))
    swing = 1.2 * 60 / 94
    assert after["dram_io"] == pytest.approx(10 * 1440 / 94 * 0.3125 + 1.7 * swing**2 / 2)


def test_a_bit_of_ddr3_costs_the_same_whatever_it_is() -> None:
    events = DramEvents(reads=3, writes=2)
    for costly in (0.0, 1.0):
        before, after = priced(
            "ddr3l_1600_x64", "max", events, bus("ddr3l_1600_x64", events, costly, 0.0)
        )
        assert after == pytest.approx(before)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", [n for n in STANDARDS if n[:4] in ("ddr4", "ddr5", "gddr")])
def test_half_zeros_without_inversion_cost_the_constant(name: str, mode: EnergyMode) -> None:
    """Termination, that is: the charge of the pads was in no constant."""
    events = DramEvents(activates=5, reads=7, writes=4)
    before, after = priced(name, mode, events, bus(name, events, 0.5, 0.0))
    assert after == pytest.approx(before, rel=1e-12)
    assert after["dram_io"] > 0


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", [n for n in STANDARDS if n.startswith(("lpddr", "hbm"))])
def test_the_data_sheets_pattern_costs_what_the_data_sheet_says(
    name: str, mode: EnergyMode
) -> None:
    """Half of the bits high, half of them toggling: reads cost together what IDD4R says."""
    events = DramEvents(reads=1000)
    before, after = priced(name, mode, events, bus(name, events, 0.5, 0.5))
    assert after["dram_io"] > 0
    assert after["dram_read"] + after["dram_io"] == pytest.approx(before["dram_read"], rel=1e-12)
    config = STANDARDS[name].config()
    share = config.power.typical.read if mode == "typical" else 1.0
    rail = config.power.rails[-1 if name.startswith("lp") else 0]
    held = 1.0 if name.startswith("lp") else 1 - 3.180 / 5.149
    one = rail.volts * (rail.IDD4R - rail.IDD3N) * config.timing.burst_cycles
    assert after["dram_io"] == pytest.approx(1000 * share * held * one * config.timing.tCK_ns)


@pytest.mark.parametrize("name", ["hbm2_2000", "hbm2_2000_x64", "hbm2_2400_x64", "hbm3_6400_x32"])
def test_hbm_pays_for_toggles_alone(name: str) -> None:
    """Static data cost 3.180 where random ones cost 5.149, measured; writes as reads."""
    events = DramEvents(reads=10, writes=20)
    before, still = priced(name, "max", events, bus(name, events, 0.9, 0.0))
    for part in ("dram_read", "dram_write"):
        assert still[part] == pytest.approx(before[part] * 3.180 / 5.149)
    assert still["dram_io"] == 0
    _, busy = priced(name, "max", events, bus(name, events, 0.1, 1.0))
    assert busy["dram_io"] / (still["dram_read"] + still["dram_write"]) == pytest.approx(
        2 * (5.149 - 3.180) / 3.180
    )


@pytest.mark.parametrize("name", [n for n in STANDARDS if n.startswith("lpddr4")])
def test_writes_of_lpddr4_cost_together_what_idd4w_says(name: str) -> None:
    events = DramEvents(writes=1000)
    before, after = priced(name, "max", events, bus(name, events, 0.5, 0.5))
    assert after["dram_write"] + after["dram_io"] == pytest.approx(before["dram_write"], rel=1e-12)
    config = STANDARDS[name].config()
    rail, t = config.power.rails[-1], config.timing
    charge = rail.volts * (rail.IDD4W - rail.IDD3N) * t.burst_cycles * t.tCK_ns
    assert after["dram_io"] == pytest.approx(1000 * charge)


def test_writes_of_lpddr5_are_driven_by_the_chip() -> None:
    """Nothing leaves the memory's write current; a one costs V2 / 80 ohm on top."""
    events = DramEvents(writes=1)
    before, after = priced("lpddr5_6400_x16", "typical", events, BusCounts(0, 0, 8, 0))
    assert after["dram_write"] == before["dram_write"]
    assert after["dram_io"] == pytest.approx(8 * 250 / 80 * 0.15625)


def test_an_lpddr_read_weighs_ones_and_toggles_as_its_circuit_does() -> None:
    """LPDDR4X-4266: 0.36 V2 / 80 ohm for 15/64 ns against 1.7 pF x (0.3 V)^2 / 2."""
    each = pin_prices(STANDARDS["lpddr4x_4266_x16"].config(), write=False).bit
    assert each.every == 0
    assert each.costly / each.toggle == pytest.approx(360 / 80 * 15 / 64 / (1.7 * 0.09 / 2))


def test_imported_memories_price_no_pins() -> None:
    config = golden.config("DDR4_8Gb_x8_3200")
    events = DramEvents(reads=10, writes=10)
    before = price_dram(events, config)
    assert with_data(before, events, BusCounts(9, 9, 9, 9), config) == before
    assert before["dram_io"] == 0


@each_standard
@settings(max_examples=20, deadline=None)
@given(
    reads=st.integers(0, 10**6),
    writes=st.integers(0, 10**6),
    costly=st.floats(0, 1),
    toggles=st.floats(0, 1),
    more=st.floats(0, 1),
)
def test_no_part_is_negative_and_more_is_never_cheaper(
    name: str, reads: int, writes: int, costly: float, toggles: float, more: float
) -> None:
    events = DramEvents(reads=reads, writes=writes)
    before, after = priced(name, "typical", events, bus(name, events, costly, toggles))
    assert min(after.values()) >= 0
    assert {k for k in before if after[k] != before[k]} <= {"dram_read", "dram_write", "dram_io"}
    _, dearer = priced(
        name, "typical", events,
        bus(name, events, max(costly, more), max(toggles, more)),
    )  # fmt: skip
    assert dearer["dram_io"] >= after["dram_io"] * (1 - 1e-12)


@each_standard
def test_prices_are_those_of_whole_bursts(name: str) -> None:
    """What the pins are said to hold is never more than the burst itself."""
    config = STANDARDS[name].config()
    for mode in MODES:
        each = event_energy(config, mode)
        assert 0 <= pin_prices(config, mode, write=False).held < each.read
        assert 0 <= pin_prices(config, mode, write=True).held < each.write
