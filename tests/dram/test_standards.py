"""Each standard against JEDEC's nanoseconds, its bin, its relations and published energies."""

import re
from dataclasses import fields
from math import ceil, floor

import numpy as np
import pytest

from accelsim.dram.power import Rail
from accelsim.dram.replay import replay
from accelsim.dram.standard import STANDARDS
from accelsim.dram.system import Timing
from accelsim.dram.traces.requests import Requests
from accelsim.dram.values import dram_values
from accelsim.energy.dram import event_energy
from accelsim.energy.dram_catalogue import bit_energy

each_standard = pytest.mark.parametrize("name", list(STANDARDS))

# Transfers per microsecond and pin, beats of a clock, pins, Gb of a channel, row bytes per device.
PARTS = {
    "ddr3_1600_x64": (1600, 2, 64, 32, 1024),
    "ddr3l_1600_x64": (1600, 2, 64, 32, 1024),
    "ddr4_2400_x16": (2400, 2, 16, 8, 2048),
    "ddr4_2400_x64": (2400, 2, 64, 64, 1024),
    "ddr4_3200_x16": (3200, 2, 16, 8, 2048),
    "ddr4_3200_x64": (3200, 2, 64, 64, 1024),
    "ddr5_4800_x32": (4800, 2, 32, 64, 1024),
    "ddr5_5600_x32": (5600, 2, 32, 64, 1024),
    "gddr6_14000_x16": (14000, 8, 16, 4, 2048),
    "hbm2_2000": (2000, 2, 128, 8, 2048),
    "hbm2_2000_x64": (2000, 2, 64, 2, 1024),
    "hbm2_2400_x64": (2400, 2, 64, 2, 1024),
    "hbm3_6400_x32": (6400, 4, 32, 2, 1024),
    "lpddr4_3200_x16": (3200, 2, 16, 4, 2048),
    "lpddr4_4266_x16": (12800 / 3, 2, 16, 4, 2048),
    "lpddr4x_4266_x16": (12800 / 3, 2, 16, 4, 2048),
    "lpddr5_6400_x16": (6400, 8, 16, 16, 2048),
}

# Read and write latency in cycles of the speed bin or mode register table.
LATENCY = {
    "ddr3_1600_x64": (11, 8),
    "ddr3l_1600_x64": (11, 8),
    "ddr4_2400_x16": (17, 12),
    "ddr4_2400_x64": (17, 12),
    "ddr4_3200_x16": (22, 16),
    "ddr4_3200_x64": (22, 16),
    "ddr5_4800_x32": (40, 38),
    "ddr5_5600_x32": (46, 44),
    "gddr6_14000_x16": (24, 6),
    "lpddr4_3200_x16": (28, 14),
    "lpddr4_4266_x16": (36, 18),
    "lpddr4x_4266_x16": (36, 18),
    "lpddr5_6400_x16": (17, 9),
}

# Nanoseconds, the least cycles, and cycles that the standard adds after rounding.
Delay = tuple[float, int, int]


def ns(value: float, least: int = 1, plus: int = 0) -> Delay:
    return value, least, plus


def core(rcd: float, rp: float, ras: float, rfc: float) -> dict[str, Delay]:
    return {"tRCDRD": ns(rcd), "tRCDWR": ns(rcd), "tRP": ns(rp), "tRAS": ns(ras), "tRFC": ns(rfc)}


