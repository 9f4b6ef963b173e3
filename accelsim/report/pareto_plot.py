"""Pareto plots: energy against throughput, and against the area of the codec.

Each design is a mark; a line joins the marks on the Pareto front.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log10
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

from accelsim.report.style import look, save, source_line, styled
from accelsim.results.ranking import energy_per_image_uj, speed
from accelsim.results.result import Result

_LABEL_PLACES = ((5, 4), (5, -10), (-5, 4), (-5, -10), (5, 14), (-5, -20))
"""Offsets of a mark's label in points, in the order in which they are tried."""


@dataclass(frozen=True)
class Mark:
    """One design: ``series`` selects its colour, ``label`` is shown if it is on the front."""

    series: str
    label: str
    result: Result


def plot_pareto(panels: Mapping[str, Sequence[Mark]], path: Path, title: str) -> None:
    """Write the figure to ``path``: two plots per panel, such as a memory."""
    with styled():
        save(_figure(panels, title), path)


def _figure(panels: Mapping[str, Sequence[Mark]], title: str) -> Figure:
    n_panels = len(panels)
    shape = (1, 2) if n_panels == 1 else (2, n_panels)
    figure = Figure(figsize=(2.6 + 3.6 * shape[1], 0.9 + 3.2 * shape[0]), layout="constrained")
    grid = figure.subplots(*shape, squeeze=False)
    series = list(dict.fromkeys(m.series for marks in panels.values() for m in marks))
    pairs = [(grid.flat[i], grid.flat[i + n_panels]) for i in range(n_panels)]
    for (name, marks), (against_speed, against_area) in zip(panels.items(), pairs, strict=True):
        speeds = [speed(mark.result.totals) for mark in marks]
        areas = [mark.result.codec_area_kge for mark in marks]
        steady = marks[0].result.totals.images_per_second is not None
        _scatter(against_speed, marks, speeds, series, more_is_better=True)
        _scatter(against_area, marks, areas, series, more_is_better=False)
        against_speed.set_xlabel("images/s" if steady else "images/s, one image, cold start")
        against_area.set_xlabel("codec area, all lanes, kGE")
        _spread(against_area, areas)
        for axes in (against_speed, against_area):
            axes.set_title(name)
    for row in grid:
        row[0].set_ylabel("energy per image, uJ")
    legend = pairs[-1][1] if n_panels == 1 else pairs[-1][0]
    columns = 1 + (len(series) - 1) // 18
    legend.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), ncols=columns)
    first = next(iter(panels.values()))[0].result
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    figure.supxlabel(
        f"{source_line(first, with_machine=n_panels == 1)}.\n"
        "Line: Pareto front. Better: lower energy, higher speed, smaller area.",
        x=0.01,
        ha="left",
        fontsize=7.5,
        color="#666666",
    )
    figure.draw_without_rendering()
    for axes in figure.axes:
        _keep_labels_apart(axes)
    return figure


def front(places: Sequence[float], energies: Sequence[float], *, more_is_better: bool) -> list[int]:
    """Indices of the Pareto front, lowest energy first; of equal marks only the first.

    >>> front([1.0, 3.0, 2.0], [5.0, 7.0, 8.0], more_is_better=True)
    [0, 1]
    """
    sign = -1.0 if more_is_better else 1.0
    found: list[int] = []
    best = float("inf")
    for i in sorted(range(len(places)), key=lambda i: (energies[i], sign * places[i], i)):
        if sign * places[i] < best:
            found.append(i)
            best = sign * places[i]
    return found


def _scatter(
    axes: Axes,
    marks: Sequence[Mark],
    places: Sequence[float],
    series: Sequence[str],
    *,
    more_is_better: bool,
) -> None:
    energies = [energy_per_image_uj(mark.result) for mark in marks]
    for number, name in enumerate(series):
        mine = [i for i, mark in enumerate(marks) if mark.series == name]
        axes.plot(
            [places[i] for i in mine],
            [energies[i] for i in mine],
            linestyle="none",
            label=name,
            clip_on=False,
            zorder=3,
            **look(number),
        )
    best = front(places, energies, more_is_better=more_is_better)
    axes.plot(
        [places[i] for i in best],
        [energies[i] for i in best],
        # Between two of them only the second is fast, or small, enough.
        drawstyle="steps-pre",
        color="#999999",
        linewidth=1.2,
        zorder=2,
    )
    for i in best:
        if marks[i].label:
            axes.annotate(
                marks[i].label,
                (places[i], energies[i]),
                xytext=_LABEL_PLACES[0],
                textcoords="offset points",
                fontsize=7,
                color="#333333",
            )
    axes.margins(x=0.12, y=0.08)
    axes.locator_params(axis="x", nbins=5)


def _spread(axes: Axes, areas: Sequence[float]) -> None:
    """A scale for codec areas, which differ by decades and may be 0."""
    positive = [area for area in areas if area > 0]
    if positive and max(positive) / min(positive) >= 20:
        axes.set_xscale("symlog", linthresh=min(positive))
        decades = range(ceil(log10(min(positive))), ceil(log10(max(positive))) + 1)
        axes.set_xticks([0, *(10**n for n in decades)])
        axes.minorticks_off()
    axes.set_xlim(left=-0.3 * min(positive, default=1.0))


def _keep_labels_apart(axes: Axes) -> None:
    """Move labels that overlap; one that finds no place is left out, as the legend has it."""
    taken: list[Bbox] = []
    for label in [text for text in axes.texts if isinstance(text, Annotation)]:
        for x, y in _LABEL_PLACES:
            label.xyann = (x, y)
            label.set_horizontalalignment("left" if x > 0 else "right")
            box = label.get_window_extent()
            if not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
        else:
            label.remove()
