"""Driving a memory without a simulator: requesters with think times, and extra wake-ups."""

import heapq
from dataclasses import dataclass

import numpy as np

from accelsim.dram.memory import Completion, Memory, Transfer


@dataclass(frozen=True)
class Job:
    """A transfer that its requester submits ``think_fs`` after the one before it is done."""

    transfer: Transfer
    think_fs: int


def transfer(
    requester: int,
    first: list[int],
    lines: list[int],
    is_write: bool = False,
    label: int = 0,
    ready_fs: list[int] | None = None,
    decode_fs: list[int] | None = None,
) -> Transfer:
    def array(values: list[int] | None) -> np.ndarray | None:
        return None if values is None else np.array(values, np.int64)

    blocks = np.array(first, np.int64), np.array(lines, np.int64)
    return Transfer(requester, label, is_write, *blocks, array(ready_fs), array(decode_fs))


def drive(
    memory: Memory, jobs: list[list[Job]], wakes_fs: list[int] | None = None, window: int = 1
) -> list[Completion]:
    """Play the jobs of each requester, at most ``window`` of its transfers open at a time.

    ``wakes_fs`` are moments at which the memory is advanced for no reason.
    """
    events = [(job.think_fs, 0, r) for r, todo in enumerate(jobs) for job in todo[:window]]
    events += [(wake, 1, -1) for wake in wakes_fs or []]
    heapq.heapify(events)
    waiting = [list(todo) for todo in jobs]
    to_come = [list(todo[window:]) for todo in jobs]
    owner: dict[int, int] = {}
    done: list[Completion] = []
    while events or len(done) < len(owner):
        bound = events[0][0] if events else None
        found = memory.advance(bound)
        assert [c.arrived_fs for c in found] == sorted(c.arrived_fs for c in found)
        for completion in found:
            assert completion.first_fs <= completion.arrived_fs <= completion.done_fs
            done.append(completion)
            r = owner[completion.transfer]
            if to_come[r]:
                job = to_come[r].pop(0)
                heapq.heappush(events, (completion.done_fs + job.think_fs, 0, r))
        if not found and events:
            now, kind, r = heapq.heappop(events)
            if kind == 0:
                owner[memory.submit(now, waiting[r].pop(0).transfer)] = r
    return sorted(done)
