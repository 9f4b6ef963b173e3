"""One picture of a sweep: energy and throughput along one axis, a line per codec."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from accelsim.report.style import LINE_COLOURS, MARKERS, save, source_line, styled
from accelsim.results.ranking import speed
from accelsim.sweep.pareto import energy_per_image_uj
from accelsim.sweep.run import SweepResult
from accelsim.sweep.study import Axis


@dataclass(frozen=True)
class _Roles:
    """Which axis of the study is drawn how; the others are held at their first step."""

    along: Axis | None
    lines: Axis | None
    panels: Axis | None
    held: tuple[Axis, ...]


def plot_sweep(result: SweepResult, path: Path) -> None:
    """Write the picture to ``path``.

    The horizontal axis is the first one with numbers (keys that move together are summed),
    lines are codecs, panels side by side are the next axis; further axes are held at their
    first value, and the picture says so.
    """
    with styled():
        save(_figure(result), path)


def _roles(axes: Sequence[Axis]) -> _Roles:
    left = list(axes)
    along = next((axis for axis in left if _is_numeric(axis)), None)
    lines = next((axis for axis in left if "codec.name" in axis.keys), None)
    left = [axis for axis in left if axis not in (along, lines)]
    if lines is None and left:
        lines = left.pop(0)
    panels = left.pop(0) if left else None
    return _Roles(along, lines, panels, tuple(left))


def _figure(result: SweepResult) -> Figure:
    roles = _roles(result.study.axes)
    panels = _steps(roles.panels)
    figure = Figure(figsize=(2.2 + 3.1 * len(panels), 6.0), layout="constrained")
    grid = figure.subplots(2, len(panels), sharex=True, sharey="row", squeeze=False)
    for place, panel in enumerate(panels):
        energy, throughput = grid[0][place], grid[1][place]
        energy.set_title(_step_label(roles.panels, panel))
        for number, line in enumerate(_steps(roles.lines)):
            indices = _points(result, roles, panel, line)
            x = [_place(roles.along, _step_of(result, index, roles.along)) for index in indices]
            look = {
                "color": LINE_COLOURS[number % len(LINE_COLOURS)],
                "marker": MARKERS[number % len(MARKERS)],
                "markersize": 4.5,
                "linewidth": 1.4,
                "label": _step_label(roles.lines, line),
            }
            energy.plot(x, [energy_per_image_uj(result, i) for i in indices], **look)
            throughput.plot(x, [speed(result.results[i].totals) for i in indices], **look)
        _finish(throughput, roles.along)
    first = next(iter(result.results.values()))
    steady = first.totals.images_per_second is not None
    grid[0][0].set_ylabel("energy per image, uJ")
    grid[1][0].set_ylabel("images/s" if steady else "images/s, one image from cold")
    for row in grid:
        row[0].set_ylim(bottom=0)
    if roles.lines is not None:
        grid[0][-1].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    figure.suptitle(
        f"{result.study.name}: {first.trace} on {first.hardware}",
        x=0.01,
        ha="left",
        fontsize=12,
        fontweight="bold",
    )
    held = [_step_label(axis, axis.steps[0]) for axis in roles.held]
    version = source_line(first, with_machine=False)
    figure.supxlabel(
        ". ".join([version, *(["Held: " + ", ".join(held)] if held else [])]),
        x=0.01,
        ha="left",
        fontsize=7.5,
        color="#666666",
    )
    return figure


def _finish(axes: Axes, along: Axis | None) -> None:
    if along is None:
        axes.set_xticks([])
        return
    places = [_place(along, step) for step in along.steps]
    if min(places) > 0 and max(places) / min(places) >= 4:
        axes.set_xscale("log", base=2)
    axes.set_xticks(places, [f"{place:g}" for place in places])
    axes.minorticks_off()
    axes.set_xlabel(" + ".join(along.keys) if len(along.keys) < 2 else _sum_label(along.keys))


def _sum_label(keys: Sequence[str]) -> str:
    """``buffers: ifmap_kib + weight_kib`` for keys of one section."""
    section = keys[0].split(".")[0]
    if all(key.startswith(f"{section}.") for key in keys):
        return f"{section}: " + " + ".join(key.removeprefix(f"{section}.") for key in keys)
    return " + ".join(keys)


def _points(
    result: SweepResult, roles: _Roles, panel: tuple[object, ...], line: tuple[object, ...]
) -> list[int]:
    """Finished points of one line, from left to right."""
    wanted = [(roles.panels, panel), (roles.lines, line)]
    wanted += [(axis, axis.steps[0]) for axis in roles.held]
    indices = [
        index
        for index in result.results
        if all(axis is None or _step_of(result, index, axis) == step for axis, step in wanted)
    ]
    return sorted(indices, key=lambda i: _place(roles.along, _step_of(result, i, roles.along)))


def _step_of(result: SweepResult, index: int, axis: Axis | None) -> tuple[object, ...]:
    overrides = result.points[index].overrides
    return () if axis is None else tuple(overrides[key] for key in axis.keys)


def _place(along: Axis | None, step: tuple[object, ...]) -> float:
    return 0.0 if along is None else sum(float(str(value)) for value in step)


def _steps(axis: Axis | None) -> tuple[tuple[object, ...], ...]:
    return ((),) if axis is None else axis.steps


def _step_label(axis: Axis | None, step: tuple[object, ...]) -> str:
    if axis is None:
        return ""
    names = ("codec.name", "dram.standard")
    if len(axis.keys) == 1 and axis.keys[0] in names:
        return str(step[0])
    return ", ".join(f"{key} {value}" for key, value in zip(axis.keys, step, strict=True))


def _is_numeric(axis: Axis) -> bool:
    values = [value for step in axis.steps for value in step]
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
