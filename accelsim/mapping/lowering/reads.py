"""What the passes of a stage read of maps, and the table entries that a decoder needs before.

The entries pass a cache, whose contents are carried from stage to stage: what it misses is
read by a row of its own, before the row of the map.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelsim.mapping.lowering.lists import Runs, in_order, runs
from accelsim.mapping.placing.index_cache import IndexCache
from accelsim.mapping.placing.layout import Counts
from accelsim.mapping.placing.place import Placement
from accelsim.mapping.tiling.fetch import Fetches
from accelsim.mapping.windows.window import Ints


@dataclass(frozen=True, eq=False)
class MapReads:
    """Rows that read maps [n], one for all fetches of a pass, the shortcut's apart; and rows
    that read table entries before them."""

    step: Ints
    """The pass."""
    is_shortcut: NDArray[np.bool_]
    first: Ints
    """[n + 1] where the extents of each begin."""
    extents: tuple[Ints, Ints, Ints]
    """First lines, lines, and cycles of a decoder's lane."""
    after: Ints
    """The row that wrote the last of it; ``NONE``."""
    is_coded: NDArray[np.bool_]
    """Whether it needs table entries, of the cache or just read."""
    missed: Runs
    """Lines of table entries that are read, by the row of the map that needs them."""
    entries_after: Ints
    """[n_missed_rows] the row that wrote the last of them."""
    counts: tuple[Counts[Ints], ...]
    """What the fetches from each map cost."""


def map_reads(found: Fetches, placement: Placement, cache: IndexCache) -> MapReads:
    """All reads of a stage, in the order in which its passes need them."""
    n = len(found.step)
    extents, entries, counts = [], [], []
    after, table_lines = np.empty((2, n), np.int64)
    for number, stored in enumerate(found.maps):
        which, placed = found.of(number), placement[stored]
        fetched, layout = found.fetched[which], placed.layout
        moves = layout.reads(fetched, found.needed[which])
        after[which], table_lines[which] = placed.last_write(fetched), layout.table_lines
        lines = moves.table_line
        room = np.full(len(lines), layout.entries_per_line)
        extents.append((which, (moves.first, (moves.first_line, moves.n_lines, moves.work_cycles))))
        entries.append((which, (moves.first_table, (lines, room, placed.table_write(lines)))))
        counts.append(moves.counts)
    first, (first_line, n_lines, work_cycles) = in_order(extents, n)
    first_entry, (line, room, written) = in_order(entries, n)
    key = 2 * found.step + found.is_shortcut
    (row,) = np.nonzero(np.diff(key, prepend=-1))  # the first fetch of each
    (missed,) = np.nonzero(cache.misses(line, room))
    fetch = np.searchsorted(first_entry, missed, side="right") - 1
    bring = runs(fetch, line[missed])
    return MapReads(
        step=found.step[row],
        is_shortcut=found.is_shortcut[row],
        first=first[np.append(row, n)],
        extents=(first_line, n_lines, work_cycles),
        after=_largest(after, row),
        is_coded=_largest(table_lines, row) > 0,
        missed=bring._replace(row=np.searchsorted(row, bring.row, side="right") - 1),
        entries_after=_largest(written[missed], bring.first_line_of_row),
        counts=tuple(counts),
    )


def _largest(values: Ints, first: Ints) -> Ints:
    """Of each list of values that begins at one of ``first``."""
    return np.maximum.reduceat(values, first) if len(first) else values[:0]
