"""Which of a network's maps stay on the chip: the cheapest choice for all stages together.

A map that stays takes its bytes from the stage that makes it to the last one that reads it,
and leaves the tiles of those stages less room; in return it is neither written nor read. So
choices hang together across branches: they are weighed stage after stage, with one state for
each set of maps that are held at the end of a stage. Of equal sets only the cheapest way to
come there goes on, which loses nothing: what follows depends on the set alone. That is
exact. Only where more than ``MOST_STATES`` sets are open at once (many long branches) the
dearest are dropped, and ``Residency.bound`` says how far the result may be from the best.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from itertools import chain, combinations
from math import inf
from typing import Generic, TypeVar

MOST_STATES = 256

M = TypeVar("M", bound=Hashable)


@dataclass(frozen=True)
class Life:
    """How long a map would be held, and its bytes."""

    first: int
    """Number of the stage that makes it."""
    last: int
    """Number of the last stage that reads it."""
    n_bytes: int


@dataclass(frozen=True)
class Residency(Generic[M]):
    """The maps that stay."""

    kept: frozenset[M]
    cost: float
    bound: float
    """No choice costs less than this; equal to ``cost`` where the search was exact."""


def choose(
    lives: Mapping[M, Life],
    n_stages: int,
    capacity_bytes: int,
    cost: Callable[[int, frozenset[M], int], float],
    most_states: int = MOST_STATES,
) -> Residency[M] | None:
    """The choice with the least sum of costs over all stages; None where no choice is possible.

    ``cost(stage, kept, room_bytes)`` is that of a stage which finds the maps ``kept`` held
    (those among ``lives`` that it reads or makes) and has ``room_bytes`` left for its tiles;
    ``inf`` where it does not fit. More room never costs more.

    >>> cheap_if_kept = lambda stage, kept, room: 9.0 - 4 * len(kept)
    >>> choose({"a": Life(0, 1, 60), "b": Life(1, 2, 60)}, 3, 100, cheap_if_kept).kept
    frozenset({'a'})
    """
    touching = [frozenset(m for m, x in lives.items() if s in _ends(x)) for s in range(n_stages)]
    states: dict[frozenset[M], tuple[float, frozenset[M]]] = {frozenset(): (0.0, frozenset())}
    is_exact = True
    for stage in range(n_stages):
        born = [m for m, life in lives.items() if life.first == stage]
        found: dict[frozenset[M], tuple[float, frozenset[M]]] = {}
        for held, (spent, kept) in states.items():
            for new in map(frozenset, _subsets(born)):
                now = held | new
                room = capacity_bytes - sum(lives[m].n_bytes for m in now)
                if room < 0:
                    continue
                total = spent + cost(stage, now & touching[stage], room)
                after = frozenset(m for m in now if lives[m].last > stage)
                if total < found.get(after, (inf, kept))[0]:
                    found[after] = total, kept | new
        if len(found) > most_states:
            is_exact = False
            # A stable sort: of equal costs the ones found first go on.
            cheapest = sorted(found.items(), key=lambda item: item[1][0])
            found = dict(cheapest[:most_states])
        states = found
    if not states:
        return None
    total, kept = min(states.values(), key=lambda way: way[0])
    if is_exact:
        return Residency(kept, total, total)
    free = (cost(s, touching[s], capacity_bytes) for s in range(n_stages))
    return Residency(kept, total, sum(free))


def _ends(life: Life) -> range:
    """The stages that could touch a map; those between its ends that do not are told so."""
    return range(life.first, life.last + 1)


def _subsets(maps: list[M]) -> chain[tuple[M, ...]]:
    """Every subset, the empty one first."""
    return chain.from_iterable(combinations(maps, n) for n in range(len(maps) + 1))
