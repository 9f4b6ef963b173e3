"""Plot of a run: how each layer spent its cycles, and the bytes that it moved."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from accelsim.report.style import (
    STALL_COLOURS,
    TENSOR_COLOURS,
    WORK_COLOURS,
    save,
    source_line,
    stacked_bars,
    styled,
)
from accelsim.results.groups import STALL_GROUPS
from accelsim.results.number_text import number, percent, si
from accelsim.results.result import Result


def plot_run(result: Result, path: Path) -> None:
    """Write the plot to ``path``: cycles and DRAM bytes of each layer, stacked by cause."""
    with styled():
        save(_figure(result), path)


def _figure(result: Result) -> Figure:
    layers = result.layers
    places = list(range(len(layers)))
    figure = Figure(figsize=(max(7.0, 2.8 + 0.26 * len(layers)), 6.2), layout="constrained")
    cycles, dram = figure.subplots(2, 1, sharex=True)

    kilocycles = {
        "compute": [layer.compute_cycles / 1e3 for layer in layers],
        "vector": [layer.vector_cycles / 1e3 for layer in layers],
        **{
            group: [sum(layer.stall_cycles[cause] for cause in causes) / 1e3 for layer in layers]
            for group, causes in STALL_GROUPS.items()
        },
    }
    stacked_bars(cycles, places, kilocycles, WORK_COLOURS | STALL_COLOURS, horizontal=False)
    for text in cycles.containers:
        name = str(text.get_label())
        text.set_label(name if name in WORK_COLOURS else f"waits: {name}")
    cycles.set_title("Core cycles: working, and stalls by cause")
    cycles.set_ylabel("thousand cycles")

    megabytes = {
        kind: [layer.dram.by_tensor[kind].fetched_bytes / 1e6 for layer in layers]
        for kind in TENSOR_COLOURS
    }
    stacked_bars(dram, places, megabytes, TENSOR_COLOURS, horizontal=False)
    dram.set_title("DRAM traffic, read and written")
    dram.set_ylabel("MB")
    dram.set_xticks(places, [layer.name for layer in layers], rotation=90)
    dram.set_xlim(-0.7, len(layers) - 0.3)
    for axes in (cycles, dram):
        axes.grid(visible=False, axis="x")
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))

    totals = result.totals
    figure.suptitle(
        # One line would be wider than the plot of a network with few layers.
        f"{result.trace} on {result.hardware}, feature maps coded with {result.codec}\n"
        f"{si(totals.seconds, 's')}, {percent(totals.utilization)} % of peak, "
        f"{number(totals.dram.fetched_bytes / 1e6)} MB",
        x=0.01,
        ha="left",
        fontsize=12,
        fontweight="bold",
    )
    figure.supxlabel(source_line(result), x=0.01, ha="left", fontsize=7.5, color="#666666")
    return figure
