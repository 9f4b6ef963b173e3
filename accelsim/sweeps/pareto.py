"""Which points of a sweep nobody should throw away."""

from __future__ import annotations

from accelsim.results.number_text import column, number, percent
from accelsim.results.ranking import energy_per_image_uj, speed
from accelsim.results.table import Column, Table
from accelsim.sweeps.run import SweepResult


def pareto_front(result: SweepResult) -> tuple[int, ...]:
    """Points, best energy first, such that no other has less energy and more images per second.

    Of points that are equal in both, all are kept.
    """
    costs = {
        index: (energy_per_image_uj(done), -speed(done.totals))
        for index, done in result.results.items()
    }
    front: list[int] = []
    best = float("inf")
    for index in sorted(costs, key=lambda each: (costs[each], each)):
        cost = costs[index]
        if cost[1] < best or (front and cost == costs[front[-1]]):
            front.append(index)
            best = min(best, cost[1])
    return tuple(front)


def front_table(result: SweepResult) -> Table:
    """The front, one row per point."""
    front = pareto_front(result)
    keys = [key for axis in result.study.axes for key in axis.keys]
    done = [result.results[index] for index in front]
    columns = (
        [str(index) for index in front],
        *([str(result.points[index].overrides[key]) for index in front] for key in keys),
        column([energy_per_image_uj(each) for each in done]),
        [number(speed(each.totals)) for each in done],
        column([each.totals.dram.fetched_bytes / 1e6 / each.images for each in done]),
        [percent(each.totals.utilization) for each in done],
    )
    return Table(
        title=f"{result.study.name}: the points that no other beats in energy and in speed",
        columns=(
            Column("point"),
            *(Column(key, is_text=True) for key in keys),
            Column("energy", "uJ/img"),
            Column("speed", "img/s"),
            Column("DRAM", "MB/img"),
            Column("use", "%"),
        ),
        rows=tuple(zip(*columns, strict=True)),
        footer=(f"{len(front)} of {len(result.results)} points",),
    )
