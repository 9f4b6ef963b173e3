"""DRAMsim3's controller as a co-simulated memory, command for command.

All decisions are taken in compiled kernels (``accelsim.dram.kernel``); this file only moves
transfers in and completions out. A line accepted in cycle t is acknowledged at the end of
that cycle; data is there when its last beat is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.config import DramConfig
from accelsim.dram.front import Front, Out, Requester, new_front
from accelsim.dram.kernel.serve import flush, serve
from accelsim.dram.memory import Background, Completion, Decoder, DramCounts, Transfer
from accelsim.dram.rings import put, with_room
from accelsim.dram.state import FAR, Channel, Count, Misc, Rank, new_state
from accelsim.units import ceil_div

LOG_ROWS = 1 << 16


class Dramsim3Memory:
    """A ``Memory`` (see ``accelsim.dram.memory``) with DRAMsim3's controller on each channel.

    ``record_commands`` and ``record_requests`` keep every command, and every request that
    the channels accepted, for ``commands()`` and ``requests()``.
    """

    def __init__(
        self,
        config: DramConfig,
        n_requesters: int,
        n_labels: int,
        decoders: dict[int, Decoder],
        outstanding_reads: int = 32,
        record_commands: bool = False,
        record_requests: bool = False,
    ) -> None:
        self.config = config
        self._period_fs = config.clock.period_fs
        n_log = LOG_ROWS if record_commands else 0
        self._state = new_state(config, n_labels, n_requesters * outstanding_reads, n_log)
        self._front = new_front(
            self._period_fs,
            n_requesters,
            config.organisation.channels,
            outstanding_reads,
            decoders,
            n_traffic=LOG_ROWS if record_requests else 0,
        )
        self._n_transfers = 0
        self._drain_writes = 0
        self._end_cycle = 0
        self._commands: list[NDArray[np.int64]] = []
        self._requests: list[NDArray[np.int64]] = []

    @property
    def line_bytes(self) -> int:
        return self.config.line_bytes

    def submit(self, now_fs: int, transfer: Transfer) -> int:
        """Queue ``transfer`` behind the requester's earlier ones; returns its number."""
        self._front = with_room(self._front, transfer.requester, len(transfer.first_line))
        number = self._n_transfers
        put(self._front, number, now_fs, self._period_fs, transfer)
        self._n_transfers = number + 1
        return number

    def advance(self, until_fs: int | None) -> list[Completion]:
        """Take all decisions before ``until_fs``, or before the first completion."""
        bound = FAR if until_fs is None else until_fs
        while True:
            serve(self._state, self._front, bound)
            n = int(self._front.front[Front.OUT])
            if not self._take_logs() or n:
                break
        found = [Completion(*row) for row in self._front.out[:n].tolist()]
        found.sort(key=_when)
        return found

    def background_at(self, time_fs: int) -> Background:
        """State counters up to ``time_fs``, which is not behind the last decision."""
        rank = self._state.rank
        passed = np.maximum(ceil_div(time_fs, self._period_fs) - rank[:, Rank.SINCE], 0)
        is_active = rank[:, Rank.OPEN_BANKS] > 0
        return Background(
            refreshes=int(rank[:, Rank.REFRESHES].sum()),
            active_rank_cycles=int((rank[:, Rank.ACTIVE_CYCLES] + passed * is_active).sum()),
            idle_rank_cycles=int((rank[:, Rank.IDLE_CYCLES] + passed * ~is_active).sum()),
        )

    def finish(self, now_fs: int) -> int:
        """Flush buffered writes; the time at which the last command ended, at least now."""
        requester = self._front.requester
        self.advance(now_fs)
        if (requester[:, Requester.RETIRED] < requester[:, Requester.TRANSFERS]).any():
            raise RuntimeError("a memory can only be finished after its last completion")
        self._drain_writes = int(self._state.channel[:, Channel.WRITE_LENGTH].sum())
        front = self._front.front
        front[Front.NOW] = max(front[Front.NOW], ceil_div(now_fs, self._period_fs))
        while not flush(self._state, self._front):
            self._take_logs()
        self._end_cycle = max(
            ceil_div(now_fs, self._period_fs), int(self._state.channel[:, Channel.LAST_BEAT].max())
        )
        return max(now_fs, self._end_cycle * self._period_fs)

    def counts(self) -> DramCounts:
        """Everything counted so far; complete after ``finish``."""
        count = self._state.count
        return DramCounts(
            activates=count[:, Count.ACT].copy(),
            precharges=count[:, Count.PRE].copy(),
            reads=count[:, Count.RD].copy(),
            writes=count[:, Count.WR].copy(),
            row_hits=count[:, Count.HIT].copy(),
            background=self.background_at(self._end_cycle * self._period_fs),
            cycles=self._end_cycle,
            drain_writes=self._drain_writes,
        )

    def commands(self) -> NDArray[np.int64]:
        """[n, len(Log)] the commands so far, if they are recorded."""
        n = int(self._state.misc[Misc.LOG_LENGTH])
        return np.concatenate([*self._commands, self._state.log[:n]])

    def requests(self) -> NDArray[np.int64]:
        """[n, 3] cycle, line and is_write of the requests accepted so far, if recorded."""
        n = int(self._front.front[Front.TRAFFIC])
        return np.concatenate([*self._requests, self._front.traffic[:n]])

    def _take_logs(self) -> bool:
        """Empty logs that are more than half full; True if there was one."""
        taken = False
        n_commands = int(self._state.misc[Misc.LOG_LENGTH])
        if n_commands > LOG_ROWS // 2:
            self._commands.append(self._state.log[:n_commands].copy())
            self._state.misc[Misc.LOG_LENGTH], taken = 0, True
        n_requests = int(self._front.front[Front.TRAFFIC])
        if n_requests > LOG_ROWS // 2:
            self._requests.append(self._front.traffic[:n_requests].copy())
            self._front.front[Front.TRAFFIC], taken = 0, True
        return taken


def _when(completion: Completion) -> tuple[int, int]:
    return completion.arrived_fs, completion.transfer


POLICY = Dramsim3Memory
