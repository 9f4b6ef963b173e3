"""Savings on the pins by hand: what raw costs over what a codec costs."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from accelsim.results.io_tables import io_figures, io_table
from accelsim.results.result import Result
from accelsim.sim.counts import BusCounts

Make = Callable[..., Result]


def run(make_result: Make, codec: str, moved: int, io_pj: float, bus: BusCounts) -> Result:
    result = make_result(1.0, codec=codec, images=2)
    energy = {**result.totals.energy_pj, "dram_io": io_pj, "dram_read": 6e6, "dram_phy": 2e6}
    dram = replace(result.totals.dram, bus_bytes=moved)
    totals = replace(result.totals, dram=dram, bus=bus, energy_pj=energy)
    return replace(result, totals=totals)


def test_bits_can_shrink_while_the_energy_of_the_pins_grows(make_result: Make) -> None:
    results = {
        "raw": run(make_result, "raw", 4_000_000, 4e6, BusCounts(8_000_000, 0, 0, 4_000_000)),
        "zvc": run(make_result, "zvc", 2_000_000, 5e6, BusCounts(4_000_000, 0, 4_000_000, 0)),
    }
    found = io_figures(results)
    assert found["zvc"].saved_bits == 2
    assert found["zvc"].saved_io == 0.8
    # Two images; 6 + 2 uJ beside the pins.
    assert found["zvc"].energy_uj == {"core": 3.0, "I/O": 2.5, "PHY": 1.0}
    assert found["zvc"].saved_energy == pytest.approx(12 / 13)
    table = io_table({"slow": results, "fast": results})
    assert [row[:2] for row in table.rows] == [
        ("slow", "raw"), ("slow", "zvc"), ("fast", "raw"), ("fast", "zvc"),
    ]  # fmt: skip
    assert table.rows[1][2:] == (
        "1.000", "2.00", "50.0", ".", "0.312", "3.000", "2.500", "1.000", "0.80", "0.92",
    )  # fmt: skip
    assert table.rows[0][4:6] == ("25.0", "12.5")


def test_without_pins_nothing_is_saved_on_them(make_result: Make) -> None:
    results = {name: run(make_result, name, 10, 0.0, BusCounts()) for name in ("raw", "zvc")}
    assert io_figures(results)["zvc"].saved_io == 1.0
