"""Run Ramulator 2.1 on a request trace, by ``ramulator2_driver.cpp`` built against it."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from dramsim3_program import write_trace

from accelsim.dram.traces.requests import Requests

COMMIT = "c5b1c3a4"
CONFIG = Path(__file__).parent / "ramulator2_ddr4_3200.yaml"
"""DDR4-3200, one rank, timing of DRAMsim3's file, FRFCFS-RowHit; as Ramulator exports it."""


def run_ramulator2(driver: Path, requests: Requests, clocks: int, timeout_s: float = 600) -> float:
    """CPU seconds of ``clocks`` clocks, reading the trace included.

    Raises ``RuntimeError`` if the driver fails or has not taken every request.
    """
    with tempfile.TemporaryDirectory() as name:
        trace = Path(name) / "requests.trace"
        write_trace(trace, requests)
        before = os.times()
        done = subprocess.run(
            [str(driver), str(CONFIG), str(trace), str(clocks)],
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )
        after = os.times()
    if done.returncode != 0 or int(done.stdout.split()[-2]) < len(requests):
        raise RuntimeError(f"{driver}: {done.stderr.strip() or done.stdout.strip()}")
    return after.children_user - before.children_user
