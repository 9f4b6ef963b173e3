"""The rows of a network, and their order.

Passes have numbers from the first of the network to the last, tiles and fetches likewise. The
table entries that fetches need pass a cache: a row of its own reads what it misses, before the
row of the map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from accelsim.mapping.lowering.lists import Lists, Runs, joined, largest, runs
from accelsim.mapping.lowering.moves import StageMoves
from accelsim.mapping.lowering.units import Of
from accelsim.mapping.placing.index_cache import IndexCache
from accelsim.mapping.windows.window import Ints


class Turn(IntEnum):
    """The order of the rows of one pass."""

    RESERVE = 0
    CODEC_TABLES = 1
    WEIGHTS = 2
    ENTRIES = 3
    IFMAP = 4
    SHORTCUT_ENTRIES = 5
    SHORTCUT = 6
    COMPUTE = 7
    WRITE = 8
    WRITE_ENTRIES = 9


class PassNumbers(NamedTuple):
    """The passes of several moves, numbered one after another."""

    first: Ints
    """[n_moves] the first pass of each."""
    moves: Ints
    """[n_passes] which of the moves a pass belongs to."""

    def of(self, steps: Sequence[Ints]) -> Ints:
        """Passes of each of the moves, numbered in the network."""
        lengths = [len(step) for step in steps]
        found: Ints = np.concatenate(steps) + np.repeat(self.first, lengths)
        return found


class Reads(NamedTuple):
    """Rows that read maps: one for all fetches of a pass, the shortcut's apart."""

    step: Ints
    is_shortcut: NDArray[np.bool_]
    extents: Lists
    after: Ints
    """The tile with which the last of it was written; ``NONE``."""
    is_coded: NDArray[np.bool_]
    """Whether it needs entries of block tables, held or just read."""


class Entries(NamedTuple):
    """Rows that read what the cache of table entries misses of each fetch."""

    step: Ints
    turn: Ints
    lines: Runs
    after: Ints
    """The tile with which the last of them was written; ``NONE``."""


class Writes(NamedTuple):
    """Rows that write tiles to DRAM, and what they complete of block tables."""

    tile: Ints
    """[n] the number of the tile in the network."""
    step: Ints
    extents: Lists
    complete: Runs
    """Lines of block tables, by the write that completes them: a row for each that has any."""


class KeptTiles(NamedTuple):
    """Tiles of maps that stay on the chip, and who uses them."""

    tile: Ints
    """[n] the number of each tile in the network."""
    step: Ints
    """[n] the pass that finishes it."""
    user: Ints
    """[m] passes that use such maps."""
    after: Ints
    """[m] the tile with which the last of what they use was made; ``NONE``."""


class Numbers(NamedTuple):
    """The numbers of the rows of each kind, in the order of their passes."""

    reserve: Ints
    """One for each stage and image, or none."""
    codec_tables: Ints
    weights: Ints
    entries: Ints
    reads: Ints
    compute: Ints
    writes: Ints
    table_writes: Ints


@dataclass(frozen=True, eq=False)
class NetworkRows:
    """All rows of a network: of every stage for one image, then for the next."""

    passes: PassNumbers
    loads: Ints
    """The passes that load weights."""
    reads: Reads
    entries: Entries
    writes: Writes
    kept: KeptTiles
    n_tiles: int
    numbers: Numbers
    unit: Ints
    """[n_rows] the unit of each row."""
    step: Ints
    """[n_rows] its pass."""


