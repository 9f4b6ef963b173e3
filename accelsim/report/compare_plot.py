"""Plot of a comparison: energy, DRAM traffic and throughput of each codec."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation

from accelsim.report.style import (
    ENERGY_COLOURS,
    TENSOR_COLOURS,
    save,
    source_line,
    stacked_bars,
    styled,
)
from accelsim.results.accuracy import top1
from accelsim.results.groups import ENERGY_GROUPS
from accelsim.results.number_text import number, ratio
from accelsim.results.ranking import Ranking, baseline_of, rank, speed, traces_of
from accelsim.results.result import Result


def plot_comparison(
    results: Mapping[str, Result], path: Path, mapping: str, by: Ranking = "energy"
) -> None:
    """Write the plot to ``path``: one bar per codec, best on top, three panels.

    The factors next to the bars are gains over the baseline (``raw`` if it is present).
    """
    with styled():
        save(_figure(results, mapping, by), path)


def _figure(results: Mapping[str, Result], mapping: str, by: Ranking) -> Figure:
    names = rank(results, by)
    base_name = baseline_of(results)
    base = results[base_name]
    figure = Figure(figsize=(12.5, 2.5 + 0.42 * len(names)), layout="constrained")
    energy, dram, throughput, area = figure.subplots(
        1, 4, sharey=True, gridspec_kw={"width_ratios": [1.5, 1.1, 0.9, 0.6]}
    )
    places = list(range(len(names)))

    energy_uj = {
        group: [_per_image(results[name], parts) for name in names]
        for group, parts in ENERGY_GROUPS.items()
    }
    stacked_bars(energy, places, energy_uj, ENERGY_COLOURS, horizontal=True)
    totals_uj = [sum(values) for values in zip(*energy_uj.values(), strict=True)]
    base_uj = totals_uj[names.index(base_name)]
    _finish(energy, "Energy per image", "uJ", totals_uj, [base_uj / v for v in totals_uj])

    dram_mb = {
        kind: [
            results[name].totals.dram.by_tensor[kind].fetched_bytes / results[name].images / 1e6
            for name in names
        ]
        for kind in TENSOR_COLOURS
    }
    stacked_bars(dram, places, dram_mb, TENSOR_COLOURS, horizontal=True)
    totals_mb = [sum(values) for values in zip(*dram_mb.values(), strict=True)]
    base_mb = totals_mb[names.index(base_name)]
    _finish(dram, "DRAM traffic per image", "MB", totals_mb, [base_mb / v for v in totals_mb])

    speeds = [speed(results[name].totals) for name in names]
    throughput.barh(places, speeds, 0.72, color="#444444")
    steady = base.totals.images_per_second is not None
    base_speed = speeds[names.index(base_name)]
    _finish(
        throughput,
        "Throughput, steady state" if steady else "Throughput, one image, cold start",
        "images/s",
        speeds,
        [value / base_speed for value in speeds],
    )

    gates = [results[name].codec_area_kge for name in names]
    area.barh(places, gates, 0.72, color=ENERGY_COLOURS["codec"])
    _finish(area, "Codec area, all lanes", "kGE", gates)

    energy.set_yticks(places, [_label(name, results) for name in names])
    energy.set_ylim(len(names) - 0.4, -0.6)
    for axes, left in ((energy, 0.0), (dram, 0.15)):
        # Fixed distances below the axes: a share of their height would grow with the codecs.
        below = axes.transAxes + ScaledTranslation(0, -0.55, figure.dpi_scale_trans)
        axes.legend(loc="upper left", bbox_to_anchor=(left, 0), bbox_transform=below, ncols=3,
                    columnspacing=1.0, handlelength=1.0, borderaxespad=0)  # fmt: skip
    plans = "each codec with its own best tiling" if mapping == "replan" else "one tiling for all"
    traces = traces_of(results)
    # Too long a line would stretch the whole plot.
    separator = ". " if len(traces) == 1 else ".\n"
    figure.suptitle(
        f"What coding feature maps saves: {', '.join(traces)} on {base.hardware}",
        x=0.01,
        ha="left",
        fontsize=12,
        fontweight="bold",
    )
    figure.supxlabel(
        f"{_sources(results)}{separator}Factors: gain over {base_name}; {plans}.",
        x=0.01,
        ha="left",
        fontsize=7.5,
        color="#666666",
    )
    return figure


def _label(name: str, results: Mapping[str, Result]) -> str:
    """The name of the run, with the accuracy of its network if networks differ."""
    known = results[name].accuracy
    facts = [
        *(["lossy"] if not results[name].closed_loop else []),
        *(["reconstruction"] if results[name].reconstruction else []),
    ]
    label = f"{name} ({', '.join(facts)})" if facts else name
    if len(traces_of(results)) > 1 and "top1" in known:
        return f"{label}, {top1(known)} %"
    return label


def _sources(results: Mapping[str, Result]) -> str:
    """The source line of the first run; further traces by name and hash."""
    firsts = {result.trace: result for result in reversed(list(results.values()))}
    base, *others = (firsts[trace] for trace in traces_of(results))
    hashes = (f"{r.trace} (sha256 {r.inputs.get('trace_sha256', '')[:8]})" for r in others)
    return ", ".join([source_line(base), *hashes])


def _per_image(result: Result, parts: tuple[str, ...]) -> float:
    return sum(result.totals.energy_pj[part] for part in parts) / result.images / 1e6


def _finish(
    axes: Axes, title: str, unit: str, ends: list[float], gains: list[float] | None = None
) -> None:
    """Title, unit, and next to each bar its value and its gain over the baseline."""
    axes.set_title(title)
    axes.set_xlabel(unit)
    axes.grid(visible=False, axis="y")
    axes.set_xlim(0, max(ends) * 1.34 or 1)
    axes.locator_params(axis="x", nbins=5)
    for place, end in enumerate(ends):
        gain = f"  ({ratio(gains[place], 1)}x)" if gains else ""
        axes.annotate(
            f"{number(end)}{gain}",
            (end, place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
