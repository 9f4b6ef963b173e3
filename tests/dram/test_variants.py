"""DRAMsim3's own commands where its shipped files do not go, self-refresh included.

Recorded by ``benchmarks/validation/record_dramsim3.py``: closed page, per-rank and unified
queues, all refresh policies, 1 to 8 channels, odd queue sizes, every data rate.
"""

import csv
import gzip
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from accelsim.dram.command import COMMANDS
from accelsim.dram.config import DramConfig
from accelsim.dram.ini_files.read import read_ini
from accelsim.dram.replay import ReplayResult, replay
from accelsim.dram.traces.requests import read_requests
from accelsim.energy.replay_report import replay_energy_pj
from tests.dram import golden
from tests.dram.uncompiled import use_plain_python

DATA = golden.DATA / "variants"


def statistics() -> list[dict[str, str]]:
    with (DATA / "statistics.csv").open() as file:
        return list(csv.DictReader(file))


def run_id(row: dict[str, str]) -> str:
    return f"{row['name']}.{row['pattern']}"


@cache
def config(name: str) -> DramConfig:
    return read_ini(DATA / f"{name}.ini")[0]


def replayed(row: dict[str, str], changed: DramConfig | None = None) -> ReplayResult:
    own = config(row["name"])
    requests = read_requests(DATA / f"{row['pattern']}.npz", own, own.line_bytes)
    return replay(changed or own, requests, record_commands=True)


def theirs(row: dict[str, str]) -> list[list[str]]:
    """(channel, cycle, command, rank, bankgroup, bank, row, col), channel after channel."""
    with gzip.open(DATA / f"{run_id(row)}.csv.gz", "rt") as file:
        return list(csv.reader(file))


def ours(result: ReplayResult) -> list[list[str]]:
    rows = [
        [channel, cycle, COMMANDS[code], *where]
        for cycle, code, channel, *where in result.commands.tolist()
    ]
    rows.sort(key=lambda row: row[0])  # stable: a channel's commands keep their order
    return [[str(value) for value in row] for row in rows]


each_run = pytest.mark.parametrize("row", statistics(), ids=run_id)


@each_run
def test_every_command_is_the_one_that_dramsim3_issued(row: dict[str, str]) -> None:
    assert ours(replayed(row)) == theirs(row)


@each_run
def test_counts_and_energy_are_those_that_dramsim3_printed(row: dict[str, str]) -> None:
    result, its = replayed(row), {key: float(row[key]) for key in list(row)[2:]}
    assert result.cycles == its["cycles"]
    assert (result.reads, result.writes) == (its["num_read_cmds"], its["num_write_cmds"])
    assert (result.activates, result.precharges) == (its["num_act_cmds"], its["num_pre_cmds"])
    assert result.refreshes == its["num_ref_cmds"] + its["num_refb_cmds"]
    assert result.row_hits == its["num_read_row_hits"] + its["num_write_row_hits"]
    assert result.active_rank_cycles == its["rank_active_cycles"]
    assert result.idle_rank_cycles == its["all_bank_idle_cycles"]
    assert result.self_refresh_rank_cycles == its["sref_cycles"]
    energy = replay_energy_pj(result, config(row["name"]))
    in_pj = {key: value * config(row["name"]).timing.tCK_ns for key, value in its.items()}
    parts = {
        "activate": in_pj["act_energy"],
        "read": in_pj["read_energy"],
        "write": in_pj["write_energy"],
        "refresh": in_pj["ref_energy"] + in_pj["refb_energy"],
        "active_standby": in_pj["act_stb_energy"],
        "precharge_standby": in_pj["pre_stb_energy"],
        "active_power_down": 0.0,  # which DRAMsim3 does not know
        "precharge_power_down": 0.0,
        "self_refresh": in_pj["sref_energy"],
        "total": in_pj["total_energy"],
    }
    assert energy == pytest.approx(parts, rel=1e-12, abs=1e-9)


def test_the_record_holds_every_command_and_all_sorts_of_memory() -> None:
    seen = {command for row in statistics() for _, _, command, *_ in theirs(row)}
    assert seen == set(COMMANDS) - {"precharge_all"}  # which only Ramulator's controller issues
    configs = [config(row["name"]) for row in statistics()]
    assert {c.organisation.channels for c in configs} == {1, 2, 4, 8}
    assert len({c.protocol for c in configs}) == 9
    for key in ("page_policy", "queue_structure", "refresh_policy", "unified_queue"):
        assert len({getattr(c.controller, key) for c in configs}) >= 2, key
    assert len({c.controller.address_map for c in configs}) == 5


def timing(**changes: int) -> Callable[[DramConfig], DramConfig]:
    return lambda c: replace(c, timing=replace(c.timing, **changes))


def controller(**changes: object) -> Callable[[DramConfig], DramConfig]:
    return lambda c: replace(c, controller=replace(c.controller, **changes))  # type: ignore[arg-type]


FAULTS: dict[str, tuple[str, Callable[[DramConfig], DramConfig]]] = {
    "short tXS": ("ddr4_sleep", timing(tXS=575)),
    "sleeps a cycle too early": ("ddr4_sleep", controller(self_refresh_cycles=999)),
    "sleeps again, as standards allow": ("ddr4_sleep", lambda c: replace(c, compat="none")),
    "auto-precharge counts the burst once": (
        "ddr4_close",
        lambda c: replace(c, compat="none"),
    ),
    "one bank is refreshed too late": ("ddr4_by_bank", timing(tREFIb=700)),
    "others wait too shortly for its refresh": ("ddr4_by_bank", timing(tRFC=559)),
    "a refreshed bank waits for its activate": (
        "ddr4_by_bank_close",
        lambda c: replace(c, compat="none", timing=replace(c.timing, tRFCb=1, tREFIb=160)),
    ),
    "two commands in a clock": ("hbm2_one_command", controller(dual_command=True)),
    "a longer burst": ("gddr5x", timing(burst_cycles=3)),
    "no 32-activate window": ("gddr5_one_group", timing(t32AW=0, tFAW=0)),
    "another map": ("hbm2_8ch", controller(address_map="rochracobabg")),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str) -> None:
    name, change = FAULTS[fault]
    row = next(row for row in statistics() if row["name"] == name)
    assert ours(replayed(row, change(config(name)))) != theirs(row)


def test_a_rank_does_not_sleep_while_a_refresh_waits_for_it() -> None:
    """DRAMsim3 lets it, and stops with an error in the next cycle."""
    row = next(row for row in statistics() if row["name"] == "ddr4_sleep_by_bank")
    late = controller(self_refresh_cycles=1000)(config(row["name"]))
    # Bank 0 of rank 0 is refreshed at 488; the next bank, due at 976, waits for tREFI.
    entries = [r for r in ours(replayed(row, late)) if r[2] == "self_refresh_enter"]
    assert [(r[1], r[3]) for r in entries] == [("999", "1")]


@pytest.mark.parametrize("name", ["ddr4_sleep", "ddr4_sleep_simultaneous", "ddr4_sleep_by_bank"])
def test_compiled_and_plain_python_agree(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = next(row for row in statistics() if row["name"] == name)
    compiled = replayed(row)
    use_plain_python(monkeypatch)
    plain = replayed(row)
    np.testing.assert_array_equal(compiled.commands, plain.commands)
    assert compiled.self_refresh_rank_cycles == plain.self_refresh_rank_cycles
