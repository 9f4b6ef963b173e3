"""Plot of the energy of data on the pins of several memories, raw and coded."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation

from accelsim.report.style import ENERGY_COLOURS, save, source_line, stacked_bars, styled
from accelsim.results.io_tables import DRAM_PARTS, ByMemory, IoFigures, io_figures
from accelsim.results.number_text import number, ratio

_COLOURS: Final = {
    "core": ENERGY_COLOURS["DRAM activate"],
    "I/O": "#EE7733",
    "PHY": ENERGY_COLOURS["DRAM standby"],
}
_LABELS: Final = {"core": "inside the devices", "I/O": "data pins", "PHY": "PHY on the chip"}
_SAVED: Final = {"bits moved": "#999999", "energy of the pins": "#EE7733"}
_GAP = 1.0
"""Between the bars of two memories: room for a name."""


def plot_io(by_memory: ByMemory, path: Path) -> None:
    """Write the plot: energy by part, and reduction of bits and pin energy, by memory."""
    with styled():
        save(_figure(by_memory), path)


def _figure(by_memory: ByMemory) -> Figure:
    places: list[float] = []
    labels: list[str] = []
    tops: dict[str, float] = {}
    figures: list[IoFigures] = []
    at = 0.0
    for memory, results in by_memory.items():
        tops[memory] = at - 0.55
        for codec, found in io_figures(results).items():
            places.append(at)
            labels.append(codec)
            figures.append(found)
            at += 1
        at += _GAP
    figure = Figure(figsize=(11, 1.6 + 0.3 * at), layout="constrained")
    energy, saved = figure.subplots(1, 2, sharey=True, gridspec_kw={"width_ratios": [1.5, 1]})
    _energies(energy, places, figures)
    _savings(saved, places, figures)
    energy.set_yticks(places, labels)
    energy.set_ylim(at - _GAP - 0.4, -1.2)
    for memory, top in tops.items():
        energy.annotate(memory, (0, top), xytext=(3, 0), textcoords="offset points",
                        va="bottom", fontweight="bold")  # fmt: skip
    for axes in (energy, saved):
        # A fixed distance below the axes: a share of their height would grow with the bars.
        below = axes.transAxes + ScaledTranslation(0, -0.5, figure.dpi_scale_trans)
        axes.legend(loc="upper left", bbox_to_anchor=(0, 0), bbox_transform=below, ncols=3,
                    columnspacing=1.0, borderaxespad=0)  # fmt: skip
    first = next(iter(next(iter(by_memory.values())).values()))
    figure.suptitle(
        f"The same data on the pins of several memories: {first.trace} on {first.hardware}",
        x=0.01,
        ha="left",
        fontsize=12,
        fontweight="bold",
    )
    source = source_line(first, with_machine=False)
    figure.supxlabel(f"{source}; machine {first.hardware}, each codec with its own best tiling.",
                     x=0.01, ha="left", fontsize=7.5, color="#666666")  # fmt: skip
    return figure


def _energies(axes: Axes, places: list[float], figures: list[IoFigures]) -> None:
    parts = {_LABELS[name]: [f.energy_uj[name] for f in figures] for name in DRAM_PARTS}
    colours = {_LABELS[name]: colour for name, colour in _COLOURS.items()}
    stacked_bars(axes, places, parts, colours, horizontal=True)
    totals = [sum(f.energy_uj.values()) for f in figures]
    for place, total, found in zip(places, totals, figures, strict=True):
        share = 100 * found.energy_uj["I/O"] / total
        axes.annotate(f" {number(total)}, pins {share:.0f} %", (total, place), va="center",
                      fontsize=8)  # fmt: skip
    axes.set_xlim(0, 1.25 * max(totals))
    axes.set_title("DRAM energy per image")
    axes.set_xlabel("uJ")
    axes.grid(visible=False, axis="y")


def _savings(axes: Axes, places: list[float], figures: list[IoFigures]) -> None:
    height = 0.36
    for i, (label, colour) in enumerate(_SAVED.items()):
        values = [f.saved_bits if i == 0 else f.saved_io for f in figures]
        own = [place + (i - 0.5) * height for place in places]
        axes.barh(own, values, height, color=colour, label=label, linewidth=0)
        for place, value in zip(own, values, strict=True):
            # On white, for the line of raw passes through numbers just below one.
            axes.annotate(ratio(value, 1), (value, place), xytext=(3, 0), fontsize=7,
                          textcoords="offset points", va="center",
                          bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.3})  # fmt: skip
    axes.axvline(1.0, color="#444444", lw=0.8)
    axes.set_xlim(0, 1.15 * max(max(f.saved_bits, f.saved_io) for f in figures))
    axes.set_title("Reduction relative to raw")
    axes.set_xlabel("x")
    axes.grid(visible=False, axis="y")
