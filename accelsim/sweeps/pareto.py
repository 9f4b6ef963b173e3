"""The Pareto front of a sweep."""

from __future__ import annotations

from collections.abc import Mapping

from accelsim.results.ranking import energy_per_image_uj, speed
from accelsim.results.result import Result


def pareto_front(results: Mapping[int, Result]) -> tuple[int, ...]:
    """Points, best energy first, such that no other has less energy and more images per second.

    Points that are equal in both are all kept.
    """
    costs = {
        index: (energy_per_image_uj(done), -speed(done.totals)) for index, done in results.items()
    }
    front: list[int] = []
    best = float("inf")
    for index in sorted(costs, key=lambda each: (costs[each], each)):
        cost = costs[index]
        if cost[1] < best or (front and cost == costs[front[-1]]):
            front.append(index)
            best = min(best, cost[1])
    return tuple(front)
