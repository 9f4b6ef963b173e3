"""What the rows of a network move, need and hold, as the edges of the program."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from accelsim.mapping.lowering.lists import joined
from accelsim.mapping.lowering.moves import StageMoves
from accelsim.mapping.lowering.rows import NetworkRows
from accelsim.mapping.lowering.units import In
from accelsim.mapping.windows.window import Ints
from accelsim.program.table import NONE, Moment
from accelsim.program.units import Cause
from accelsim.program.writer import ProgramWriter


def write_rows(
    writer: ProgramWriter, rows: NetworkRows, moves: Sequence[StageMoves], n_stages: int
) -> None:
    """Write all rows, and all their edges. ``moves`` are those of ``n_stages`` for each image."""
    kind, cycles = np.zeros((2, len(rows.step)), np.int64)
    kinds = np.array([m.planned.kind for m in moves])
    kind[rows.numbers.compute] = kinds[rows.passes.moves]
    cycles[rows.numbers.compute] = np.concatenate([m.planned.cycles for m in moves])
    image, stage = np.divmod(rows.passes.moves[rows.step], n_stages)
    writer.add(kind, rows.unit, stage=stage, image=image, cycles=cycles)
    _write_moves(writer, rows, moves)
    _write_needs(writer, rows)
    _write_pools(writer, rows, moves)


def _write_moves(writer: ProgramWriter, rows: NetworkRows, moves: Sequence[StageMoves]) -> None:
    numbers = rows.numbers
    first_line, n_lines = np.concatenate([m.codec_tables for m in moves]).T
    writer.move(numbers.codec_tables, np.arange(len(n_lines) + 1), first_line, n_lines, 0)
    weights = [moved.extents for m in moves if (moved := m.planned.weights)]
    if weights:
        first, extents = joined(weights)
        writer.move(numbers.weights, first, *extents)
    for of, (first, extents) in (
        (numbers.reads, rows.reads.extents),
        (numbers.writes, rows.writes.extents),
    ):
        writer.move(of, first, *extents)
    for of, lines in (
        (numbers.entries, rows.entries.lines),
        (numbers.table_writes, rows.writes.complete),
    ):
        writer.move(of, lines.first, lines.first_line, lines.n_lines, 0)


def _write_needs(writer: ProgramWriter, rows: NetworkRows) -> None:
    numbers, reads, writes = rows.numbers, rows.reads, rows.writes
    # The rows that wrote tiles, and the lines of tables that came with them; NONE comes last.
    wrote = np.append(numbers.writes, NONE)
    wrote_table = np.full(len(wrote), NONE)
    wrote_table[writes.complete.row] = numbers.table_writes
    index = np.sort(np.concatenate([numbers.codec_tables, numbers.entries]))
    # One tile ahead and no further: once the maps before its own are on their way.
    writer.need(index, _last_before(numbers.reads, index), moment=Moment.SUBMITTED)
    writer.need(numbers.entries, wrote_table[rows.entries.after], Cause.DEPENDENCY)
    writer.need(numbers.reads, wrote[reads.after], Cause.DEPENDENCY)
    # The next READ waits for a codec's table, also when it is the encoder that needs it.
    table = _last_before(numbers.codec_tables, numbers.reads)
    table[table < _last_before(numbers.reads, numbers.reads)] = NONE
    known = _last_before(index, numbers.reads)
    writer.need(numbers.reads, np.where(reads.is_coded, known, table))
    compute, is_ifmap = numbers.compute, ~reads.is_shortcut
    first = rows.passes.first[rows.passes.moves]  # of its stage
    for step, brought in (
        (rows.loads, numbers.weights),
        (reads.step[is_ifmap], numbers.reads[is_ifmap]),
    ):
        is_of_stage = _last_before(step, np.arange(1, len(compute) + 1)) >= first
        writer.need(compute, np.where(is_of_stage, _last_before(brought, compute), NONE))
    writer.need(compute[reads.step[reads.is_shortcut]], numbers.reads[reads.is_shortcut])
    writer.need(numbers.writes, compute[writes.step])
    writer.need(numbers.table_writes, compute[writes.step[writes.complete.row]])


def _write_pools(writer: ProgramWriter, rows: NetworkRows, moves: Sequence[StageMoves]) -> None:
    """Bytes of buffers, given back with the last row that uses them."""
    numbers, reads, writes = rows.numbers, rows.reads, rows.writes
    new = np.concatenate([m.found.new_bytes for m in moves])[reads.step]
    shortcut = np.concatenate([m.found.shortcut_bytes for m in moves])[reads.step]
    writer.take(numbers.reads, In.IFMAP, np.where(reads.is_shortcut, shortcut, new))
    weights = [moved.counts.needed_bytes for m in moves if (moved := m.planned.weights)]
    if weights:
        writer.take(numbers.weights, In.WEIGHT, np.concatenate(weights))
    takes = [m.planned.takes() for m in moves]
    gives = [m.planned.gives(m.found) for m in moves]
    for held, edge in ((takes, writer.take), (gives, writer.give)):
        step = rows.passes.of([h.step for h in held])
        pool, n_bytes = (np.concatenate([h[i] for h in held]) for i in (1, 2))
        edge(numbers.compute[step], pool, n_bytes)
    last = numbers.writes.copy()
    last[writes.complete.row] = numbers.table_writes
    tile_bytes = np.array([m.planned.tiling.ofmap_tile_bytes for m in moves])
    writer.give(last, In.OFMAP, tile_bytes[rows.passes.moves[writes.step]])


def _last_before(sources: Ints, rows: Ints) -> Ints:
    """[n] the last of ``sources``, which rise, before each of ``rows``; ``NONE``."""
    found: Ints = np.append(NONE, sources)[np.searchsorted(sources, rows)]
    return found
