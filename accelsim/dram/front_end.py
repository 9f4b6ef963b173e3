"""The Python side of the front end: transfers in, completions and traffic out."""

from __future__ import annotations

from typing import Final

import numpy as np

from accelsim.dram.config import DramConfig
from accelsim.dram.front import Front, FrontState, Out, Requester, new_front
from accelsim.dram.kernel.submit import submit
from accelsim.dram.memory import Completion, Decoder, Transfer
from accelsim.dram.rings import grown
from accelsim.jit import Ints, addresses
from accelsim.units import ceil_div

LOG_ROWS = 1 << 16
NO_TIMES: Final = np.zeros(0, np.int64)


class FrontEnd:
    """Owns the front end's state, whose arrays are replaced when they must grow.

    Kernels find the arrays of ``state`` by ``addresses``.
    """

    def __init__(
        self,
        config: DramConfig,
        n_requesters: int,
        decoders: dict[int, Decoder],
        outstanding_reads: int,
        record_traffic: bool,
    ) -> None:
        self._period_fs = config.clock.period_fs
        self._hold(
            new_front(
                self._period_fs,
                n_requesters,
                config.organisation.channels,
                outstanding_reads,
                decoders,
                n_traffic=LOG_ROWS if record_traffic else 0,
            )
        )
        self._records_traffic = record_traffic
        self._n_transfers = 0
        self.idle_to_fs = 0
        """Before this time nothing happens, unless something is submitted."""
        self._taken: list[Ints] = []

    def _hold(self, state: FrontState) -> None:
        self.state, self.addresses = state, addresses(state)

    def submit(self, now_fs: int, transfer: Transfer) -> int:
        """Append ``transfer`` to its requester's rings, which grow if need be."""
        requester, label, is_write, first_line, n_lines, ready_fs, decode_fs, due = transfer
        number = self._n_transfers
        order = (
            *(int(requester), number, int(label), int(due), int(is_write)),
            *(now_fs, first_line, n_lines),
            NO_TIMES if ready_fs is None else ready_fs,
            NO_TIMES if decode_fs is None else decode_fs,
        )
        if not submit(self.addresses, *order):
            self._hold(grown(self.state, len(first_line)))
            submit(self.addresses, *order)
        self._n_transfers, self.idle_to_fs = number + 1, 0
        return number

    def completions(self, n: int) -> list[Completion]:
        """The ``n`` completions that the kernel wrote, in order of time."""
        self.idle_to_fs = self.state.front.item(Front.IDLE_TO_FS)
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
        self.idle_to_fs = 0

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

    def traffic(self) -> Ints:
        """[n, 3] cycle, line and is_write of the lines accepted so far, if recorded."""
        n = int(self.state.front[Front.TRAFFIC])
        return np.concatenate([*self._taken, self.state.traffic[:n]])


def _time_of(row: list[int]) -> tuple[int, int]:
    return row[Out.ARRIVED_FS], row[Out.TRANSFER]
