"""How fast request traces are replayed: medians on one core, warm, beside their goals.

Run as ``python benchmarks/speed/dram.py [--dramsim3 PROGRAM]``. Streams and uniformly random
reads saturate the memory; sparse and idle traffic mostly skips time. With a ``dramsim3main``
(built without command traces) the same requests run there, on the same memories, in turn with
ours: CPU seconds beside CPU seconds.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from dramsim3_program import run_dramsim3

from accelsim.dram.config import DramConfig
from accelsim.dram.ini import read_ini
from accelsim.dram.replay import replay
from accelsim.dram.requests import Requests
from accelsim.dram.standard import STANDARDS

N = 100_000
CONFIGS = Path(__file__).parents[2] / "tests" / "data" / "dram" / "configs"
IMPORTED = ("DDR4_8Gb_x8_3200", "HBM2_8Gb_x128_1ch", "LPDDR4_8Gb_x16_2400_bus32")


def requests(lines: np.ndarray, every_ns: float, config: DramConfig) -> Requests:
    """Reads of 64-byte lines, one each ``every_ns`` (0: as soon as accepted)."""
    cycles = np.ceil(np.arange(len(lines)) * every_ns / config.timing.tCK_ns).astype(np.int64)
    return Requests(lines.astype(np.int64) * 64, np.zeros(len(lines), np.int64), cycles)


def patterns(config: DramConfig) -> dict[str, Requests]:
    random = np.random.default_rng(7).integers(0, (1 << 30) // 64, N)
    return {
        "stream": requests(np.arange(N), 0, config),
        "random": requests(random, 0, config),
        "one in 200 ns": requests(np.arange(10_000), 200, config),
        "one in 20 us": requests(np.arange(1_000) * 131, 20_000, config),
    }


def seconds(action: Callable[[], object], n_runs: int = 5) -> float:
    """Median of warm runs."""
    action()
    times = []
    for _ in range(n_runs):
        start = perf_counter()
        action()
        times.append(perf_counter() - start)
    return median(times)


def beside_dramsim3(program: Path, n_runs: int = 3) -> None:
    """CPU seconds of both, one run after the other; the figure is the median."""
    print(f"{'memory':<28}{'pattern':<16}{'ours s':>9}{'DRAMsim3 s':>12}{'times':>7}")
    for name in IMPORTED:
        ini = CONFIGS / f"{name}.ini"
        config, _ = read_ini(ini)
        for pattern, sent in patterns(config).items():
            cycles = replay(config, sent).cycles
            ours, theirs = [], []
            for _ in range(n_runs):
                start = process_time()
                replay(config, sent)
                ours.append(process_time() - start)
                theirs.append(run_dramsim3(program, ini, sent, cycles).cpu_seconds)
            own, other = median(ours), median(theirs)
            print(f"{name:<28}{pattern:<16}{own:>9.4f}{other:>12.2f}{other / own:>7.0f}")


def main() -> None:
    parser = ArgumentParser(description="Speed of trace replay")
    parser.add_argument("--dramsim3", type=Path, help="a built dramsim3main to measure, too")
    program = parser.parse_args().dramsim3
    if program is not None:
        beside_dramsim3(program.resolve())
        return
    print(f"{'replay':<18}{'pattern':<16}{'M lines/s':>10}{'M cycles/s':>12}")
    for name in ("ddr4_3200_x64", "hbm2_2000"):
        config = STANDARDS[name].config()
        for pattern, sent in patterns(config).items():
            took = seconds(lambda c=config, r=sent: replay(c, r))
            cycles = replay(config, sent).cycles
            lines_per_s, cycles_per_s = len(sent) / took / 1e6, cycles / took / 1e6
            print(f"{name:<18}{pattern:<16}{lines_per_s:>10.2f}{cycles_per_s:>12.0f}")


if __name__ == "__main__":
    main()
