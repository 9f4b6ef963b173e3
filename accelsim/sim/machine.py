"""The machine at work: every unit a process that plays its rows of the program in order.

One rule for a DMA engine, an array and an encoder of any core: wait for the rows that a row
needs, take bytes of pools, work or transfer, give bytes back. Waiting is back-pressure. What
happened when is written down by row (``Times``); nothing is counted here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import simpy
from numpy.typing import NDArray

from accelsim.dram.events import DramEvents
from accelsim.dram.memory import Completion, Decoder, Memory, Transfer
from accelsim.program.table import NONE, Kind, Moment, Program
from accelsim.program.units import CodecStage, Unit
from accelsim.sim.engine import co_simulate, now_fs
from accelsim.sim.kernel import encode_blocks
from accelsim.units import Clock

Process = Generator[simpy.Event, object, None]


@dataclass(frozen=True)
class Times:
    """When each row did what, in femtoseconds; ``NONE`` where it does not apply."""

    begin: list[int]
    """Its unit turned to it."""
    needed: list[int]
    """All rows that it needs had come to their moment."""
    submit: list[int]
    """Pools had space: its work started, or its lines went to the memory. A write passes its
    encoder first: when the last block was ready to be sent."""
    arrived: list[int]
    """Transfers: the last beat came, or the last line was accepted."""
    done: list[int]
    """Work has ended; a transfer is through the decoder."""
    held: list[int]
    """Reads: how long the decoder's full FIFO held their lines back."""
    freed_by: list[int]
    """The row whose bytes ended the last wait for a pool; ``NONE`` where none took time."""

    @classmethod
    def blank(cls, n_rows: int) -> Times:
        return cls(*([NONE] * n_rows for _ in range(7)))


class PoolState:
    """On-chip bytes; who asks first is served first."""

    def __init__(self, env: simpy.Environment, capacity_bytes: int) -> None:
        self._env, self._free = env, capacity_bytes
        self._waiting: deque[tuple[int, simpy.Event]] = deque()
        self.freed_by = NONE
        """The row that last gave bytes back."""

    def take(self, n_bytes: int) -> simpy.Event | None:
        """Take bytes now (None), or get the event at which they have been taken."""
        if self._free >= n_bytes and not self._waiting:
            self._free -= n_bytes
            return None
        event = self._env.event()
        self._waiting.append((n_bytes, event))
        return event

    def give_back(self, n_bytes: int, row: int) -> None:
        self._free += n_bytes
        self.freed_by = row
        while self._waiting and self._free >= self._waiting[0][0]:
            wanted, event = self._waiting.popleft()
            self._free -= wanted
            event.succeed()


class Lanes:
    """The encoder lanes of one unit, carried from tile to tile."""

    def __init__(self, stage: CodecStage | None) -> None:
        self._fill_cycles = stage.fill_cycles if stage else 0
        self._free = np.zeros(stage.lanes if stage else 1, np.int64)
        self._next = 0

    def ready_cycles(self, work: NDArray[np.int64], start_cycle: int) -> NDArray[np.int64]:
        """[n_blocks] when each block may be sent; at once where no lane has to work."""
        ready = np.full(len(work), start_cycle, np.int64)
        if work.any():
            self._next = encode_blocks(work, start_cycle, self._next, self._free, ready)
            ready += self._fill_cycles
        return ready


