"""READ rows of feature maps, and the rows that bring what a decoder needs before them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from accelsim.hardware.chip import Chip
from accelsim.mapping.lowering.tally import Tally
from accelsim.mapping.lowering.units import In, Of
from accelsim.mapping.placing.index_cache import IndexCache
from accelsim.mapping.placing.layout import Extents, Ints, MapLayout
from accelsim.mapping.placing.place import PlacedMap, Placement
from accelsim.mapping.tiling.fetch import Fetch
from accelsim.program.table import NONE, Moment
from accelsim.program.units import Cause
from accelsim.program.writer import ProgramWriter
from accelsim.units import ceil_div


class Reader:
    """READ rows of maps, with the rows that bring their table entries first."""

    def __init__(self, writer: ProgramWriter, placement: Placement, chip: Chip) -> None:
        self._writer, self._placement = writer, placement
        self._line_bits = placement.line_bytes * 8
        self._cache = IndexCache(chip.codec.index_cache_entries)
        self._last_ifmap, self._last_index, self._table_row = NONE, NONE, NONE

    def codec_table(self, placed: PlacedMap, tally: Tally, kind: str, **label: int) -> None:
        """Load the codec's tables of one map, once for each stage that uses it.

        The next READ waits for it, also when it is the encoder that needs it.
        """
        first, lines = placed.codec_table
        if lines:
            extents = one_extent(first), one_extent(lines), one_extent(0)
            self._index_row(extents, after=NONE, **label)
            self._table_row = self._last_index
            tally.moved_table(kind, "table_bytes", lines * self._placement.line_bytes, write=False)

    def maps(self, found: Sequence[Fetch], acquire_bytes: int, tally: Tally, **label: int) -> int:
        """One READ row for all fetches of a pass; returns it."""
        moved: list[Extents] = []
        after, index, self._table_row = NONE, self._table_row, NONE
        for fetch in found:
            placed = self._placement[fetch.stored]
            extents = placed.layout.extents(fetch.fetched, fetch.needed)
            n_needed, word_bits = fetch.needed.n_values, fetch.stored.bits
            tally.moved("ifmap", extents, n_needed, word_bits, write=False)
            moved.append(extents)
            after = max(after, placed.last_write(fetch.fetched))
            if placed.layout.table_lines:
                self._table_entries(placed, placed.layout, extents.blocks, tally, **label)
                index = self._last_index
        joined = (
            np.concatenate([e.first_line for e in moved]),
            np.concatenate([e.n_lines for e in moved]),
            np.concatenate([e.decode_work for e in moved]),
        )
        row = self._last_ifmap = self._writer.transfer(Of.IFMAP, joined, **label)
        self._writer.need(row, after, Cause.DEPENDENCY)
        self._writer.need(row, index)
        self._writer.take(row, In.IFMAP, acquire_bytes)
        return row

    def _table_entries(
        self, placed: PlacedMap, layout: MapLayout, blocks: Ints, tally: Tally, **label: int
    ) -> None:
        lines = placed.table_lines(blocks)
        entries_per_line = ceil_div(self._line_bits, layout.entry_bits)
        fetched = self._cache.misses((layout.table_line + lines).tolist(), entries_per_line)
        missed = np.array(fetched, np.int64)
        if len(missed):
            first, n_lines = runs(missed)
            after = placed.last_table_write(missed - layout.table_line)
            self._index_row((first, n_lines, np.zeros_like(first)), after, **label)
            n_bytes = len(missed) * self._placement.line_bytes
            tally.moved_table("ifmap", "index_bytes", n_bytes, write=False)

    def _index_row(self, extents: tuple[Ints, Ints, Ints], after: int, **label: int) -> None:
        """One tile ahead and no further: once the maps before its own are on their way."""
        row = self._last_index = self._writer.transfer(Of.INDEX, extents, **label)
        self._writer.need(row, self._last_ifmap, moment=Moment.SUBMITTED)
        self._writer.need(row, after, Cause.DEPENDENCY)


def one_extent(value: int) -> Ints:
    """A column of one extent."""
    return np.array([value], np.int64)


def runs(lines: Ints) -> tuple[Ints, Ints]:
    """First line and length of each run of consecutive lines."""
    starts = np.flatnonzero(np.diff(lines, prepend=lines[0] - 2) != 1)
    return lines[starts], np.diff(np.append(starts, len(lines)))
