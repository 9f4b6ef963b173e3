"""How fast request traces are replayed, on one core, warm, beside goals and other simulators.

Run as ``python benchmarks/speed/dram.py``. With ``--dramsim3 PROGRAM`` (``dramsim3main`` built
without command traces) and ``--ramulator2 DRIVER`` (``benchmarks/ramulator2_driver.cpp`` built
against Ramulator 2.1) the same requests run there in turn with ours, CPU seconds beside CPU
seconds, medians; theirs include reading the trace. ``--record`` keeps their figures in
``dram_peers.csv``, which stand in for the programs where there are none.
"""

from __future__ import annotations

import csv
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from statistics import geometric_mean, median
from time import process_time
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from dramsim3_program import COMMIT as DRAMSIM3_COMMIT
from dramsim3_program import run_dramsim3
from ramulator2_program import COMMIT as RAMULATOR2_COMMIT
from ramulator2_program import run_ramulator2

from accelsim.dram.config import DramConfig
from accelsim.dram.ini_files.read import read_ini
from accelsim.dram.parameters import ControllerName
from accelsim.dram.replay import replay
from accelsim.dram.standard import STANDARDS
from accelsim.dram.traces.patterns import PATTERNS, at_load
from accelsim.dram.traces.requests import Requests

N = 100_000
RECORD = Path(__file__).with_name("dram_peers.csv")
CONFIGS = Path(__file__).parents[2] / "tests" / "data" / "dram" / "configs"
IMPORTED = (
    "DDR3_8Gb_x8_1600",
    "DDR4_8Gb_x8_2400",
    "DDR4_8Gb_x8_3200",
    "DDR4_8Gb_x8_3200_1rank",
    "DDR4_8Gb_x8_3200_1rank_bglow",
    "GDDR6_8Gb_x16_bus32",
    "HBM2_8Gb_x128_1ch",
    "HBM2_8Gb_x128",
    "LPDDR4_8Gb_x16_2400_bus32",
)
MATCHED = "DDR4_8Gb_x8_3200_1rank"
"""Whose timing Ramulator's configuration has."""


class Goal(NamedTuple):
    """Least figure on DDR4-3200 x64, in millions a second."""

    pattern: str
    counts: str
    least: float


GOALS = (
    Goal("stream read", "lines", 4),
    Goal("stream write", "lines", 4),
    Goal("random read", "lines", 2.5),
    Goal("one in 200 ns", "cycles", 800),
    Goal("one in 20 us", "cycles", 10_000),
)


class Row(NamedTuple):
    """One run of both. Seconds are medians of CPU time."""

    simulator: str
    commit: str
    memory: str
    pattern: str
    theirs_s: float
    ours_s: float


def sparse(config: DramConfig, n: int) -> Requests:
    """A tenth as many lines of a stream, one each 200 ns."""
    n //= 10
    return at_load(config, np.arange(n), np.zeros(n), 200 / config.timing.tCK_ns)


def idle(config: DramConfig, n: int) -> Requests:
    """A hundredth as many lines, one each 20 us."""
    n //= 100
    return at_load(config, np.arange(n) * 131, np.zeros(n), 20_000 / config.timing.tCK_ns)


ALL = {
    **PATTERNS,
    "one in 200 ns": sparse,
    "one in 20 us": idle,
}


def median_seconds(action: Callable[[], object], n_runs: int) -> float:
    """CPU seconds of warm runs."""
    action()
    times = []
    for _ in range(n_runs):
        start = process_time()
        action()
        times.append(process_time() - start)
    return median(times)


def beside(
    n_runs: int,
    config: DramConfig,
    sent: Requests,
    controller: ControllerName,
    theirs: Callable[[int], float],
) -> tuple[float, float]:
    """Median CPU seconds of (theirs, ours), run in turn."""
    cycles = replay(config, sent, controller=controller).cycles
    own, other = [], []
    for _ in range(n_runs):
        own.append(median_seconds(lambda: replay(config, sent, controller=controller), 1))
        other.append(theirs(cycles))
    return median(other), median(own)


