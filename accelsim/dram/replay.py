"""Replay a request trace as the simulators' own drivers do, and count what happened.

One requester, at most one line per clock, in order, no limit of reads in flight. It ends
where everything is returned and each write buffer holds what its controller leaves there:
at most eight writes in DRAMsim3's, none in Ramulator's.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.config import DramConfig
from accelsim.dram.kernel.replay import Driver, account_all
from accelsim.dram.kernel.replay import replay as replay_kernel
from accelsim.dram.parameters import ControllerName
from accelsim.dram.requests import Requests
from accelsim.dram.state import COMMANDS, Channel, Count, Log, Misc, Rank, new_state
from accelsim.errors import DramTraceError

LOG_ROWS = 1 << 17


@dataclass(frozen=True)
class ReplayResult:
    """What a replay counted. Cycles are of the DRAM clock."""

    requests: int
    cycles: int
    reads: int
    """RD commands: merged and forwarded requests need none."""
    writes: int
    activates: int
    precharges: int
    refreshes: int
    row_hits: int
    """Column accesses that were not the first after their ACT; of Ramulator, requests whose
    first command was their column access."""
    average_read_latency_cycles: float
    residual_writes: int
    """Writes left in the write buffers, which DRAMsim3 never drains (Ramulator does)."""
    active_rank_cycles: int
    idle_rank_cycles: int
    row_misses: int | None
    """Requests whose first command found their bank closed. Only Ramulator counts them."""
    row_conflicts: int | None
    """Requests whose first command found another row open. Only Ramulator counts them."""
    self_refresh_rank_cycles: int
    open_bank_cycles: int
    """Sum over ranks and their open banks of cycles."""
    accepted_cycle: NDArray[np.int64]  # [requests] the controller took it
    done_cycle: NDArray[np.int64]  # [requests] data returned, or write acknowledged
    commands: NDArray[np.int64]  # [n, len(Log)] if they were recorded


def replay(
    config: DramConfig,
    requests: Requests,
    record_commands: bool = False,
    controller: ControllerName = "dramsim3",
) -> ReplayResult:
    """Run ``requests`` through the memory of ``config``.

    Raises ``ConfigError`` for a configuration that the controller cannot run.

    >>> from accelsim.dram.standard import STANDARDS
    >>> one = Requests(np.array([0]), np.array([0]), np.array([0]))
    >>> replay(STANDARDS["ddr4_2400_x16"].config(), one).average_read_latency_cycles  # 1+17+17+4
    39.0
    """
    n = len(requests)
    state = new_state(config, 1, n, LOG_ROWS if record_commands else 0, controller)
    driver, done = np.zeros(len(Driver), np.int64), np.zeros(n, np.int64)
    accepted = np.zeros(n, np.int64)
    address = np.array(requests.address, np.int64)
    is_write = np.array(requests.is_write, np.int64)
    arrival_cycle = np.array(requests.arrival_cycle, np.int64)
    line = address // config.line_bytes
    logs = []
    while not driver[Driver.FINISHED]:
        replay_kernel(
            state,
            driver,
            address,
            line,
            is_write,
            arrival_cycle,
            accepted,
            done,
        )
        logs.append(state.log[: state.misc[Misc.LOG_LENGTH]].copy())
        state.misc[Misc.LOG_LENGTH] = 0
    cycles = int(driver[Driver.NOW])
    account_all(state, cycles)
    is_read = is_write == 0
    # DRAMsim3 stamps a request at the tick after the one that offered it.
    stamped = accepted + 1 if controller == "dramsim3" else accepted
    latency = (done - stamped)[is_read]
    counts, rank = state.counts.sum(axis=0), state.rank.sum(axis=0)
    reads, writes = int(counts[Count.RD]), int(counts[Count.WR])
    hits, misses, conflicts = int(counts[Count.HIT]), None, None
    if controller == "ramulator":
        misses, conflicts = int(counts[Count.MISS]), int(counts[Count.CONFLICT])
        hits = reads + writes - misses - conflicts
    return ReplayResult(
        requests=n,
        cycles=cycles,
        reads=reads,
        writes=writes,
        activates=int(counts[Count.ACT]),
        precharges=int(counts[Count.PRE]),
        refreshes=int(rank[Rank.REFRESHES]),
        row_hits=hits,
        average_read_latency_cycles=float(latency.mean()) if len(latency) else 0.0,
        residual_writes=int(state.channel[:, Channel.WRITE_LENGTH].sum()),
        active_rank_cycles=int(rank[Rank.ACTIVE_CYCLES]),
        idle_rank_cycles=int(rank[Rank.IDLE_CYCLES]),
        row_misses=misses,
        row_conflicts=conflicts,
        self_refresh_rank_cycles=int(rank[Rank.ASLEEP_CYCLES]),
        open_bank_cycles=int(rank[Rank.OPEN_BANK_CYCLES]),
        accepted_cycle=accepted,
        done_cycle=done,
        commands=np.concatenate(logs),
    )


CSV_HEADER = ("cycle", "command", "channel", "rank", "bankgroup", "bank", "row", "col")


def write_commands(path: Path, commands: NDArray[np.int64]) -> None:
    """Write recorded commands as CSV, with -1 where a column does not apply.

    Raises ``DramTraceError`` if the file cannot be written.
    """
    beside = path.with_name(path.name + ".part")
    try:
        with beside.open("w", newline="", encoding="ascii") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(CSV_HEADER)
            for row in commands.tolist():
                row[Log.COMMAND] = COMMANDS[row[Log.COMMAND]]
                out.writerow(row)
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise DramTraceError(
            str(path), error.strerror or "cannot be written", "choose a writable folder"
        ) from None
