"""Replay of request traces that are larger than memory: seconds, and peak memory of the process.

Run as ``python benchmarks/speed/long_traces.py [--requests 100e6] [--text]``. Writes a trace of
streams with a fifth of writes and short pauses to a temporary folder (13 bytes a request as
``.npz``, about 24 as text), and replays it with the command line, as a user would. The goal is
a peak below 300 MB, however long the trace.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.lib import format as npy

CHUNK = 1 << 16
"""Small, because a process inherits the peak of the one that starts it."""
MEMORY = "ddr4_3200_x64"
MEMORY_LINES = 1 << 27
NS_PER_REQUEST = 3.0


def pieces(n: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Line, write flag and time of requests; runs of 64 lines at places that wander."""
    for start in range(0, n, CHUNK):
        i = np.arange(start, min(start + CHUNK, n))
        line = ((i >> 6) * 40_503 + i) % MEMORY_LINES
        yield line.astype(np.uint32), (i % 5 == 0).astype(np.uint8), i * NS_PER_REQUEST


def write_npz(path: Path, n: int) -> None:
    """Member by member, so that this script needs no memory either."""
    with zipfile.ZipFile(path, "w", allowZip64=True) as archive:
        for at, (name, dtype) in enumerate((("line", "<u4"), ("w", "|u1"), ("t_ns", "<f8"))):
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                header = {"descr": dtype, "fortran_order": False, "shape": (n,)}
                npy.write_array_header_1_0(member, header)
                for piece in pieces(n):
                    member.write(piece[at].astype(dtype).tobytes())


def write_text(path: Path, n: int) -> None:
    names = ("READ", "WRITE")
    with path.open("w", encoding="ascii") as file:
        for line, is_write, t_ns in pieces(n):
            cycle = np.ceil(t_ns / 0.625).astype(np.int64)
            rows = zip((line.astype(np.int64) * 64).tolist(), is_write, cycle.tolist(), strict=True)
            file.write("".join(f"0x{a:X} {names[w]} {c}\n" for a, w, c in rows))


def main() -> None:
    parser = ArgumentParser(description="Long request traces: seconds and peak memory")
    parser.add_argument("--requests", type=float, default=100e6)
    parser.add_argument("--text", action="store_true", help="DRAMsim3's text instead of .npz")
    options = parser.parse_args()
    n = int(options.requests)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("trace.txt" if options.text else "trace.npz")
        (write_text if options.text else write_npz)(path, n)
        command = [sys.executable, "-m", "accelsim", "dram", "replay", "--json"]
        start = perf_counter()
        child = subprocess.Popen([*command, "--config", MEMORY, "--trace", str(path)])
        _, status, usage = os.wait4(child.pid, 0)
        seconds = perf_counter() - start
    print(
        f"{n:,} requests, {'text' if options.text else '.npz'}: {seconds:.1f} s, "
        f"{n / seconds / 1e6:.2f} M requests/s, peak {usage.ru_maxrss / 1024:.0f} MiB, "
        f"exit code {os.waitstatus_to_exitcode(status)}"
    )


if __name__ == "__main__":
    main()