def network_rows(
    moves: Sequence[StageMoves], cache: IndexCache, *, reserves: bool = False
) -> NetworkRows:
    """The rows of all ``moves``, in the order in which their passes need them.

    ``reserves``: every stage reserves its space before all else.
    """
    n_passes = np.array([m.planned.n_passes for m in moves])
    passes = PassNumbers(np.cumsum(n_passes) - n_passes, np.repeat(np.arange(len(moves)), n_passes))
    loads = passes.of([m.planned.weight_loads for m in moves])
    reads, entries = _reads(moves, passes, cache)
    writes, kept = _writes(moves, passes)
    n_tables = [len(m.codec_tables) for m in moves]
    groups = (
        (passes.first if reserves else passes.first[:0], Turn.RESERVE, Of.SPACE),
        (np.repeat(passes.first, n_tables), Turn.CODEC_TABLES, Of.INDEX),
        (loads, Turn.WEIGHTS, Of.WEIGHT),
        (entries.step, entries.turn, Of.INDEX),
        (reads.step, np.where(reads.is_shortcut, Turn.SHORTCUT, Turn.IFMAP), Of.IFMAP),
        (np.arange(len(passes.moves)), Turn.COMPUTE, Of.ARRAY),
        (writes.step, Turn.WRITE, Of.OFMAP),
        (writes.step[writes.complete.row], Turn.WRITE_ENTRIES, Of.OFMAP),
    )
    keys = np.concatenate([len(Turn) * step + turn for step, turn, _ in groups])
    order = np.argsort(keys, kind="stable")
    place = np.empty(len(keys), np.int64)
    place[order] = np.arange(len(keys))
    lengths = [len(step) for step, *_ in groups]
    units = np.repeat([unit for *_, unit in groups], lengths)
    return NetworkRows(
        passes=passes,
        loads=loads,
        reads=reads,
        entries=entries,
        writes=writes,
        kept=kept,
        n_tiles=len(writes.tile) + len(kept.tile),
        numbers=Numbers(*np.split(place, np.cumsum(lengths)[:-1])),
        unit=units[order],
        step=keys[order] // len(Turn),
    )


def _reads(
    moves: Sequence[StageMoves], passes: PassNumbers, cache: IndexCache
) -> tuple[Reads, Entries]:
    step = passes.of([m.found.step for m in moves])
    is_shortcut = np.concatenate([m.found.is_shortcut for m in moves])
    first, extents = joined([m.extents for m in moves])
    (row,) = np.nonzero(np.diff(2 * step + is_shortcut, prepend=-1))  # the first fetch of each
    reads = Reads(
        step=step[row],
        is_shortcut=is_shortcut[row],
        extents=(first[np.append(row, len(step))], extents),
        after=largest(np.concatenate([m.after for m in moves]), row),
        is_coded=largest(np.concatenate([m.n_table_lines for m in moves]), row) > 0,
    )
    first, (line, room, tile) = joined([m.entries for m in moves])
    (missed,) = np.nonzero(cache.misses(line, room))
    fetch = np.searchsorted(first, missed, side="right") - 1
    lines = runs(fetch, line[missed])
    entries = Entries(
        step=step[lines.row],
        turn=np.where(is_shortcut[lines.row], Turn.SHORTCUT_ENTRIES, Turn.ENTRIES),
        lines=lines,
        after=largest(tile[missed], lines.first_line_of_row[:-1]),
    )
    return reads, entries


def _writes(moves: Sequence[StageMoves], passes: PassNumbers) -> tuple[Writes, KeptTiles]:
    step = passes.of([m.planned.last for m in moves])
    n_tiles = [len(m.planned.last) for m in moves]
    is_kept = np.repeat([m.planned.keeps_output for m in moves], n_tiles)
    (stored,), (kept,) = np.nonzero(~is_kept), np.nonzero(is_kept)
    written = [m.output.written for m in moves if not m.planned.keeps_output]
    first, (line,) = joined([(w.first_table, (w.table_line,)) for w in written], n_lists=1)
    write = np.repeat(np.arange(len(first) - 1), np.diff(first))
    writes = Writes(
        tile=stored,
        step=step[stored],
        extents=joined([w.extents for w in written], n_lists=3),
        complete=runs(write, line),
    )
    return writes, _kept(moves, passes, kept, step[kept])


def _kept(moves: Sequence[StageMoves], passes: PassNumbers, tile: Ints, step: Ints) -> KeptTiles:
    none: Ints = np.zeros(0, np.int64)
    users = [np.concatenate([none, *(user for user, _ in m.kept)]) for m in moves]
    after = [np.concatenate([none, *(last for _, last in m.kept)]) for m in moves]
    return KeptTiles(tile, step, passes.of(users), np.concatenate(after))