DDR3 = core(13.75, 13.75, 35, 260) | {
    **{"tRRD_S": ns(6, 4), "tRRD_L": ns(6, 4), "tFAW": ns(30), "tWR": ns(15)},
    **{"tWTR_S": ns(7.5, 4), "tWTR_L": ns(7.5, 4), "tRTP": ns(7.5, 4)},
    **{"tCKE": ns(5, 3), "tXP": ns(6, 3), "tXPDLL": ns(24, 10)},
}
DDR4 = {
    **{"tRAS": ns(32), "tRFC": ns(350), "tCCD_L": ns(5, 5), "tWR": ns(15), "tRTP": ns(7.5, 4)},
    **{"tWTR_S": ns(2.5, 2), "tWTR_L": ns(7.5, 4), "tCKE": ns(5, 3), "tXP": ns(6, 4)},
}
DDR4_2400 = DDR4 | {"tRCDRD": ns(14.16), "tRCDWR": ns(14.16), "tRP": ns(14.16)}
DDR4_3200 = DDR4 | {"tRCDRD": ns(13.75), "tRCDWR": ns(13.75), "tRP": ns(13.75)}
PAGE_2K = {"tRRD_S": ns(5.3, 4), "tRRD_L": ns(6.4, 4), "tFAW": ns(30, 28)}
DDR5 = core(16, 16, 32, 295) | {
    **{"tRFCb": ns(130), "tRRD_S": ns(0, 8), "tRRD_L": ns(5, 8), "tFAW": ns(10, 32)},
    **{"tCCD_S": ns(0, 8), "tCCD_L": ns(5, 8), "tCCD_L_WR": ns(10, 16), "tWR": ns(30)},
    **{"tWTR_S": ns(2.5, 4), "tWTR_L": ns(10, 16), "tRTP": ns(7.5, 12), "tPPD": ns(0, 2)},
    **{"tCKE": ns(7.5, 8), "tXP": ns(7.5, 8)},
}
LPDDR4 = core(18, 18, 42, 180) | {
    **{"tRFCb": ns(90), "tRRD_S": ns(10, 4), "tRRD_L": ns(10, 4), "tFAW": ns(40)},
    **{"tWTR_S": ns(10, 8, 1), "tWTR_L": ns(10, 8, 1), "tWR": ns(18, 6, 1), "tRTP": ns(7.5, 8)},
    **{"tRPab": ns(21, 3), "tCKE": ns(7.5, 4), "tXP": ns(7.5, 5)},
}
# JESD209-4B: tRRD is the larger of 7.5 ns and 4 clocks at 4267 MT/s, of 10 ns up to 3733.
LPDDR4_4267 = LPDDR4 | {"tRRD_S": ns(7.5, 4), "tRRD_L": ns(7.5, 4)}
HBM2 = core(12, 14, 28, 260) | {
    **{"tRCDWR": ns(6), "tRFCb": ns(160), "tRRD_S": ns(4), "tRRD_L": ns(6), "tFAW": ns(16)},
    **{"tWTR_S": ns(4), "tWTR_L": ns(9), "tWR": ns(14), "tRTP": ns(5), "tCCD_L": ns(3)},
    **{"CL": ns(18), "CWL": ns(7), "tCCD_S": ns(0, 2), "tCKE": ns(8), "tXP": ns(8)},
}
DELAYS: dict[str, dict[str, Delay]] = {
    "ddr3_1600_x64": DDR3 | {"CL": ns(13.75)},
    "ddr3l_1600_x64": DDR3 | {"CL": ns(13.75)},
    "ddr4_2400_x16": DDR4_2400 | PAGE_2K,
    "ddr4_2400_x64": DDR4_2400 | {"tRRD_S": ns(3.3, 4), "tRRD_L": ns(4.9, 4), "tFAW": ns(21, 20)},
    "ddr4_3200_x16": DDR4_3200 | PAGE_2K,
    "ddr4_3200_x64": DDR4_3200 | {"tRRD_S": ns(2.5, 4), "tRRD_L": ns(4.9, 4), "tFAW": ns(21, 20)},
    "ddr5_4800_x32": DDR5,
    "ddr5_5600_x32": DDR5,
    "gddr6_14000_x16": core(15, 15, 30, 120)
    | {"tRCDWR": ns(9), "tRFCb": ns(60), "tWR": ns(15), "tCCD_S": ns(0, 2), "tCCD_L": ns(0, 4)}
    | {"tCKE": ns(10.7), "tXP": ns(7.9)},
    "hbm2_2000": {"tRFC": ns(350), "tCKE": ns(8), "tXP": ns(8)},
    "hbm2_2000_x64": HBM2,
    "hbm2_2400_x64": HBM2,
    "hbm3_6400_x32": {"tRFC": ns(260), "tRFCb": ns(200), "tCCD_S": ns(0, 2), "tCCD_L": ns(0, 4)}
    | {"tCKE": ns(8), "tXP": ns(8)},
    "lpddr4_3200_x16": LPDDR4,
    "lpddr4_4266_x16": LPDDR4_4267,
    "lpddr4x_4266_x16": LPDDR4_4267,
    "lpddr5_6400_x16": core(18, 18, 42, 280)
    | {
        **{"tRFCb": ns(140), "tRRD_S": ns(5, 2), "tRRD_L": ns(5, 2), "tFAW": ns(20)},
        # In bank groups it counts from BL/n_max, two cycles after the burst.
        **{"tWTR_S": ns(6.25, 4), "tWTR_L": ns(12, 4, 2), "tWR": ns(34, 3), "tPPD": ns(0, 2)},
        **{"tRPab": ns(21, 2), "tCKE": ns(7.5), "tXP": ns(7, 3)},
    },
}

REFRESH_NS = {
    **{"DDR3": 7800, "DDR4": 7800, "DDR5": 3900, "GDDR6": 1900},
    **{"HBM2": 3900, "HBM3": 3900, "LPDDR4": 3904, "LPDDR5": 3906},
}

