"""What the passes of a stage move for one image: lines of DRAM, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from accelsim.hardware.chip import Chip
from accelsim.mapping.lowering.lists import Runs, runs
from accelsim.mapping.lowering.planned import PlannedStage
from accelsim.mapping.lowering.reads import MapReads, map_reads
from accelsim.mapping.lowering.tally import Tally
from accelsim.mapping.placing.index_cache import IndexCache
from accelsim.mapping.placing.layout import Moves
from accelsim.mapping.placing.place import ImageStats, PlacedMap, Placement
from accelsim.mapping.placing.weights import window_of
from accelsim.mapping.tiling.fetch import Fetches
from accelsim.mapping.windows.window import Ints, n_values
from accelsim.units import bits_to_bytes


@dataclass(frozen=True, eq=False)
class StageMoves:
    """All that a stage reads and writes, in the order in which its passes do."""

    planned: PlannedStage
    found: Fetches
    reads: MapReads
    loads: Ints
    """The passes that load weights."""
    weights: Moves | None
    output: PlacedMap
    writes: Moves
    complete: Runs
    """Lines of the output's block table, by the tile that completes them."""
    codec_tables: Ints
    """[n, 2] first line and lines of each codec table that is read before the first pass: of
    the maps that are read, then of the output."""
    n_input_tables: int

    def count(self, tally: Tally, chip: Chip, line_bytes: int) -> None:
        """Add what all this costs to the count of the stage."""
        planned, found, reads = self.planned, self.found, self.reads
        stage, passes = planned.stage, planned.passes
        for counts in reads.counts:
            tally.moved("ifmap", counts, write=False)
        tally.moved_table("ifmap", "index_bytes", reads.missed.n_lines * line_bytes, write=False)
        tally.filled_ifmap(int(found.new_bytes.sum() + found.shortcut_bytes.sum()))
        if self.weights is not None:
            tally.loaded_weights(self.weights.counts)
        computed = int(n_values(passes.computed[passes.last]).sum())
        if stage.read_scale:
            tally.scaled(int(n_values(found.fetched[~found.is_shortcut]).sum()))
        if stage.shortcut:
            value_bytes = np.array([bits_to_bytes(stored.bits) for stored in found.maps])
            n_bytes = value_bytes[found.stored] * n_values(found.needed)
            tally.added(computed, int(n_bytes[found.is_shortcut].sum()))
        if planned.cost is not None:
            tally.computed(planned.cost, chip.array.psum_bits, planned.psum_bytes)
        else:
            read_bytes = int(n_values(passes.window).sum()) * bits_to_bytes(stage.inputs[0][0].bits)
            made_bytes = int(n_values(passes.output).sum()) * bits_to_bytes(stage.output.bits)
            operations = int(planned.operations.sum())
            tally.vectored(operations, read_bytes * len(stage.inputs), made_bytes)
        tally.moved("ofmap", self.writes.counts, write=True)
        if stage.fused_scale:
            tally.scaled(computed)
        tally.drained(computed * planned.psum_bytes, computed if stage.fused_pool else 0)
        tally.moved_table("ofmap", "index_bytes", self.complete.n_lines * line_bytes, write=True)
        table_bytes = self.codec_tables[:, 1] * line_bytes
        of_inputs, of_output = np.split(table_bytes, [self.n_input_tables])
        tally.moved_table("ifmap", "table_bytes", of_inputs, write=False)
        tally.moved_table("ofmap", "table_bytes", of_output, write=False)


def stage_moves(
    planned: PlannedStage, stats: ImageStats, placement: Placement, cache: IndexCache
) -> StageMoves:
    """Place the maps of a stage, and find what its passes move."""
    stage, passes = planned.stage, planned.passes
    inputs = [placement.place(stored, stats) for stored in dict.fromkeys(stage.reads)]
    output = placement.place(stage.output, stats, planned.tiles)
    input_tables = [placed.codec_table for placed in inputs if placed.codec_table[1]]
    tables = [*input_tables, *[output.codec_table] * (output.codec_table[1] > 0)]
    found = planned.fetches(placement)
    (loads,) = np.nonzero(passes.loads_weights)
    tiles = window_of(passes.part[loads])
    writes = output.layout.writes(planned.tiles)
    tile = np.repeat(np.arange(len(planned.tiles)), np.diff(writes.first_table))
    return StageMoves(
        planned=planned,
        found=found,
        reads=map_reads(found, placement, cache),
        loads=loads,
        weights=planned.weights.reads(tiles, tiles) if planned.weights else None,
        output=output,
        writes=writes,
        complete=runs(tile, writes.table_line),
        codec_tables=np.array(tables, np.int64).reshape(-1, 2),
        n_input_tables=len(input_tables),
    )
