"""What DRAM did, as one vector of counts: commands on its buses, and states of its ranks.

Controllers, replays, idle time, layers of a run and pricing all use it. Commands are counted for
the layer that caused them, states and refreshes for the layer that owns the time; whatever a
vector does not count is zero in it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class DramEvents:
    """Counts of commands and of time; cycles are of the DRAM clock.

    ``reads`` and ``writes`` are bursts on the bus: fewer than the requested lines if the write
    buffer answers a read or merges a write.

    >>> DramEvents(reads=3, refreshes=1) + DramEvents(reads=2) - DramEvents(refreshes=1)
    DramEvents(reads=5)
    """

    activates: int = 0
    precharges: int = 0
    reads: int = 0
    writes: int = 0
    row_hits: int = 0
    """Column accesses that were not the first after their ACT."""
    refreshes: int = 0
    active_rank_cycles: int = 0
    """Sum over ranks of cycles with at least one bank open."""
    idle_rank_cycles: int = 0
    """Sum over ranks of cycles with all banks closed."""
    self_refresh_rank_cycles: int = 0
    """Sum over ranks of cycles in self-refresh; these do not count as idle."""
    open_bank_cycles: int = 0
    """Sum over all open banks of cycles."""
    active_power_down_rank_cycles: int = 0
    """Sum over ranks of cycles in power-down with any bank open; these do not count as active."""
    idle_power_down_rank_cycles: int = 0
    """The same with all banks closed; these do not count as idle."""
    bus_fs: int = 0
    """Sum over channels of the time in which data were on the bus, no matter who moved them.

    While bursts are in flight, the time up to the end of the last one, including gaps, is not
    counted yet. So between two moments the sum grows by no more than the time between them, and
    at the end it is the time of all bursts.
    """

    def __add__(self, other: DramEvents) -> DramEvents:
        return DramEvents(*(a + b for a, b in zip(self._values(), other._values(), strict=True)))

    def __sub__(self, other: DramEvents) -> DramEvents:
        return DramEvents(*(a - b for a, b in zip(self._values(), other._values(), strict=True)))

    def __repr__(self) -> str:
        found = zip(fields(DramEvents), self._values(), strict=True)
        return f"DramEvents({', '.join(f'{field.name}={n}' for field, n in found if n)})"

    def _values(self) -> tuple[int, ...]:
        return tuple(getattr(self, field.name) for field in fields(DramEvents))


NO_EVENTS = DramEvents()
