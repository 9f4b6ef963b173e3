"""The measured law of DDR3L against the currents that were printed."""

from dataclasses import replace

import pytest

from accelsim.dram.events import DramEvents
from accelsim.energy.price import price
from accelsim.energy.vampire import VENDORS
from accelsim.hardware.read import read_hardware
from accelsim.program.work import BusCounts, ByteCounts
from tests.energy.test_price import layer

# mA at 0, 10, 25, 50 and 100 % ones, as printed: whole milliamperes.
PRINTED = {
    ("vampire_a", "read"): (251, 294, 358, 465, 678),
    ("vampire_a", "write"): (687, 656, 610, 533, 379),
    ("vampire_b", "read"): (227, 255, 297, 367, 508),
    ("vampire_b", "write"): (646, 616, 572, 498, 350),
    ("vampire_c", "read"): (222, 249, 289, 355, 488),
    ("vampire_c", "write"): (541, 517, 480, 419, 297),
}


@pytest.mark.parametrize(("vendor", "command"), list(PRINTED))
def test_currents_are_those_that_were_printed(vendor: str, command: str) -> None:
    line = getattr(VENDORS[vendor], command)
    for share, printed in zip((0, 0.1, 0.25, 0.5, 1), PRINTED[vendor, command], strict=True):
        assert line.current(512 * share) == pytest.approx(printed, abs=0.55)


def test_a_stream_of_a_quarter_saves_less_than_it_shrinks_when_read_and_more_when_written() -> None:
    """10 % ones become 50 %: vendor A reads 2.53 times less, not 4; and writes 4.9 times."""
    sparse, dense = 51.2, 256
    for command, saved in (("read", 2.53), ("write", 4.9)):
        line = getattr(VENDORS["vampire_a"], command)
        assert 4 * line.current(sparse) / line.current(dense) == pytest.approx(saved, abs=0.03)
    # Above the standby of 38.33 mA, which is charged by itself: 4 (212.55 + 42.75) / (212.55 +
    # 213.73) and 4 (648.85 - 30.85) / (648.85 - 154.24).
    standby = 129.3598 / 2.5 / 1.35
    for command, saved in (("read", 2.396), ("write", 4.998)):
        line = getattr(VENDORS["vampire_a"], command)
        above = [line.current(ones) - standby for ones in (sparse, dense)]
        assert 4 * above[0] / above[1] == pytest.approx(saved, abs=0.001)


def test_toggles_against_the_line_before_have_a_slope_of_their_own() -> None:
    line = VENDORS["vampire_b"].write
    assert line.current(0, 80) - line.current(0) == pytest.approx(10 * 0.204)


def test_a_layer_is_priced_by_its_ones_above_the_standby() -> None:
    """1.35 V for 10 ns of each burst; 100 reads with half ones, 50 writes with a quarter."""
    chip = read_hardware(
        "edge_npu", {"dram.standard": "ddr3l_1600_x64", "energy.dram_data": "vampire_a"}
    )
    events = DramEvents(reads=100, writes=50, activates=9)
    moved = {
        "ifmap": ByteCounts(read_bytes=6400),
        "ofmap": ByteCounts(written_bytes=3200),
    }
    counts = layer(dram=events, bus=BusCounts(100 * 256, 7, 50 * 128, 0), bytes_by_tensor=moved)
    found = price(counts, chip)
    standby = 129.3598 / 2.5 / 1.35
    assert found.dram_read == pytest.approx(100 * 1.35 * 10 * (250.879 + 6.679 * 32 - standby))
    assert found.dram_write == pytest.approx(50 * 1.35 * 10 * (687.178 - 4.820 * 16 - standby))
    pins = replace(chip, energy=replace(chip.energy, dram_data="pins"))
    by_pins = price(counts, pins)
    # A bit of SSTL costs the same whatever it is: a third of the bursts are writes.
    assert found.dram_io == pytest.approx((by_pins.dram_io - 7 * 3.5 * 0.73**2 / 2) / 3, rel=1e-3)
    for part in ("dram_act", "dram_background", "dram_phy"):
        assert getattr(found, part) == getattr(by_pins, part)
