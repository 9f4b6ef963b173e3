"""Sums over the states of a rank, awake and powered down."""

from accelsim.dram.events import DramEvents


def with_open_banks(seen: DramEvents) -> int:
    """Rank cycles with any bank open."""
    return seen.active_rank_cycles + seen.active_power_down_rank_cycles


def all_states(seen: DramEvents) -> int:
    """Rank cycles of every state."""
    closed = seen.idle_rank_cycles + seen.idle_power_down_rank_cycles
    return with_open_banks(seen) + closed + seen.self_refresh_rank_cycles
