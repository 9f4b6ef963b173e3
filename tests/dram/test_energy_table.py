"""A table of device energies made by hand from the same currents, as Micron's notes do it."""

from dataclasses import replace

import pytest

from accelsim.dram.config import DramConfig
from accelsim.dram.standard import STANDARDS
from accelsim.energy.dram import event_energy
from accelsim.energy.dram_catalogue import bit_energy

# tRAS, tRP, tRFC, tREFI and burst in ns; picojoules of a read and a written bit, of an ACT; of a
# bit in a stream and with one burst in each row.
DEVICES = {
    "ddr4_2400_x64": ((32, 14.16, 350, 7800, 10 / 3), (5.75, 5.00, 430, 10.1, 16.7)),
    "ddr4_2400_x16": ((32, 14.16, 350, 7800, 10 / 3), (6.12, 5.65, 2164, 8.5, 25.3)),
    "ddr4_3200_x64": ((32, 13.75, 350, 7800, 2.5), (5.44, 4.59, 522, 9.1, 17.2)),
    "ddr4_3200_x16": ((32, 13.75, 350, 7800, 2.5), (5.77, 5.20, 2569, 7.8, 27.7)),
    "ddr3l_1600_x64": ((35, 13.75, 260, 7800, 5.0), (12.6, 9.2, 1230, 17.4, 36.5)),
    "lpddr4_3200_x16": ((42, 18, 180, 3904, 5.0), (8.47, 5.03, 1192, 9.4, 14.0)),
    "lpddr4_4266_x16": ((42, 18, 180, 3904, 3.75), (8.47, 5.03, 1192, 9.2, 13.8)),
    "lpddr4x_4266_x16": ((42, 18, 180, 3904, 3.75), (6.2, None, 1192, 6.9, 11.5)),
    "lpddr5_6400_x16": ((42, 18, 280, 3906, 2.5), (None, 2.17, 1111, None, None)),
    "gddr6_14000_x16": ((30, 15, 120, 1900, 8 / 7), (2.29, 3.04, 608, 3.8, 6.1)),
}


def in_picoseconds(name: str) -> DramConfig:
    """The memory with its delays not rounded to clocks, and priced as Micron does: rho is 1."""
    config = STANDARDS[name].config()
    tRAS, tRP, tRFC, tREFI, burst = (round(1000 * ns) for ns in DEVICES[name][0])
    timing = replace(
        config.timing, tCK_ns=0.001, tRAS=tRAS, tRP=tRP, tRFC=tRFC, tREFI=tREFI, burst_cycles=burst
    )
    return replace(config, timing=timing, power=replace(config.power, rho=1.0))


def half_a_digit(value: float) -> float:
    digits = len(f"{value:g}".partition(".")[2])
    return 0.5 * 10.0**-digits


@pytest.mark.parametrize("name", DEVICES)
def test_a_table_made_by_hand_comes_out_to_its_last_digit(name: str) -> None:
    config, (read, write, activate, stream, random) = in_picoseconds(name), DEVICES[name][1]
    each, bits = event_energy(config), 8 * config.line_bytes
    o = config.organisation
    found = {
        read: each.read / bits,
        write: each.write / bits,
        activate: each.activate / o.devices,
        stream: bit_energy(config, "max", o.lines_per_row).device,
        random: bit_energy(config, "max", 1).device,
    }
    for expected, value in found.items():
        if expected is not None:
            assert value == pytest.approx(expected, abs=1.3 * half_a_digit(expected))
