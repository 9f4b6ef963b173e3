"""Notes on energy: what a reader must know about how it was computed."""

from __future__ import annotations

from collections import Counter

from accelsim.energy.dram_known import energy_label
from accelsim.hardware.chip import Chip
from accelsim.sim.counts import RunCounts


def dram_note(chip: Chip) -> str:
    """Which currents the energy of the memory is based on, and how they are known."""
    return f"DRAM energy: {energy_label(chip.dram.config, chip.energy.mode)}"


def energy_notes(counts: RunCounts, chip: Chip) -> list[str]:
    """Sentences for the result: at which widths MACs were priced, and what is always clocked."""
    work = [layer.work for layer in counts.layers if layer.work.macs]
    widths = Counter((each.value_bits, each.weight_bits) for each in work)
    macs = ", ".join(
        f"{value} x {weight} bits in {n} layer{'s' * (n != 1)}"
        for (value, weight), n in sorted(widths.items())
    )
    array = f"{chip.array.rows} x {chip.array.cols}"
    return [
        *([f"MAC energy: by the width of the operands: {macs}"] if macs else []),
        f"PE array: all {array} PEs are clocked in every cycle, with or without a MAC",
    ]
