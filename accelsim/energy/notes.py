"""What a reader must know about how the energy of the chip came about."""

from __future__ import annotations

from collections import Counter

from accelsim.energy.dram_known import energy_label
from accelsim.hardware.chip import Chip
from accelsim.sim.counts import RunCounts


def dram_note(chip: Chip) -> str:
    """What the energy of the memory is made of."""
    return f"DRAM energy: {energy_label(chip.dram.config, chip.energy.mode)}"


def energy_notes(counts: RunCounts, chip: Chip) -> list[str]:
    """Sentences for the result: what MACs were priced as, and what is never switched off."""
    work = [layer.work for layer in counts.layers if layer.work.macs]
    widths = Counter((each.value_bits, each.weight_bits) for each in work)
    macs = ", ".join(
        f"{value} x {weight} bits in {n} layer{'s' * (n != 1)}"
        for (value, weight), n in sorted(widths.items())
    )
    array = f"{chip.array.rows} x {chip.array.cols}"
    return [
        *([f"MAC energy: by the width of the words, {macs}"] if macs else []),
        f"PE array: all {array} PEs are clocked in every cycle, with or without a MAC",
    ]
