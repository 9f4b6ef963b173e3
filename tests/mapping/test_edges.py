"""Whom rows wait for, walked row by row; and what a codec's table holds up."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.hardware.chip import Chip
from accelsim.mapping.lowering.units import Of
from accelsim.program.table import NONE, Kind, Moment, Program
from accelsim.workload.graph import Graph
from accelsim.workload.layer import Conv, Layer, Pool, Window
from tests.mapping.test_lower import chip_of, chips, graph_of, networks, program_of


def waits(program: Program, row: int, unit: Of, moment: Moment = Moment.DONE) -> list[int]:
    """The rows of a unit that a row waits for."""
    needs, (first, last) = program.needs, program.needs.first[row : row + 2]
    found = zip(needs.source[first:last].tolist(), needs.moment[first:last].tolist(), strict=True)
    return [source for source, of in found if of == moment and program.rows.unit[source] == unit]


@given(networks, chips, st.integers(0, 3))
@settings(deadline=None, max_examples=60)
def test_operands_are_those_of_the_stage_and_table_entries_stay_one_tile_ahead(
    graph: Graph, chip: Chip, seed: int
) -> None:
    program, _ = program_of(graph, chip, seed)
    rows = program.rows
    last_read, weights, stage_before = NONE, NONE, (NONE, NONE)
    for row, unit in enumerate(rows.unit.tolist()):
        stage = int(rows.stage[row]), int(rows.image[row])
        if stage != stage_before:
            weights, stage_before = NONE, stage
        if unit == Of.WEIGHT:
            weights = row
        elif unit == Of.IFMAP:
            last_read = row
        elif unit == Of.INDEX:
            submitted = waits(program, row, Of.IFMAP, Moment.SUBMITTED)
            assert submitted == [last_read] * (last_read != NONE)
        elif unit == Of.ARRAY:
            assert waits(program, row, Of.WEIGHT) == [weights] * (weights != NONE)
            read = waits(program, row, Of.IFMAP)
            assert read and all(rows.stage[i] == stage[0] for i in read)
            assert all(rows.image[i] == stage[1] for i in read)


def test_the_first_read_of_a_stage_waits_for_its_codec_table_and_no_other() -> None:
    """The input is raw: only the table of what the stage writes is read, and by its first READ."""
    layers: list[Layer] = [
        Conv("a", "x", "a", 6, 10, Window((3, 3), padding=(1, 1, 1, 1))),
        Conv("last", "a", "last", 10, 4, Window((1, 1))),
    ]
    program, _ = program_of(graph_of(layers, 6, 24, 20), chip_of("slotted", (2, 1, 1)))
    rows = program.rows
    for image in range(program.n_images):
        mine = (rows.stage == 0) & (rows.image == image)
        (table,) = np.flatnonzero(mine & (rows.unit == Of.INDEX)).tolist()
        first, *others = np.flatnonzero(mine & (rows.unit == Of.IFMAP)).tolist()
        assert waits(program, first, Of.INDEX) == [table]
        assert others
        assert not any(waits(program, row, Of.INDEX) for row in others)


def test_a_stage_without_weights_waits_for_none_of_the_stage_before() -> None:
    layers: list[Layer] = [
        Conv("a", "x", "a", 6, 10, Window((3, 3), padding=(1, 1, 1, 1))),
        Pool("pool", "x", "p", Window((2, 2), (2, 2))),
    ]
    program, _ = program_of(graph_of(layers, 6, 12, 10), chip_of("linear", (16, 16, 16)))
    pooled = np.flatnonzero(program.rows.kind == Kind.VECTOR).tolist()
    assert pooled and not any(waits(program, row, Of.WEIGHT) for row in pooled)
