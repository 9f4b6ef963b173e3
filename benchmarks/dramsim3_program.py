"""Run a built DRAMsim3 on a request trace: its commands, its statistics, its CPU time.

``dramsim3main`` executes a given number of cycles and does not stop at drain, so it is given
the number that our replay took. Built with ``cmake -DCMD_TRACE=1`` it writes every command;
for a measure of speed build it without.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from accelsim.dram.command import COMMANDS
from accelsim.dram.replay import ReplayResult
from accelsim.dram.traces.requests import Requests

COMMIT = "29817593"
Row = tuple[int, str, int, int, int, int, int]
NEVER = 1 << 60
"""Arrival of a last request: DRAMsim3 would repeat the last line of a file for ever."""


@dataclass(frozen=True)
class Dramsim3Run:
    """What DRAMsim3 did with one trace."""

    commands: list[list[Row]]
    """By channel: (cycle, command, rank, bankgroup, bank, row, col), if it writes them."""
    statistics: dict[str, Any]
    """Its JSON, by channel number."""
    cpu_seconds: float
    error: str
    """What it said when it stopped early, or nothing."""


def write_trace(path: Path, requests: Requests) -> None:
    """The requests as DRAMsim3's text."""
    names = ("READ", "WRITE")
    rows = zip(
        requests.address.tolist(),
        np.asarray(requests.is_write, np.int64).tolist(),
        requests.arrival_cycle.tolist(),
        strict=True,
    )
    lines = [f"0x{address:X} {names[w]} {cycle}" for address, w, cycle in rows]
    path.write_text("\n".join([*lines, f"0x0 READ {NEVER}", ""]))


def run_dramsim3(
    program: Path, ini: Path, requests: Requests, cycles: int, timeout_s: float = 600
) -> Dramsim3Run:
    """Execute ``cycles`` cycles of ``requests`` on the memory of ``ini``."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_trace(folder / "requests.trace", requests)
        options = ["-c", str(cycles), "-t", str(folder / "requests.trace"), "-o", name]
        before = os.times()
        done = subprocess.run(
            [str(program), str(ini.resolve()), *options],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )
        after = os.times()
        failed = done.returncode != 0
        statistics = {}
        for path in folder.glob("*.json"):
            if not path.name.endswith("epoch.json") and not failed:
                statistics = json.loads(path.read_text())
        traces = sorted(folder.glob("*cmd.trace"), key=lambda p: int(p.stem.split("_")[-1][:-3]))
        return Dramsim3Run(
            commands=[parse_commands(path.read_text()) for path in traces],
            statistics=statistics,
            cpu_seconds=after.children_user - before.children_user,
            error=done.stderr.strip() if failed else "",
        )


def parse_commands(text: str) -> list[Row]:
    """The rows of one channel's command trace; a cut last line is left out."""
    rows = []
    for line in text.splitlines():
        words = line.split()
        if len(words) == 8:
            cycle, command, _, *place = words
            rank, group, bank, row, column = (int(word, 0) for word in place)
            rows.append((int(cycle), command, rank, group, bank, row, column))
    return rows


STATISTICS = (
    *("num_act_cmds", "num_pre_cmds", "num_read_cmds", "num_write_cmds", "num_ref_cmds"),
    *("num_refb_cmds", "num_read_row_hits", "num_write_row_hits", "num_reads_done"),
    *("rank_active_cycles", "all_bank_idle_cycles", "sref_cycles"),
    *("act_energy", "read_energy", "write_energy", "ref_energy", "refb_energy"),
    *("act_stb_energy", "pre_stb_energy", "sref_energy", "total_energy"),
)


def totals(statistics: dict[str, Any]) -> dict[str, float]:
    """``STATISTICS``, summed over channels and ranks."""
    found: dict[str, float] = dict.fromkeys(STATISTICS, 0)
    for channel in statistics.values():
        for name in STATISTICS:
            value = channel[name]
            found[name] += sum(value.values()) if isinstance(value, dict) else value
    return found


def our_commands(result: ReplayResult, channel: int) -> list[Row]:
    """Recorded commands of one channel of a replay, in the same form."""
    rows = result.commands[result.commands[:, 2] == channel].tolist()
    return [
        (cycle, COMMANDS[command], rank, group, bank, row, column)
        for cycle, command, _, rank, group, bank, row, column in rows
    ]
