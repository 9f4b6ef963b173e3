"""Every statistic of DRAMsim3's own runs against ours, from a folder of its results.

Run as ``python benchmarks/validation/dramsim3.py [FOLDER] [--dramsim3 PROGRAM]``, without a
folder on the small runs of the tests. FOLDER holds ``configs/*.ini``,
``traces/PATTERN.SIZE.npz`` and ``results_dramsim3.csv`` (DRAMsim3's statistics by config,
pattern, size and req_bytes; energies in its V x mA x cycles). With a built ``dramsim3main``
each run is repeated there, and compared command for command if it was built with
``cmake -DCMD_TRACE=1``; then the recorded variants of the tests are, too. Exit code 1 when
anything differs.
"""

from __future__ import annotations

import csv
import sys
import warnings
from argparse import ArgumentParser
from math import isclose
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from dramsim3_program import our_commands, run_dramsim3, totals

from accelsim.dram.ini_files.read import read_ini
from accelsim.dram.replay import replay
from accelsim.dram.traces.requests import Requests, read_requests
from accelsim.energy.replay_report import replay_energy_pj

SMALL = Path(__file__).parents[2] / "tests" / "data" / "dram"
PRINTED = 1e-9
"""Relative: DRAMsim3 prints its floats whole; a tolerance for the order of a sum only."""


def rows_of(folder: Path) -> list[dict[str, str]]:
    """One row for each run; repetitions for timing are the same run."""
    names = [folder / "results_dramsim3.csv", folder / "dramsim3_small.csv"]
    path = next(p for p in names if p.is_file())
    with path.open() as file:
        found = {
            (r["config"], r["pattern"], r["size"], r["req_bytes"]): r for r in csv.DictReader(file)
        }
    return list(found.values())


def differences(folder: Path, row: dict[str, str]) -> list[str]:
    """What of one run is not equal: ``name ours theirs``."""
    config, _ = read_ini(folder / "configs" / f"{row['config'].split('(')[0]}.ini")
    trace = folder / "traces" / f"{row['pattern']}.{row['size']}.npz"
    result = replay(config, read_requests(trace, config, int(float(row["req_bytes"]))))
    tck = config.timing.tCK_ns
    energy = replay_energy_pj(result, config)
    ours_theirs = {
        "cycles": (result.cycles, row["cycles"]),
        "reads": (result.reads, row["num_read_cmds"]),
        "writes": (result.writes, row["num_write_cmds"]),
        "activates": (result.activates, row["num_act_cmds"]),
        "precharges": (result.precharges, row["num_pre_cmds"]),
        "refreshes": (result.refreshes, row["num_ref_cmds"]),
        "residual writes": (result.residual_writes, row["resid_writes"]),
        "latency": (result.average_read_latency_cycles, row["avg_read_latency"]),
        "energy": (energy["total"], float(row["total_energy"]) * tck),
        "read energy": (energy["read"], float(row["read_energy"]) * tck),
        "refresh energy": (energy["refresh"], float(row["ref_energy"]) * tck),
        "active standby": (energy["active_standby"], float(row["act_stb_energy"]) * tck),
    }
    hits = float(row["num_read_row_hits"]) + float(row["num_write_row_hits"])
    ours_theirs["row hits"] = (result.row_hits, hits)
    return [
        f"{name} {ours} {theirs}"
        for name, (ours, theirs) in ours_theirs.items()
        if not isclose(float(ours), float(theirs or 0), rel_tol=PRINTED)
    ]


def live_differences(program: Path, ini: Path, requests: Requests) -> tuple[list[str], int]:
    """What differs between DRAMsim3 run now and our replay, and the commands compared."""
    config, _ = read_ini(ini)
    ours = replay(config, requests, record_commands=True)
    theirs = run_dramsim3(program, ini, requests, ours.cycles)
    if theirs.error:
        return [f"DRAMsim3 stopped: {theirs.error}"], 0
    found = []
    for channel, commands in enumerate(theirs.commands):
        mine = our_commands(ours, channel)
        if mine != commands:
            same = (
                k for k, pair in enumerate(zip(mine, commands, strict=False)) if len(set(pair)) > 1
            )
            found.append(f"channel {channel} from command {next(same, len(mine))} on")
    energy = replay_energy_pj(ours, config)
    its = totals(theirs.statistics)
    for name, value, other in (
        ("reads", ours.reads, its["num_read_cmds"]),
        ("activates", ours.activates, its["num_act_cmds"]),
        ("refreshes", ours.refreshes, its["num_ref_cmds"] + its["num_refb_cmds"]),
        ("active cycles", ours.active_rank_cycles, its["rank_active_cycles"]),
        ("self-refresh cycles", ours.self_refresh_rank_cycles, its["sref_cycles"]),
        ("energy", energy["total"], its["total_energy"] * config.timing.tCK_ns),
    ):
        if not isclose(value, other, rel_tol=PRINTED):
            found.append(f"{name} {value} {other}")
    return found, sum(map(len, theirs.commands))


def live(program: Path, folder: Path) -> bool:
    """Run DRAMsim3 on the stored runs of ``folder`` and on all variants; True if all agree."""
    runs = []
    for row in rows_of(folder):
        ini = folder / "configs" / f"{row['config'].split('(')[0]}.ini"
        trace = folder / "traces" / f"{row['pattern']}.{row['size']}.npz"
        runs.append((ini, trace, int(float(row["req_bytes"]))))
    for ini in sorted((SMALL / "variants").glob("*.ini")):
        for trace in sorted((SMALL / "variants").glob("*.npz")):
            if (ini.parent / f"{ini.stem}.{trace.stem}.csv.gz").is_file():
                runs.append((ini, trace, read_ini(ini)[0].line_bytes))
    n_wrong = n_commands = 0
    for ini, trace, line_bytes in runs:
        requests = read_requests(trace, read_ini(ini)[0], line_bytes)
        wrong, n = live_differences(program, ini, requests)
        n_commands, n_wrong = n_commands + n, n_wrong + bool(wrong)
        if wrong:
            print(ini.stem, trace.stem, "; ".join(wrong))
    print(f"run now: {len(runs)} runs, {n_commands} commands, {n_wrong} with a difference")
    return n_wrong == 0


def main() -> int:
    parser = ArgumentParser(description="DRAMsim3's results beside ours")
    parser.add_argument("folder", nargs="?", type=Path, default=SMALL)
    parser.add_argument("--dramsim3", type=Path, help="a built dramsim3main, to run now")
    options = parser.parse_args()
    folder = options.folder
    warnings.simplefilter("ignore")
    by_size: dict[str, list[int]] = {}
    for row in rows_of(folder):
        wrong = differences(folder, row)
        counts = by_size.setdefault(row["size"], [0, 0])
        counts[0] += 1
        counts[1] += bool(wrong)
        if wrong:
            print(row["config"], row["pattern"], row["size"], "; ".join(wrong))
    for size, (n, n_wrong) in by_size.items():
        print(f"{size}: {n} runs, {n_wrong} with a difference")
    agrees = not any(n_wrong for _, n_wrong in by_size.values())
    if options.dramsim3 is not None:
        agrees &= live(options.dramsim3.resolve(), folder)
    return int(not agrees)


if __name__ == "__main__":
    raise SystemExit(main())
