"""What a stage costs, by the maps that it finds on the chip and the room left for its tiles.

All cuts of a stage are priced once for each set of maps; less room only strikes some of
them out. So the cheapest cut for every room is a staircase, found by one sort.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable
from dataclasses import dataclass
from math import inf

import numpy as np

from accelsim.hardware.chip import Chip
from accelsim.mapping.stages.stage import Stage, StoredMap
from accelsim.mapping.tiling.known import problem
from accelsim.mapping.tiling.plan import TIME_TOLERANCE
from accelsim.mapping.tiling.room import Room, memory_needs
from accelsim.mapping.tiling.search import StageSearch
from accelsim.mapping.tiling.sizes import Sizes

MOST = 4096
"""Staircases kept: those of more than a hundred networks."""

_found: dict[Hashable, Staircase] = {}


@dataclass(frozen=True)
class Staircase:
    """The least cost for every room."""

    room_bytes: tuple[float, ...]
    """Rising: from each of these on the cost is that of the same place."""
    cost: tuple[float, ...]

    def at(self, room_bytes: int) -> float:
        """The least cost in so much of the shared buffer; ``inf`` where nothing fits.

        >>> Staircase((10, 30), (7.0, 4.0)).at(29), Staircase((10, 30), (7.0, 4.0)).at(9)
        (7.0, inf)
        """
        step = bisect_right(self.room_bytes, room_bytes)
        return self.cost[step - 1] if step else inf


class StageCosts:
    """Costs of the stages of one network."""

    def __init__(self, chip: Chip, sizes: Sizes, room: Room) -> None:
        """``room`` is all that the chip has."""
        self._chip, self._sizes, self._room = chip, sizes, room
        self._own: dict[tuple[Stage, frozenset[StoredMap]], Staircase] = {}

    def cost(self, stage: Stage, kept: frozenset[StoredMap], room_bytes: int) -> float:
        """In ``room_bytes`` of the shared buffer, with these of its maps on the chip.

        By the chip's objective: DRAM bits; or core cycles, and ``TIME_TOLERANCE`` of those that
        the bytes take at peak bandwidth, so that of equally fast choices the one with fewer
        bytes is taken.
        """
        key = stage, kept
        if key not in self._own:
            self._own[key] = self._known(stage, self._sizes.keeping(kept))
        return self._own[key].at(room_bytes)

    def _known(self, stage: Stage, sizes: Sizes) -> Staircase:
        key = (self._room, problem(stage, self._chip, sizes, self._chip.mapping.objective))
        found = _found.pop(key, None) or self._staircase(stage, sizes)
        _found[key] = found  # the one used last comes last
        if len(_found) > MOST:
            del _found[next(iter(_found))]
        return found

    def _staircase(self, stage: Stage, sizes: Sizes) -> Staircase:
        search = StageSearch(stage, self._chip, sizes)
        needs, costs = [np.zeros(0)], [np.zeros(0)]
        for variant in search.variants:
            need, fits = np.zeros(search.cuts.shape), np.ones(search.cuts.shape, np.bool_)
            of_memories = zip(memory_needs(variant, self._room), self._room.memories, strict=True)
            for wanted, (name, has) in of_memories:
                fits &= wanted <= has
                if name == "shared":
                    need = need + wanted
            bits = search.traffic_bits(variant)[fits]
            cost = bits
            if self._chip.mapping.objective == "latency":
                streams = search.stream_bits(variant)[fits]
                p, r, q = np.nonzero(fits)
                cost = search.time_cycles(bits, streams, (p, r, q))
                cost = cost + TIME_TOLERANCE * search.bus_cycles(bits)
            needs.append(need[fits])
            costs.append(cost)
        need, cost = np.concatenate(needs), np.concatenate(costs)
        order = np.lexsort((cost, need))
        need, cost = need[order], np.minimum.accumulate(cost[order]) if len(order) else cost
        # The first of each level of cost; of one room the cheapest comes first.
        steps = np.flatnonzero(np.diff(cost, prepend=np.inf) < 0)
        return Staircase(tuple(need[steps].tolist()), tuple(cost[steps].tolist()))
