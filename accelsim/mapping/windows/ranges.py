"""The tiles of many candidate cuts along one axis, as ranges, and how often each is touched.

A window is a box, and a candidate cuts each axis on its own. So whatever all windows of a
candidate cost is a sum over few boxes, each weighted with how often its three sides occur:
three small matrix products price all combinations of candidates at once
(``occurrences.weighted_sum``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from accelsim.mapping.windows.occurrences import Floats, Ints


@dataclass(frozen=True, eq=False)
class Ranges:
    """[start, stop) of every tile of several candidates. Empty ones touch nothing.

    >>> tiles = Ranges(np.array([0, 0, 1]), np.array([0, 4, 0]), np.array([4, 6, 6]), 2)
    >>> tiles.touched(2, 3).tolist()      # blocks of two: [0, 2), [2, 4), [4, 6)
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """

    candidate: Ints  # [n_tiles]
    start: Ints  # [n_tiles]
    stop: Ints  # [n_tiles]
    n_candidates: int

    @cached_property
    def distinct(self) -> tuple[Ints, Ints, Floats]:
        """Starts and stops [n_distinct] of all that are not empty, and
        [n_candidates, n_distinct] how often each occurs."""
        keep = self.stop > self.start
        start, stop, candidate = self.start[keep], self.stop[keep], self.candidate[keep]
        width = int(stop.max(initial=0)) + 1
        found, which = np.unique(start * width + stop, return_inverse=True)
        counts = table(candidate * len(found) + which, self.n_candidates, len(found))
        return found // width, found % width, counts

    def touched(self, block: int, n_blocks: int) -> Floats:
        """[n_candidates, n_blocks] how often tiles touch each block of ``block`` rows."""
        return self.started(block, n_blocks) + self.continued(block, n_blocks)

    def started(self, block: int, n_blocks: int) -> Floats:
        """[n_candidates, n_blocks] how often a block is the first that a tile touches."""
        keep = self.stop > self.start
        first = self.start[keep] // block
        return table(self.candidate[keep] * n_blocks + first, self.n_candidates, n_blocks)

    def continued(self, block: int, n_blocks: int) -> Floats:
        """[n_candidates, n_blocks] how often a block is touched, but is not the first."""
        keep = self.stop > self.start
        first, end = self.start[keep] // block, -(-self.stop[keep] // block)
        row = self.candidate[keep] * (n_blocks + 2)
        shape = self.n_candidates, n_blocks + 2
        change = table(row + first + 1, *shape) - table(row + end, *shape)
        return np.cumsum(change, axis=1)[:, :n_blocks]

    def in_blocks(self, block: int) -> Ranges:
        """The same tiles, counted in blocks of ``block``."""
        start = self.start // block
        stop = np.where(self.stop > self.start, -(-self.stop // block), start)
        return Ranges(self.candidate, start, stop, self.n_candidates)

    def joined(self) -> Ranges:
        """One range for each candidate: from its first start to its last stop."""
        start = np.full(self.n_candidates, np.iinfo(np.int64).max)
        stop = np.zeros(self.n_candidates, np.int64)
        keep = self.stop > self.start
        np.minimum.at(start, self.candidate[keep], self.start[keep])
        np.maximum.at(stop, self.candidate[keep], self.stop[keep])
        return Ranges(
            np.arange(self.n_candidates), np.minimum(start, stop), stop, self.n_candidates
        )

    def within(self, offset: int, size: int) -> Ranges:
        """What of each tile lies in [offset, offset + size), counted from ``offset``."""
        start = np.maximum(self.start - offset, 0)
        stop = np.minimum(self.stop - offset, size)
        return Ranges(self.candidate, start, np.maximum(stop, start), self.n_candidates)


def table(cells: Ints, n_rows: int, n_cols: int) -> Floats:
    """[n_rows, n_cols] how often each cell, numbered row by row, is named."""
    counted = np.bincount(cells, minlength=n_rows * n_cols)
    result: Floats = counted.reshape(n_rows, n_cols).astype(np.float64)
    return result
