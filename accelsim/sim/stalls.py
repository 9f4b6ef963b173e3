"""Why the PE array waited: each waiting cycle is charged to one cause.

While the array waits, the operand that arrives last is charged, and its chain is walked
back in time: the decoder, the memory, the index, the buffer, the producer's encoder. The
pieces meet end to end, so they add up to the wait exactly. A buffer without space never
shows inside the wait, for only the array makes space: what a tile came later because its
engine stood still for want of space, while the array was busy, is charged to the buffer
out of the time that the tile took. So is what the limit of reads in flight alone adds to a
tile's reads (``accelsim.dram.reach``). All times are rounded up to
edges of the core clock before they are subtracted.
"""

from __future__ import annotations

import numpy as np

from accelsim.dram.config import DramConfig
from accelsim.dram.reach import limit_delays_fs
from accelsim.program.table import NONE, Program, Requester
from accelsim.sim.counts import STALL_CAUSES
from accelsim.sim.machine import Times
from accelsim.units import Clock

_DRAM_CAUSE = {
    Requester.IFMAP: "ifmap_dram",
    Requester.WEIGHT: "weight_dram",
    Requester.INDEX: "index_dram",
}


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
        rows = program.rows
        before = np.concatenate([[0], np.cumsum(program.extents.n_lines)])
        n_lines = before[rows.last_extent] - before[rows.first_extent]
        delays_fs, bus_fs = limit_delays_fs(memory, outstanding_reads, n_lines)
        self._delay_fs, self._bus_fs = delays_fs.tolist(), bus_fs.tolist()
        self._after, self._index = rows.after.tolist(), rows.index.tolist()
        needs = (rows.needs_ifmap, rows.needs_weight, rows.needs_shortcut)
        self._needs = [column.tolist() for column in needs]
        self._requester = rows.requester.tolist()
        self._previous = _previous_of_same_engine(program)

    def charge(self, row: int) -> dict[str, int]:
        """Cycles by cause between the end of the row before and the start of ``row``."""
        charged = dict.fromkeys(STALL_CAUSES, 0)
        floor, start = self._edge(self._times.begin[row]), self._edge(self._times.submit[row])
        if start <= floor:
            return charged
        waits = [(self._times.done[r], r) for r in (n[row] for n in self._needs) if r != NONE]
        last_operand = max(waits, default=(NONE, NONE))
        if self._times.ofmap_space[row] > last_operand[0]:
            self._walk_write(self._times.ofmap_freed_by[row], start, floor, charged, "buffer_full")
        else:
            self._walk_read(last_operand[1], start, floor, charged)
        return charged

    def _walk_read(self, row: int, high: int, floor: int, charged: dict[str, int]) -> None:
        """Charge (floor, high] along the chain of one READ and those before it in its queue."""
        times = self._times
        while row != NONE and high > floor:
            requester = Requester(self._requester[row])
            high = self._piece(times.arrived[row], high, floor, charged, "decoder")
            low = max(floor, self._edge(times.submit[row]))
            held = self._core.edge_at_or_after(times.held[row])
            high = self._piece_of_cycles(held, low, high, charged, "decoder")
            idle = self._idle_for_want_of_space(row)
            high = self._piece_of_cycles(idle, low, high, charged, "buffer_full")
            limited = self._late_for_want_of_reads_in_flight(row)
            high = self._piece_of_cycles(limited, low, high, charged, "outstanding")
            high = self._piece(times.submit[row], high, floor, charged, _DRAM_CAUSE[requester])
            high = self._piece(times.index[row], high, floor, charged, "buffer_full")
            if self._index[row] != NONE and times.index[row] > times.dependency[row]:
                low = max(floor, self._edge(times.dependency[row]))
                self._walk_read(self._index[row], high, low, charged)
                high = min(high, low)
            if self._after[row] != NONE and times.dependency[row] > times.begin[row]:
                low = max(floor, self._edge(times.begin[row]))
                self._walk_write(self._after[row], high, low, charged, "dependency")
                high = min(high, low)
            row = self._previous[row]
        charged["dependency"] += max(0, high - floor)

    def _walk_write(
        self, row: int, high: int, floor: int, charged: dict[str, int], otherwise: str
    ) -> None:
        """Charge (floor, high] to the memory, then the encoder, then ``otherwise``.

        Writes are accepted in order: one that was ready earlier, as a table is, has waited for
        the encoder of the blocks before it.
        """
        times, before = self._times, self._previous[row]
        while before != NONE and times.done[before] > times.submit[row]:
            high = self._piece(times.done[before], high, floor, charged, "ofmap_dram")
            row, before = before, self._previous[before]
        high = self._piece(times.submit[row], high, floor, charged, "ofmap_dram")
        high = self._piece(times.begin[row], high, floor, charged, "encoder")
        charged[otherwise] += max(0, high - floor)

    def _piece(
        self, low_fs: int, high: int, floor: int, charged: dict[str, int], cause: str
    ) -> int:
        low = max(floor, self._edge(low_fs))
        if low >= high:
            return high
        charged[cause] += high - low
        return low

    def _idle_for_want_of_space(self, row: int) -> int:
        """Cycles for which a READ alone could have come earlier, had its buffer had space.

        Its engine had nothing else on its way: what came before it had arrived.
        """
        times, before = self._times, self._previous[row]
        ready = max(times.index[row], times.arrived[before] if before != NONE else 0)
        return max(0, self._edge(times.submit[row]) - self._edge(ready))

    def _late_for_want_of_reads_in_flight(self, row: int) -> int:
        """Cycles that the limit alone adds to a READ; its own time on the bus is none of them."""
        took_fs = self._times.arrived[row] - self._times.submit[row]
        return self._edge(min(self._delay_fs[row], took_fs - self._bus_fs[row]))

    def _piece_of_cycles(
        self, cycles: int, low: int, high: int, charged: dict[str, int], cause: str
    ) -> int:
        """At most ``cycles`` of (low, high] for a cause that has no place of its own in it."""
        piece = max(0, min(cycles, high - low))
        charged[cause] += piece
        return high - piece

    def _edge(self, time_fs: int) -> int:
        return self._core.edge_at_or_after(max(0, time_fs))


def _previous_of_same_engine(program: Program) -> list[int]:
    """[n_rows] the READ or WRITE before each one in its engine's queue."""
    previous, last = [], dict[int, int]()
    for row, requester in enumerate(program.rows.requester.tolist()):
        previous.append(last.get(requester, NONE) if requester != NONE else NONE)
        if requester != NONE:
            last[requester] = row
    return previous
