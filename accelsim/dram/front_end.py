"""The Python side of the front end: transfers in, completions and traffic out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.config import DramConfig
from accelsim.dram.front import Front, FrontState, Out, Requester, new_front
from accelsim.dram.memory import Completion, Decoder, Transfer
from accelsim.dram.rings import Rings
from accelsim.units import ceil_div

LOG_ROWS = 1 << 16


class FrontEnd:
    """Owns the front end's state, whose arrays are replaced when they must grow."""

    def __init__(
        self,
        config: DramConfig,
        n_requesters: int,
        decoders: dict[int, Decoder],
        outstanding_reads: int,
        record_traffic: bool,
    ) -> None:
        self._period_fs = config.clock.period_fs
        front = new_front(
            self._period_fs,
            n_requesters,
            config.organisation.channels,
            outstanding_reads,
            decoders,
            n_traffic=LOG_ROWS if record_traffic else 0,
        )
        self._rings = Rings(front, self._period_fs)
        self._records_traffic = record_traffic
        self._n_transfers = 0
        self._taken: list[NDArray[np.int64]] = []

    @property
    def state(self) -> FrontState:
        return self._rings.front

    def submit(self, now_fs: int, transfer: Transfer) -> int:
        number = self._n_transfers
        self._rings.put(number, now_fs, transfer)
        self._n_transfers = number + 1
        return number

    def completions(self) -> list[Completion]:
        """What the last call of the kernel completed, in order of time."""
        n = int(self.state.front[Front.OUT])
        if n == 0:
            return []
        rows = self.state.out[:n].tolist()
        if n > 1:
            rows.sort(key=_time_of)
        return [Completion(*row) for row in rows]

    @property
    def idle(self) -> bool:
        """True if every transfer is completed."""
        requester = self.state.requester
        return bool((requester[:, Requester.RETIRED] == requester[:, Requester.TRANSFERS]).all())

    @property
    def now_cycle(self) -> int:
        """First cycle that is not executed."""
        return int(self.state.front[Front.NOW])

    def skip_to(self, time_fs: int) -> None:
        """The first cycle not executed starts at or after ``time_fs``."""
        front, cycle = self.state.front, ceil_div(time_fs, self._period_fs)
        front[Front.NOW] = max(int(front[Front.NOW]), cycle)

    def take_traffic(self) -> bool:
        """Empty the traffic log if it is more than half full; True if it was."""
        if not self._records_traffic:
            return False
        n = int(self.state.front[Front.TRAFFIC])
        if n <= LOG_ROWS // 2:
            return False
        self._taken.append(self.state.traffic[:n].copy())
        self.state.front[Front.TRAFFIC] = 0
        return True

    def traffic(self) -> NDArray[np.int64]:
        """[n, 3] cycle, line and is_write of the lines accepted so far, if recorded."""
        n = int(self.state.front[Front.TRAFFIC])
        return np.concatenate([*self._taken, self.state.traffic[:n]])


def _time_of(row: list[int]) -> tuple[int, int]:
    return row[Out.ARRIVED_FS], row[Out.TRANSFER]
