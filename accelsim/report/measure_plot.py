"""Plot of measured codecs: bits per value of each array, one panel per codec."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import ceil
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from accelsim.codecs.measure_file import ArrayMeasure
from accelsim.report.style import save, styled

N_COLS = 4
MAX_NAMES = 40
"""More names than this would be unreadable below a panel."""
TOP_OVER_RAW = 1.25
"""The axis ends at this multiple of the widest word, so that everything not longer than raw is
fully visible. A badly suited codec, or the bursts of a few values, would otherwise flatten all
other bars; bars that are cut off are labelled with their height."""


def plot_measures(
    measures: Mapping[str, Mapping[str, ArrayMeasure]], path: Path, source: str
) -> None:
    """Write the plot to ``path``: entropy, ideal Huffman, stream and fetched bits per value.

    ``measures`` are by codec, then array; ``source`` says what was measured.
    """
    with styled():
        panels = {codec: _by_map(found) for codec, found in measures.items() if found}
        save(_figure(dict(sorted(panels.items(), key=lambda panel: _mean(panel[1]))), source), path)


def _by_map(found: Mapping[str, ArrayMeasure]) -> dict[str, list[ArrayMeasure]]:
    """The images of one feature map of a trace, ``EDGE[0]`` and so on, together."""
    maps: dict[str, list[ArrayMeasure]] = {}
    for name, measure in found.items():
        maps.setdefault(re.sub(r"\[\d+\]$", "", name), []).append(measure)
    return maps


def _figure(measures: Mapping[str, Mapping[str, list[ArrayMeasure]]], source: str) -> Figure:
    n_cols = min(N_COLS, len(measures))
    n_rows = ceil(len(measures) / n_cols)
    n_arrays = max(map(len, measures.values()))
    width = max(3.2, 1.0 + 0.12 * n_arrays)
    figure = Figure(figsize=(width * n_cols + 0.6, 2.1 * n_rows + 1.6), layout="constrained")
    panels = figure.subplots(n_rows, n_cols, sharex=True, sharey=True, squeeze=False)
    for axes in panels.flat[len(measures) :]:
        axes.set_axis_off()
    parts = [part for found in measures.values() for part in found.values()]
    tallest = max(_per_value(part, lambda m: max(m.fetched_bits, _coded(m))) for part in parts)
    widest = max(measure.word_bits for part in parts for measure in part)
    top = min(1.05 * tallest, TOP_OVER_RAW * widest)
    for axes, (codec, found) in zip(panels.flat, measures.items(), strict=False):
        _panel(axes, codec, found, top)
    for column in range(n_cols):
        # The lowest panel in use carries the labels.
        row = max(r for r in range(n_rows) if r * n_cols + column < len(measures))
        _name_arrays(panels[row, column], list(next(iter(measures.values()))))
    for row_of_panels in panels:
        row_of_panels[0].set_ylabel("bits per value")
    panels[0, 0].set_ylim(0, top)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=4)
    figure.suptitle("Bits per value of each array", x=0.01, ha="left", fontweight="bold")
    figure.supxlabel(source, x=0.01, ha="left", fontsize=7.5, color="#666666")
    return figure


def _panel(axes: Axes, codec: str, found: Mapping[str, list[ArrayMeasure]], top: float) -> None:
    places = range(len(found))
    each = list(found.values())
    fetched = [_per_value(part, lambda m: m.fetched_bits) for part in each]
    stream = [_per_value(part, _coded) for part in each]
    entropy = [_per_value(part, lambda m: m.entropy_bits) for part in each]
    huffman = [_per_value(part, lambda m: m.huffman_bits) for part in each]
    axes.bar(places, fetched, 0.8, color="#C6E2F3", label="fetched: whole bursts")
    axes.bar(places, stream, 0.8, color="#0077BB", label="stream and tables")
    axes.step(places, huffman, where="mid", color="#EE7733", lw=1.2, label="ideal Huffman")
    axes.step(places, entropy, where="mid", color="#222222", lw=1.0, label="entropy")
    exact = "" if all(m.lossless for part in each for m in part) else ", lossy"
    exact += ", reconstruction" if any(m.reconstruction for part in each for m in part) else ""
    axes.set_title(f"{codec}: {_mean(found):.2f} bits{exact}")
    axes.grid(visible=False, axis="x")
    for place, bits, moved in zip(places, stream, fetched, strict=True):
        if max(bits, moved) > top:
            axes.annotate(f"{bits if bits > top else moved:,.0f}", (place, top), rotation=90,
                          fontsize=6.5, color="white" if bits > top else "#0077BB", ha="center",
                          va="top", xytext=(0, -3), textcoords="offset points")  # fmt: skip


def _mean(found: Mapping[str, list[ArrayMeasure]]) -> float:
    together = [measure for part in found.values() for measure in part]
    return _per_value(together, _coded)


def _coded(measure: ArrayMeasure) -> int:
    return measure.stream_bits + measure.side_bits


def _per_value(part: list[ArrayMeasure], bits: Callable[[ArrayMeasure], float]) -> float:
    return sum(map(bits, part)) / sum(measure.values for measure in part)


def _name_arrays(axes: Axes, names: list[str]) -> None:
    if len(names) > MAX_NAMES:
        axes.set_xlabel(f"array, 1 to {len(names)}, in the order of the file")
        return
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=6.5)
    axes.tick_params(labelbottom=True)
