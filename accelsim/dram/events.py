"""What DRAM did, as one vector of counts: the commands on its buses, and the states of its ranks.

Controllers, replays, idle time, layers of a run and their prices all speak of it. Commands
belong to whoever caused them, states and refreshes to whoever owns the time; what a vector
does not count is zero in it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class DramEvents:
    """Counts of commands and of time; cycles are of the DRAM clock.

    ``reads`` and ``writes`` are bursts on the bus: fewer than the lines that were asked for,
    where the write buffer answers a read or merges a write.

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
    """Sum over ranks of cycles in self-refresh, which are not idle ones."""
    open_bank_cycles: int = 0
    """Sum over ranks and their open banks of cycles."""
    active_power_down_rank_cycles: int = 0
    """Sum over ranks of cycles in power-down with any bank open: no active ones."""
    idle_power_down_rank_cycles: int = 0
    """The same with all banks closed: no idle ones."""
    bus_fs: int = 0
    """Sum over channels of the time in which data were on the bus, whoever moved them.

    Of bursts on their way the time up to the end of the last one counts as still to come, any
    gaps between them too. So from one moment to a later one it grows by no more than the time
    between them, and at the end it is the time of all bursts.
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
