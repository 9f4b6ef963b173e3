"""The on-chip cache of block-table entries: which table lines an access order must fetch.

Least recently used line out first. The order of accesses is known when the program is
written, so hits and misses are decided there and become traffic; the simulation needs no
cache.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable


class IndexCache:
    """Room for ``capacity_entries`` entries, held as whole lines, of whatever maps.

    A line that is larger than the cache passes through it.

    >>> cache = IndexCache(8)
    >>> cache.misses([1, 2], 4), cache.misses([1, 3], 4), cache.misses([2], 4)
    ([1, 2], [3], [2])
    """

    def __init__(self, capacity_entries: int) -> None:
        self._capacity, self._used = capacity_entries, 0
        self._held: OrderedDict[int, int] = OrderedDict()

    def misses(self, lines: Iterable[int], entries_per_line: int) -> list[int]:
        """The lines among these that must be fetched; all are the most recent afterwards."""
        fetched = []
        for line in lines:
            if line in self._held:
                self._held.move_to_end(line)
                continue
            fetched.append(line)
            self._held[line] = entries_per_line
            self._used += entries_per_line
            while self._used > self._capacity:
                self._used -= self._held.popitem(last=False)[1]
        return fetched
