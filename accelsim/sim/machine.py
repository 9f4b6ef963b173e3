"""The machine at work: DMA engines, PE array and encoder as processes over one program.

Each process plays its rows of the table in order. Waiting is back-pressure: for bytes of
a buffer, for an operand, for the acceptance of a producer's block. What happened when is
written down by row (``Times``); nothing is counted here.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import simpy
from numpy.typing import NDArray

from accelsim.dram.memory import Background, Completion, Memory, Transfer
from accelsim.hardware.chip import Chip
from accelsim.program.table import NONE, Kind, Program, Requester
from accelsim.sim.engine import co_simulate, now_fs
from accelsim.sim.kernel import encode_blocks

Process = Generator[simpy.Event, object, None]


@dataclass(frozen=True)
class Times:
    """When each row did what, in femtoseconds; ``NONE`` where it does not apply.

    READ: ``begin`` its DMA turned to it, ``dependency`` its producer was accepted,
    ``index`` its table entries were there, ``submit`` its buffer had space and it went to
    the memory, ``arrived`` the last beat came, ``done`` the decoder was through.
    COMPUTE, VECTOR: ``begin`` the array was free, ``submit`` operands and space were there
    and it started, ``done`` it ended. WRITE: ``begin`` its tile was computed, ``submit``
    the encoder was through, ``done`` its last line was accepted.
    """

    begin: list[int]
    dependency: list[int]
    index: list[int]
    submit: list[int]
    arrived: list[int]
    done: list[int]
    held: list[int]
    """READ: how long the decoder's full FIFO held its lines back."""
    ofmap_space: list[int]
    """COMPUTE: when the bytes of the ofmap buffer that it takes were free."""
    ofmap_freed_by: list[int]
    """COMPUTE: the WRITE whose acceptance freed them."""

    @classmethod
    def blank(cls, n_rows: int) -> Times:
        return cls(*([NONE] * n_rows for _ in range(9)))


class Buffer:
    """On-chip bytes with one process that takes and others that give back."""

    def __init__(self, env: simpy.Environment, capacity_bytes: int) -> None:
        self._env, self._free = env, capacity_bytes
        self._wanted, self._waiting = 0, simpy.Event(env)
        self.freed_by = NONE
        """The row that last gave bytes back."""

    def take(self, n_bytes: int) -> simpy.Event | None:
        """Take bytes now (None), or get the event at which they have been taken."""
        if self._free >= n_bytes:
            self._free -= n_bytes
            return None
        self._wanted, self._waiting = n_bytes, self._env.event()
        return self._waiting

    def give_back(self, n_bytes: int, row: int) -> None:
        self._free += n_bytes
        self.freed_by = row
        if self._wanted and self._free >= self._wanted:
            self._free -= self._wanted
            self._wanted = 0
            self._waiting.succeed()


