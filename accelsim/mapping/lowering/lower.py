"""From planned stages to the program: every tile operation of the network as a row.

Nothing is decided here that a plan, a layout or the sizes have not decided: lowering takes
the passes of each stage, finds the lines that they move, and writes rows and bytes down, as
columns for a whole stage at once. Dependencies follow from who wrote which rows of which map
last.

Not moved: biases (four bytes for each output channel), and factors and summands of scales.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from accelsim.hardware.chip import Chip
from accelsim.mapping.lowering.moves import StageMoves, stage_moves
from accelsim.mapping.lowering.planned import PlannedStage
from accelsim.mapping.lowering.tally import Tally
from accelsim.mapping.lowering.units import In, Of, pools_of, units_of
from accelsim.mapping.placing.bus import NO_BUS, BusLevels
from accelsim.mapping.placing.index_cache import IndexCache
from accelsim.mapping.placing.place import ImageStats, Placement
from accelsim.mapping.stages.stage import StagePlan
from accelsim.mapping.windows.window import Ints
from accelsim.program.table import NONE, Moment, Program
from accelsim.program.units import Cause
from accelsim.program.writer import ProgramWriter


def lower(
    plans: Sequence[StagePlan],
    images: Sequence[ImageStats],
    chip: Chip,
    levels: BusLevels = NO_BUS,
) -> Program:
    """The program of ``plans`` for each image in turn.

    ``images`` gives for each image the statistics of its compressed maps, ``levels`` what all
    else looks like on the memory's pins. Raises
    ``ConfigError`` when the tensors do not fit the DRAM, ``MappingError`` when a plan that
    was made for other blocks cuts those of this chip.
    """
    placement = Placement(chip, levels)
    tallies = [Tally(plan.stage, levels.other) for plan in plans]
    planned = [PlannedStage(plan, chip, placement) for plan in plans]
    lowering = _Lowering(chip, placement)
    for image, stats in enumerate(images):
        placement.start_image(image)
        for number, stage in enumerate(planned):
            lowering.stage(number, image, stage, stats, tallies[number])
    return lowering.writer.program(
        units_of(chip),
        pools_of(chip),
        tuple(tally.work() for tally in tallies),
        n_images=len(images),
        total_lines=placement.total_lines,
    )


class Turn(IntEnum):
    """The order of the rows of one pass."""

    WEIGHTS = 0
    ENTRIES = 1
    IFMAP = 2
    SHORTCUT_ENTRIES = 3
    SHORTCUT = 4
    COMPUTE = 5
    WRITE = 6
    WRITE_ENTRIES = 7


class _Numbers(NamedTuple):
    """The rows of a stage: [n] of each kind, in the order in which its passes need them."""

    tables: Ints
    weights: Ints
    entries: Ints
    reads: Ints
    compute: Ints
    writes: Ints
    table_writes: Ints


class _Lowering:
    """Writes stages down one after another; carries from stage to stage what they share."""

    def __init__(self, chip: Chip, placement: Placement) -> None:
        self.writer, self._placement, self._chip = ProgramWriter(), placement, chip
        self._cache = IndexCache(chip.codec.index_cache_entries)
        self._last_read = self._last_index = NONE
        """The last rows that read a map, and what a decoder needs to know of one."""
        self._table = NONE
        """The last row that read a codec table, until a map is read."""

    def stage(
        self, number: int, image: int, planned: PlannedStage, stats: ImageStats, tally: Tally
    ) -> None:
        """Write all rows of a stage for one image."""
        moved = stage_moves(planned, stats, self._placement, self._cache)
        rows = self._add_rows(number, image, moved)
        self._move(moved, rows)
        self._need(moved, rows)
        self._hold(moved, rows)
        tables = np.repeat(rows.table_writes, moved.complete.n_lines)
        moved.output.wrote(rows.writes, moved.writes.table_line, tables)
        moved.count(tally, self._chip, self._placement.line_bytes)

    def _add_rows(self, number: int, image: int, moved: StageMoves) -> _Numbers:
        """Append the rows, in order; what they move and need comes after."""
        reads, planned = moved.reads, moved.planned
        (last,) = np.nonzero(planned.passes.last)
        turn_of_read = np.where(reads.is_shortcut, Turn.SHORTCUT, Turn.IFMAP)
        groups = (
            (np.full(len(moved.codec_tables), -1), 0, Of.INDEX),
            (moved.loads, Turn.WEIGHTS, Of.WEIGHT),
            (reads.step[reads.missed.row], turn_of_read[reads.missed.row] - 1, Of.INDEX),
            (reads.step, turn_of_read, Of.IFMAP),
            (np.arange(planned.n_passes), Turn.COMPUTE, Of.ARRAY),
            (last, Turn.WRITE, Of.OFMAP),
            (last[moved.complete.row], Turn.WRITE_ENTRIES, Of.OFMAP),
        )
        keys = np.concatenate([len(Turn) * step + turn for step, turn, _ in groups])
        lengths = [len(step) for step, *_ in groups]
        order = np.argsort(keys, kind="stable")
        place = np.empty(len(keys), np.int64)
        place[order] = np.arange(len(keys))
        kind, cycles = np.zeros((2, len(keys)), np.int64)
        numbers = np.split(place, np.cumsum(lengths)[:-1])
        kind[numbers[4]], cycles[numbers[4]] = planned.kind, planned.cycles
        unit = np.repeat([of for *_, of in groups], lengths)[order]
        first = self.writer.add(kind, unit, stage=number, image=image, cycles=cycles)
        return _Numbers(*(first + group for group in numbers))

    def _move(self, moved: StageMoves, rows: _Numbers) -> None:
        writer, reads = self.writer, moved.reads
        if len(rows.tables):
            each = np.arange(len(rows.tables) + 1)
            first_line, n_lines = moved.codec_tables.T
            writer.move(rows.tables, each, first_line, n_lines, work_cycles=0)
        for moves, of in ((moved.weights, rows.weights), (moved.writes, rows.writes)):
            if moves is not None:
                writer.move(of, moves.first, moves.first_line, moves.n_lines, moves.work_cycles)
        writer.move(rows.reads, reads.first, *reads.extents)
        for lines, of in ((reads.missed, rows.entries), (moved.complete, rows.table_writes)):
            if len(of):
                writer.move(of, lines.first, lines.first_line, lines.lengths, work_cycles=0)

    def _need(self, moved: StageMoves, rows: _Numbers) -> None:
        writer, reads = self.writer, moved.reads
        index = np.concatenate([rows.tables, rows.entries])
        if len(index):
            # One tile ahead and no further: once the maps before its own are on their way.
            before = _last_before(rows.reads, index, self._last_read)
            writer.need(index, before, moment=Moment.SUBMITTED)
            writer.need(rows.entries, reads.entries_after, Cause.DEPENDENCY)
        writer.need(rows.reads, reads.after, Cause.DEPENDENCY)
        if len(rows.tables):
            self._table = int(rows.tables[-1])
        known = _last_before(index, rows.reads, self._last_index)
        first_waits = np.full(len(rows.reads), NONE)
        first_waits[:1] = self._table
        writer.need(rows.reads, np.where(reads.is_coded, known, first_waits))
        if len(rows.reads):
            self._table, self._last_read = NONE, int(rows.reads[-1])
        if len(index):
            self._last_index = int(index[-1])
        is_ifmap = ~reads.is_shortcut
        for brought in (rows.weights, rows.reads[is_ifmap]):
            writer.need(rows.compute, _last_before(brought, rows.compute, NONE))
        writer.need(rows.compute[reads.step[~is_ifmap]], rows.reads[~is_ifmap])
        last = rows.compute[moved.planned.passes.last]
        writer.need(rows.writes, last)
        writer.need(rows.table_writes, last[moved.complete.row])

    def _hold(self, moved: StageMoves, rows: _Numbers) -> None:
        """Take bytes of the buffers, and give them back with the last COMPUTE that used them."""
        writer, planned, found, reads = self.writer, moved.planned, moved.found, moved.reads
        tiling, passes, compute = planned.tiling, planned.passes, rows.compute
        (loads,) = np.nonzero(passes.loads_ifmap)
        new, window = found.new_bytes[loads], found.window_bytes[loads]
        kept = np.append((window - new)[1:], 0)  # what the next window uses again
        unused = new if tiling.ifmap_resident else window - kept
        is_shortcut, step = reads.is_shortcut, reads.step
        n_bytes = np.where(is_shortcut, found.shortcut_bytes[step], found.new_bytes[step])
        writer.take(rows.reads, In.IFMAP, n_bytes)
        writer.give(_last_users(loads, compute, tiling.ifmap_resident), In.IFMAP, unused)
        writer.give(compute[step[is_shortcut]], In.IFMAP, n_bytes[is_shortcut])
        if moved.weights is not None:
            n_bytes = moved.weights.counts.needed_bytes
            writer.take(rows.weights, In.WEIGHT, n_bytes)
            users = _last_users(moved.loads, compute, tiling.weights_resident)
            writer.give(users, In.WEIGHT, n_bytes)
        writer.take(compute[passes.first], In.OFMAP, tiling.ofmap_tile_bytes)
        writer.take(compute[:1], In.OFMAP, tiling.line_buffer_bytes)
        writer.give(compute[-1:], In.OFMAP, tiling.line_buffer_bytes)
        last = rows.writes.copy()
        last[moved.complete.row] = rows.table_writes
        writer.give(last, In.OFMAP, tiling.ofmap_tile_bytes)


def _last_before(sources: Ints, rows: Ints, otherwise: int) -> Ints:
    """[n] the last of ``sources`` before each of ``rows``, or what stands for none of them."""
    found: Ints = np.append(otherwise, sources)[np.searchsorted(sources, rows)]
    return found


def _last_users(loads: Ints, compute: Ints, resident: bool) -> Ints:
    """[n_loads] the COMPUTE that is the last to use what each pass of ``loads`` brings: that
    before the next load, or the last of all."""
    if resident:
        return np.broadcast_to(compute[-1], len(loads))
    return np.append(compute[loads[1:] - 1], compute[-1])
