"""Against DRAMsim3 itself: every command, every count, every digit of energy."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from accelsim.dram.config import DramConfig
from accelsim.dram.kernel import queues
from accelsim.dram.replay import replay
from accelsim.energy.replay_report import replay_energy_pj
from tests.dram import golden


@pytest.mark.parametrize("name", golden.COMMAND_TRACES)
def test_every_command_is_the_one_that_dramsim3_issued(name: str) -> None:
    assert golden.our_trace(golden.replay_golden(name)) == golden.command_trace(name)


@pytest.mark.parametrize(
    "row", golden.statistics(), ids=lambda row: f"{row['config']}-{row['pattern']}"
)
def test_counts_and_energy_are_those_that_dramsim3_printed(row: dict[str, str]) -> None:
    config = golden.config(row["config"])
    trace = golden.requests(row["pattern"], config, int(float(row["req_bytes"])))
    result = replay(config, trace)
    assert result.cycles == float(row["cycles"])
    assert result.reads == float(row["num_read_cmds"])
    assert result.writes == float(row["num_write_cmds"])
    assert result.activates == float(row["num_act_cmds"])
    assert result.precharges == float(row["num_pre_cmds"])
    assert result.refreshes == float(row["num_ref_cmds"])
    hits = float(row["num_read_row_hits"]) + float(row["num_write_row_hits"])
    assert result.row_hits == hits
    assert result.residual_writes == float(row["resid_writes"])
    assert result.active_rank_cycles == float(row["rank_active_cycles"])
    assert result.idle_rank_cycles == float(row["all_bank_idle_cycles"])
    # DRAMsim3 prints six significant digits of this mean.
    latency = result.average_read_latency_cycles
    assert latency == pytest.approx(float(row["avg_read_latency"]), rel=1e-5)
    keys = {
        "activate": "act_energy",
        "read": "read_energy",
        "write": "write_energy",
        "refresh": "ref_energy",
        "active_standby": "act_stb_energy",
        "precharge_standby": "pre_stb_energy",
        "total": "total_energy",
    }
    # DRAMsim3 prints V mA cycles, which it calls picojoules; times tCK they are.
    ours = replay_energy_pj(result, config)
    for key, theirs in keys.items():
        in_pj = float(row[theirs]) * config.timing.tCK_ns
        assert ours[key] == pytest.approx(in_pj, rel=1e-12, abs=1e-9), key


def with_timing(**changes: int) -> Callable[[DramConfig], DramConfig]:
    return lambda config: replace(config, timing=replace(config.timing, **changes))


FAULTS = {
    "no tFAW": (with_timing(tFAW=0), "DDR4_8Gb_x8_3200.f_rndmix"),
    "no tWTR_L": (with_timing(tWTR_L=0), "DDR4_8Gb_x8_3200.f_rndmix"),
    "no tWTR_S": (with_timing(tWTR_S=0), "HBM2_8Gb_x128_1ch.f_rndmix"),
    "no tRTRS": (with_timing(tRTRS=0), "DDR4_8Gb_x8_3200.f_rndmix"),
    "no tRTP": (with_timing(tRTP=0), "DDR4_8Gb_x8_3200.c_3stream"),
    "no tWR": (with_timing(tWR=0), "DDR4_8Gb_x8_3200.c_3stream"),
    "no tRRD_L": (with_timing(tRRD_L=4), "DDR4_8Gb_x8_3200.f_rndmix"),
    "no tPPD": (with_timing(tPPD=0), "LPDDR4_8Gb_x16_2400_bus32.f_rndmix"),
    "short tRFC": (with_timing(tRFC=100), "DDR4_8Gb_x8_3200.g_sparse200ns"),
    "late refresh": (with_timing(tREFI=13000), "DDR4_8Gb_x8_3200.h_idle20us"),
    "one command": (
        lambda c: replace(c, controller=replace(c.controller, dual_command=False)),
        "HBM2_8Gb_x128_1ch.f_rndmix",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str) -> None:
    change, name = FAULTS[fault]
    broken = change(golden.config(name.rsplit(".", 1)[0]))
    assert golden.our_trace(golden.replay_golden(name, broken)) != golden.command_trace(name)


def test_the_row_hit_cap_is_four() -> None:
    assert queues.ROW_HIT_CAP == 4
