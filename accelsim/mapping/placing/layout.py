"""Where a feature map lies in DRAM, and which lines a window of it costs.

``LinearMap`` has no blocks: any window is read exactly. Values lie in groups of channels,
then rows, columns, and the channels of the group innermost (NVDLA's C-atoms, as many as
the chip's codec block has), ``bits`` bits each without gaps (``lines.Arrangement``).

``BlockedMap`` holds compressed blocks, each a run of whole lines, and a table of their
lengths behind them:

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
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import BlockStats
from accelsim.codecs.fallback import as_stored
from accelsim.mapping.placing.bus import NO_LEVELS, Levels
from accelsim.mapping.stages.stage import StoredMap
from accelsim.mapping.windows.lines import Arrangement
from accelsim.mapping.windows.window import Window3, align
from accelsim.units import bits_to_bytes, ceil_div

Ints = NDArray[np.int64]

PACKED_START_BITS = 32
PACKED_LENGTH_BITS = 16
_NOTHING = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Extents:
    """The lines that one window costs, as runs in the order they are moved."""

    blocks: Ints
    """Numbers of the compressed blocks, one for each run; none for maps without blocks."""
    first_line: Ints
    n_lines: Ints
    decode_work: Ints
    encode_work: Ints
    coded_bytes: int
    padding_bytes: int
    overfetch_bytes: int
    encoded_values: int
    """Values that an encoder works on to write the window: of all blocks, also of those that
    are stored raw in the end."""
    decoded_values: int
    """Values that pass a decoder to read the window: those of blocks that are not stored raw."""
    fallback_blocks: int
    costly_bits: int = 0
    """On the data pins; see ``accelsim.mapping.placing.bus``."""
    toggles: int = 0


class LinearMap:
    """Raw values without blocks."""

    table_lines = 0

    def __init__(
        self,
        stored: StoredMap,
        base_line: int,
        line_bytes: int,
        group: int,
        levels: Levels = NO_LEVELS,
    ) -> None:
        self.stored, self.base_line = stored, base_line
        self._line_bits = line_bytes * 8
        self._values = Arrangement(stored.channels, stored.rows, stored.cols, stored.bits, group)
        self._levels = levels

    @staticmethod
    def size_lines(stored: StoredMap, line_bytes: int) -> int:
        """Lines that the map occupies."""
        return ceil_div(stored.n_values * stored.bits, line_bytes * 8)

    def extents(self, window: Window3, needed: Window3) -> Extents:
        """The runs of lines of ``window``; a line shared by neighbours is moved once.

        There are no blocks, so all values are needed; ``needed`` is ignored.
        """
        starts, stops = self._runs(window) if window.n_values else (_NOTHING, _NOTHING)
        bits = self.stored.bits
        first = starts * bits // self._line_bits
        last = -(-stops * bits // self._line_bits)  # one past
        # Runs are in rising order; a line that the run before already moves is left out.
        first[1:] = np.maximum(first[1:], np.maximum.accumulate(last)[:-1])
        keep = last > first
        first, last = first[keep], last[keep]
        coded = bits_to_bytes(window.n_values * bits)
        moved_bits = int((last - first).sum()) * self._line_bits
        none = np.zeros(len(first), np.int64)
        # Whole lines move: what of them the window does not need is data of the same map.
        costly, toggles = self._levels.of(moved_bits)
        return Extents(
            blocks=_NOTHING,
            first_line=self.base_line + first,
            n_lines=last - first,
            decode_work=none,
            encode_work=none,
            coded_bytes=coded,
            padding_bytes=moved_bits // 8 - coded,
            overfetch_bytes=0,
            encoded_values=0,
            decoded_values=0,
            fallback_blocks=0,
            costly_bits=costly,
            toggles=toggles,
        )

    def _runs(self, w: Window3) -> tuple[Ints, Ints]:
        """[n] first and one-past-last value of each contiguous run, in rising order."""
        m, starts, stops = self.stored, [], []
        for origin, depth, c0, c1 in _parts(self._values, w.c0, w.c1):
            if c1 - c0 == depth and w.q0 == 0 and w.q1 == m.cols:
                first = np.array([w.r0 * m.cols * depth], np.int64)
                length = (w.r1 - w.r0) * m.cols * depth
            elif c1 - c0 == depth:
                rows = np.arange(w.r0, w.r1, dtype=np.int64)
                first = (rows * m.cols + w.q0) * depth
                length = (w.q1 - w.q0) * depth
            else:
                rows = np.arange(w.r0, w.r1, dtype=np.int64)[:, None] * m.cols
                pixels = (rows + np.arange(w.q0, w.q1, dtype=np.int64)).ravel()
                first, length = pixels * depth + c0, c1 - c0
            starts.append(origin + first)
            stops.append(origin + first + length)
        return np.concatenate(starts), np.concatenate(stops)


class BlockedMap:
    """Compressed blocks and their table."""

    def __init__(
        self,
        stored: StoredMap,
        block: tuple[int, int, int],
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

    @cached_property
    def stored_bits(self) -> int:
        """Bits of all blocks as stored, raw ones included, plus their table: no padding."""
        table = len(self.n_lines) * self.entry_bits
        return int(self.block_bytes.sum()) * 8 + table

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


MapLayout = LinearMap | BlockedMap


@lru_cache(maxsize=4096)  # the windows of a map share few ranges of channels
def _parts(values: Arrangement, start: int, stop: int) -> list[tuple[int, int, int, int]]:
    """(first value of the group, its channels, and which of them) of one range of channels."""
    found = values.parts(np.array([start]), np.array([stop]))
    columns = (n.tolist() for n in (found.origin, found.depth, found.start, found.stop))
    return list(zip(*columns, strict=True))


def block_grid(stored: StoredMap, block: tuple[int, int, int]) -> tuple[int, int, int]:
    """Blocks along channels, rows and columns."""
    extents = (stored.channels, stored.rows, stored.cols)
    c, r, q = (ceil_div(n, b) for n, b in zip(extents, block, strict=True))
    return c, r, q


def blocks_in(window: Window3, block: tuple[int, int, int], grid: tuple[int, int, int]) -> Ints:
    """Numbers of the blocks of a ``grid`` of them that ``window`` touches, rising."""
    if not window.n_values:
        return _NOTHING
    (bc, br, bq), (_, nr, nq) = block, grid
    c = np.arange(window.c0 // bc, ceil_div(window.c1, bc), dtype=np.int64)
    r = np.arange(window.r0 // br, ceil_div(window.r1, br), dtype=np.int64)
    q = np.arange(window.q0 // bq, ceil_div(window.q1, bq), dtype=np.int64)
    return ((c[:, None, None] * nr + r[None, :, None]) * nq + q[None, None, :]).ravel()


def _ranges_in_blocks(start: int, stop: int, block: int) -> tuple[Ints, Ints]:
    """Where [start, stop) starts and stops in each block that it touches, from its first."""
    first = np.arange(start // block, ceil_div(stop, block), dtype=np.int64) * block
    return np.maximum(start - first, 0), np.minimum(stop - first, block)
