"""Replay as by the reference drivers, in pieces; the way a trace is cut changes nothing.

Memory is bounded by the size of a piece. The rest of a piece at its end (the reads in flight, and
its last request, which is offered together with the next) is put in front of the next piece.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.config import DramConfig
from accelsim.dram.events import DramEvents
from accelsim.dram.kernel.replay import Driver, account_all
from accelsim.dram.kernel.replay import replay as replay_kernel
from accelsim.dram.parameters import ControllerName
from accelsim.dram.read_out import commands_of, states_of
from accelsim.dram.state import NONE, Channel, Count, Misc, Slot, new_state
from accelsim.dram.traces.requests import Requests
from accelsim.jit import addresses

LOG_ROWS = 1 << 17


@dataclass(frozen=True, kw_only=True)
class ReplayCounts(DramEvents):
    """Counts of a replay: events, and the outcome of its requests.

    ``reads`` are RD commands: merged and forwarded requests need none. ``row_hits`` of
    Ramulator are requests whose first command was their column access.
    """

    requests: int
    cycles: int
    average_read_latency_cycles: float
    residual_writes: int
    """Writes left in the write buffers, which DRAMsim3 never drains (Ramulator does)."""
    row_misses: int | None
    """Requests whose first command found their bank closed. Only Ramulator counts them."""
    row_conflicts: int | None
    """Requests whose first command found another row open. Only Ramulator counts them."""


class ChunkedReplay:
    """``feed`` requests in order, piece by piece, then ``finish``.

    ``on_commands`` receives the recorded commands, [n, len(Log)], as they are issued; without
    it none are recorded. Raises ``ConfigError`` for what the controller cannot run.

    >>> from accelsim.dram.standard import STANDARDS
    >>> run = ChunkedReplay(STANDARDS["ddr4_2400_x16"].config())
    >>> for address in (0, 16):
    ...     run.feed(Requests(np.array([address]), np.array([0]), np.array([0])))
    >>> run.finish().reads
    2
    """

    def __init__(
        self,
        config: DramConfig,
        controller: ControllerName = "dramsim3",
        on_commands: Callable[[NDArray[np.int64]], None] | None = None,
    ) -> None:
        self._line_bytes, self._controller = config.line_bytes, controller
        self._burst_fs = config.timing.burst_cycles * config.clock.period_fs
        # DRAMsim3 compares byte addresses: a read would pass by a write of its own line.
        self._by_address = config.compat == "dramsim3"
        self._on_commands = on_commands
        self._state = new_state(config, 1, 0, LOG_ROWS if on_commands else 0, controller)
        self._driver = np.zeros(len(Driver), np.int64)
        nothing = np.zeros(0, np.int64)
        # The piece at hand: what was left over, and the requests last fed.
        self._rows = Requests(nothing, nothing, nothing)
        self._line = nothing
        self.accepted_cycle: NDArray[np.int64] = nothing
        """[n] of the piece at hand: the controller took the request."""
        self.done_cycle: NDArray[np.int64] = nothing
        """[n] of the piece at hand: data returned, or write acknowledged; NONE: not yet."""
        self._n_requests, self._n_reads, self._latency_cycles = 0, 0, 0

    def feed(self, requests: Requests) -> None:
        """Run as far as ``requests`` determine what happens."""
        self._append(requests)
        self._n_requests += len(requests)
        self._driver[Driver.STOP] = len(self._rows) - 1
        while self._driver[Driver.REQUEST] < self._driver[Driver.STOP]:
            self._run()

    def finish(self) -> ReplayCounts:
        """Run until the reference driver would stop, and return the counts."""
        self.drain()
        return self.counts_until(self.cycles)

    @property
    def cycles(self) -> int:
        """Cycles executed so far."""
        return int(self._driver[Driver.NOW])

    def drain(self) -> None:
        """Run until the reference driver would stop."""
        self._driver[Driver.STOP] = NONE
        while not self._driver[Driver.FINISHED]:
            self._run()
        self._add_latencies()

    def _run(self) -> None:
        state, rows = self._state, self._rows
        replay_kernel(
            addresses(state),
            self._driver,
            rows.address if self._by_address else self._line,
            self._line,
            rows.is_write,
            rows.arrival_cycle,
            self.accepted_cycle,
            self.done_cycle,
        )
        if self._on_commands:
            self._on_commands(state.log[: state.misc[Misc.LOG_LENGTH]].copy())
            state.misc[Misc.LOG_LENGTH] = 0

    def _append(self, requests: Requests) -> None:
        """Drop what is answered, renumber the rest, and put ``requests`` behind it."""
        self._add_latencies()
        old, left = self._rows, np.flatnonzero(self.done_cycle == NONE)
        place = np.full(len(old) + 1, NONE, np.int64)  # the last stands for NONE itself
        place[left] = np.arange(len(left))
        slot, chain = self._state.slot, np.full(len(left) + len(requests), NONE, np.int64)
        slot[:, Slot.TOKEN] = place[slot[:, Slot.TOKEN]]
        chain[: len(left)] = place[self._state.chain[left]]
        self._state = self._state._replace(chain=chain)
        self._driver[Driver.REQUEST] -= len(old) - len(left)
        empty = np.full(len(requests), NONE, np.int64)
        self.accepted_cycle = np.concatenate([self.accepted_cycle[left], empty])
        self.done_cycle = np.concatenate([self.done_cycle[left], empty])
        self._rows = Requests(
            _joined(old.address[left], requests.address),
            _joined(old.is_write[left], requests.is_write),
            _joined(old.arrival_cycle[left], requests.arrival_cycle),
        )
        self._line = self._rows.address // self._line_bytes

    def _add_latencies(self) -> None:
        is_read = (self._rows.is_write == 0) & (self.done_cycle != NONE)
        # DRAMsim3 stamps a request at the tick after the one that offered it.
        stamped = self.accepted_cycle + (self._controller == "dramsim3")
        self._latency_cycles += int((self.done_cycle - stamped)[is_read].sum())
        self._n_reads += int(is_read.sum())

    def counts_until(self, cycles: int) -> ReplayCounts:
        """What was counted, once drained; its ranks stand by until ``cycles``."""
        state = self._state
        account_all(state, cycles)
        counts = state.counts.sum(axis=0)
        events = commands_of(counts) + states_of(state.rank, cycles)
        bursts = events.reads + events.writes
        misses, conflicts = None, None
        if self._controller == "ramulator":
            misses, conflicts = int(counts[Count.MISS]), int(counts[Count.CONFLICT])
            events = replace(events, row_hits=bursts - misses - conflicts)
        return ReplayCounts(
            **asdict(replace(events, bus_fs=bursts * self._burst_fs)),
            requests=self._n_requests,
            cycles=cycles,
            average_read_latency_cycles=self._latency_cycles / max(1, self._n_reads),
            residual_writes=int(state.channel[:, Channel.WRITE_LENGTH].sum()),
            row_misses=misses,
            row_conflicts=conflicts,
        )


def _joined(left: NDArray[np.int64], fed: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([left, np.asarray(fed, np.int64)])
