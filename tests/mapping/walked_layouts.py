"""Layouts one window at a time, to be read beside ``accelsim.mapping.placing``: which lines a
window costs, what of them is payload, and who wrote it last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import BlockStats
from accelsim.codecs.fallback import as_stored
from accelsim.mapping.placing.bus import Levels
from accelsim.mapping.stages.stage import StoredMap
from accelsim.mapping.windows.window import Block
from accelsim.program.table import NONE
from accelsim.units import ceil_div
from tests.mapping.walked_windows import Window3, align

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Cost:
    """What one window costs; the fields of ``Moves`` and ``Counts``."""

    first_line: list[int]
    n_lines: list[int]
    work_cycles: list[int]
    coded_bytes: int
    padding_bytes: int
    overfetch_bytes: int
    codec_values: int
    fallback_blocks: int
    costly_bits: int
    toggles: int


def linear_cost(
    stored: StoredMap, line_bytes: int, group: int, levels: Levels, window: Window3
) -> Cost:
    """Of a map without blocks that starts at line 0, from the bits of every single value."""
    line_bits, lines = 8 * line_bytes, list[tuple[int, int]]()
    group = stored.channels if stored.rows * stored.cols == 1 else min(group, stored.channels)
    end = 0
    for begin, until in _runs(stored, group, window):
        first = max(begin * stored.bits // line_bits, end)
        last = ceil_div(until * stored.bits, line_bits)
        if last > first:
            lines.append((first, last - first))
        end = max(end, last)
    coded = ceil_div(window.n_values * stored.bits, 8)
    moved_bits = sum(n for _, n in lines) * line_bits
    return Cost(
        first_line=[first for first, _ in lines],
        n_lines=[n for _, n in lines],
        work_cycles=[0] * len(lines),
        coded_bytes=coded,
        padding_bytes=moved_bits // 8 - coded,
        overfetch_bytes=0,
        codec_values=0,
        fallback_blocks=0,
        costly_bits=round(moved_bits * levels.costly),
        toggles=round(moved_bits * levels.toggles),
    )


def _runs(m: StoredMap, group: int, w: Window3) -> list[tuple[int, int]]:
    """First and one-past-last value of each run, as long as whole pixels and rows make them."""
    found = []
    if not w.n_values:
        return []
    for g0 in range(w.c0 // group * group, w.c1, group):
        depth = min(group, m.channels - g0)
        c0, c1 = max(w.c0 - g0, 0), min(w.c1 - g0, depth)
        for r in range(w.r0, w.r1):
            for q in range(w.q0, w.q1):
                at = g0 * m.rows * m.cols + (r * m.cols + q) * depth
                run = at + c0, at + c1
                whole = c1 - c0 == depth and (q > w.q0 or (r > w.r0 and w.q1 - w.q0 == m.cols))
                if whole:
                    run = found.pop()[0], run[1]
                found.append(run)
    return found


class WalkedBlocks:
    """Of a slotted (or, in the order in which it is produced, packed) map at line 0."""

    def __init__(
        self,
        stored: StoredMap,
        block: Block,
        stats: BlockStats,
        line_bytes: int,
        order: Ints | None,
        beats: Ints,
    ) -> None:
        self.stored, self.block, self.stats, self.line_bytes = stored, block, stats, line_bytes
        self.placed = as_stored(stats, stored.bits, line_bytes)
        extents = stored.channels, stored.rows, stored.cols
        self.grid = [ceil_div(n, b) for n, b in zip(extents, block, strict=True)]
        n, lines = stats.n_blocks, self.placed.n_bursts
        slot = int(self.placed.raw_bursts.max())
        self.entry_bits = slot.bit_length() if order is None else 32 + 16
        self.first_line = [slot * b for b in range(n)]
        self.body = slot * n
        if order is not None:
            self.body = 0
            for b in order.tolist():
                self.first_line[b] = self.body
                self.body += int(lines[b])
        self.costly = np.where(self.placed.is_raw, beats[2], beats[0])
        self.toggles = np.where(self.placed.is_raw, beats[3], beats[1])

    def blocks(self, w: Window3) -> list[int]:
        if not w.n_values:
            return []
        c, r, q = (
            range(start // b, ceil_div(stop, b))
            for start, stop, b in zip(w[::2], w[1::2], self.block, strict=True)
        )
        return [(i * self.grid[1] + j) * self.grid[2] + k for i in c for j in r for k in q]

    def cost(self, window: Window3, needed: Window3, *, write: bool = False) -> Cost:
        ids, raw = self.blocks(window), self.placed.is_raw
        encoded = [b for b in ids if self.stats.encode_work[b] > 0]
        decoded = [b for b in ids if not raw[b]]
        work = self.stats.encode_work if write else np.where(raw, 0, self.stats.decode_work)
        coded = int(self.placed.n_bytes[ids].sum())
        return Cost(
            first_line=[self.first_line[b] for b in ids],
            n_lines=[int(self.placed.n_bursts[b]) for b in ids],
            work_cycles=[int(work[b]) for b in ids],
            coded_bytes=coded,
            padding_bytes=int(self.placed.n_bursts[ids].sum()) * self.line_bytes - coded,
            overfetch_bytes=coded - self._bytes_of(needed),
            codec_values=int(self.stats.n_values[encoded if write else decoded].sum()),
            fallback_blocks=int(raw[ids].sum()),
            costly_bits=int(self.costly[ids].sum()),
            toggles=int(self.toggles[ids].sum()),
        )

    def _bytes_of(self, needed: Window3) -> int:
        """Of a block in part, its share: of the values down to the last row that is needed,
        without those above the first."""
        found = 0
        m = self.stored
        whole = align(needed, self.block, (m.channels, m.rows, m.cols))
        for b in self.blocks(needed):
            rest, k = divmod(b, self.grid[2])
            i, j = divmod(rest, self.grid[1])
            bc, br, bq = self.block
            across = min(needed.c1, (i + 1) * bc) - max(needed.c0, i * bc)
            across *= min(needed.q1, (k + 1) * bq) - max(needed.q0, k * bq)
            above = max(needed.r0 - j * br, 0) * across
            below = min(needed.r1 - j * br, br) * across
            n_bytes, n_values = int(self.placed.n_bytes[b]), int(self.stats.n_values[b])
            found += n_bytes * below // n_values - n_bytes * above // n_values
        if needed == whole:
            assert found == self.placed.n_bytes[self.blocks(needed)].sum()
        return found

    def table_lines(self, blocks: Iterable[int]) -> list[int]:
        """Lines with an entry's bit, one bit after the other."""
        bits = (b * self.entry_bits + i for b in blocks for i in range(self.entry_bits))
        return sorted({bit // (8 * self.line_bytes) for bit in bits})


class WalkedWriters:
    """Which tile stored the last value of a window, value by value."""

    def __init__(self, stored: StoredMap, block: Block) -> None:
        self._block = block
        self._last = np.full((stored.channels, stored.rows, stored.cols), NONE)

    def wrote(self, w: Window3, tile: int) -> None:
        self._last[self._together(w)] = tile

    def last_write(self, w: Window3) -> int:
        return int(self._last[self._together(w)].max(initial=NONE))

    def _together(self, w: Window3) -> tuple[slice, slice, slice]:
        """Channels and columns of whole blocks."""
        bc, _, bq = self._block
        channels = slice(w.c0 // bc * bc, ceil_div(w.c1, bc) * bc)
        return channels, slice(w.r0, w.r1), slice(w.q0 // bq * bq, ceil_div(w.q1, bq) * bq)


class WalkedCache:
    """Lines of table entries, the least recently used first."""

    def __init__(self, capacity_entries: int) -> None:
        self._capacity, self._used = capacity_entries, 0
        self._held: OrderedDict[int, int] = OrderedDict()

    def misses(self, line: int, entries: int) -> bool:
        if line in self._held:
            self._held.move_to_end(line)
            return False
        self._held[line] = entries
        self._used += entries
        while self._used > self._capacity:
            self._used -= self._held.popitem(last=False)[1]
        return True
