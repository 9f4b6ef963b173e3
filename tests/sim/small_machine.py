"""A memory simple enough to reckon by hand, and programs of a few rows."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from accelsim.dram.events import NO_EVENTS, DramEvents
from accelsim.dram.memory import Completion, DramCounts, Transfer
from accelsim.dram.standard import STANDARDS
from accelsim.hardware.chip import Chip
from accelsim.mapping.lowering.units import In, Of, pools_of, units_of
from accelsim.program.table import NONE, Column, Kind, Moment, Program
from accelsim.program.units import Cause
from accelsim.program.work import TENSOR_KINDS, ByteCounts, SramCounts, StageWork
from accelsim.program.writer import ProgramWriter
from accelsim.units import Clock

CORE = Clock(1_000_000)  # 1 GHz: a cycle is a nanosecond
LINE_CYCLES = 10
MEMORY = STANDARDS["ddr4_2400_x16"].config()
"""Of whose limits the machine is told; it is served by the one below."""


class OneLineAtATime:
    """Serves lines in the order of submission, ten core cycles each; nothing overlaps."""

    line_bytes = 16

    def __init__(self, n_labels: int = 1) -> None:
        self._free_fs, self._pending = 0, list[Completion]()
        self._n_submitted, self._n_labels = 0, n_labels
        self.lines: list[tuple[int, bool]] = []

    def submit(self, now_fs: int, transfer: Transfer) -> int:
        ready = int(transfer.ready_fs[-1]) if transfer.ready_fs is not None else now_fs
        start = max(self._free_fs, now_fs, ready)
        n_lines = int(transfer.n_lines.sum())
        self._free_fs = start + CORE.to_fs(LINE_CYCLES) * n_lines
        decode = int(transfer.decode_fs.sum()) if transfer.decode_fs is not None else 0
        number = self._n_submitted
        self._n_submitted += 1
        self._pending.append(Completion(number, start, self._free_fs, self._free_fs + decode))
        self._pending.sort(key=lambda c: c.done_fs)
        self.lines += [
            (first + i, transfer.is_write)
            for first, n in zip(transfer.first_line, transfer.n_lines, strict=True)
            for i in range(n)
        ]
        return number

    def advance(self, until_fs: int | None) -> list[Completion]:
        if self._pending and (until_fs is None or self._pending[0].done_fs < until_fs):
            return [self._pending.pop(0)]
        return []

    def background_at(self, time_fs: int) -> DramEvents:
        return DramEvents(active_rank_cycles=CORE.edge_at_or_after(time_fs))

    def finish(self, now_fs: int) -> int:
        return max(now_fs, self._free_fs)

    def counts(self) -> DramCounts:
        end = self.background_at(self._free_fs)
        return DramCounts((NO_EVENTS,) * self._n_labels, end, end.active_rank_cycles, 0)


def chip(ifmap: int = 1000, weight: int = 1000, ofmap: int = 1000, encode_fill: int = 0) -> Chip:
    """The parts of a chip that its units and pools follow from."""
    lane = SimpleNamespace(encode_fill_cycles=encode_fill, decode_fill_cycles=0)
    return cast(
        Chip,
        SimpleNamespace(
            core=CORE,
            dram=SimpleNamespace(config=MEMORY, outstanding_reads=32),
            buffers=SimpleNamespace(ifmap_bytes=ifmap, weight_bytes=weight, ofmap_bytes=ofmap),
            codec=SimpleNamespace(lanes=1, fifo_blocks=1, hardware=lane),
        ),
    )


POOL_OF = {Of.IFMAP: In.IFMAP, Of.WEIGHT: In.WEIGHT}


class Builder:
    """Rows by what they mean."""

    def __init__(self) -> None:
        self.writer = ProgramWriter()
        self.line = 0
        self.n_stages = 1

    def _add(self, kind: Kind, unit: Of, cycles: int, stage: int) -> Column:
        """The number of the new row, as a column of one."""
        return np.array([self.writer.add(np.array([kind]), unit, stage=stage, cycles=cycles)])

    def _transfer(self, unit: Of, n_lines: int, work: int, stage: int) -> Column:
        extents = np.array([self.line]), np.array([n_lines]), np.array([work])
        self.line += n_lines
        row = self._add(Kind.TRANSFER, unit, 0, stage)
        self.writer.move(row, np.array([0, 1]), *extents)
        return row

    def read(
        self,
        unit: Of,
        n_lines: int,
        *,
        work: int = 0,
        after: int = NONE,
        index: int = NONE,
        behind: int = NONE,
        takes: int = 0,
        stage: int = 0,
    ) -> int:
        """``behind``: starts no earlier than that row is submitted."""
        row = self._transfer(unit, n_lines, work, stage)
        self.writer.need(row, behind, moment=Moment.SUBMITTED)
        self.writer.need(row, after, Cause.DEPENDENCY)
        self.writer.need(row, index)
        if takes:
            self.writer.take(row, POOL_OF[unit], takes)
        return int(row[0])

    def compute(
        self,
        cycles: int,
        *needs: int,
        takes: int = 0,
        gives: dict[In, int] | None = None,
        stage: int = 0,
    ) -> int:
        """``takes`` bytes of the ofmap buffer."""
        self.n_stages = max(self.n_stages, stage + 1)
        row = self._add(Kind.COMPUTE, Of.ARRAY, cycles, stage)
        for source in needs:
            self.writer.need(row, source)
        self.writer.take(row, In.OFMAP, takes)
        for pool, n_bytes in (gives or {}).items():
            self.writer.give(row, pool, n_bytes)
        return int(row[0])

    def write(
        self, after: int, n_lines: int, *, work: int = 0, gives: int = 0, stage: int = 0
    ) -> int:
        """``gives`` bytes of the ofmap buffer back."""
        row = self._transfer(Of.OFMAP, n_lines, work, stage)
        self.writer.need(row, after)
        self.writer.give(row, In.OFMAP, gives)
        return int(row[0])

    def work_beside(self, cycles: int) -> int:
        """Work of a unit of its own, as another array would do it."""
        return int(self._add(Kind.COMPUTE, Of.SPACE, cycles, 0)[0])

    def reserve(self, n_bytes: int) -> int:
        """Takes bytes of the ofmap buffer, as a stage does for all its tiles; see ``before``."""
        row = self._add(Kind.RESERVE, Of.SPACE, 0, 0)
        self.writer.take(row, In.OFMAP, n_bytes)
        return int(row[0])

    def before(self, row: int, reserve: int) -> None:
        """``row`` may not start before its stage has reserved its space."""
        self.writer.need(np.array([row]), reserve, Cause.BUFFER_FULL)

    def program(self, **parts: int) -> Program:
        """For a ``chip`` of these parts."""
        nothing: dict[str, Any] = dict(encoded_values=0, decoded_values=0, vector_values=0)
        stage = StageWork(
            name="stage",
            kind="conv",
            macs=0,
            bytes_by_tensor=dict.fromkeys(TENSOR_KINDS, ByteCounts()),
            sram=SramCounts(),
            fused_pool_values=0,
            map_values=0,
            value_bits=8,
            weight_bits=8,
            register_bits=0,
            **nothing,
        )
        machine, stages = chip(**parts), (stage,) * self.n_stages
        return self.writer.program(units_of(machine), pools_of(machine), stages, 1, self.line)
