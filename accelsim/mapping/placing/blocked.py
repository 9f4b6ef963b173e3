"""Compressed blocks, each a run of whole lines, and a table of their lengths behind them.

* ``slotted``: every block owns a slot as long as its raw values, so its address is known;
  the table gives its length in lines, in as few bits as hold it. Saves traffic, not space.
* ``packed``: blocks follow each other in the order in which they were produced; the table
  gives a 32-bit start in lines and a 16-bit length.

A block whose stream does not need fewer lines than its raw values is stored raw (the
longest length says so; ``accelsim.codecs.fallback``), so no block ever costs more lines than
raw. The encoder learns that by encoding it: such a block has cost its cycles and energy.
"""

from __future__ import annotations

from copy import copy
from functools import partial

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import BlockStats
from accelsim.codecs.fallback import as_stored
from accelsim.mapping.placing.kernel import add_up, list_blocks, list_entries, share_bytes
from accelsim.mapping.placing.layout import Counts, Moves, listed, starts
from accelsim.mapping.stages.stage import StoredMap
from accelsim.mapping.windows.window import Block, Ints, Windows, n_values
from accelsim.units import bits_to_bytes, ceil_div

PACKED_START_BITS = 32
PACKED_LENGTH_BITS = 16


class BlockedMap:
    """See the module's text. One extent is one block."""

    def __init__(
        self,
        stored: StoredMap,
        block: Block,
        stats: BlockStats,
        base_line: int,
        line_bytes: int,
        production_order: Ints | None,
        beats: Ints | None = None,
    ) -> None:
        """``production_order`` lists block numbers as they are written: packed. None: slotted.

        ``beats`` are those of ``MapStats``: what each block looks like on the pins.
        """
        self.stored, self.block, self.base_line = stored, block, base_line
        self._line_bytes = line_bytes
        placed = as_stored(stats, stored.bits, line_bytes)
        raw_lines = placed.raw_bursts
        self.fallback: NDArray[np.bool_] = placed.is_raw
        self.block_bytes: Ints = placed.n_bytes
        self.n_lines: Ints = placed.n_bursts
        self._n_values = stats.n_values
        self._decode_cycles = np.where(self.fallback, 0, stats.decode_work)
        self._encode_cycles = stats.encode_work
        coded_beats, raw_beats = (
            np.zeros((2, 2, len(raw_lines)), np.int64)
            if beats is None or not beats.size
            else beats.reshape(2, 2, -1)
        )
        self._summed = np.empty((len(raw_lines), 7), np.int64)
        """[n_blocks] what windows add up: bytes, lines, whether it is stored raw, costly bits and
        toggles, values that pass a decoder, values that an encoder works on."""
        self._summed[:, 0], self._summed[:, 1] = self.block_bytes, self.n_lines
        self._summed[:, 2] = self.fallback
        self._summed[:, 3:5] = np.where(self.fallback, raw_beats, coded_beats).T
        self._summed[:, 5] = np.where(self.fallback, 0, self._n_values)
        self._summed[:, 6] = np.where(self._encode_cycles > 0, self._n_values, 0)
        self.grid: tuple[int, int, int] = block_grid(stored, block)
        if production_order is None:
            slot_lines = int(raw_lines.max(initial=0))
            self.first_line = base_line + np.arange(len(raw_lines), dtype=np.int64) * slot_lines
            self.entry_bits = slot_lines.bit_length()
            body = slot_lines * len(raw_lines)
        else:
            ends = np.cumsum(self.n_lines[production_order])
            self.first_line = np.empty_like(self.n_lines)
            self.first_line[production_order] = base_line + ends - self.n_lines[production_order]
            self.entry_bits = PACKED_START_BITS + PACKED_LENGTH_BITS
            body = int(ends[-1]) if len(ends) else 0
        self.table_line = base_line + body
        self.table_lines = ceil_div(len(raw_lines) * self.entry_bits, line_bytes * 8)
        self.entries_per_line = ceil_div(line_bytes * 8, self.entry_bits)
        self.total_lines = body + self.table_lines

    def moved_to(self, base_line: int) -> BlockedMap:
        """The same map at another place."""
        moved = copy(self)
        moved.first_line = self.first_line + (base_line - self.base_line)
        moved.table_line = self.table_line + (base_line - self.base_line)
        moved.base_line = base_line
        return moved

    def reads(self, fetched: Windows, needed: Windows) -> Moves:
        """All blocks that ``fetched`` touches, whole.

        What of them does not belong to ``needed`` is overfetch.
        """
        first, blocks = blocks_in(fetched, self.block, self.grid)
        entries = partial(list_entries, first, blocks, self.entry_bits, self._line_bytes * 8)
        first_table, line = listed(entries, len(fetched), n_lists=1)
        table = first_table, self.table_line + line
        return self._moves(first, blocks, needed, table, write=False)

    def writes(self, tiles: Windows) -> Moves:
        """All blocks, whole: tiles are unions of blocks that cover the map."""
        first, blocks = blocks_in(tiles, self.block, self.grid)
        return self._moves(first, blocks, tiles, self._completed(first, blocks), write=True)

    def _moves(
        self, first: Ints, blocks: Ints, needed: Windows, table: tuple[Ints, Ints], *, write: bool
    ) -> Moves:
        n, n_needed = len(needed), n_values(needed)
        sums, share = np.empty((7, n), np.int64), np.empty(n, np.int64)
        add_up(first, blocks, self._summed, sums)
        share_bytes(needed, self.block, self.grid, self.block_bytes, self._n_values, share)
        coded_bytes, n_lines, fallback, costly, toggles, decoded, encoded = sums
        return Moves(
            first=first,
            first_line=self.first_line[blocks],
            n_lines=self.n_lines[blocks],
            work_cycles=(self._encode_cycles if write else self._decode_cycles)[blocks],
            first_table=table[0],
            table_line=table[1],
            counts=Counts(
                needed_values=n_needed,
                needed_bytes=bits_to_bytes(n_needed * self.stored.bits),
                coded_bytes=coded_bytes,
                padding_bytes=n_lines * self._line_bytes - coded_bytes,
                overfetch_bytes=coded_bytes - share,
                codec_values=encoded if write else decoded,
                fallback_blocks=fallback,
                costly_bits=costly,
                toggles=toggles,
            ),
        )

    def _completed(self, first: Ints, blocks: Ints) -> tuple[Ints, Ints]:
        """The lines of the table, by the window that makes the last of their blocks known."""
        n, line_bits = len(first) - 1, self._line_bytes * 8
        if not n:
            return first, np.zeros(0, np.int64)
        writer = np.zeros(len(self.n_lines), np.int64)
        writer[blocks] = np.repeat(np.arange(n), np.diff(first))
        line = np.arange(self.table_lines)
        # Blocks with the first and the last bit of each line.
        begin = line * line_bits // self.entry_bits
        end = np.minimum(((line + 1) * line_bits - 1) // self.entry_bits, len(writer) - 1)
        last = np.maximum(np.maximum.reduceat(writer, begin), writer[end])
        return starts(np.bincount(last, minlength=n)), self.table_line + last.argsort(kind="stable")


def block_grid(stored: StoredMap, block: Block) -> tuple[int, int, int]:
    """Blocks along channels, rows and columns."""
    extents = (stored.channels, stored.rows, stored.cols)
    c, r, q = (ceil_div(n, b) for n, b in zip(extents, block, strict=True))
    return c, r, q


def blocks_in(windows: Windows, block: Block, grid: Block) -> tuple[Ints, Ints]:
    """Where the blocks of each window begin [n + 1], and the numbers of the blocks of a ``grid``
    of them that each window touches, rising."""
    first, numbers = listed(partial(list_blocks, windows, block, grid), len(windows), n_lists=1)
    return first, numbers
