"""The on-chip cache of block-table entries: which table lines an access order must fetch.

Least recently used line out first. The order of accesses is known when the program is
written, so hits and misses are decided there and become traffic; the simulation needs no
cache.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.mapping.placing.kernel import look_up
from accelsim.mapping.windows.window import Ints


class IndexCache:
    """Room for ``capacity_entries`` entries, held as whole lines, of whatever maps.

    A line that is larger than the cache passes through it. What it holds is carried from one
    call to the next.

    >>> cache, four = IndexCache(8), np.full(4, 4)
    >>> cache.misses(np.array([1, 2, 1, 3]), four).tolist()
    [True, True, False, True]
    >>> cache.misses(np.array([2]), four[:1]).tolist()
    [True]
    """

    def __init__(self, capacity_entries: int) -> None:
        self._capacity = capacity_entries
        self._held = np.zeros((2, capacity_entries + 1), np.int64)
        self._filled = np.zeros(2, np.int64)

    def misses(self, lines: Ints, entries: Ints) -> NDArray[np.bool_]:
        """[n] whether each of ``lines``, in this order, must be fetched.

        ``entries`` [n], at least 1, is the room that each takes. All are held afterwards, those
        accessed last the longest.
        """
        missed = np.empty(len(lines), np.bool_)
        look_up(lines, entries, self._capacity, self._held, self._filled, missed)
        return missed
