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
from typing import Any

from accelsim import read_hardware, read_trace, simulate
from accelsim.dram.memory import Completion, Transfer
from accelsim.hardware.chip import Chip
from accelsim.program.table import Kind, Program
from accelsim.sim.machine import Machine
from accelsim.sim.run import memory_of, run
from accelsim.simulation.lanes import with_codec
from accelsim.simulation.prepare import prepare
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


class TimedMemory:
    """A memory that knows how long it was at work: its kernel, and the way into it and out."""

    def __init__(self, program: Program, chip: Chip) -> None:
        self._memory = memory_of(program, chip)
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._memory, name)

    def advance(self, until_fs: int | None) -> list[Completion]:
        start = perf_counter()
        found = self._memory.advance(until_fs)
        self.seconds += perf_counter() - start
        return found

    def submit(self, now_fs: int, transfer: Transfer) -> int:
        start = perf_counter()
        number = self._memory.submit(now_fs, transfer)
        self.seconds += perf_counter() - start
        return number


def memory_seconds(program: Program, chip: Chip) -> float:
    """Seconds in the memory during one simulation."""
    memory = TimedMemory(program, chip)
    Machine(program, chip.core, memory).run()
    return memory.seconds


def design_points(chip: Chip, trace: Trace) -> None:
    """One point in a running process: sizes known, the simulation alone, the memory in it."""
    print(
        "design point, s (goal 0.5)   whole   simulation   memory, M bursts/s (goal 2)   a transfer"
    )
    for codec in CODECS:
        with_this = with_codec(chip, codec)
        program = prepare(with_this, trace).program
        whole = seconds(lambda c=codec: simulate(chip, trace, codec=c))
        played = seconds(lambda p=program, c=with_this: run(p, c))
        in_memory = median([memory_seconds(program, with_this) for _ in range(7)])
        n_bursts = int(program.extents.n_lines.sum())
        n_transfers = int((program.rows.kind == Kind.TRANSFER).sum())
        print(
            f"  {codec:<23}{whole:>8.3f}{played:>13.3f}{n_bursts / in_memory / 1e6:>15.2f}"
            f"{n_bursts / n_transfers:>32.0f}"
        )


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
    whole_commands()


if __name__ == "__main__":
    main()
