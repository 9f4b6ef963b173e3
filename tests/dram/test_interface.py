"""Prices of data pins against circuits that are integrated step by step."""

from math import inf

import pytest

from accelsim.dram.interface import Interface, Path, Signalling
from accelsim.dram.standard import STANDARDS
from accelsim.dram.values import dram_values
from accelsim.errors import ConfigError

BITS = "0110001000110010"
BIT_NS = 4.0
"""Long enough for every line here to settle."""


def dissipated_pj(pins: Interface, bits: str) -> float:
    """Heat in driver and termination while ``bits`` repeat, from the second time on."""
    ohm, rtt = pins.write
    volts, farad_pf = pins.volts, pins.pads_pf
    ends = {"pod": volts, "lvstl": 0.0, "sstl": volts / 2, "unterminated": 0.0}
    end, step_ns = ends[pins.signalling], 0.0005
    level, heat = 0.0, 0.0
    for turn, bit in enumerate(2 * bits):
        source = volts if bit == "1" else 0.0
        for _ in range(round(BIT_NS / step_ns)):
            into, out = (source - level) / ohm, (level - end) / rtt  # amperes
            if turn >= len(bits):
                ended = out**2 * rtt if rtt < inf else 0.0
                if pins.signalling == "sstl":
                    # Resistors of 2 Rtt to VDDQ and to ground (JESD79-3F, 5.2).
                    ended = ((volts - level) ** 2 + level**2) / (2 * rtt)
                heat += (into**2 * ohm + ended) * step_ns * 1e3
            level += (into - out) * step_ns / farad_pf * 1e3
    return heat


@pytest.mark.parametrize(
    ("signalling", "rtt"), [("pod", 60.0), ("lvstl", 40.0), ("sstl", 40.0), ("unterminated", inf)]
)
def test_bits_and_toggles_cost_what_the_circuit_turns_into_heat(
    signalling: Signalling, rtt: float
) -> None:
    pins = Interface(signalling, 1.2, Path(34, rtt), Path(50, rtt), pads_pf=2.0)
    each = pins.bit_energy(BIT_NS, write=True)
    costly = BITS.count(str(pins.costly_level))
    toggles = sum(a != b for a, b in zip(BITS, BITS[1:] + BITS[0], strict=True))
    priced = len(BITS) * each.every + costly * each.costly + toggles * each.toggle
    assert priced == pytest.approx(dissipated_pj(pins, BITS), rel=4e-3)
    # The toggles alone, which are the small part: the same bits without capacitance.
    bits_alone = len(BITS) * each.every + costly * each.costly
    assert priced - bits_alone == pytest.approx(
        dissipated_pj(pins, BITS) - bits_alone, rel=0.02, abs=1e-6
    )


def test_the_direction_decides_who_drives() -> None:
    pins = Interface("pod", 1.0, Path(25, 75), Path(150, 50), pads_pf=2.0)
    read, write = (pins.bit_energy(1.0, write=is_write) for is_write in (False, True))
    assert read == pytest.approx((0.0, 1000 / 100, 2.0 * 0.75**2 / 2))
    assert write == pytest.approx((0.0, 1000 / 200, 2.0 * 0.25**2 / 2))


@pytest.mark.parametrize("name", list(STANDARDS))
def test_every_standard_knows_its_pins(name: str) -> None:
    standard = STANDARDS[name]
    pins = standard.power.interface
    assert pins is not None
    family = {
        "DDR3": "sstl", "DDR4": "pod", "DDR5": "pod", "GDDR6": "pod",
        "LPDDR4": "lvstl", "LPDDR5": "lvstl", "HBM2": "unterminated", "HBM3": "unterminated",
    }  # fmt: skip
    assert pins.signalling == family[standard.protocol]
    assert pins.has_dbi == (standard.protocol in ("DDR4", "GDDR6", "LPDDR4", "LPDDR5"))
    assert pins.dbi == (standard.protocol == "GDDR6")
    assert (pins.held is not None) == (pins.signalling in ("lvstl", "unterminated"))
    shown = {value.key: value for value in dram_values(standard)}
    assert shown["power.interface.volts"].value == pins.volts
    assert "assumption" in shown["power.interface.pads"].source


@pytest.mark.parametrize("name", list(STANDARDS))
def test_the_constant_is_the_termination_of_as_many_zeros_as_ones(name: str) -> None:
    """Where no current holds the pins: what bursts of unknown data are priced with."""
    config = STANDARDS[name].config()
    pins, t = config.power.interface, config.timing
    assert pins is not None
    for is_write in (False, True):
        bit_ns = t.burst_cycles * t.tCK_ns / config.organisation.burst_length
        each = pins.bit_energy(bit_ns, write=is_write)
        constant = 0.0 if pins.held else each.every + each.costly / 2
        assert config.power.io_pj_per_bit == pytest.approx(constant, rel=1e-12)


def test_inversion_is_switched_where_the_standard_has_it() -> None:
    for name, customary in (("ddr4_3200_x16", False), ("gddr6_14000_x16", True)):
        for asked in (None, True, False):
            pins = STANDARDS[name].config(dbi=asked).power.interface
            assert pins is not None
            assert pins.dbi == (customary if asked is None else asked)
    for name in ("ddr3l_1600_x64", "ddr5_4800_x32", "hbm2_2400_x64"):
        with pytest.raises(ConfigError, match="have no inversion"):
            STANDARDS[name].config(dbi=True)
