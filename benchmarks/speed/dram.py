"""How fast request traces are replayed: medians on one core, warm, beside their goals.

Run as ``python benchmarks/speed/dram.py``. Streams and uniformly random reads saturate the
memory; sparse and idle traffic mostly skips time.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np

from accelsim.dram.config import DramConfig
from accelsim.dram.replay import replay
from accelsim.dram.requests import Requests
from accelsim.dram.standard import STANDARDS

N = 100_000


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


def main() -> None:
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
