"""How many values of any box of a map are not zero: a summed-area table.

Crow, "Summed-area tables for texture mapping", SIGGRAPH 1984, in three dimensions: entry
[c, r, q] counts what lies before c, r and q, so that a box takes eight of them, whatever its size.
"""

from __future__ import annotations

from itertools import product
from typing import TypeAlias

import numpy as np

from accelsim.array.nonzeros import Bools, Ints

Ends: TypeAlias = tuple[Ints, Ints]
"""[n] starts and [n] stops of ranges along one axis."""


class SummedArea:
    """The table of one map.

    >>> area = SummedArea(np.array([[[True, False, True], [True, True, False]]]))
    >>> all_channels, rows = (np.array([0]), np.array([1])), (np.array([0, 1]), np.array([2, 9]))
    >>> cols = (np.array([-4, 0, 1]), np.array([1, 3, 2]))
    >>> area.counts(all_channels, rows, cols).tolist()
    [[[2, 4, 1], [1, 2, 1]]]
    """

    def __init__(self, nonzero: Bools) -> None:
        """``nonzero`` is [channels, rows, cols]."""
        self._sums = np.zeros([size + 1 for size in nonzero.shape], np.int64)
        inner = self._sums[1:, 1:, 1:]
        inner[:] = nonzero
        for axis in range(3):
            np.cumsum(inner, axis=axis, out=inner)

    def counts(self, channels: Ends, rows: Ends, cols: Ends) -> Ints:
        """[n_channels, n_rows, n_cols] of every box of the ranges; beyond the map are zeros."""
        sides = [
            [np.clip(end, 0, size - 1) for end in ends]
            for ends, size in zip((channels, rows, cols), self._sums.shape, strict=True)
        ]
        total = np.zeros([len(starts) for starts, _ in sides], np.int64)
        for corner in product((0, 1), repeat=3):
            ends = [side[stop] for side, stop in zip(sides, corner, strict=True)]
            total += (-1) ** (3 - sum(corner)) * self._sums[np.ix_(*ends)]
        return total