class Machine:
    """One run of one program on one chip and one memory."""

    def __init__(self, program: Program, chip: Chip, memory: Memory) -> None:
        self.env = simpy.Environment(initial_time=0)
        self._memory, self._core, self._rows = memory, chip.core, program.rows
        self._extents = program.extents
        rows = program.rows
        self.times = Times.blank(rows.n_rows)
        self.background: dict[int, Background] = {}
        """By row: the memory's state at the end of the last COMPUTE of a stage and image."""
        self._last_of_stage = _last_rows(program)
        self._buffers = {
            Requester.IFMAP: Buffer(self.env, chip.buffers.ifmap_bytes),
            Requester.WEIGHT: Buffer(self.env, chip.buffers.weight_bytes),
            Requester.OFMAP: Buffer(self.env, chip.buffers.ofmap_bytes),
        }
        self._waiters: dict[int, simpy.Event] = {}
        self._submitted: dict[int, simpy.Event] = {}
        self._row_of_transfer: dict[int, int] = {}
        self._lane_free = np.zeros(chip.codec.lanes, np.int64)
        self._next_lane = 0
        self._encode_fill_cycles = chip.codec.hardware.encode_fill_cycles
        # Lists index several times faster than arrays, and rows are visited one by one.
        self._stage, self._cycles = rows.stage.tolist(), rows.cycles.tolist()
        self._after, self._index = rows.after.tolist(), rows.index.tolist()
        self._needs_ifmap = rows.needs_ifmap.tolist()
        self._needs_weight = rows.needs_weight.tolist()
        self._needs_shortcut = rows.needs_shortcut.tolist()
        self._acquire = rows.acquire_bytes.tolist()
        self._release = {
            Requester.IFMAP: rows.release_ifmap_bytes.tolist(),
            Requester.WEIGHT: rows.release_weight_bytes.tolist(),
            Requester.OFMAP: rows.release_ofmap_bytes.tolist(),
        }
        self._first, self._last = rows.first_extent.tolist(), rows.last_extent.tolist()

    def run(self) -> int:
        """Play the program to its end; the time at which the memory holds everything."""
        for requester in (Requester.IFMAP, Requester.WEIGHT):
            self.env.process(self._read_dma(requester))
        self.env.process(self._index_dma())
        self.env.process(self._array())
        self.env.process(self._encoder())
        co_simulate(self.env, self._memory, self._complete, lambda: bool(self._row_of_transfer))
        unfinished = [row for row, done in enumerate(self.times.done) if done == NONE]
        if unfinished:  # a fault of the lowering, never of the user's input
            raise AssertionError(f"the program cannot go on at rows {unfinished[:5]}")
        return self._memory.finish(now_fs(self.env))

    def _rows_of(self, kind: Kind, requester: Requester | None = None) -> list[int]:
        chosen = self._rows.kind == kind
        if requester is not None:
            chosen &= self._rows.requester == requester
        return [int(row) for row in np.flatnonzero(chosen)]

    def _read_dma(self, requester: Requester) -> Process:
        times, env = self.times, self.env
        for row in self._rows_of(Kind.READ, requester):
            times.begin[row] = now_fs(env)
            yield from self._until_done(self._after[row])
            times.dependency[row] = now_fs(env)
            yield from self._until_done(self._index[row])
            times.index[row] = now_fs(env)
            if space := self._buffers[requester].take(self._acquire[row]):
                yield space
            self._submit_read(row, requester)

    def _index_dma(self) -> Process:
        times, env = self.times, self.env
        for row in self._rows_of(Kind.READ, Requester.INDEX):
            before = self._needs_ifmap[row]  # prefetched one tile ahead, not further
            if before != NONE and self.times.submit[before] == NONE:
                yield self._submitted.setdefault(before, env.event())
            times.begin[row] = now_fs(env)
            yield from self._until_done(self._after[row])
            times.dependency[row] = times.index[row] = now_fs(env)
            self._submit_read(row, Requester.INDEX)

    def _array(self) -> Process:
        times, env, core = self.times, self.env, self._core
        ofmap = self._buffers[Requester.OFMAP]
        for row in self._rows.on_array.tolist():
            times.begin[row] = now_fs(env)
            yield from self._until_done(self._needs_weight[row])
            yield from self._until_done(self._needs_ifmap[row])
            yield from self._until_done(self._needs_shortcut[row])
            if space := ofmap.take(self._acquire[row]):
                yield space
                times.ofmap_space[row], times.ofmap_freed_by[row] = now_fs(env), ofmap.freed_by
            start = core.to_fs(core.edge_at_or_after(now_fs(env)))
            times.submit[row] = start
            yield env.timeout(start + core.to_fs(self._cycles[row]) - now_fs(env))
            self._finish(row)
            for requester, released in self._release.items():
                if n_bytes := released[row]:
                    self._buffers[requester].give_back(n_bytes, row)
            if row in self._last_of_stage:
                self.background[row] = self._memory.background_at(now_fs(env))

    def _encoder(self) -> Process:
        times, env, core = self.times, self.env, self._core
        for row in self._rows_of(Kind.WRITE):
            yield from self._until_done(self._after[row])
            times.begin[row] = now_fs(env)
            first, last = self._first[row], self._last[row]
            work = self._extents.work_cycles[first:last]
            start_cycle = core.edge_at_or_after(now_fs(env))
            ready_cycles = np.full(last - first, start_cycle, np.int64)
            if work.any():
                self._next_lane = encode_blocks(
                    work, start_cycle, self._next_lane, self._lane_free, ready_cycles
                )
                ready_cycles += self._encode_fill_cycles
            ready_fs = ready_cycles * core.period_fs
            times.submit[row] = int(ready_fs[-1]) if len(ready_fs) else now_fs(env)
            self._submit(row, Requester.OFMAP, is_write=True, ready_fs=ready_fs)

    def _submit_read(self, row: int, requester: Requester) -> None:
        self.times.submit[row] = now_fs(self.env)
        self._submit(row, requester, is_write=False)
        if row in self._submitted:
            self._submitted.pop(row).succeed()

    def _submit(
        self,
        row: int,
        requester: Requester,
        *,
        is_write: bool,
        ready_fs: NDArray[np.int64] | None = None,
    ) -> None:
        first, last = self._first[row], self._last[row]
        work = self._extents.work_cycles[first:last]
        decodes = not is_write and requester is Requester.IFMAP and bool(work.any())
        transfer = Transfer(
            requester=requester,
            label=self._stage[row],
            is_write=is_write,
            first_line=self._extents.first_line[first:last],
            n_lines=self._extents.n_lines[first:last],
            ready_fs=ready_fs,
            decode_fs=work * self._core.period_fs if decodes else None,
            due=row,  # the program is in the order in which the array needs things
        )
        self._row_of_transfer[self._memory.submit(now_fs(self.env), transfer)] = row

    def _complete(self, completion: Completion) -> None:
        row = self._row_of_transfer.pop(completion.transfer)
        self.times.arrived[row] = completion.arrived_fs
        self.times.held[row] = completion.held_fs
        self._finish(row)
        if n_bytes := self._release[Requester.OFMAP][row]:
            self._buffers[Requester.OFMAP].give_back(n_bytes, row)

    def _finish(self, row: int) -> None:
        self.times.done[row] = now_fs(self.env)
        if row in self._waiters:
            self._waiters.pop(row).succeed()

    def _until_done(self, row: int) -> Process:
        """Wait for a row to be done; many may wait for one row."""
        if row != NONE and self.times.done[row] == NONE:
            yield self._waiters.setdefault(row, self.env.event())


def _last_rows(program: Program) -> frozenset[int]:
    """The last COMPUTE or VECTOR row of each (image, stage)."""
    rows = program.rows
    last = {(int(rows.image[r]), int(rows.stage[r])): int(r) for r in rows.on_array}
    return frozenset(last.values())