# pJ/bit of the device with its I/O at full use, and where it is published.
PUBLISHED = {
    # Vogelsang, MICRO 2010 (2 Gb DDR3, IDD7RW); Malladi et al., ISCA 2012 (whole system).
    "DDR3": (9.0, 70.0),
    # Vogelsang, MICRO 2010 (8 Gb DDR4, expected); Jouppi et al., ISCA 2021 (1300 pJ / 64 bits).
    "DDR4": (4.5, 20.0),
    # None found for DDR5: it follows DDR4 on the same kind of bus.
    "DDR5": (4.5, 20.0),
    # Low end of accelerator papers; Ha, Stanford 2018 (DramDSE, 3.2 Gb/s).
    "LPDDR4": (4.0, 14.0),
    # 30 % below LPDDR4X (vendors); 7 as in in-flash inference (AiF, HPCA 2025).
    "LPDDR5": (2.8, 7.0),
    # Jouppi et al., ISCA 2021: 350 pJ / 64 bits; Micron's ultra-bandwidth table: 7.5.
    "GDDR6": (5.5, 7.5),
    # O'Connor et al., MICRO 2017, Table 3; Jouppi et al., ISCA 2021: 450 pJ / 64 bits.
    "HBM2": (3.48, 7.0),
    # SK hynix, IEDM 2023 (HBM3E); Micron's ultra-bandwidth table (HBM2E).
    "HBM3": (3.44, 6.0),
}
BELOW_WHEN_TYPICAL = ("gddr6_14000_x16",)
"""Its typical share is an assumption, and 4.2 pJ/bit less than anybody publishes."""


