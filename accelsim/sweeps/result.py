"""Result of a sweep: its points, their results, and the Pareto front."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from accelsim.results.flat import Cell, flat_totals, in_a_cell
from accelsim.results.number_text import column, number, percent
from accelsim.results.ranking import energy_per_image_uj, speed
from accelsim.results.result import Result
from accelsim.results.table import Column, Table
from accelsim.sweeps.pareto import pareto_front
from accelsim.sweeps.points import Point
from accelsim.sweeps.study import Study


@dataclass(frozen=True, repr=False)
class SweepResult:
    """All points of a study, in the order of its grid.

    ``print`` shows the Pareto front, and so does a notebook.
    """

    study: Study
    points: tuple[Point, ...]
    results: Mapping[int, Result]
    """Results by index of the point, without failed points."""
    failed: Mapping[int, str]
    """Reasons for failures, by index of the point."""
    n_reused: int
    """Number of points that an earlier sweep had finished."""
    folder: Path

    def __repr__(self) -> str:
        failed = f", {len(self.failed)} failed" if self.failed else ""
        return f"<SweepResult of {self.study.name}: {len(self.results)} points{failed}>"

    def __str__(self) -> str:
        return self.table().plain()

    def _repr_html_(self) -> str:
        return self.table().html()

    def table(self) -> Table:
        """The Pareto front of energy and speed, one row per point."""
        front = pareto_front(self.results)
        keys = [key for axis in self.study.axes for key in axis.keys]
        done = [self.results[index] for index in front]
        columns = (
            [str(index) for index in front],
            *([str(self.points[index].overrides[key]) for index in front] for key in keys),
            column([energy_per_image_uj(each) for each in done]),
            [number(speed(each.totals)) for each in done],
            column([each.totals.dram.fetched_bytes / 1e6 / each.images for each in done]),
            [percent(each.totals.utilization) for each in done],
        )
        return Table(
            title=f"{self.study.name}: Pareto front of energy and speed",
            columns=(
                Column("point"),
                *(Column(key, is_text=True) for key in keys),
                Column("energy", "uJ/img"),
                Column("speed", "img/s"),
                Column("DRAM", "MB/img"),
                Column("use", "%"),
            ),
            rows=tuple(zip(*columns, strict=True)),
            footer=(f"{len(front)} of {len(self.results)} points",),
        )

    def rows(self) -> list[dict[str, Cell]]:
        """One row per point, as in ``points.csv``: the varied keys, every figure of the totals,
        warnings, and the error, if any.

        ``pareto`` is true if no other point has both less energy per image and more speed.
        """
        front = pareto_front(self.results)
        table = []
        for point in self.points:
            done = self.results.get(point.index)
            table.append(
                {
                    "point": point.index,
                    **{key: _cell(value) for key, value in point.overrides.items()},
                    "images": point.images,
                    "pareto": point.index in front,
                    **({} if done is None else flat_totals(done.totals)),
                    "warnings": None if done is None else in_a_cell(done.warnings),
                    "error": self.failed.get(point.index),
                }
            )
        return table


def _cell(value: object) -> Cell:
    return value if isinstance(value, str | int | float | bool | None) else str(value)