class Machine:
    """One run of one program on one memory, all units on one clock."""

    def __init__(self, program: Program, core: Clock, memory: Memory) -> None:
        self.env = simpy.Environment(initial_time=0)
        self._program, self._memory, self._core = program, memory, core
        rows = program.rows
        self.times = Times.blank(rows.n_rows)
        self.background: dict[int, DramEvents] = {}
        """By row: the memory's events of time at the end of the last work of a stage and image."""
        self._last_of_stage = _last_rows(program)
        self._pools = [PoolState(self.env, pool.capacity_bytes) for pool in program.pools]
        self._until: dict[tuple[int, int], simpy.Event] = {}
        """By row and moment: what its waiters wait for."""
        self._row_of_transfer: dict[int, int] = {}
        # Lists index several times faster than arrays, and rows are visited one by one.
        self._kind, self._stage = rows.kind.tolist(), rows.stage.tolist()
        self._cycles = rows.cycles.tolist()
        self._extents = list(
            zip(rows.first_extent.tolist(), rows.last_extent.tolist(), strict=True)
        )
        needs, takes, gives = program.needs, program.takes, program.gives
        self._needs_from = needs.first.tolist()
        self._needs = list(zip(needs.source.tolist(), needs.moment.tolist(), strict=True))
        self._takes_from = takes.first.tolist()
        self._takes = list(zip(takes.pool.tolist(), takes.n_bytes.tolist(), strict=True))
        self._gives_from = gives.first.tolist()
        self._gives = list(zip(gives.pool.tolist(), gives.n_bytes.tolist(), strict=True))

    def run(self) -> int:
        """Play the program to its end; the time at which the memory holds everything."""
        requester = 0
        for number, unit in enumerate(self._program.units):
            rows = np.flatnonzero(self._program.rows.unit == number).tolist()
            self.env.process(self._play(unit, requester, rows))
            requester += unit.is_dma
        co_simulate(self.env, self._memory, self._complete, lambda: bool(self._row_of_transfer))
        unfinished = [row for row, done in enumerate(self.times.done) if done == NONE]
        if unfinished:  # a fault of the lowering, never of the user's input
            raise AssertionError(f"the program cannot go on at rows {unfinished[:5]}")
        return self._memory.finish(now_fs(self.env))

    def _play(self, unit: Unit, requester: int, rows: list[int]) -> Process:
        """The one rule, for every unit."""
        times, env = self.times, self.env
        reached = {Moment.DONE: times.done, Moment.SUBMITTED: times.submit}
        lanes = Lanes(unit.codec)
        for row in rows:
            times.begin[row] = now_fs(env)
            for source, moment in self._needs[self._needs_from[row] : self._needs_from[row + 1]]:
                if reached[moment][source] == NONE:
                    yield self._until.setdefault((source, moment), env.event())
            times.needed[row] = now_fs(env)
            for pool, n_bytes in self._takes[self._takes_from[row] : self._takes_from[row + 1]]:
                if space := self._pools[pool].take(n_bytes):
                    yield space
                    if now_fs(env) > times.needed[row]:
                        times.freed_by[row] = self._pools[pool].freed_by
            if self._kind[row] == Kind.TRANSFER:
                self._transfer(row, unit, requester, lanes)
            elif self._kind[row] == Kind.RESERVE:
                times.submit[row] = now_fs(env)
                self._finish(row)
            else:
                start = self._core.to_fs(self._core.edge_at_or_after(now_fs(env)))
                times.submit[row] = start
                yield env.timeout(start + self._core.to_fs(self._cycles[row]) - now_fs(env))
                self._finish(row)
                if row in self._last_of_stage:
                    self.background[row] = self._memory.background_at(now_fs(env))

    def _transfer(self, row: int, unit: Unit, requester: int, encoder: Lanes) -> None:
        """Hand a row's lines to the memory: writes as they leave the encoder."""
        first, last = self._extents[row]
        extents, now = self._program.extents, now_fs(self.env)
        work = extents.work_cycles[first:last]
        ready_fs = decode_fs = None
        self.times.submit[row] = now
        if unit.writes_dram:
            start_cycle = self._core.edge_at_or_after(now)
            ready_fs = encoder.ready_cycles(work, start_cycle) * self._core.period_fs
            if len(ready_fs):
                self.times.submit[row] = int(ready_fs[-1])
        elif unit.codec and work.any():
            decode_fs = work * self._core.period_fs
        transfer = Transfer(
            requester=requester,
            label=self._stage[row],
            is_write=unit.writes_dram,
            first_line=extents.first_line[first:last],
            n_lines=extents.n_lines[first:last],
            ready_fs=ready_fs,
            decode_fs=decode_fs,
            due=row,  # the program is in the order in which the array needs things
        )
        self._row_of_transfer[self._memory.submit(now, transfer)] = row
        self._announce(row, Moment.SUBMITTED)

    def _complete(self, completion: Completion) -> None:
        row = self._row_of_transfer.pop(completion.transfer)
        self.times.arrived[row] = completion.arrived_fs
        self.times.held[row] = completion.held_fs
        self._finish(row)

    def _finish(self, row: int) -> None:
        self.times.done[row] = now_fs(self.env)
        self._announce(row, Moment.DONE)
        for pool, n_bytes in self._gives[self._gives_from[row] : self._gives_from[row + 1]]:
            self._pools[pool].give_back(n_bytes, row)

    def _announce(self, row: int, moment: Moment) -> None:
        if event := self._until.pop((row, moment), None):
            event.succeed()


def decoders_of(program: Program, core: Clock) -> dict[int, Decoder]:
    """By the DMA engine's place at the memory: the decoder behind it, in the memory's terms."""
    engines = [unit for unit in program.units if unit.is_dma]
    return {
        number: Decoder(
            lanes=unit.codec.lanes,
            fill_fs=core.to_fs(unit.codec.fill_cycles),
            fifo_blocks=unit.codec.fifo_blocks,
            period_fs=core.period_fs,
        )
        for number, unit in enumerate(engines)
        if unit.codec and unit.reads_dram
    }


def _last_rows(program: Program) -> frozenset[int]:
    """The last COMPUTE or VECTOR row of each (image, stage)."""
    rows = program.rows
    last = {(int(rows.image[r]), int(rows.stage[r])): int(r) for r in rows.working}
    return frozenset(last.values())
