"""Every statistic of Ramulator 2.1's own runs against ours, from a folder of its results.

Run as ``python benchmarks/validation/ramulator2.py FOLDER``, or without a folder on the small
runs of the tests. FOLDER holds ``configs/DDR4_8Gb_x8_3200_1rank.ini``,
``traces/PATTERN.SIZE.npz`` and ``results_ramulator2.csv`` (Ramulator's statistics; compared
are the rows of ``DDR4_matched``, whose timing is that of the file, under FRFCFS-RowHit).
Exit code 1 when any figure differs.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from dataclasses import replace
from math import isclose
from pathlib import Path

import numpy as np

from accelsim.dram.command import COMMANDS, Log
from accelsim.dram.config import DramConfig
from accelsim.dram.ini_files.read import read_ini
from accelsim.dram.replay import replay
from accelsim.dram.traces.requests import Requests, read_requests

SMALL = Path(__file__).parents[2] / "tests" / "data" / "dram"
CONFIG = "DDR4_8Gb_x8_3200_1rank.ini"
PRINTED = 1e-4
"""Absolute: the mean latency is printed with four decimals."""


def rows_of(folder: Path) -> list[dict[str, str]]:
    """One row for each run: repetitions, made for their time, may lack figures."""
    names = [folder / "results_ramulator2.csv", folder / "ramulator2_small.csv"]
    path = next(p for p in names if p.is_file())
    with path.open() as file:
        wanted = ("DDR4_matched", "FRFCFSRowHit")
        rows = [r for r in csv.DictReader(file) if (r["config"], r["scheduler"]) == wanted]
    return [row for row in rows if row.get("rep", "0") == "0"]


def requests_as_sent(path: Path, config: DramConfig) -> Requests:
    """The trace as Ramulator's driver sent it: it divides by tCK in single precision."""
    with np.load(path) as trace:
        t_ns = trace["t_ns"].astype(np.float64)
    cycle = np.ceil(t_ns / float(np.float32(config.timing.tCK_ns))).astype(np.int64)
    return replace(read_requests(path, config, 64), arrival_cycle=cycle)


def differences(folder: Path, row: dict[str, str]) -> list[str]:
    """What of one run is not equal: ``name ours theirs``."""
    config, _ = read_ini(folder / "configs" / CONFIG)
    trace = requests_as_sent(folder / "traces" / f"{row['pattern']}.{row['size']}.npz", config)
    result = replay(config, trace, record_commands=True, controller="ramulator")
    issued = Counter(COMMANDS[code] for code in result.commands[:, Log.COMMAND].tolist())
    ours = {
        "cycles": result.cycles,
        "avg_read_latency": result.average_read_latency_cycles,
        "row_hits": result.row_hits,
        "row_misses": result.row_misses or 0,
        "row_conflicts": result.row_conflicts or 0,
        "ACT": result.activates,
        "PREpb": issued["precharge"],
        "PREab": issued["precharge_all"],
        "RD": result.reads,
        "WR": result.writes,
        "REFab": result.refreshes,
    }
    return [
        f"{name} {value} {row[name]}"
        for name, value in ours.items()
        if not isclose(value, float(row[name]), rel_tol=0, abs_tol=PRINTED)
    ]


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SMALL
    by_size: dict[str, list[int]] = {}
    for row in rows_of(folder):
        wrong = differences(folder, row)
        counts = by_size.setdefault(row["size"], [0, 0])
        counts[0] += 1
        counts[1] += bool(wrong)
        if wrong:
            print(row["pattern"], row["size"], "; ".join(wrong))
    for size, (n, n_wrong) in by_size.items():
        print(f"{size}: {n} runs, {n_wrong} with a difference")
    return int(any(n_wrong for _, n_wrong in by_size.values()))


if __name__ == "__main__":
    raise SystemExit(main())
