"""Energies as loops of commands draw them: what a data sheet measured must come out again."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelsim.dram.config import DramConfig
from accelsim.dram.events import DramEvents
from accelsim.dram.power import Power, Rail, TypicalShares
from accelsim.dram.replay import replay
from accelsim.dram.standard import STANDARDS
from accelsim.dram.traces.patterns import PATTERNS
from accelsim.dram.traces.requests import Requests
from accelsim.dram.values import dram_values
from accelsim.energy.dram import EnergyMode, event_energy, price_dram
from accelsim.energy.dram_catalogue import bit_energy
from accelsim.energy.dram_character import characterise
from accelsim.energy.replay_report import replay_report

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


@each_standard
def test_power_down_is_that_of_the_sheet_with_no_bank_and_with_all_banks_open(name: str) -> None:
    config = STANDARDS[name].config()
    banks = config.organisation.banks
    all_open = {"active_power_down_rank_cycles": 1000, "open_bank_cycles": 1000 * banks}
    down = spent(config, idle_power_down_rank_cycles=1000)
    assert down == pytest.approx(drawn(config, "IDD2P", 1000))
    assert spent(config, **all_open) == pytest.approx(drawn(config, "IDD3P", 1000))


@each_standard
@pytest.mark.parametrize("mode", ["max", "typical"])
def test_power_down_never_costs_more_than_standby_nor_open_banks_less(
    name: str, mode: EnergyMode
) -> None:
    each = event_energy(STANDARDS[name].config(), mode)
    assert each.power_down_cycle <= each.active_power_down_cycle <= each.active_cycle
    assert each.power_down_cycle <= each.idle_cycle


def test_power_down_with_one_bank_open_saves_what_it_saves_with_all() -> None:
    """DDR4-3200: IDD3N - IDD3P = 9 mA of 40.75; IDD3P = 43 mA would be dearer than standby."""
    config = STANDARDS["ddr4_3200_x64"].config()
    one = spent(config, active_power_down_rank_cycles=1000, open_bank_cycles=1000)
    assert one == pytest.approx((1.2 * (40.75 - 9) + 2.5 * 3) * 8 * 0.625 * 1000)
    # Standby less 9 mA; VPP draws the same in every state.
    typical = event_energy(config, "typical").active_power_down_cycle
    assert typical == pytest.approx(0.58 * (1.2 * (37 - 9) + 2.5 * 3) * 8 * 0.625)


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


def test_self_refresh_draws_idd6() -> None:
    config = STANDARDS["ddr4_3200_x64"].config()
    expected = (1.2 * 30 + 2.5 * 3) * 1000 * 8 * 0.625
    assert spent(config, self_refresh_rank_cycles=1000) == pytest.approx(expected)


def test_typical_takes_its_share_of_each_difference() -> None:
    config = device(0.25, 60.0, 36.0, 52.0)
    shares = TypicalShares(0.9, 0.8, 0.7, 0.6, standby=0.5, open_banks=0.3)
    config = replace(config, power=replace(config.power, typical=shares))
    most, typical = event_energy(config, "max"), event_energy(config, "typical")
    volts = 8 * 0.625  # devices and ns of a cycle
    assert typical.activate == pytest.approx(0.9 * most.activate)
    assert typical.read == pytest.approx(0.8 * most.read)
    assert typical.write == pytest.approx(0.7 * most.write)
    assert typical.refresh == pytest.approx(0.6 * most.refresh)
    idle = 0.5 * (1.2 * 36 + 2.5 * 3) * volts
    assert typical.idle_cycle == pytest.approx(idle)
    assert typical.active_cycle == pytest.approx(idle + 0.25 * 0.3 * 1.2 * 16 * volts)
    assert typical.open_bank_cycle == pytest.approx(0.75 / 16 * 0.3 * 1.2 * 16 * volts)
    assert typical.self_refresh_cycle == pytest.approx(0.5 * most.self_refresh_cycle)


@pytest.mark.parametrize("name", ["ddr4_3200_x64", "hbm2_2000_x64"])
def test_a_bit_of_a_stream_carries_the_standby_of_all_banks(name: str) -> None:
    config = STANDARDS[name].config()
    standby = bit_energy(config, "max", 128).standby * 8 * config.line_bytes
    assert standby == pytest.approx(drawn(config, "IDD3N", config.timing.burst_cycles))


def test_reports_price_each_open_bank() -> None:
    """One read of DDR4-2400 x16: one of eight banks stays open, at 34 + 0.3 x 13 and 3 mA."""
    config = STANDARDS["ddr4_2400_x16"].config()
    result = replay(config, Requests(np.array([0]), np.array([0]), np.array([0])))
    report = replay_report(result, config, 0.0)
    n = result.active_rank_cycles
    expected = (1.2 * (34 + 0.3 * 13) + 2.5 * 3) * n * 5 / 6
    assert report["energy_pj"]["active_standby"] == pytest.approx(expected)
    assert report["io_pj"] == pytest.approx(0.5 * 1.44 / 94 * 5 / 12 * 1000 * 128)
    assert report["phy_pj"] == pytest.approx(1.5 * 128)


def test_the_character_of_a_memory_prices_each_open_bank() -> None:
    config = STANDARDS["hbm2_2000_x64"].config()
    point = characterise(config, "max", n_requests=300).patterns[0]
    result = replay(config, PATTERNS[point.pattern](config, 300))
    standby = (
        replay_report(result, config, 0.0)["energy_pj"][key]
        for key in ("active_standby", "precharge_standby")
    )
    bits = 300 * 8 * config.line_bytes
    assert point.energy_pj_per_bit["dram_background"] == pytest.approx(sum(standby) / bits)


def test_currents_of_vpp_are_shown_with_their_own_source() -> None:
    shown = {value.key: value.source for value in dram_values(STANDARDS["ddr4_3200_x64"])}
    assert "IPP0" in shown["power.VPP.IDD0"] and "IPP0" not in shown["power.VDD.IDD0"]


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
