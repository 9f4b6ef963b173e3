"""From planned stages to the program: every tile operation of the network as a row.

Nothing is decided here that a plan, a layout or the sizes have not decided: lowering takes
the passes of each stage, finds the lines that they move, and writes rows and bytes down, as
columns of the whole network. Dependencies follow from who wrote which rows of which map last.

Not moved: biases (four bytes for each output channel), and factors and summands of scales.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from accelsim.hardware.chip import Chip
from accelsim.mapping.lowering.edges import write_rows
from accelsim.mapping.lowering.moves import StageMoves, stage_moves
from accelsim.mapping.lowering.planned import PlannedStage
from accelsim.mapping.lowering.rows import NetworkRows, network_rows
from accelsim.mapping.lowering.space import space_of
from accelsim.mapping.lowering.tally import Tally
from accelsim.mapping.lowering.units import units_of
from accelsim.mapping.measuring.operands import Operands
from accelsim.mapping.placing.bus import NO_BUS, BusLevels
from accelsim.mapping.placing.index_cache import IndexCache
from accelsim.mapping.placing.place import ImageStats, Placement
from accelsim.mapping.stages.stage import StagePlan, StoredMap
from accelsim.program.table import NONE, Program
from accelsim.program.writer import ProgramWriter


def lower(
    plans: Sequence[StagePlan],
    images: Sequence[ImageStats],
    chip: Chip,
    levels: BusLevels = NO_BUS,
    operands: Operands | None = None,
) -> Program:
    """The program of ``plans`` for each image in turn.

    ``images`` gives for each image the statistics of its compressed maps, ``levels`` what all
    else looks like on the memory's pins, ``operands`` what the array finds to be zero, if it leaves
    out products of zeros. Raises ``ConfigError`` when the tensors do not fit the DRAM,
    ``MappingError`` when a plan that was made for other blocks cuts those of this chip.
    """
    kept = frozenset[StoredMap]().union(*(plan.on_chip for plan in plans))
    placement = Placement(chip, levels, kept)
    planned = [PlannedStage(plan, chip, placement) for plan in plans]
    tallies = [Tally(plan.stage, levels.other) for plan in plans]
    moves: list[StageMoves] = []
    n_tiles = 0
    for image, stats in enumerate(images):
        placement.start_image(image)
        for stage, tally in zip(planned, tallies, strict=True):
            cost = stage.cost_with(operands, image)
            found = stage_moves(stage, cost, stats, placement, n_tiles)
            found.count(tally, chip, placement.line_bytes)
            moves.append(found)
            n_tiles += len(stage.tiles)
    space = space_of(plans, chip)
    cache = IndexCache(chip.codec.index_cache_entries)
    rows = network_rows(moves, cache, reserves=space.shared != NONE)
    _count_entries(rows, tallies, placement.line_bytes)
    writer = ProgramWriter()
    write_rows(writer, rows, moves, space)
    return writer.program(
        units_of(chip),
        space.pools,
        tuple(tally.work() for tally in tallies),
        n_images=len(images),
        total_lines=placement.total_lines,
    )


def _count_entries(rows: NetworkRows, tallies: Sequence[Tally], line_bytes: int) -> None:
    """Count what is read of block tables: of each stage, the bytes of its rows."""
    n_bytes = np.diff(rows.entries.lines.first_line_of_row) * line_bytes
    stage = rows.passes.moves[rows.entries.step] % len(tallies)
    for number, tally in enumerate(tallies):
        tally.moved_table("ifmap", "index_bytes", n_bytes[stage == number], write=False)