def measure_peers(dramsim3: Path | None, ramulator2: Path | None, n_runs: int) -> list[Row]:
    """Every memory and pattern on the programs that there are."""
    rows = []
    for name in IMPORTED:
        ini = CONFIGS / f"{name}.ini"
        config, _ = read_ini(ini)
        for pattern, make in ALL.items():
            sent = make(config, N)
            if dramsim3 is not None:

                def on_dramsim3(cycles: int, ini: Path = ini, sent: Requests = sent) -> float:
                    return run_dramsim3(dramsim3, ini, sent, cycles).cpu_seconds

                pair = beside(n_runs, config, sent, "dramsim3", on_dramsim3)
                rows.append(Row("DRAMsim3", DRAMSIM3_COMMIT, name, pattern, *pair))
                print_row(rows[-1])
            if ramulator2 is not None and name == MATCHED:

                def on_ramulator2(cycles: int, sent: Requests = sent) -> float:
                    return run_ramulator2(ramulator2, sent, cycles)

                pair = beside(n_runs, config, sent, "ramulator", on_ramulator2)
                rows.append(Row("Ramulator 2.1", RAMULATOR2_COMMIT, name, pattern, *pair))
                print_row(rows[-1])
    return rows


def recorded_peers(n_runs: int) -> list[Row]:
    """Their recorded figures, beside ours of today."""
    rows = []
    with RECORD.open(newline="") as file:
        for line in csv.DictReader(file):
            config, _ = read_ini(CONFIGS / f"{line['memory']}.ini")
            sent = ALL[line["pattern"]](config, N)
            controller: ControllerName = (
                "dramsim3" if line["simulator"] == "DRAMsim3" else "ramulator"
            )

            def run(
                c: DramConfig = config, r: Requests = sent, k: ControllerName = controller
            ) -> object:
                return replay(c, r, controller=k)

            ours_s = median_seconds(run, n_runs)
            rows.append(Row(**(line | {"theirs_s": float(line["theirs_s"]), "ours_s": ours_s})))
            print_row(rows[-1])
    return rows


def print_row(row: Row) -> None:
    print(
        f"{row.simulator:<15}{row.memory:<32}{row.pattern:<22}"
        f"{row.theirs_s:>9.2f}{row.ours_s:>9.4f}{row.theirs_s / row.ours_s:>8.0f}",
        flush=True,
    )


def print_summary(rows: list[Row]) -> None:
    for simulator in dict.fromkeys(row.simulator for row in rows):
        ratios = [r.theirs_s / r.ours_s for r in rows if r.simulator == simulator]
        print(
            f"{simulator}: {len(ratios)} runs, {geometric_mean(ratios):.0f} times in the "
            f"geometric mean, {min(ratios):.0f} at least"
        )


def print_goals(n_runs: int) -> None:
    config = STANDARDS["ddr4_3200_x64"].config()
    print(f"{'DDR4-3200 x64':<22}{'M lines/s':>10}{'M cycles/s':>12}  goal")
    for goal in GOALS:
        sent = ALL[goal.pattern](config, N)
        took = median_seconds(lambda r=sent: replay(config, r), n_runs)
        lines, cycles = len(sent) / took / 1e6, replay(config, sent).cycles / took / 1e6
        met = (lines if goal.counts == "lines" else cycles) >= goal.least
        print(
            f"{goal.pattern:<22}{lines:>10.2f}{cycles:>12.0f}  "
            f"{goal.least:g} M {goal.counts}/s: {'met' if met else 'MISSED'}"
        )


def main() -> None:
    parser = ArgumentParser(description="Speed of trace replay")
    parser.add_argument("--dramsim3", type=Path, help="a built dramsim3main to measure, too")
    parser.add_argument("--ramulator2", type=Path, help="a built ramulator2_driver, too")
    parser.add_argument("--runs", type=int, default=3, help="runs of which the median is taken")
    parser.add_argument("--record", action="store_true", help="keep the programs' figures")
    options = parser.parse_args()
    programs = [p.resolve() if p else None for p in (options.dramsim3, options.ramulator2)]
    print_goals(options.runs + 2)
    print(f"\n{'simulator':<15}{'memory':<32}{'pattern':<22}{'its s':>9}{'our s':>9}{'times':>8}")
    measured = any(programs)
    rows = measure_peers(*programs, options.runs) if measured else recorded_peers(options.runs)
    print_summary(rows)
    if options.record and measured:
        with RECORD.open("w", newline="") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(Row._fields)
            out.writerows([*row[:4], f"{row.theirs_s:.3f}", f"{row.ours_s:.5f}"] for row in rows)


if __name__ == "__main__":
    main()
