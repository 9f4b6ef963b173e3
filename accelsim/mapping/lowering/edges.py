"""What the rows of a network move, need and hold, as the edges of the program."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from accelsim.mapping.lowering.lists import joined
from accelsim.mapping.lowering.moves import StageMoves
from accelsim.mapping.lowering.rows import NetworkRows
from accelsim.mapping.lowering.space import Space
from accelsim.mapping.lowering.units import In
from accelsim.mapping.windows.window import Ints
from accelsim.program.table import NONE, Kind, Moment
from accelsim.program.units import Cause
from accelsim.program.writer import ProgramWriter


def write_rows(
    writer: ProgramWriter, rows: NetworkRows, moves: Sequence[StageMoves], space: Space
) -> None:
    """Write all rows, and all their edges. ``moves`` are those of all stages for each image."""
    kind, cycles = np.zeros((2, len(rows.step)), np.int64)
    kinds = np.array([m.planned.kind for m in moves])
    kind[rows.numbers.compute] = kinds[rows.passes.moves]
    cycles[rows.numbers.compute] = np.concatenate([m.cycles for m in moves])
    kind[rows.numbers.reserve] = Kind.RESERVE
    image, stage = np.divmod(rows.passes.moves[rows.step], len(space.pool))
    writer.add(kind, rows.unit, stage=stage, image=image, cycles=cycles)
    _write_moves(writer, rows, moves)
    _write_needs(writer, rows)
    _write_pools(writer, rows, moves, space)
    if space.shared != NONE:
        _write_reserves(writer, rows, space)


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
    # The rows that made tiles, and the lines of tables that came with them; NONE comes last.
    made, wrote_table = np.full((2, rows.n_tiles + 1), NONE)
    made[writes.tile] = numbers.writes
    made[rows.kept.tile] = numbers.compute[rows.kept.step]
    wrote_table[writes.tile[writes.complete.row]] = numbers.table_writes
    index = np.sort(np.concatenate([numbers.codec_tables, numbers.entries]))
    # One tile ahead and no further: once the maps before its own are on their way.
    writer.need(index, _last_before(numbers.reads, index), moment=Moment.SUBMITTED)
    writer.need(numbers.entries, wrote_table[rows.entries.after], Cause.DEPENDENCY)
    writer.need(numbers.reads, made[reads.after], Cause.DEPENDENCY)
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
    writer.need(compute[rows.kept.user], made[rows.kept.after], Cause.DEPENDENCY)
    writer.need(numbers.writes, compute[writes.step])
    writer.need(numbers.table_writes, compute[writes.step[writes.complete.row]])


def _write_pools(
    writer: ProgramWriter, rows: NetworkRows, moves: Sequence[StageMoves], space: Space
) -> None:
    """Bytes of buffers, given back with the last row that uses them."""
    numbers, reads, writes = rows.numbers, rows.reads, rows.writes

    def pool(step: Ints, kind: Ints | int) -> Ints:
        found: Ints = space.pool[rows.passes.moves[step] % len(space.pool), kind]
        return found

    new = np.concatenate([m.found.new_bytes for m in moves])[reads.step]
    shortcut = np.concatenate([m.found.shortcut_bytes for m in moves])[reads.step]
    n_bytes = np.where(reads.is_shortcut, shortcut, new)
    writer.take(numbers.reads, pool(reads.step, In.IFMAP), n_bytes)
    weights = [moved.counts.needed_bytes for m in moves if (moved := m.planned.weights)]
    if weights:
        writer.take(numbers.weights, pool(rows.loads, In.WEIGHT), np.concatenate(weights))
    takes = [m.planned.takes() for m in moves]
    gives = [m.planned.gives(m.found) for m in moves]
    for held, edge in ((takes, writer.take), (gives, writer.give)):
        step = rows.passes.of([h.step for h in held])
        kind, n_bytes = (np.concatenate([h[i] for h in held]) for i in (1, 2))
        edge(numbers.compute[step], pool(step, kind), n_bytes)
    tile_bytes = np.array([m.planned.tiling.ofmap_tile_bytes for m in moves])
    given = tile_bytes[rows.passes.moves[writes.step]]
    writer.give(_last_writes(rows), pool(writes.step, In.OFMAP), given)


def _write_reserves(writer: ProgramWriter, rows: NetworkRows, space: Space) -> None:
    """What every stage reserves of the shared buffer: windows and weights until its last pass,
    its output until the last of it is written, maps that stay until their last reader is through.
    """
    numbers, passes, n_stages = rows.numbers, rows.passes, len(space.pool)
    reserve, kept = numbers.reserve, space.kept
    for step, units in (
        (rows.reads.step, numbers.reads),
        (rows.loads, numbers.weights),
        (np.arange(len(passes.moves)), numbers.compute),
    ):
        moves = passes.moves[step]
        (first,) = np.nonzero(np.diff(moves, prepend=-1))
        writer.need(units[first], reserve[moves[first]], Cause.BUFFER_FULL)
    n_images = len(reserve) // n_stages
    inputs, outputs = (np.tile(n, n_images) for n in (space.inputs_bytes, space.outputs_bytes))
    last_pass = numbers.compute[np.append(passes.first[1:], len(passes.moves)) - 1]
    last_use, moves = last_pass.copy(), passes.moves[rows.writes.step]
    last_use[moves] = _last_writes(rows)  # of equal stages the last one stays
    writer.take(reserve, space.shared, inputs + outputs)
    writer.give(last_pass, space.shared, inputs)
    writer.give(last_use, space.shared, outputs)
    for image in range(n_images):
        writer.take(reserve[image * n_stages + kept.first], space.shared, kept.n_bytes)
        writer.give(last_pass[image * n_stages + kept.last], space.shared, kept.n_bytes)


def _last_writes(rows: NetworkRows) -> Ints:
    """[n_writes] the last row that writes for each tile: itself, or what it completes."""
    last = rows.numbers.writes.copy()
    last[rows.writes.complete.row] = rows.numbers.table_writes
    return last


def _last_before(sources: Ints, rows: Ints) -> Ints:
    """[n] the last of ``sources``, which rise, before each of ``rows``; ``NONE``."""
    found: Ints = np.append(NONE, sources)[np.searchsorted(sources, rows)]
    return found
