"""Replay a request trace as the simulators' own drivers do, and count what happened.

One requester, at most one line per clock, in order, no limit of reads in flight. It ends
when everything has returned and each write buffer holds only what its controller leaves there:
at most eight writes for DRAMsim3, none for Ramulator.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.chunked_replay import ChunkedReplay, ReplayCounts
from accelsim.dram.command import Log
from accelsim.dram.config import DramConfig
from accelsim.dram.parameters import ControllerName
from accelsim.dram.traces.requests import Requests


@dataclass(frozen=True, kw_only=True)
class ReplayResult(ReplayCounts):
    """Counts of a replay, and the outcome of each request."""

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
    logs = [np.zeros((0, len(Log)), np.int64)]
    run = ChunkedReplay(config, controller, logs.append if record_commands else None)
    run.feed(requests)
    counts = run.finish()
    return ReplayResult(
        **vars(counts),
        accepted_cycle=run.accepted_cycle,
        done_cycle=run.done_cycle,
        commands=np.concatenate(logs),
    )
