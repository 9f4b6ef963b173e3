"""How fast a design point is: medians of warm runs, beside their goals.

Run as ``python benchmarks/speed/simulation.py``; one core, kernels compiled. Figures are of
SqueezeNet 1.1, one image, on the edge NPU with cycle-level DDR4.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from accelsim import read_hardware, read_trace, simulate
from accelsim.dram.memory import POLICIES, Transfer
from accelsim.hardware.chip import Chip
from accelsim.sim.run import run
from accelsim.simulation import prepare, with_codec
from accelsim.workload.trace import Trace

CODECS = ("raw", "zvc", "zero_rle", "eyeriss_rlc", "huffman")


def seconds(action: Callable[[], object], n_runs: int = 7) -> float:
    """Median of warm runs."""
    action()
    times = []
    for _ in range(n_runs):
        start = perf_counter()
        action()
        times.append(perf_counter() - start)
    return median(times)


def design_points(chip: Chip, trace: Trace) -> None:
    """One point in a running process: sizes known, and the simulation alone."""
    print("design point, s (goal 0.5)          whole   simulation   M bursts/s in it")
    for codec in CODECS:
        with_this = with_codec(chip, codec)
        program = prepare(with_this, trace).program
        whole = seconds(lambda c=codec: simulate(chip, trace, codec=c))
        played = seconds(lambda p=program, c=with_this: run(p, c))
        rate = program.extents.n_lines.sum() / played / 1e6
        print(f"  {codec:<30}{whole:>8.3f}{played:>12.3f}{rate:>16.2f}")


def memory_alone(chip: Chip, lines: int) -> float:
    """M bursts/s of reads and writes in transfers of ``lines``, three streams side by side."""
    config = chip.dram.config
    memory = POLICIES["dramsim3"](config, n_requesters=3, n_labels=1, decoders={})
    n_transfers, now = 200_000 // lines, 0
    pending = {}
    next_line = [0, config.n_lines // 3, 2 * (config.n_lines // 3)]
    start = perf_counter()
    sent = 0
    while sent < n_transfers or pending:
        for stream in range(3):
            if stream not in pending.values() and sent < n_transfers:
                first = np.array([next_line[stream]], np.int64)
                next_line[stream] += lines
                transfer = Transfer(stream, 0, stream == 2, first, np.array([lines], np.int64))
                pending[memory.submit(now, transfer)] = stream
                sent += 1
        for completion in memory.advance(None):
            del pending[completion.transfer]
            now = max(now, completion.done_fs)
    return n_transfers * lines / (perf_counter() - start) / 1e6


def whole_commands() -> None:
    """What a user waits for at the terminal."""
    run_command = ["run", "edge_npu", "squeezenet1_1", "--codec", "zvc", "--json"]
    for goal, arguments in ((0.6, ["--help"]), (2.0, run_command)):
        command = [sys.executable, "-m", "accelsim", *arguments]
        took = seconds(lambda c=command: subprocess.run(c, capture_output=True, check=True), 5)
        print(f"accelsim {' '.join(arguments)}: {took:.2f} s (goal {goal})")
    with tempfile.TemporaryDirectory() as folder:
        fresh = {"ACCELSIM_CACHE_DIR": str(Path(folder))}
        command = [sys.executable, "-m", "accelsim", *run_command]
        start = perf_counter()
        subprocess.run(command, capture_output=True, check=True, env=fresh)
        print(f"first use, everything compiled: {perf_counter() - start:.1f} s (goal 60)")
        for sizes in (Path(folder) / "sizes").iterdir():
            sizes.unlink()
        start = perf_counter()
        subprocess.run(command, capture_output=True, check=True, env=fresh)
        print(f"without the size cache: {perf_counter() - start:.2f} s (goal 6)")
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6
    print(f"peak memory of a command: {peak_mb:.0f} MB (goal 600)")


def main() -> None:
    chip, trace = read_hardware("edge_npu"), read_trace("squeezenet1_1")
    design_points(chip, trace)
    for lines, goal in ((64, "2"), (16, "-")):
        rates = [memory_alone(chip, lines) for _ in range(6)][1:]
        print(f"memory, transfers of {lines} bursts: {median(rates):.2f} M bursts/s (goal {goal})")
    whole_commands()


if __name__ == "__main__":
    main()
