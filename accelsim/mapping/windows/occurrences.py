"""How often each extent occurs among the tiles of many candidate tilings.

A window is a box, and a candidate cuts each axis on its own. So the cost of all tiles of a
candidate is a sum over few distinct boxes, each weighted with how often its three extents
occur: three small matrix products price all combinations of candidates at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Occurrences:
    """Distinct extents, and how often each occurs in each candidate."""

    extents: Ints  # [n_extents]
    counts: Floats  # [n_candidates, n_extents]


def occurrences(candidate: Ints, extents: Ints, n_candidates: int) -> Occurrences:
    """Count ``extents`` [n_tiles], each of a tile of ``candidate`` [n_tiles]; zeros do not count.

    >>> t = occurrences(np.array([0, 0, 1]), np.array([4, 2, 4]), 2)
    >>> t.extents.tolist(), t.counts.tolist()
    ([2, 4], [[1.0, 1.0], [0.0, 1.0]])
    """
    width = int(extents.max(initial=0)) + 1
    flat = np.bincount(candidate * width + extents, minlength=n_candidates * width)
    counts = flat.reshape(n_candidates, width)
    distinct = np.flatnonzero(counts.any(axis=0))
    distinct = distinct[distinct > 0]
    return Occurrences(distinct, counts[:, distinct].astype(np.float64))


def weighted_sum(cost: Floats, first: Floats, second: Floats, third: Floats) -> Floats:
    """[a, b, c] sums of ``cost`` [x, y, z] with the counts [a, x], [b, y], [c, z]."""
    _, y, z = cost.shape
    summed = (first @ cost.reshape(cost.shape[0], y * z)).reshape(len(first), y, z)
    result: Floats = second @ summed @ third.T
    return result
