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
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import BlockStats
from accelsim.codecs.fallback import as_stored
from accelsim.mapping.placing.layout import NOTHING, Extents, Ints
from accelsim.mapping.stages.stage import StoredMap
from accelsim.mapping.windows.window import Block, Window3, align
from accelsim.units import ceil_div

PACKED_START_BITS = 32
PACKED_LENGTH_BITS = 16


class BlockedMap:
    """Compressed blocks and their table."""

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
        self._extents = (stored.channels, stored.rows, stored.cols)
        self._line_bytes = line_bytes
        placed = as_stored(stats, stored.bits, line_bytes)
        raw_lines = placed.raw_bursts
        self.fallback: NDArray[np.bool_] = placed.is_raw
        self.block_bytes: Ints = placed.n_bytes
        self.n_lines: Ints = placed.n_bursts
        self._n_values = stats.n_values
        self._decode = np.where(self.fallback, 0, stats.decode_work)
        self._encode = stats.encode_work
        coded_beats, raw_beats = (
            np.zeros((2, 2, len(raw_lines)), np.int64)
            if beats is None or not beats.size
            else beats.reshape(2, 2, -1)
        )
        self._costly, self._toggles = np.where(self.fallback, raw_beats, coded_beats)
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
        self.total_lines = body + self.table_lines

    @property
    def all_blocks(self) -> Ints:
        """[n_blocks] numbers of all blocks."""
        return np.arange(len(self.n_lines), dtype=np.int64)

    def moved_to(self, base_line: int) -> BlockedMap:
        """The same map at another place."""
        moved = copy(self)
        moved.first_line = self.first_line + (base_line - self.base_line)
        moved.table_line = self.table_line + (base_line - self.base_line)
        moved.base_line = base_line
        return moved

    def blocks(self, window: Window3) -> Ints:
        """Numbers of the blocks that ``window`` touches, rising."""
        return blocks_in(window, self.block, self.grid)

    def extents(self, window: Window3, needed: Window3) -> Extents:
        """All blocks that ``window`` touches, whole, one extent each.

        What of them does not belong to ``needed`` is overfetch. It is negative where
        values are needed now that an earlier fetch brought too much: over all fetches
        every byte is counted rightly.
        """
        ids = self.blocks(window)
        lines, fallback = self.n_lines[ids], self.fallback[ids]
        coded_total = int(self.block_bytes[ids].sum())
        return Extents(
            blocks=ids,
            first_line=self.first_line[ids],
            n_lines=lines,
            decode_work=self._decode[ids],
            encode_work=self._encode[ids],
            coded_bytes=coded_total,
            padding_bytes=int(lines.sum()) * self._line_bytes - coded_total,
            overfetch_bytes=coded_total - self._bytes_of(needed, window, coded_total),
            encoded_values=int(self._n_values[ids[self._encode[ids] > 0]].sum()),
            decoded_values=int(self._n_values[ids[~fallback]].sum()),
            fallback_blocks=int(fallback.sum()),
            costly_bits=int(self._costly[ids].sum()),
            toggles=int(self._toggles[ids].sum()),
        )

    def _bytes_of(self, needed: Window3, window: Window3, window_bytes: int) -> int:
        """Bytes of the values of ``needed``; ``window_bytes`` are those of ``window``'s blocks.

        Of a block in part, its share. Shares are rounded so that windows that follow each
        other down the rows add up to the whole block.
        """
        if needed == window == align(window, self.block, self._extents):
            return window_bytes
        if not needed.n_values:
            return 0
        ids = self.blocks(needed)
        c, r, q = (
            _ranges_in_blocks(*n) for n in zip(needed[::2], needed[1::2], self.block, strict=True)
        )
        across = (c[1] - c[0])[:, None, None] * (q[1] - q[0])[None, None, :]
        above, below = (
            self.block_bytes[ids] * (across * rows[None, :, None]).ravel() // self._n_values[ids]
            for rows in r
        )
        return int((below - above).sum())

    def entry_lines(self, blocks: Ints) -> Ints:
        """Lines of the table, counted from its start, that hold the entries of ``blocks``.

        An entry that lies in two lines gives two; one line may come several times.
        """
        first, last = self._entry_ends[:, blocks]
        return np.concatenate([first, last[last > first]])

    @cached_property
    def _entry_ends(self) -> Ints:
        """[2, n_blocks] the lines of the table with the first and last bit of each entry."""
        start = self.all_blocks * self.entry_bits
        return np.stack([start, start + self.entry_bits - 1]) // (self._line_bytes * 8)


def block_grid(stored: StoredMap, block: Block) -> tuple[int, int, int]:
    """Blocks along channels, rows and columns."""
    extents = (stored.channels, stored.rows, stored.cols)
    c, r, q = (ceil_div(n, b) for n, b in zip(extents, block, strict=True))
    return c, r, q


def blocks_in(window: Window3, block: Block, grid: tuple[int, int, int]) -> Ints:
    """Numbers of the blocks of a ``grid`` of them that ``window`` touches, rising."""
    if not window.n_values:
        return NOTHING
    (bc, br, bq), (_, nr, nq) = block, grid
    c = np.arange(window.c0 // bc, ceil_div(window.c1, bc), dtype=np.int64)
    r = np.arange(window.r0 // br, ceil_div(window.r1, br), dtype=np.int64)
    q = np.arange(window.q0 // bq, ceil_div(window.q1, bq), dtype=np.int64)
    return ((c[:, None, None] * nr + r[None, :, None]) * nq + q[None, None, :]).ravel()


def _ranges_in_blocks(start: int, stop: int, block: int) -> tuple[Ints, Ints]:
    """Where [start, stop) starts and stops in each block that it touches, from its first."""
    first = np.arange(start // block, ceil_div(stop, block), dtype=np.int64) * block
    return np.maximum(start - first, 0), np.minimum(stop - first, block)
