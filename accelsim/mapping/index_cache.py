"""The on-chip cache of block-table lines: which lines an access order must fetch.

Least recently used first out. The order of accesses is known when the program is written,
so hits and misses are decided there and become traffic; the simulation needs no cache.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable


class IndexCache:
    """``capacity_lines`` lines of tables, of whatever map.

    >>> cache = IndexCache(2)
    >>> cache.misses([1, 2]), cache.misses([1, 3]), cache.misses([2])
    ([1, 2], [3], [2])
    """

    def __init__(self, capacity_lines: int) -> None:
        self._capacity = capacity_lines
        self._held: OrderedDict[int, None] = OrderedDict()

    def misses(self, lines: Iterable[int]) -> list[int]:
        """The lines among these that must be fetched; all are most recent afterwards."""
        fetched = []
        for line in lines:
            if line in self._held:
                self._held.move_to_end(line)
                continue
            fetched.append(line)
            self._held[line] = None
            if len(self._held) > self._capacity:
                self._held.popitem(last=False)
        return fetched