def cycles(delay: Delay, tCK_ns: float, protocol: str) -> int:
    """JEDEC's rounding: up; DDR5 lets 0.3 % go, with tCK cut to picoseconds (JESD79-5, 13.2)."""
    value, least, plus = delay
    if protocol == "DDR5":
        rounded = (round(value * 1000) * 997 // int(tCK_ns * 1000) + 1000) // 1000
        rounded = rounded if value else 0
    else:
        rounded = ceil(value / tCK_ns - 1e-9)
    return max(rounded, least) + plus


def test_the_tables_here_cover_every_standard() -> None:
    assert set(PARTS) == set(DELAYS) == set(STANDARDS)
    assert {STANDARDS[name].protocol for name in STANDARDS} == set(PUBLISHED) == set(REFRESH_NS)


@each_standard
def test_peak_bandwidth_is_rate_times_width(name: str) -> None:
    rate, beats, pins, gbit, page_bytes = PARTS[name]
    standard = STANDARDS[name]
    config, o, t = standard.config(), standard.organisation, standard.timing
    assert config.peak_gb_s == pytest.approx(rate * pins / 8 / 1000)
    assert t.tCK_ns == pytest.approx(beats / rate * 1000)
    assert t.burst_cycles * beats == o.burst_length and o.bus_bits == pins
    assert config.n_lines * config.line_bytes * 8 == gbit * 2**30
    assert o.columns * o.device_bits // 8 == page_bytes
    package = standard.config(standard.package_channels)
    assert package.peak_gb_s == pytest.approx(standard.package_channels * config.peak_gb_s)


@each_standard
def test_cycles_are_jedecs_nanoseconds_rounded_as_jedec_rounds(name: str) -> None:
    standard = STANDARDS[name]
    t = standard.timing
    rounded = {key: cycles(d, t.tCK_ns, standard.protocol) for key, d in DELAYS[name].items()}
    assert {key: getattr(t, key) for key in rounded} == rounded
    if name in LATENCY:
        assert LATENCY[name] == (t.CL, t.CWL)


@each_standard
def test_refresh_comes_as_often_as_the_family_asks(name: str) -> None:
    standard = STANDARDS[name]
    t = standard.timing
    assert t.tREFI == floor(REFRESH_NS[standard.protocol] / t.tCK_ns + 1e-9)


@each_standard
def test_delays_stand_in_the_relations_of_the_standard(name: str) -> None:
    standard = STANDARDS[name]
    t = standard.timing
    assert t.tRC == t.tRAS + t.tRP
    assert t.tRAS >= max(t.tRCDRD, t.tRCDWR) + t.AL
    assert t.tCCD_L >= t.tCCD_S and t.tWTR_L >= t.tWTR_S and t.tRRD_L >= t.tRRD_S
    # A legacy HBM2 channel takes a column command every cycle, of half a burst.
    assert t.tCCD_S >= t.burst_cycles or name == "hbm2_2000"
    assert t.tCCD_L_WR == 0 or t.tCCD_L_WR >= t.tCCD_L
    assert t.tRPab == 0 or t.tRPab > t.tRP
    assert t.tRFCb <= t.tRFC and t.tREFIb <= t.tREFI
    # In nanoseconds tFAW >= 4 tRRD_S; each of the four was rounded up.
    assert t.tFAW > 4 * (t.tRRD_S - 1)
    if standard.organisation.bankgroups == 1:
        assert (t.tCCD_L, t.tRRD_L, t.tWTR_L) == (t.tCCD_S, t.tRRD_S, t.tWTR_S)


@each_standard
def test_a_stream_costs_what_its_family_is_published_to_cost(name: str) -> None:
    config = STANDARDS[name].config()
    low, high = PUBLISHED[config.protocol]
    bursts = config.organisation.lines_per_row
    most = bit_energy(config, "max", bursts)
    typical = bit_energy(config, "typical", bursts)
    assert low <= most.total <= high
    if name in BELOW_WHEN_TYPICAL:
        assert typical.total < low
    else:
        assert low <= typical.total


@pytest.mark.parametrize(("name", "kib"), [("hbm2_2000_x64", 1), ("hbm2_2000", 2)])
def test_an_hbm2_activate_costs_what_was_published(name: str, kib: int) -> None:
    """O'Connor et al., MICRO 2017, Table 3: 909 pJ for a row of 1 KB; our currents: HBM-Power."""
    config = STANDARDS[name].config()
    activate = bit_energy(config, "max", 1).activate * 8 * config.line_bytes
    assert activate == pytest.approx(909 * kib, rel=0.05)


def test_faster_lpddr4_costs_the_same_per_bit_read_and_lower_io_voltage_less() -> None:
    slow, fast, low_swing = (
        bit_energy(STANDARDS[name].config(), "max", 64).read
        for name in ("lpddr4_3200_x16", "lpddr4_4266_x16", "lpddr4x_4266_x16")
    )
    assert fast == pytest.approx(slow)
    # Only VDDQ differs: 149.25 mA at 1.1 V, which goes down with the square of the voltage.
    io = 1.1 * 149.25 * 5.0 / 256
    assert fast - low_swing == pytest.approx(io * (1 - (0.6 / 1.1) ** 2))


@each_standard
def test_every_value_is_shown_with_its_source(name: str) -> None:
    standard = STANDARDS[name]
    shown = {value.key: value for value in dram_values(standard)}
    assert len(shown) == len(dram_values(standard))
    assert all(value.source.strip() for value in shown.values())
    for field in fields(Timing):
        value = getattr(standard.timing, field.name)
        if field.name not in ("tCK_ns", "tCCD_L_WR") and (value or f"timing.{field.name}" in shown):
            delay = shown[f"timing.{field.name}"]
            assert (delay.value, delay.unit) == (value, "cycles")
            assert delay.nanoseconds == value * standard.timing.tCK_ns
    for rail in standard.power.rails:
        for current in fields(Rail)[2:]:
            assert shown[f"power.{rail.name}.{current.name}"].value == getattr(rail, current.name)
    assert ("timing.tCCD_L_WR" in shown) == (standard.protocol == "DDR5")


@each_standard
def test_an_assumption_has_a_reason(name: str) -> None:
    for text in STANDARDS[name].sources.values():
        assert re.fullmatch(r"(?:(?!assumption).|assumption(?:: |, )\w)*", text), text


@pytest.mark.parametrize("name", ["lpddr4_3200_x16", "lpddr4_4266_x16", "lpddr4x_4266_x16"])
def test_lpddr4_sleeps_at_a_milliwatt(name: str) -> None:
    """A read, and another a millisecond later: the rank sleeps nearly all the time between."""
    config = STANDARDS[name].config(self_refresh_cycles=1000)
    t = config.timing
    assert (t.tCKESR * t.tCK_ns, t.tXS * t.tCK_ns) == (15.0, 180.0 + 7.5)
    last = round(1e6 / t.tCK_ns)
    two = Requests(np.array([0, 64]), np.zeros(2, np.int64), np.array([0, last]))
    result = replay(config, two, record_commands=True)
    awake_until = t.tREFI + t.tRFC + 1000  # an open row stays until its refresh
    assert result.self_refresh_rank_cycles >= last - awake_until - t.tREFI
    vddq = config.power.rails[2].volts
    milliwatts = 1.8 * 0.3 + 1.1 * 0.5 + vddq * 0.1
    assert event_energy(config).self_refresh_cycle == pytest.approx(milliwatts * t.tCK_ns)


@pytest.mark.parametrize("name", [name for name in STANDARDS if name.startswith(("ddr3", "ddr4"))])
def test_a_ddr_memory_wakes_as_its_standard_says(name: str) -> None:
    """tCKE is 5 ns, tXS = tRFC + 10 ns, and the DLL locks in 512 cycles, of DDR4 in 768 or more."""
    t = STANDARDS[name].config(self_refresh_cycles=1000).timing
    assert t.tCKESR == ceil(5 / t.tCK_ns - 1e-9) + 1
    assert t.tXS == t.tRFC + ceil(10 / t.tCK_ns - 1e-9)
    assert t.tXSDLL == {1.25: 512, 5 / 6: 768, 0.625: 1024}[t.tCK_ns]
