"""Plot of a memory: latency against bandwidth; bandwidth and energy by pattern."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from accelsim.energy.dram_character import Character
from accelsim.report.style import ENERGY_COLOURS, LINE_COLOURS, MARKERS, save, stacked_bars, styled
from accelsim.results.groups import ENERGY_GROUPS
from accelsim.results.number_text import number


def plot_character(character: Character, path: Path, source: str) -> None:
    """Write the plot to ``path``; ``source`` says where the numbers come from."""
    with styled():
        save(_figure(character, source), path)


def _figure(character: Character, source: str) -> Figure:
    figure = Figure(figsize=(13, 4.6), layout="constrained")
    latency, bandwidth, energy = figure.subplots(1, 3)
    _loads(latency, character)
    _bandwidths(bandwidth, character)
    _energies(energy, character)
    figure.suptitle(
        f"{character.memory}: {number(character.peak_gb_s)} GB/s at its peak",
        x=0.01,
        ha="left",
        fontsize=12,
        fontweight="bold",
    )
    figure.supxlabel(source, x=0.01, ha="left", fontsize=7.5, color="#666666")
    return figure


def _loads(axes: Axes, character: Character) -> None:
    """Average as a line, the 99th percentile as a thin one."""
    for i, pattern in enumerate(dict.fromkeys(point.pattern for point in character.loads)):
        points = [point for point in character.loads if point.pattern == pattern]
        reached = [point.bandwidth_gb_s for point in points]
        colour = LINE_COLOURS[i]
        averages = [point.average_latency_ns for point in points]
        axes.plot(reached, averages, color=colour, marker=MARKERS[i], ms=4, label=pattern)
        slowest = [point.p99_latency_ns for point in points]
        axes.plot(reached, slowest, color=colour, lw=0.8, ls="--", label=f"{pattern}, 99th pct.")
    axes.axvline(character.peak_gb_s, color="#999999", lw=0.8)
    axes.annotate("peak", (character.peak_gb_s, 1), xycoords=("data", "axes fraction"), fontsize=8,
                  color="#666666", ha="right", va="top", rotation=90)  # fmt: skip
    axes.set_yscale("log")
    axes.set_xlim(left=0)
    axes.set_title("Read latency under load")
    axes.set_xlabel("bandwidth, GB/s")
    axes.set_ylabel("latency, ns, from arrival to last beat")
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.13), ncols=2, fontsize=7)


def _bandwidths(axes: Axes, character: Character) -> None:
    patterns = list(dict.fromkeys(point.pattern for point in character.patterns))
    maps = list(dict.fromkeys(point.address_map for point in character.patterns))
    height = 0.8 / len(maps)
    for i, address_map in enumerate(maps):
        values = [p.bandwidth_gb_s for p in character.patterns if p.address_map == address_map]
        places = [place - 0.4 + (i + 0.5) * height for place in range(len(patterns))]
        axes.barh(places, values, height * 0.9, color=LINE_COLOURS[i], label=address_map)
    axes.axvline(character.peak_gb_s, color="#999999", lw=0.8)
    axes.set_yticks(range(len(patterns)), patterns)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_title("Bandwidth by pattern and address map")
    axes.set_xlabel("GB/s")
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.13), ncols=2, fontsize=7)


def _energies(axes: Axes, character: Character) -> None:
    points = [p for p in character.patterns if p.address_map == character.address_map]
    groups = {
        group: [sum(p.energy_pj_per_bit.get(part, 0.0) for part in parts) for p in points]
        for group, parts in ENERGY_GROUPS.items()
    }
    stacked_bars(axes, list(range(len(points))), groups, ENERGY_COLOURS, horizontal=True)
    for place, point in enumerate(points):
        total = point.energy_pj_per_bit["total"]
        axes.annotate(f" {number(total)}", (total, place), va="center", fontsize=8)
    axes.set_yticks(range(len(points)), [point.pattern for point in points])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlim(0, 1.15 * max(p.energy_pj_per_bit["total"] for p in points))
    label = character.energy_label.partition(":")[0]
    axes.set_title(f"Energy per bit, {label}, {character.address_map}")
    axes.set_xlabel("pJ/bit")
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.13), ncols=2, fontsize=7)
