"""Energies as loops of commands draw them: what a data sheet measured must come out again."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelsim.dram.config import DramConfig
from accelsim.dram.power import Power, Rail
from accelsim.dram.standard import STANDARDS
from accelsim.energy.dram import event_energy, price_dram
from accelsim.energy.dram_catalogue import bit_energy
from accelsim.errors import ConfigError
from accelsim.sim.counts import DramEvents
from tests.dram import golden

each_standard = pytest.mark.parametrize("name", list(STANDARDS))


def drawn(config: DramConfig, current: str, cycles: float) -> float:
    """Picojoules of a rank whose devices draw one data sheet current for so long."""
    charge = sum(rail.volts * getattr(rail, current) for rail in config.power.rails)
    return charge * config.organisation.devices * cycles * config.timing.tCK_ns


def spent(config: DramConfig, **counts: int) -> float:
    """Without I/O and PHY."""
    parts = price_dram(DramEvents(**counts), config)
    return sum(pj for part, pj in parts.items() if part not in ("dram_io", "dram_phy"))


@each_standard
def test_standby_is_that_of_the_sheet_with_no_bank_and_with_all_banks_open(name: str) -> None:
    config = STANDARDS[name].config()
    all_open = {"active_rank_cycles": 1000, "open_bank_cycles": 1000 * config.organisation.banks}
    assert spent(config, idle_rank_cycles=1000) == pytest.approx(drawn(config, "IDD2N", 1000))
    assert spent(config, **all_open) == pytest.approx(drawn(config, "IDD3N", 1000))


@each_standard
def test_one_open_bank_draws_drampowers_current(name: str) -> None:
    """I1 = (IDD3N + (B - 1) I_rho) / B with I_rho = rho (IDD3N - IDD2N) + IDD2N."""
    config = STANDARDS[name].config()
    rho, n_banks = config.power.rho, config.organisation.banks
    idle, full = drawn(config, "IDD2N", 1000), drawn(config, "IDD3N", 1000)
    shared = rho * (full - idle) + idle
    one = (full + (n_banks - 1) * shared) / n_banks
    assert spent(config, active_rank_cycles=1000, open_bank_cycles=1000) == pytest.approx(one)


def device(rho: float, IDD0: float, IDD2N: float, IDD3N: float) -> DramConfig:
    rail = Rail("VDD", 1.2, IDD0, IDD2N, 5.0, IDD3N, 6.0, 168.0, 150.0, 460.0, 0.0, 30.0)
    vpp = Rail("VPP", 2.5, 4.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 0.0, 3.0)
    config = STANDARDS["ddr4_3200_x64"].config()
    return replace(config, power=Power((rail, vpp), rho=rho))


def check_activate_loop(config: DramConfig) -> None:
    t = config.timing
    loop = {"active_rank_cycles": t.tRAS, "open_bank_cycles": t.tRAS, "idle_rank_cycles": t.tRP}
    assert spent(config, activates=1, **loop) == pytest.approx(drawn(config, "IDD0", t.tRC))


@each_standard
def test_a_loop_of_activates_draws_idd0(name: str) -> None:
    check_activate_loop(STANDARDS[name].config())


currents = st.floats(20.0, 50.0)


@given(st.floats(0, 1), st.floats(60.0, 90.0), currents, currents)
def test_a_loop_of_activates_draws_idd0_whatever_rho_is(
    rho: float, IDD0: float, a: float, b: float
) -> None:
    check_activate_loop(device(rho, IDD0, min(a, b), max(a, b)))


@given(st.floats(0, 1), st.floats(60.0, 90.0), currents, currents)
def test_activate_and_precharge_are_drampowers_two_energies(
    rho: float, IDD0: float, a: float, b: float
) -> None:
    """E_act = V (I_theta - I1) tRAS and E_pre = V (I_beta - IDD2N) tRP with I_beta = IDD0."""
    config = device(rho, IDD0, min(a, b), max(a, b))
    t, n_banks = config.timing, config.organisation.banks
    total = 0.0
    for rail in config.power.rails:
        shared = rho * (rail.IDD3N - rail.IDD2N) + rail.IDD2N
        one = (rail.IDD3N + (n_banks - 1) * shared) / n_banks
        theta = (rail.IDD0 * (t.tRP + t.tRAS) - rail.IDD0 * t.tRP) / t.tRAS
        total += rail.volts * (theta - one) * t.tRAS
        total += rail.volts * (rail.IDD0 - rail.IDD2N) * t.tRP
    assert event_energy(config).activate == pytest.approx(total * 8 * t.tCK_ns)


@each_standard
def test_back_to_back_bursts_and_refreshes_draw_their_currents(name: str) -> None:
    config = STANDARDS[name].config()
    t = config.timing
    all_open = {
        "active_rank_cycles": t.burst_cycles,
        "open_bank_cycles": t.burst_cycles * config.organisation.banks,
    }
    assert spent(config, reads=1, **all_open) == pytest.approx(
        drawn(config, "IDD4R", t.burst_cycles)
    )
    assert spent(config, writes=1, **all_open) == pytest.approx(
        drawn(config, "IDD4W", t.burst_cycles)
    )
    refresh = spent(config, refreshes=1, idle_rank_cycles=t.tRFC)
    assert refresh == pytest.approx(drawn(config, "IDD5AB", t.tRFC))


@each_standard
def test_refreshing_all_banks_one_by_one_costs_one_refresh_of_the_rank(name: str) -> None:
    config = STANDARDS[name].config()
    controller = replace(config.controller, refresh_policy="bank_staggered")
    t = replace(config.timing, tREFIb=config.timing.tREFI)
    by_bank = replace(config, controller=controller, timing=t)
    one = event_energy(by_bank).refresh
    assert one * config.organisation.banks == pytest.approx(event_energy(config).refresh)


def test_a_current_of_one_banks_refresh_is_used_where_it_is_known() -> None:
    config = device(1.0, 60.0, 37.0, 52.0)
    vdd = replace(config.power.rails[0], IDD5PB=100.0)
    by_bank = replace(
        config,
        power=Power((vdd,)),
        controller=replace(config.controller, refresh_policy="bank_staggered"),
        timing=replace(config.timing, tRFCb=100, tREFIb=1000),
    )
    assert event_energy(by_bank).refresh == pytest.approx(1.2 * (100 - 37) * 100 * 0.625 * 8)


@each_standard
@pytest.mark.parametrize("mode", ["max", "typical"])
def test_standby_never_falls_when_a_bank_opens(name: str, mode: str) -> None:
    each = event_energy(STANDARDS[name].config(), mode)  # type: ignore[arg-type]
    assert each.active_cycle >= each.idle_cycle > 0 and each.open_bank_cycle >= 0


def test_dramsim3_charges_one_open_bank_as_all() -> None:
    native = STANDARDS["ddr4_3200_x64"].config()
    strict = replace(native, compat="dramsim3")
    assert native.power.rho < 1
    assert event_energy(strict).open_bank_cycle == 0
    assert event_energy(strict).active_cycle == pytest.approx(drawn(native, "IDD3N", 1))
    t, vdd = native.timing, native.power.rails[0]
    charge = vdd.IDD0 * t.tRC - vdd.IDD3N * t.tRAS - vdd.IDD2N * t.tRP
    assert event_energy(strict).activate == pytest.approx(1.2 * charge * 8 * 0.625)
    refresh = 1.2 * (vdd.IDD5AB - vdd.IDD3N) * t.tRFC * 8 * 0.625
    assert event_energy(strict).refresh == pytest.approx(refresh)


def test_ddr5s_activate_leaves_out_the_standby_of_the_31_other_banks() -> None:
    """1.1 V (103 tRC - (92 + 50 / 32) tRAS - 92 tRP), and 1 mA of VPP but for 1/32 of tRAS."""
    config = STANDARDS["ddr5_4800_x32"].config()
    t = config.timing
    vdd = 1.1 * (103 * t.tRC - (92 + 50 / 32) * t.tRAS - 92 * t.tRP)
    vpp = 1.8 * (7 * t.tRC - (6 + 1 / 32) * t.tRAS - 6 * t.tRP)
    assert event_energy(config).activate == pytest.approx((vdd + vpp) * 4 * t.tCK_ns)


def test_gddr6s_activate_is_that_of_idd7() -> None:
    """IDD7 - IDD4R of the same table: 3.24 nJ."""
    config = STANDARDS["gddr6_14000_x16"].config()
    assert event_energy(config).activate == pytest.approx(3240, rel=0.01)


@pytest.mark.parametrize("name", ["hbm2_2000", "hbm2_2000_x64", "hbm2_2400_x64"])
def test_hbm2_standby_was_measured_with_one_bank_and_with_all_banks_open(name: str) -> None:
    """HBM-Power, per pseudo channel: IDD3N1 and IDD3N16 are 0.638 and 2.525 mA above IDD2N."""
    config = STANDARDS[name].config()
    each, pair = event_energy(config), 2 if name == "hbm2_2000" else 1
    mw = 1.2 * config.timing.tCK_ns * pair
    one = each.active_cycle + each.open_bank_cycle - each.idle_cycle
    full = each.active_cycle + 16 * each.open_bank_cycle - each.idle_cycle
    assert (one / mw, full / mw) == (pytest.approx(0.638), pytest.approx(2.525))


# A table of devices made by hand from the same currents: tRAS, tRP, tRFC, tREFI and burst in ns; picojoules of a read and a written bit, of an ACT; of a bit in a stream and
# with one burst in each row.
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


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"IDD2P": 40.0}, "VDD.IDD2P.*more than IDD2N"),
        ({"IDD3P": 60.0}, "VDD.IDD3P.*more than IDD3N"),
        ({"IDD2P": 30.0, "IDD3P": 20.0}, "VDD.IDD2P.*more than IDD3P"),
        ({"IDD2N": 55.0}, "VDD.IDD2N.*more than IDD3N"),
        ({"IDD0": 39.0}, "IDD0.*would yield energy"),
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
