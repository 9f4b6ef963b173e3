"""The arrays of a controller (``accelsim.dram.state``), read as ``DramEvents``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.events import DramEvents
from accelsim.dram.state import FAR, Count, Rank


def commands_of(counts: NDArray[np.int64]) -> DramEvents:
    """The commands of one label, [len(Count)]; states are zero."""
    return DramEvents(
        activates=int(counts[Count.ACT]),
        precharges=int(counts[Count.PRE]),
        reads=int(counts[Count.RD]),
        writes=int(counts[Count.WR]),
        row_hits=int(counts[Count.HIT]),
    )


def states_of(rank: NDArray[np.int64], now_cycle: int) -> DramEvents:
    """Refreshes and states of all ranks, [n_ranks, len(Rank)], up to a cycle; no commands.

    The present state of each rank is booked up to ``now_cycle`` here; the arrays stay as they
    are.
    """
    passed = np.maximum(now_cycle - rank[:, Rank.SINCE], 0)
    down = np.maximum(now_cycle - rank[:, Rank.DOWN_FROM], 0)
    n_open, is_asleep = rank[:, Rank.OPEN_BANKS], rank[:, Rank.ASLEEP_TO] == FAR
    is_active = n_open > 0
    is_idle = ~(is_active | is_asleep)
    active = rank[:, Rank.ACTIVE_CYCLES] + (passed - down) * is_active
    idle = rank[:, Rank.IDLE_CYCLES] + (passed - down) * is_idle
    active_down = rank[:, Rank.ACTIVE_DOWN_CYCLES] + down * is_active
    idle_down = rank[:, Rank.IDLE_DOWN_CYCLES] + down * is_idle
    return DramEvents(
        refreshes=int(rank[:, Rank.REFRESHES].sum()),
        active_rank_cycles=int(active.sum()),
        idle_rank_cycles=int(idle.sum()),
        self_refresh_rank_cycles=int((rank[:, Rank.ASLEEP_CYCLES] + passed * is_asleep).sum()),
        open_bank_cycles=int((rank[:, Rank.OPEN_BANK_CYCLES] + passed * n_open).sum()),
        active_power_down_rank_cycles=int(active_down.sum()),
        idle_power_down_rank_cycles=int(idle_down.sum()),
    )
