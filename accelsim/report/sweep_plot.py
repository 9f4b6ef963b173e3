"""Plots of a sweep: its figures along one axis with one line per codec, and its Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log2
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from accelsim.report.pareto_plot import Mark, plot_pareto
from accelsim.report.style import look, save, source_line, styled
from accelsim.results.ranking import energy_per_image_uj, speed
from accelsim.sweeps.result import SweepResult
from accelsim.sweeps.study import StudyAxis


@dataclass(frozen=True)
class _Roles:
    """How each axis of the study is drawn; the others are held at their first step."""

    along: StudyAxis | None
    lines: StudyAxis | None
    panels: StudyAxis | None
    held: tuple[StudyAxis, ...]


_RAW = ("raw",)
_LABEL_SHARE = 1 / 12
"""Fraction of an axis that the label of a tick needs."""


def plot_sweep(result: SweepResult, path: Path) -> None:
    """Write the plot to ``path``.

    The horizontal axis is the first numeric one (keys that move together are summed),
    lines are codecs, and panels are the next axis; further axes are held at their
    first value, and the plot says so. Every panel has its own scales, because memories
    differ by more than codecs do; gains over ``raw`` share one scale.
    """
    with styled():
        save(_figure(result), path)


def plot_sweep_front(result: SweepResult, path: Path) -> None:
    """Write the scatter of all finished points: energy against speed and codec area."""
    roles = _roles(result.study.axes)
    panels: dict[str, list[Mark]] = {}
    for index, done in result.results.items():
        where = _step_label(roles.panels, _step_of(result, index, roles.panels))
        series = _step_label(roles.lines, _step_of(result, index, roles.lines))
        label = "" if roles.along is None else f"{_place_of(result, index, roles):g}"
        panels.setdefault(where, []).append(Mark(series or done.codec, label, done))
    first = next(iter(result.results.values()))
    title = f"{result.study.name}: {first.trace} on {first.hardware}"
    if roles.along is not None:
        title += f", marks with their {_along_label(roles.along)}"
    plot_pareto(panels, path, title)


def _roles(axes: Sequence[StudyAxis]) -> _Roles:
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
    panels, lines = _steps(roles.panels), _steps(roles.lines)
    has_gain = roles.lines is not None and roles.lines.keys == ("codec.name",) and _RAW in lines
    n_rows = 2 + has_gain
    size = (2.2 + 3.1 * len(panels), 0.6 + 2.7 * n_rows)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(n_rows, len(panels), sharex=True, squeeze=False)
    for place, panel in enumerate(panels):
        energy, throughput, *gain = grid[:, place]
        energy.set_title(_step_label(roles.panels, panel))
        for number, line in enumerate(lines):
            indices = _points(result, roles, panel, line)
            x = [_place_of(result, index, roles) for index in indices]
            drawn = {
                "label": _step_label(roles.lines, line),
                "linewidth": 1.4,
                "clip_on": False,
                "zorder": 3,
                **look(number),
            }
            done = [result.results[index] for index in indices]
            energy.plot(x, [energy_per_image_uj(each) for each in done], **drawn)
            throughput.plot(x, [speed(each.totals) for each in done], **drawn)
            if gain:
                raw = {
                    _place_of(result, i, roles): energy_per_image_uj(result.results[i])
                    for i in _points(result, roles, panel, _RAW)
                }
                both = [(at, each) for at, each in zip(x, done, strict=True) if at in raw]
                over_raw = [raw[at] / energy_per_image_uj(each) for at, each in both]
                gain[0].plot([at for at, _ in both], over_raw, **drawn)
        for axes in (energy, throughput):
            axes.set_ylim(bottom=0)
        _finish(grid[-1][place], roles.along)
    first = next(iter(result.results.values()))
    steady = first.totals.images_per_second is not None
    grid[0][0].set_ylabel("energy per image, uJ")
    grid[1][0].set_ylabel("images/s" if steady else "images/s, one image, cold start")
    if has_gain:
        grid[2][0].set_ylabel("energy, gain over raw")
        _share_scale(grid[2])
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
    scales = ["Each panel has its own scales"] if len(panels) > 1 else []
    figure.supxlabel(
        ". ".join([version, *scales, *(["Held: " + ", ".join(held)] if held else [])]),
        x=0.01,
        ha="left",
        fontsize=7.5,
        color="#666666",
    )
    return figure


def _share_scale(row: Sequence[Axes]) -> None:
    limits = [limit for axes in row for limit in axes.get_ylim()]
    for axes in row:
        axes.set_ylim(min(limits), max(limits))


def _finish(axes: Axes, along: StudyAxis | None) -> None:
    if along is None:
        axes.set_xticks([])
        return
    places = sorted({_place(along, step) for step in along.steps})
    is_log = places[0] > 0 and places[-1] / places[0] >= 4
    if is_log:
        axes.set_xscale("log", base=2)
    axes.minorticks_off()
    axes.set_xticks(places, _labels(places, is_log))
    axes.set_xlabel(_along_label(along))


def _labels(places: Sequence[float], is_log: bool) -> list[str]:
    """Labels of the ticks; empty if one would touch its neighbour. The last is always shown."""
    at = [log2(place) for place in places] if is_log else list(places)
    least = (at[-1] - at[0]) * _LABEL_SHARE
    labels, free_from = [], at[0]
    for place, here in zip(places, at, strict=True):
        is_free = here >= free_from and (here == at[-1] or at[-1] - here >= least)
        labels.append(f"{place:g}" if is_free else "")
        free_from = here + least if is_free else free_from
    return labels


def _along_label(along: StudyAxis) -> str:
    return along.keys[0] if len(along.keys) == 1 else _sum_label(along.keys)


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
    return sorted(indices, key=lambda index: _place_of(result, index, roles))


def _step_of(result: SweepResult, index: int, axis: StudyAxis | None) -> tuple[object, ...]:
    overrides = result.points[index].overrides
    return () if axis is None else tuple(overrides[key] for key in axis.keys)


def _place(along: StudyAxis | None, step: tuple[object, ...]) -> float:
    return 0.0 if along is None else sum(float(str(value)) for value in step)


def _place_of(result: SweepResult, index: int, roles: _Roles) -> float:
    return _place(roles.along, _step_of(result, index, roles.along))


def _steps(axis: StudyAxis | None) -> tuple[tuple[object, ...], ...]:
    return ((),) if axis is None else axis.steps


def _step_label(axis: StudyAxis | None, step: tuple[object, ...]) -> str:
    if axis is None:
        return ""
    names = ("codec.name", "dram.standard")
    if len(axis.keys) == 1 and axis.keys[0] in names:
        name = str(step[0])
        return Path(name).stem if name.endswith(".ini") else name
    return ", ".join(f"{key} {value}" for key, value in zip(axis.keys, step, strict=True))


def _is_numeric(axis: StudyAxis) -> bool:
    values = [value for step in axis.steps for value in step]
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
