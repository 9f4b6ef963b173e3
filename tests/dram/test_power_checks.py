"""Currents that no device has are refused, but for those of imported files."""

from dataclasses import replace

import pytest

from accelsim.dram.standard import STANDARDS
from accelsim.energy.dram import event_energy
from accelsim.errors import ConfigError
from tests.dram import golden


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"IDD2P": 40.0}, "VDD.IDD2P.*more than IDD2N"),
        ({"IDD3P": 60.0}, "VDD.IDD3P.*more than IDD3N"),
        ({"IDD2P": 30.0, "IDD3P": 20.0}, "VDD.IDD2P.*more than IDD3P"),
        ({"IDD2N": 55.0}, "VDD.IDD2N.*more than IDD3N"),
        ({"IDD0": 39.0}, "IDD0.*would have negative energy"),
        ({"IDD4R": -1.0}, "VDD.IDD4R.*0 or more"),
        ({"IDD4R": float("nan")}, "VDD.IDD4R.*0 or more"),
    ],
)
def test_currents_that_no_device_has_are_refused(change: dict[str, float], words: str) -> None:
    config = STANDARDS["ddr4_3200_x64"].config()
    vdd, vpp = config.power.rails
    power = replace(config.power, rails=(replace(vdd, **change), vpp))
    with pytest.raises(ConfigError, match=words):
        replace(config, power=power)


def test_a_share_beyond_one_and_no_rail_are_refused() -> None:
    config = STANDARDS["ddr4_3200_x64"].config()
    with pytest.raises(ConfigError, match="rho"):
        replace(config, power=replace(config.power, rho=1.1))
    with pytest.raises(ConfigError, match="no supply rail"):
        replace(config, power=replace(config.power, rails=()))


def test_imported_files_keep_whatever_currents_they_have() -> None:
    config = golden.config("DDR4_8Gb_x8_3200")
    (vdd,) = config.power.rails
    assert (vdd.IDD2P, vdd.IDD3P) == (25.0, 43.0)
    odd = replace(config.power, rails=(replace(vdd, IDD0=1.0, IDD2N=99.0),))
    assert event_energy(replace(config, power=odd)).activate < 0
