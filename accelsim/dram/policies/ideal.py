"""An ideal memory: one latency, one bandwidth; no banks, refresh or bus turnaround.

Lines leave the requesters one at a time, those that are due first before the others, over one bus
with the peak bandwidth of the configuration; data arrive one unloaded latency later. With this
memory, fewer bytes or more decoder lanes never make anything slower, so monotonicity laws hold on
it. Writes are posted as the bus takes them, so none are left to flush.

Counted as activity for energy: bursts, all row hits; every bank open; nominal refreshes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.config import DramConfig
from accelsim.dram.events import DramEvents
from accelsim.dram.front_end import FrontEnd
from accelsim.dram.kernel.ideal import Bus, serve_ideal
from accelsim.dram.memory import Completion, Decoder, DramCounts, Transfer
from accelsim.dram.reach import unloaded_read_cycles
from accelsim.dram.read_out import commands_of
from accelsim.dram.state import FAR, Count
from accelsim.units import ceil_div


class IdealMemory:
    """A ``Memory`` (see ``accelsim.dram.memory``) of constant latency and bandwidth."""

    def __init__(
        self,
        config: DramConfig,
        n_requesters: int,
        n_labels: int,
        decoders: dict[int, Decoder],
        outstanding_reads: int = 32,
        record_traffic: bool = False,
    ) -> None:
        self.config = config
        self._period_fs = config.clock.period_fs
        self._front_end = FrontEnd(
            config, n_requesters, decoders, outstanding_reads, record_traffic
        )
        t = config.timing
        self._bus = np.zeros(len(Bus), np.int64)
        self._bus[Bus.UNITS_PER_CYCLE] = config.organisation.channels
        self._bus[Bus.UNITS_PER_LINE] = t.burst_cycles
        self._bus[Bus.LATENCY] = unloaded_read_cycles(t) - t.burst_cycles
        self._count = np.zeros((n_labels, len(Count)), np.int64)
        self._end_cycle = 0

    @property
    def line_bytes(self) -> int:
        return self.config.line_bytes

    def submit(self, now_fs: int, transfer: Transfer) -> int:
        """Queue ``transfer`` behind the requester's earlier ones; returns its number."""
        return self._front_end.submit(now_fs, transfer)

    def advance(self, until_fs: int | None) -> list[Completion]:
        """Take all decisions before ``until_fs``, or before the first completion."""
        bound = FAR if until_fs is None else until_fs
        if bound <= self._front_end.idle_to_fs:
            return []
        while True:
            n = serve_ideal(self._front_end.addresses, self._bus, self._count, bound)
            found = self._front_end.completions(n)
            if found or not self._front_end.take_traffic():
                return found

    def background_at(self, time_fs: int) -> DramEvents:
        """State counters up to ``time_fs``."""
        cycles, n_ranks = ceil_div(time_fs, self._period_fs), self.config.n_ranks
        n_channels, burst_cycles = (
            self.config.organisation.channels,
            self.config.timing.burst_cycles,
        )
        lines = int(self._count[:, [Count.RD, Count.WR]].sum())
        # One bus, on which a cycle counts once for each channel.
        still_to_come = max(0, int(self._bus[Bus.FREE]) * self._period_fs - n_channels * time_fs)
        return DramEvents(
            refreshes=cycles // self.config.timing.tREFI * n_ranks,
            active_rank_cycles=cycles * n_ranks,
            idle_rank_cycles=0,
            open_bank_cycles=cycles * n_ranks * self.config.organisation.banks,
            bus_fs=lines * burst_cycles * self._period_fs - still_to_come,
        )

    def finish(self, now_fs: int) -> int:
        """The time at which the bus is done, at least now."""
        self.advance(now_fs)
        if not self._front_end.idle:
            raise RuntimeError("a memory can only be finished after its last completion")
        busy_until = ceil_div(int(self._bus[Bus.FREE]), self.config.organisation.channels)
        self._end_cycle = max(ceil_div(now_fs, self._period_fs), busy_until)
        return max(now_fs, self._end_cycle * self._period_fs)

    def counts(self) -> DramCounts:
        """Everything counted so far; complete after ``finish``."""
        commands = (commands_of(counts) for counts in self._count)
        return DramCounts(
            by_label=tuple(replace(each, row_hits=each.reads + each.writes) for each in commands),
            background=self.background_at(self._end_cycle * self._period_fs),
            cycles=self._end_cycle,
            drain_writes=0,
        )

    def traffic(self) -> NDArray[np.int64]:
        """[n, 3] cycle, line and is_write of the lines taken so far, if recorded."""
        return self._front_end.traffic()


POLICY = IdealMemory
