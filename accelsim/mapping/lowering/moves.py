"""What the passes of a stage move for one image: lines of DRAM, and what follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from accelsim.array.dataflow import PassCost
from accelsim.hardware.chip import Chip
from accelsim.mapping.lowering.lists import Lists, in_order
from accelsim.mapping.lowering.planned import PlannedStage
from accelsim.mapping.lowering.tally import Tally
from accelsim.mapping.placing.layout import Counts
from accelsim.mapping.placing.place import ImageStats, PlacedMap, Placement
from accelsim.mapping.tiling.fetch import Fetches
from accelsim.mapping.windows.window import Ints, n_values
from accelsim.units import bits_to_bytes


@dataclass(frozen=True, eq=False)
class StageMoves:
    """All that a stage reads and writes of maps. Tiles have numbers of their own in the program."""

    planned: PlannedStage
    cost: PassCost[Ints] | None
    """Of the passes on the array, for this image; None on the vector unit."""
    found: Fetches
    extents: Lists
    """By fetch: first lines, lines, and cycles of a decoder's lane."""
    entries: Lists
    """By fetch: lines of block tables, the entries of each line, and the tile with which it was
    written; ``NONE``."""
    after: Ints
    """[n_fetches] the tile with which the last of it was written; ``NONE``."""
    n_table_lines: Ints
    """[n_fetches] lines of its map's block table; 0 without one."""
    kept: Sequence[tuple[Ints, Ints]]
    """Of each operand on the chip: passes that begin to use a part of it, and the tile with which
    the last of that part was made; ``NONE``."""
    output: PlacedMap
    codec_tables: Ints
    """[n, 2] first line and lines of each codec table that is read before the first pass: of
    the maps that are read, then of the output."""
    n_input_tables: int
    counts: tuple[Counts[Ints], ...]
    """What the fetches from each map cost."""

    @property
    def cycles(self) -> Ints:
        """[n_passes] of the array, or of the vector unit."""
        return self.planned.cycles if self.cost is None else self.cost.cycles

    def count(self, tally: Tally, chip: Chip, line_bytes: int) -> None:
        """Add what all this costs, but for lines of block tables that are read, to the count of
        the stage."""
        planned, found, written = self.planned, self.found, self.output.written
        stage, passes = planned.stage, planned.passes
        for counts in self.counts:
            tally.moved("ifmap", counts, write=False)
        tally.filled_ifmap(int(found.new_bytes.sum() + found.shortcut_bytes.sum()))
        on_chip = planned.kept_windows
        if planned.weights is not None:
            tally.loaded_weights(planned.weights.counts)
        computed = int(n_values(passes.computed[planned.last]).sum())
        if stage.read_scale:
            tally.scaled(int(n_values(found.fetched[~found.is_shortcut]).sum()))
            tally.scaled(sum(k.n_values for k in on_chip if not k.is_shortcut))
        if stage.shortcut:
            value_bytes = np.array([bits_to_bytes(m.bits) for m in found.maps], np.int64)
            n_bytes = value_bytes[found.stored] * n_values(found.needed)
            added_bytes = int(n_bytes[found.is_shortcut].sum())
            added_bytes += sum(k.n_bytes for k in on_chip if k.is_shortcut)
            tally.added(computed, added_bytes)
        if self.cost is not None:
            tally.computed(self.cost, chip.array.psum_bits, planned.psum_bytes)
        else:
            read_bytes = int(n_values(passes.window).sum()) * bits_to_bytes(stage.inputs[0][0].bits)
            made_bytes = int(n_values(passes.output).sum()) * bits_to_bytes(stage.output.bits)
            operations = int(planned.operations.sum())
            tally.vectored(operations, read_bytes * len(stage.inputs), made_bytes)
        tally.moved("ofmap", written.counts, write=True)
        if stage.fused_scale:
            tally.scaled(computed)
        pooled = computed if stage.fused_pool else 0
        if planned.keeps_output:
            tally.kept(planned.kept_drain_bytes, stage.output, pooled)
        else:
            tally.drained(computed * planned.psum_bytes, pooled)
        complete = np.diff(written.first_table)
        tally.moved_table("ofmap", "index_bytes", complete * line_bytes, write=True)
        table_bytes = self.codec_tables[:, 1] * line_bytes
        of_inputs, of_output = np.split(table_bytes, [self.n_input_tables])
        tally.moved_table("ifmap", "table_bytes", of_inputs, write=False)
        tally.moved_table("ofmap", "table_bytes", of_output, write=False)


def stage_moves(
    planned: PlannedStage,
    cost: PassCost[Ints] | None,
    stats: ImageStats,
    placement: Placement,
    first_tile: int,
) -> StageMoves:
    """Place the maps of a stage, and find what its passes move. ``first_tile`` is the number of
    the first tile that it writes."""
    stage = planned.stage
    inputs = [placement.place(stored, stats) for stored in dict.fromkeys(stage.reads)]
    output = placement.place(stage.output, stats, planned.tiles, first_tile)
    input_tables = [placed.codec_table for placed in inputs if placed.codec_table[1]]
    tables = [*input_tables, *[output.codec_table] * (output.codec_table[1] > 0)]
    found = planned.fetches(placement)
    n = len(found.step)
    extents, entries, counts = [], [], []
    after, n_table_lines = np.empty((2, n), np.int64)
    for number, stored in enumerate(found.maps):
        placed = placement[stored]
        which, layout = found.of(number), placed.layout
        fetched = found.fetched[which]
        moves = layout.reads(fetched, found.needed[which])
        after[which], n_table_lines[which] = placed.last_write(fetched), layout.table_lines
        lines = moves.table_line
        room = np.full(len(lines), layout.entries_per_line)
        extents.append((which, moves.extents))
        entries.append((which, (moves.first_table, (lines, room, placed.table_write(lines)))))
        counts.append(moves.counts)
    return StageMoves(
        planned=planned,
        cost=cost,
        found=found,
        extents=in_order(extents, n, n_lists=3),
        entries=in_order(entries, n, n_lists=3),
        after=after,
        n_table_lines=n_table_lines,
        kept=[(k.step, placement[k.stored].last_write(k.windows)) for k in planned.kept_windows],
        output=output,
        codec_tables=np.array(tables, np.int64).reshape(-1, 2),
        n_input_tables=len(input_tables),
        counts=tuple(counts),
    )
