"""The contract of a layout: where a tensor lies, and what windows of it cost.

A layout says which lines of DRAM cross the bus for each of many windows, what of them is
payload, and what a codec has to do: for all windows of a stage at once, in arrays. Whoever asks
knows no more than that: not whether there are blocks or a table of them, nor whether the tensor
lies in DRAM at all. One that does not has no lines, and its windows move none.

One file per layout: ``linear`` (raw values without blocks), ``blocked`` (compressed blocks and
a table of their lengths), ``weights`` (tiles of weights), ``kept`` (maps that stay on the chip).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol

import numpy as np

from accelsim.mapping.stages.stage import StoredMap
from accelsim.mapping.windows.window import Block, Ints, Windows
from accelsim.units import Count


@dataclass(frozen=True, eq=False, slots=True)
class Counts(Generic[Count]):
    """What windows cost: each alone [n], or all together. See docs/concepts.md for the meaning of
    the bytes."""

    needed_values: Count
    needed_bytes: Count
    coded_bytes: Count
    padding_bytes: Count
    overfetch_bytes: Count
    """Negative where values are needed now that an earlier fetch brought too much: over all
    fetches every byte is counted rightly."""
    codec_values: Count
    """Reads: values that pass a decoder, those of blocks that are not stored raw. Writes: values
    that an encoder works on, also of blocks that are stored raw in the end."""
    fallback_blocks: Count
    costly_bits: Count
    """On the data pins; see ``accelsim.mapping.placing.bus``."""
    toggles: Count

    def totals(self) -> Counts[int]:
        """Of all windows together."""
        columns = np.array([getattr(self, name) for name in self.__slots__])
        return Counts(*columns.sum(axis=1).tolist())


@dataclass(frozen=True, eq=False)
class Moves:
    """What crosses the DRAM bus for n windows: lists of all windows behind one another.

    ``first`` and ``first_table`` [n + 1] say where the lists of each window begin.
    """

    first: Ints
    first_line: Ints  # [n_extents]
    """Runs of consecutive lines, in the order in which they are moved."""
    n_lines: Ints  # [n_extents]
    work_cycles: Ints  # [n_extents]
    """Cycles of a decoder's (reads) or an encoder's (writes) lane; 0 passes it by."""
    first_table: Ints
    table_line: Ints  # [n_table_lines]
    """Lines of the table, rising in each window. Reads: with entries of its blocks. Writes: those
    whose last entry becomes known with it."""
    counts: Counts[Ints]

    @property
    def extents(self) -> tuple[Ints, tuple[Ints, Ints, Ints]]:
        """Where those of each window begin, and all of them."""
        return self.first, (self.first_line, self.n_lines, self.work_cycles)


class Layout(Protocol):
    """Where one tensor lies."""

    @property
    def total_lines(self) -> int:
        """Lines of DRAM that it occupies, with its table."""

    @property
    def table_line(self) -> int:
        """First line of the table of blocks."""

    @property
    def table_lines(self) -> int:
        """Lines of that table; 0 without one."""

    @property
    def entries_per_line(self) -> int:
        """Entries that a line of the table holds, a started one too; 0 without a table."""

    def reads(self, fetched: Windows, needed: Windows) -> Moves:
        """What it costs to read the windows ``fetched`` for the values of ``needed``."""


class MapLayout(Layout, Protocol):
    """Where a feature map lies."""

    @property
    def stored(self) -> StoredMap: ...

    @property
    def block(self) -> Block | None:
        """What is moved whole; None where any window is read exactly."""

    def writes(self, tiles: Windows) -> Moves:
        """What it costs to write the whole map, tile by tile."""


def starts(n_each: Ints) -> Ints:
    """[n + 1] where the lists of each begin that lie behind one another.

    >>> starts(np.array([2, 0, 3])).tolist()
    [0, 2, 2, 5]
    """
    found = np.zeros(len(n_each) + 1, np.int64)
    np.cumsum(n_each, out=found[1:])
    return found


def listed(make: Callable[..., None], n_windows: int, n_lists: int) -> tuple[Ints, ...]:
    """``first`` and the lists that a kernel makes, called ``make(first, *lists)``: once to count
    and once to fill them."""
    first, lists = np.empty(n_windows + 1, np.int64), np.empty((n_lists, 0), np.int64)
    make(first, *lists)
    if first[-1]:
        lists = np.empty((n_lists, first[-1]), np.int64)
        make(first, *lists)
    return first, *lists
