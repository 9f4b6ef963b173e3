"""Against Ramulator 2.1 itself: every command, every figure that it printed."""

import csv
import gzip
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from accelsim.dram.command import COMMANDS, Log
from accelsim.dram.config import DramConfig
from accelsim.dram.legality import check
from accelsim.dram.traces.requests import Requests
from tests.dram import golden
from tests.dram.judging import assert_legal
from tests.dram.test_ramulator import MATCHED, T, replay, with_timing
from tests.dram.test_replay import with_controller


def statistics() -> list[dict[str, str]]:
    with (golden.DATA / "ramulator2_small.csv").open() as file:
        return list(csv.DictReader(file))


def golden_requests(pattern: str) -> Requests:
    """Requests as Ramulator's driver sent them: it divided by tCK in single precision."""
    requests = golden.requests(pattern, MATCHED)
    with np.load(golden.DATA / "traces" / f"{pattern}.small.npz") as trace:
        t_ns = trace["t_ns"].astype(np.float64)
    cycle = np.ceil(t_ns / float(np.float32(T.tCK_ns))).astype(np.int64)
    return replace(requests, arrival_cycle=cycle)


def figures(config: DramConfig, pattern: str) -> dict[str, float]:
    """What Ramulator prints, under its names."""
    result = replay(config, golden_requests(pattern))
    issued = Counter(COMMANDS[code] for code in result.commands[:, Log.COMMAND].tolist())
    return {
        "cycles": result.cycles,
        "row_hits": result.row_hits,
        "row_misses": result.row_misses or 0,
        "row_conflicts": result.row_conflicts or 0,
        "ACT": result.activates,
        "PREpb": issued["precharge"],
        "PREab": issued["precharge_all"],
        "RD": result.reads,
        "WR": result.writes,
        "REFab": result.refreshes,
        "avg_read_latency": round(result.average_read_latency_cycles, 4),
    }


@pytest.mark.parametrize("row", statistics(), ids=lambda row: str(row["pattern"]))
def test_every_figure_is_the_one_that_ramulator_printed(row: dict[str, str]) -> None:
    ours = figures(MATCHED, row["pattern"])
    assert ours == {key: float(row[key]) for key in ours}


VARIANTS = {
    "one_rank": MATCHED,
    "two_ranks": replace(
        MATCHED,
        organisation=replace(MATCHED.organisation, ranks=2),
        controller=replace(MATCHED.controller, address_map="chrobabgraco"),
    ),
    # The controller of Ramulator's HBM2, with the timing of DDR4_matched.
    "two_buses": with_controller(MATCHED, dual_command=True),
}
NAMES = {
    "ACT": "activate",
    "PREpb": "precharge",
    "PREab": "precharge_all",
    "RD": "read",
    "WR": "write",
    "REFab": "refresh",
}
COMMAND_TRACES = sorted((golden.DATA / "ramulator2_commands").glob("*.csv.gz"))


@pytest.mark.parametrize("path", COMMAND_TRACES, ids=lambda path: path.name.split(".csv")[0])
def test_every_command_is_the_one_that_ramulator_issued(path: Path) -> None:
    variant, pattern = path.name.removesuffix(".csv.gz").split(".")
    ours = replay(VARIANTS[variant], golden_requests(pattern)).commands
    with gzip.open(path, "rt") as file:
        rows = list(csv.reader(file))[1:]
    # Ramulator's clock is one ahead of ours.
    theirs = [
        [int(clock) - 1, COMMANDS.index(NAMES[name]), 0, *(int(value) for value in where)]
        for clock, name, *where in rows
    ]
    assert ours.tolist() == theirs


@pytest.mark.parametrize("path", COMMAND_TRACES, ids=lambda path: path.name.split(".csv")[0])
def test_what_ramulator_issued_is_legal_but_for_turns_between_ranks(path: Path) -> None:
    variant, pattern = path.name.removesuffix(".csv.gz").split(".")
    config = VARIANTS[variant]
    commands = replay(config, golden_requests(pattern)).commands
    if variant == "one_rank":
        assert_legal(config, commands)
    elif variant == "two_buses":
        # No DDR4 has them.
        assert check(config, commands) == ()
    else:
        # After BL/2 + 2 clocks a write to another rank meets the burst that is read.
        late = T.CL + T.burst_cycles + T.tRTRS - T.CWL
        for level in ("model", "jedec"):
            found = check(config, commands, level, find_all=True)
            assert {(v.rule, v.required_cycles, v.actual_cycles) for v in found} == {
                ("tRTRS", late, T.burst_cycles + 2)
            }
            assert {(v.first and v.first.command, v.second.command) for v in found} == {
                ("RD", "WR")
            }


@pytest.mark.parametrize(
    "broken",
    [
        with_timing(tFAW=0),
        with_timing(tWTR_L=0),
        with_timing(tRTP=0),
        with_timing(tWR=0),
        with_timing(tRRD_L=4),
        with_timing(tRFC=100),
        with_timing(tREFI=13000),
        # Only Ramulator's own turnaround is two clocks; the file says one.
        replace(MATCHED, compat="none"),
    ],
)
def test_a_planted_fault_is_found(broken: DramConfig) -> None:
    rows = [row for row in statistics() if row["pattern"] in ("f_rndmix", "h_idle20us")]
    found = [
        key
        for row in rows
        for key, ours in figures(broken, row["pattern"]).items()
        if ours != float(row[key])
    ]
    assert found, "the fault changes nothing"
