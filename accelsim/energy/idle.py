"""Energy that the machine draws while it waits for the next image at a fixed frame rate.

Images take 1 / ``frame_rate_hz`` each. In the part of that time that the run does not use, buffers
and PEs leak, the memory idles as in ``accelsim.dram.idle``, and the clock of the array stops.
"""

from __future__ import annotations

from accelsim.dram.events import DramEvents
from accelsim.dram.idle import idle_background
from accelsim.energy.dram import price_dram
from accelsim.energy.parts import EnergyParts
from accelsim.energy.pe_array import leakage_mw
from accelsim.energy.sram import buffers_leakage_mw
from accelsim.hardware.chip import Chip
from accelsim.sim.counts import RunCounts
from accelsim.units import FS_PER_S, PJ_PER_MW_S


def idle_seconds(counts: RunCounts, chip: Chip) -> float:
    """Sum of the pauses of a run; zero without a frame rate, or if the chip is too slow."""
    if chip.frame_rate_hz is None:
        return 0.0
    busy_s = chip.core.to_fs(counts.cycles) / FS_PER_S
    return max(0.0, len(counts.image_end_cycles) / chip.frame_rate_hz - busy_s)


def idle_events(counts: RunCounts, chip: Chip) -> DramEvents:
    """Events of the memory in the pauses, one of which follows each image."""
    config = chip.dram.config
    cycles = round(idle_seconds(counts, chip) * FS_PER_S / config.clock.period_fs)
    return idle_background(config, cycles, pauses=len(counts.image_end_cycles))


def price_idle(counts: RunCounts, chip: Chip) -> EnergyParts:
    """Energy of the pauses of a run."""
    return price_pauses(idle_seconds(counts, chip), idle_events(counts, chip), chip)


def price_pauses(seconds: float, events: DramEvents, chip: Chip) -> EnergyParts:
    """Energy of pauses that last ``seconds`` together, in which the memory does ``events``."""
    return EnergyParts(
        leakage=buffers_leakage_mw(chip) * seconds * PJ_PER_MW_S,
        array_leakage=leakage_mw(chip) * seconds * PJ_PER_MW_S,
        **price_dram(events, chip.dram.config, chip.energy.mode),
    )


def frame_rate_warnings(counts: RunCounts, chip: Chip) -> list[str]:
    """A warning if the chip cannot keep its frame rate, as far as this run shows."""
    asked = chip.frame_rate_hz
    if asked is None:
        return []
    ends = counts.image_end_cycles
    cycles, images, how = counts.cycles, len(ends), "from a cold start"
    if len(ends) > 1:
        cycles, images, how = ends[-1] - ends[0], len(ends) - 1, "in steady state"
    reached = images * FS_PER_S / chip.core.to_fs(cycles) if cycles else asked
    if reached >= asked:
        return []
    return [
        f"frame_rate_hz: {asked:g} images/s were asked for, but this run reaches {reached:.4g} "
        f"{how}; its energy contains no pauses"
    ]
