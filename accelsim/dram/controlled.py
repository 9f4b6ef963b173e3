"""A co-simulated memory behind the controller of a named simulator, command for command.

All decisions are taken in compiled kernels (``accelsim.dram.kernel``); this file only passes
transfers in and completions out. A line accepted in cycle t is acknowledged at the end of
that cycle; data are available when the last beat has arrived.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.config import DramConfig
from accelsim.dram.events import DramEvents
from accelsim.dram.front_end import LOG_ROWS, FrontEnd
from accelsim.dram.kernel.serve import serve
from accelsim.dram.memory import Completion, Decoder, DramCounts, Transfer
from accelsim.dram.parameters import ControllerName
from accelsim.dram.read_out import commands_of, states_of
from accelsim.dram.state import FAR, Channel, Count, Misc, new_state
from accelsim.jit import addresses
from accelsim.units import ceil_div


class ControlledMemory:
    """A ``Memory`` (see ``accelsim.dram.memory``) with the same controller on each channel.

    A policy is a subclass that names its ``controller``. ``record_commands`` and
    ``record_traffic`` keep every command, and every line that the channels accepted, for
    ``commands()`` and ``traffic()``.

    Raises ``ConfigError`` for a configuration that the controller cannot run.
    """

    controller: ClassVar[ControllerName]

    def __init__(
        self,
        config: DramConfig,
        n_requesters: int,
        n_labels: int,
        decoders: dict[int, Decoder],
        outstanding_reads: int = 32,
        record_traffic: bool = False,
        record_commands: bool = False,
    ) -> None:
        self.config = config
        self._period_fs = config.clock.period_fs
        n_log = LOG_ROWS if record_commands else 0
        n_tokens = n_requesters * outstanding_reads
        self._state = new_state(config, n_labels, n_tokens, n_log, self.controller)
        self._addresses = addresses(self._state)
        self._front_end = FrontEnd(
            config, n_requesters, decoders, outstanding_reads, record_traffic
        )
        self._records_commands = record_commands
        self._drain_writes = 0
        self._end_cycle = 0
        self._commands: list[NDArray[np.int64]] = []

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
            n = serve(self._addresses, self._front_end.addresses, bound)
            found = self._front_end.completions(n)
            if found or not self._take_logs():
                return found

    def background_at(self, time_fs: int) -> DramEvents:
        """State counters up to ``time_fs``, which is not behind the last decision."""
        states = states_of(self._state.rank, ceil_div(time_fs, self._period_fs))
        burst_fs = self.config.timing.burst_cycles * self._period_fs
        bursts = int(self._state.counts[:, [Count.RD, Count.WR]].sum())
        ends = self._state.channel[:, Channel.LAST_BEAT] * self._period_fs
        still_to_come = np.maximum(ends - time_fs, 0)
        return replace(states, bus_fs=bursts * burst_fs - int(still_to_come.sum()))

    def finish(self, now_fs: int) -> int:
        """Flush buffered writes; the time at which the last command ended, at least now."""
        self.advance(now_fs)
        if not self._front_end.idle:
            raise RuntimeError("a memory can only be finished after its last completion")
        self._front_end.skip_to(now_fs)
        channel = self._state.channel
        self._drain_writes = int(channel[:, Channel.WRITE_LENGTH].sum())
        self._state.misc[Misc.FLUSH] = 1
        channel[:, [Channel.MOVE_AT, Channel.NEXT]] = self._front_end.now_cycle
        self.advance(None)
        last_beat = int(channel[:, Channel.LAST_BEAT].max())
        self._end_cycle = max(ceil_div(now_fs, self._period_fs), last_beat)
        return max(now_fs, self._end_cycle * self._period_fs)

    def counts(self) -> DramCounts:
        """Everything counted so far; complete after ``finish``."""
        return DramCounts(
            by_label=tuple(commands_of(counts) for counts in self._state.counts),
            background=self.background_at(self._end_cycle * self._period_fs),
            cycles=self._end_cycle,
            drain_writes=self._drain_writes,
        )

    def commands(self) -> NDArray[np.int64]:
        """[n, len(Log)] the commands so far, if they are recorded."""
        n = int(self._state.misc[Misc.LOG_LENGTH])
        return np.concatenate([*self._commands, self._state.log[:n]])

    def traffic(self) -> NDArray[np.int64]:
        """[n, 3] cycle, line and is_write of the lines accepted so far, if recorded."""
        return self._front_end.traffic()

    def _take_logs(self) -> bool:
        """Empty the logs that are more than half full; True if there was one."""
        taken = self._front_end.take_traffic()
        if not self._records_commands:
            return taken
        n = int(self._state.misc[Misc.LOG_LENGTH])
        if n > LOG_ROWS // 2:
            self._commands.append(self._state.log[:n].copy())
            self._state.misc[Misc.LOG_LENGTH], taken = 0, True
        return taken
