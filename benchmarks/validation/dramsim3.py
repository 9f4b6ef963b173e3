"""Every statistic of DRAMsim3's own runs against ours, from a folder of its results.

Run as ``python benchmarks/validation/dramsim3.py FOLDER``, or without a folder on the small
runs of the tests. FOLDER holds ``configs/*.ini``, ``traces/PATTERN.SIZE.npz`` and
``results_dramsim3.csv`` (DRAMsim3's statistics by config, pattern, size and req_bytes;
energies in its V x mA x cycles). Exit code 1 when any figure differs.
"""

from __future__ import annotations

import csv
import sys
import warnings
from math import isclose
from pathlib import Path

from accelsim.dram.ini import read_ini
from accelsim.dram.replay import replay
from accelsim.dram.requests import read_requests
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


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SMALL
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
    return int(any(n_wrong for _, n_wrong in by_size.values()))


if __name__ == "__main__":
    raise SystemExit(main())
