"""Why a unit that works waited: each waiting cycle is charged to one cause.

While an array waits, the edge that came last is charged, and its chain is walked back in
time by one rule: what a row waited for ended when something else did, and that is walked in
its turn. A transfer gives its time to the decoder, the memory and the encoder; a wait for
bytes to the row that freed them; a wait for a row to that row. Where the chain comes to a
unit that worked, the rest belongs to the label of the edge that led there. The pieces meet
end to end, so they add up to the wait exactly.

A buffer without space never shows inside the wait of the array that alone makes space: what
a tile came later because its engine stood still for want of space, while the array was busy,
is charged to the buffer out of the time that the tile took. So is what the limit of reads in
flight alone adds to a tile's reads (``accelsim.dram.reach``). All times are rounded up to
edges of the core clock before they are subtracted.
"""

from __future__ import annotations

import numpy as np

from accelsim.dram.config import DramConfig
from accelsim.dram.reach import limit_delays_fs
from accelsim.program.table import NONE, Kind, Moment, Program
from accelsim.program.units import Cause
from accelsim.sim.machine import Times
from accelsim.units import Clock


class StallAccount:
    """Charges the waits of COMPUTE and VECTOR rows."""

    def __init__(
        self,
        program: Program,
        times: Times,
        core: Clock,
        memory: DramConfig,
        outstanding_reads: int,
    ) -> None:
        self._times, self._core = times, core
        rows, needs = program.rows, program.needs
        before = np.concatenate([[0], np.cumsum(program.extents.n_lines)])
        n_lines = before[rows.last_extent] - before[rows.first_extent]
        delays_fs, bus_fs = limit_delays_fs(memory, outstanding_reads, n_lines)
        self._delay_fs, self._bus_fs = delays_fs.tolist(), bus_fs.tolist()
        self._kind = rows.kind.tolist()
        self._units = [program.units[unit] for unit in rows.unit.tolist()]
        self._previous = _previous_of_same_unit(rows.unit.tolist())
        self._needs_from = needs.first.tolist()
        edges = (needs.source.tolist(), needs.moment.tolist(), needs.cause.tolist())
        self._needs = list(zip(*edges, strict=True))
        self._reached = {Moment.DONE: times.done, Moment.SUBMITTED: times.submit}
        self._charged: list[int] = []

    def charge(self, row: int) -> list[int]:
        """[n_causes] cycles between the end of its unit's row before and the start of ``row``."""
        self._charged = [0] * len(Cause)
        floor, start = self._edge(self._times.begin[row]), self._edge(self._times.submit[row])
        if start > floor:
            last = self._last_edge(row, Cause.DEPENDENCY)
            self._walk(*last, start, floor)
        return self._charged

    def _walk(self, row: int, moment: Moment, label: int, high: int, floor: int) -> None:
        """Charge (floor, high], where ``row`` came to its ``moment`` at ``high``."""
        while row != NONE and high > floor:
            unit = self._units[row]
            if moment == Moment.DONE:
                if self._kind[row] in (Kind.COMPUTE, Kind.VECTOR):
                    break
                if unit.writes_dram:
                    row, high = self._through_write(row, high, floor)
                elif unit.reads_dram:
                    high = self._through_read(row, high, floor)
            row, moment, label = self._last_edge(row, label)
        self._charged[label] += max(0, high - floor)

    def _last_edge(self, row: int, label: int) -> tuple[int, Moment, int]:
        """What ended last before ``row`` could be submitted, and the label from there on.

        Bytes that were waited for came after all that it needs; with neither, its unit was
        still at the row before.
        """
        if self._times.freed_by[row] != NONE:
            return self._times.freed_by[row], Moment.DONE, Cause.BUFFER_FULL
        last, found = (self._times.begin[row], NONE), None
        for edge in self._needs[self._needs_from[row] : self._needs_from[row + 1]]:
            at = (self._reached[edge[1]][edge[0]], edge[0])
            if at[0] > self._times.begin[row] and at > last:
                last, found = at, edge
        if found is None:
            return self._previous[row], Moment.SUBMITTED, label
        source, moment, cause = found
        return source, moment, label if cause == NONE else cause

    def _through_read(self, row: int, high: int, floor: int) -> int:
        """Charge the time from its submission on, as far as it lies in (floor, high]."""
        times, unit = self._times, self._units[row]
        high = self._piece(times.arrived[row], high, floor, unit.codec_cause)
        low = max(floor, self._edge(times.submit[row]))
        held = self._core.edge_at_or_after(times.held[row])
        high = self._piece_of_cycles(held, low, high, unit.codec_cause)
        idle = self._idle_for_want_of_space(row)
        high = self._piece_of_cycles(idle, low, high, Cause.BUFFER_FULL)
        limited = self._late_for_want_of_reads_in_flight(row)
        high = self._piece_of_cycles(limited, low, high, Cause.OUTSTANDING)
        return self._piece(times.submit[row], high, floor, unit.dram_cause)

    def _through_write(self, row: int, high: int, floor: int) -> tuple[int, int]:
        """The same, and for the encoder before it; the row whose blocks the encoder worked on.

        Writes are accepted in order: one that was ready earlier, as a table is, has waited for
        the encoder of the blocks before it.
        """
        times, unit, before = self._times, self._units[row], self._previous[row]
        while before != NONE and times.done[before] > times.submit[row]:
            high = self._piece(times.done[before], high, floor, unit.dram_cause)
            row, before = before, self._previous[before]
        high = self._piece(times.submit[row], high, floor, unit.dram_cause)
        return row, self._piece(times.needed[row], high, floor, unit.codec_cause)

    def _piece(self, low_fs: int, high: int, floor: int, cause: int) -> int:
        low = max(floor, self._edge(low_fs))
        if low >= high:
            return high
        self._charged[cause] += high - low
        return low

    def _idle_for_want_of_space(self, row: int) -> int:
        """Cycles for which a read alone could have come earlier, had its pool had space.

        Its engine had nothing else on its way: what came before it had arrived.
        """
        times, before = self._times, self._previous[row]
        ready = max(times.needed[row], times.arrived[before] if before != NONE else 0)
        return max(0, self._edge(times.submit[row]) - self._edge(ready))

    def _late_for_want_of_reads_in_flight(self, row: int) -> int:
        """Cycles that the limit alone adds to a read; its own time on the bus is none of them."""
        took_fs = self._times.arrived[row] - self._times.submit[row]
        return self._edge(min(self._delay_fs[row], took_fs - self._bus_fs[row]))

    def _piece_of_cycles(self, cycles: int, low: int, high: int, cause: int) -> int:
        """At most ``cycles`` of (low, high] for a cause that has no place of its own in it."""
        piece = max(0, min(cycles, high - low))
        self._charged[cause] += piece
        return high - piece

    def _edge(self, time_fs: int) -> int:
        return self._core.edge_at_or_after(max(0, time_fs))


def _previous_of_same_unit(units: list[int]) -> list[int]:
    """[n_rows] the row before each one in its unit."""
    previous, last = [], dict[int, int]()
    for row, unit in enumerate(units):
        previous.append(last.get(unit, NONE))
        last[unit] = row
    return previous
