"""The report of ``dram replay``: counts and DRAMsim3's energy split, under fixed keys.

Termination, controller and PHY, which DRAMsim3 does not model, are listed separately.
"""

from __future__ import annotations

from math import fsum
from typing import Any

from accelsim.dram.chunked_replay import ReplayCounts
from accelsim.dram.config import DramConfig
from accelsim.energy.dram import EnergyMode, event_energy


def replay_energy_pj(
    result: ReplayCounts, config: DramConfig, mode: EnergyMode = "max"
) -> dict[str, float]:
    """The split that DRAMsim3 prints, in true picojoules, and its total."""
    each = event_energy(config, mode)
    parts = {
        "activate": result.activates * each.activate,
        "read": result.reads * each.read,
        "write": result.writes * each.write,
        "refresh": result.refreshes * each.refresh,
        "active_standby": result.active_rank_cycles * each.active_cycle
        + result.open_bank_cycles * each.open_bank_cycle,
        "precharge_standby": result.idle_rank_cycles * each.idle_cycle,
        "active_power_down": result.active_power_down_rank_cycles * each.active_power_down_cycle,
        "precharge_power_down": result.idle_power_down_rank_cycles * each.power_down_cycle,
        "self_refresh": result.self_refresh_rank_cycles * each.self_refresh_cycle,
    }
    # Zero times a negative price must not print as -0.
    return {part: pj + 0.0 for part, pj in parts.items()} | {"total": fsum(parts.values())}


def driver_gb_s(config: DramConfig) -> float:
    """Bandwidth of the reference driver: one line per clock to all channels together."""
    return config.line_bytes / config.timing.tCK_ns


def replay_report(
    result: ReplayCounts, config: DramConfig, host_seconds: float, mode: EnergyMode = "max"
) -> dict[str, Any]:
    """What ``dram replay --json`` prints.

    ``bandwidth_gb_s`` is what moved on the bus; ``served_gb_s``, DRAMsim3's figure, counts every
    request, including those that were merged or answered from the write buffer.
    """
    time_ns = result.cycles * config.timing.tCK_ns
    each, bursts = event_energy(config, mode), result.reads + result.writes
    first_commands = {"row_misses": result.row_misses, "row_conflicts": result.row_conflicts}
    return {
        "requests": result.requests,
        "cycles": result.cycles,
        "reads": result.reads,
        "writes": result.writes,
        "activates": result.activates,
        "precharges": result.precharges,
        "refreshes": result.refreshes,
        "row_hits": result.row_hits,
        **{key: count for key, count in first_commands.items() if count is not None},
        "average_read_latency_cycles": result.average_read_latency_cycles,
        "residual_writes": result.residual_writes,
        "bandwidth_gb_s": bursts * config.line_bytes / time_ns,
        "served_gb_s": result.requests * config.line_bytes / time_ns,
        "peak_gb_s": config.peak_gb_s,
        "energy_mode": mode,
        "energy_pj": replay_energy_pj(result, config, mode),
        "io_pj": bursts * each.io,
        "phy_pj": bursts * each.phy,
        "host_seconds": host_seconds,
    }
