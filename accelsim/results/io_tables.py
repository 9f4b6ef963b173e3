"""What the same data cost on the pins of several memories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from accelsim.results.number_text import column, number, ratio
from accelsim.results.ranking import baseline_of
from accelsim.results.result import Result
from accelsim.results.run_tables import on_pins
from accelsim.results.table import Column, Table

DRAM_PARTS: Final[dict[str, tuple[str, ...]]] = {
    "core": ("dram_act", "dram_read", "dram_write", "dram_refresh", "dram_background"),
    "I/O": ("dram_io",),
    "PHY": ("dram_phy",),
}
"""Energy of a memory: inside its devices, on its pins, and in controller and PHY on the chip."""

ByMemory = Mapping[str, Mapping[str, Result]]
"""Results by memory and codec."""


@dataclass(frozen=True)
class IoFigures:
    """One codec on one memory, for one image."""

    moved_mb: float
    energy_uj: dict[str, float]
    """By the names of ``DRAM_PARTS``."""
    saved_bits: float
    """Bits moved by the baseline divided by bits moved with this codec."""
    saved_io: float
    """The same ratio for the energy on the pins."""
    saved_energy: float
    """The same ratio for all energy of the memory."""


def io_figures(results: Mapping[str, Result]) -> dict[str, IoFigures]:
    """Figures of the codecs on one memory, relative to ``raw``, otherwise to the first."""
    energies = {
        codec: {
            name: sum(result.totals.energy_pj[part] for part in parts) / result.images / 1e6
            for name, parts in DRAM_PARTS.items()
        }
        for codec, result in results.items()
    }
    moved = {
        codec: result.totals.dram.bus_bytes / result.images / 1e6
        for codec, result in results.items()
    }
    base = baseline_of(results)
    return {
        codec: IoFigures(
            moved[codec],
            energies[codec],
            moved[base] / moved[codec],
            energies[base]["I/O"] / energies[codec]["I/O"] if energies[codec]["I/O"] else 1.0,
            sum(energies[base].values()) / sum(energies[codec].values()),
        )
        for codec in results
    }


def io_table(by_memory: ByMemory) -> Table:
    """A row for each codec on each memory, in the order given."""
    pairs = [(memory, codec) for memory in by_memory for codec in by_memory[memory]]
    figures = {memory: io_figures(by_memory[memory]) for memory in by_memory}
    each = [figures[memory][codec] for memory, codec in pairs]
    first = next(iter(next(iter(by_memory.values())).values()))
    return Table(
        title=f"{first.trace} on {first.hardware}: DRAM energy, with the data on its pins",
        columns=(
            Column("memory", is_text=True),
            Column("codec", is_text=True),
            Column("moved", "MB/img"),
            Column("saved", "x"),
            Column("costly", "%"),
            Column("toggle", "%"),
            Column("I/O", "pJ/bit"),
            *(Column(name, "uJ/img") for name in DRAM_PARTS),
            Column("I/O saved", "x"),
            Column("all saved", "x"),
        ),
        rows=tuple(
            zip(
                (memory for memory, _ in pairs),
                (codec for _, codec in pairs),
                column([f.moved_mb for f in each]),
                [ratio(f.saved_bits, 1) for f in each],
                *zip(*(on_pins(by_memory[m][c].totals) for m, c in pairs), strict=True),
                [number(f.energy_uj["I/O"] / f.moved_mb / 8) for f in each],
                *(column([f.energy_uj[name] for f in each]) for name in DRAM_PARTS),
                [ratio(f.saved_io, 1) for f in each],
                [ratio(f.saved_energy, 1) for f in each],
                strict=True,
            )
        ),
        footer=(
            "costly = zeros on POD (DDR4, DDR5, GDDR6), otherwise ones; core = devices without "
            "their pins; saved = factor by which it is less than for the baseline",
        ),
    )
