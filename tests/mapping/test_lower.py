"""A program moves every byte once, in the right order, and gives back every buffer byte."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim import read_hardware
from accelsim.codecs.base import BlockStats, Word
from accelsim.codecs.blocks import block_sizes
from accelsim.codecs.measure import MapStats
from accelsim.hardware.chip import Buffers, Chip
from accelsim.mapping.lowering.lower import lower
from accelsim.mapping.lowering.units import In, Of
from accelsim.mapping.measuring.measured import planned_sizes
from accelsim.mapping.stages.form import stages, stored_maps
from accelsim.mapping.stages.stage import StagePlan, StoredMap
from accelsim.mapping.tiling.plan import plan
from accelsim.program.table import NONE, Program
from accelsim.sim.machine import Machine
from accelsim.units import bits_to_bytes
from accelsim.workload.graph import Edge, Graph, output_shape
from accelsim.workload.layer import Add, Concat, Conv, Layer, Pool, Window
from tests.mapping.walked_passes import passes
from tests.sim.edges import last_needed
from tests.sim.small_machine import OneLineAtATime

BLOCK = (4, 2, 5)


def graph_of(layers: Sequence[Layer], channels: int, rows: int, cols: int) -> Graph:
    edges = {"x": Edge("x", channels, rows, cols)}
    for layer in layers:
        shape = output_shape(layer, [edges[n] for n in layer.inputs])
        edges[layer.output] = Edge(layer.output, *shape)
    return Graph(tuple(layers), tuple(edges.values()), ("x",), (layers[-1].output,))


def network(channels: int, rows: int, cols: int, width: int, stride: int) -> Graph:
    """Residual sum, concatenation, fused and separate pooling, groups, in six layers."""
    same = Window((3, 3), padding=(1, 1, 1, 1))
    layers: list[Layer] = [
        Conv("a", "x", "a", channels, width, Window((3, 3), (stride, stride), (1, 1, 1, 1))),
        Conv("b", "a", "b", width, width, same, groups=2),
        Add("sum", ("a", "b"), "sum", "relu"),
        Conv("left", "sum", "left", width, 2 * width, Window((1, 1))),
        Conv("right", "sum", "right", width, width, same),
        Concat("both", ("left", "right"), "both"),
        Pool("pool", "both", "pool", Window((3, 3), (2, 2), (1, 1, 1, 1))),
        Conv("last", "pool", "last", 3 * width, 10, Window((1, 1))),
    ]
    return graph_of(layers, channels, rows, cols)


def chip_of(layout: str, kib: tuple[int, int, int]) -> Chip:
    codec_name = "raw" if layout == "linear" else "zvc"
    chip = read_hardware("edge_npu", [f"codec.name={codec_name}", "array.rows=4", "array.cols=4"])
    buffers = Buffers(*(k * 1024 for k in kib), port_bits=64)
    codec = replace(chip.codec, block=BLOCK, layout=layout, index_cache_entries=16, lanes=2)
    return replace(chip, buffers=buffers, codec=codec)


def made_up_stats(stored: StoredMap, rng: np.random.Generator) -> MapStats:
    sizes = block_sizes((stored.channels, stored.rows, stored.cols), BLOCK)
    bits = rng.integers(0, 10, len(sizes)) * sizes
    return MapStats(
        BlockStats(sizes, bits, sizes, encode_work=sizes, decode_work=sizes), Word(8), 0.0, 0, 300
    )


def program_of(graph: Graph, chip: Chip, seed: int = 0) -> tuple[Program, tuple[StagePlan, ...]]:
    work = stages(graph)
    rng = np.random.default_rng(seed)
    measured = {m: made_up_stats(m, rng) for m in stored_maps(work)}
    coded = [m for m in measured if m.edge not in ("x", "last") and chip.codec.layout != "linear"]
    plans = plan(work, chip, planned_sizes(measured, coded, chip))
    return lower(plans, [{m: measured[m] for m in coded}] * 2, chip), plans


networks = st.builds(
    network,
    channels=st.integers(1, 6),
    rows=st.integers(5, 14),
    cols=st.integers(5, 14),
    width=st.sampled_from([2, 4, 6, 10]),
    stride=st.sampled_from([1, 2]),
)
chips = st.builds(
    chip_of,
    layout=st.sampled_from(["linear", "slotted", "packed"]),
    kib=st.sampled_from([(2, 1, 1), (2, 1, 4), (16, 16, 16)]),
)


@given(networks, chips, st.integers(0, 3))
@settings(deadline=None, max_examples=60)
def test_bytes_macs_buffers_and_order(graph: Graph, chip: Chip, seed: int) -> None:
    program, plans = program_of(graph, chip, seed)
    check_bytes(program, chip)
    check_macs(program, graph)
    check_dependencies(program)
    check_buffers(program, plans, chip)


def check_bytes(program: Program, chip: Chip) -> None:
    """Every byte of the program is moved once."""
    moved = int(program.extents.n_lines.sum()) * chip.dram.config.line_bytes
    counts = [b for work in program.stages for b in work.bytes_by_tensor.values()]
    assert moved == sum(b.fetched_bytes for b in counts)
    assert moved == sum(b.read_bytes + b.written_bytes for b in counts)
    assert all(b.fetched_bytes >= b.coded_bytes >= 0 for b in counts)
    assert all(b.padding_bytes >= 0 for b in counts)
    rows, extents = program.rows, program.extents
    used = np.zeros(len(extents.n_lines), np.int64)
    for first, last in zip(rows.first_extent, rows.last_extent, strict=True):
        used[first:last] += 1
    assert (used == 1).all(), "every extent belongs to one row"


def check_macs(program: Program, graph: Graph) -> None:
    for work in program.stages:
        layer = next(x for x in graph.layers if x.name == work.name)
        assert work.macs == graph.macs(layer) * program.n_images


def check_dependencies(program: Program) -> None:
    """Whoever reads a line waits, directly, for a WRITE no earlier than the line's last one.

    Tiles of maps without blocks may share a line: then for one no earlier than its first,
    because the values that are read may be those of the first.
    """
    rows = program.rows
    written: dict[int, int] = {}
    made, stored = last_needed(program, Of.ARRAY), last_needed(program, Of.OFMAP)
    for row in range(rows.n_rows):
        lines = lines_of(program, row)
        if program.is_write[row]:
            assert 0 <= made[row] < row
            for line in lines:
                written.setdefault(line, row)
        elif program.is_read[row] and rows.unit[row] != Of.WEIGHT:
            last = max((written[line] for line in lines if line in written), default=NONE)
            assert last <= stored[row] < row
    assert (made[~program.is_write] == NONE).all()


def lines_of(program: Program, row: int) -> list[int]:
    first, last = program.rows.first_extent[row], program.rows.last_extent[row]
    extents = program.extents
    return [
        line
        for e in range(first, last)
        for line in range(extents.first_line[e], extents.first_line[e] + extents.n_lines[e])
    ]


def check_buffers(program: Program, plans: Sequence[StagePlan], chip: Chip) -> None:
    """All bytes come back, and the machine gets through with the buffers that it has."""
    rows, reads = program.rows, program.is_read
    takes, gives = ([a.by_row(pool) for pool in In] for a in (program.takes, program.gives))
    for pool, unit in ((In.IFMAP, Of.IFMAP), (In.WEIGHT, Of.WEIGHT)):
        assert not takes[pool][rows.unit != unit].any()
        assert not gives[pool][rows.unit != Of.ARRAY].any()
        assert takes[pool].sum() == gives[pool].sum()
    assert not takes[In.OFMAP][reads].any()
    assert takes[In.OFMAP].sum() == gives[In.OFMAP].sum()
    assert min(column.min() for column in takes + gives) >= 0
    check_windows_are_held(program, plans)
    tilings = [p.tiling for p in plans]
    for stage, tiling in enumerate(tilings):
        mine = (rows.unit == Of.ARRAY) & (rows.stage == stage)
        lines = int(gives[In.OFMAP][mine].sum())
        assert lines == program.n_images * tiling.line_buffer_bytes
        tiles = int(takes[In.OFMAP][mine].sum()) - lines
        assert tiles % tiling.ofmap_tile_bytes == 0
    Machine(program, chip.core, OneLineAtATime(len(program.stages))).run()


def check_windows_are_held(program: Program, plans: Sequence[StagePlan]) -> None:
    """At every pass the buffers hold at least its input window and its weights."""
    rows = program.rows
    takes, gives = ([a.by_row(pool) for pool in In] for a in (program.takes, program.gives))
    held = dict.fromkeys((In.IFMAP, In.WEIGHT), 0)
    passes_of = [tuple(passes(p.stage, p.tiling)) for p in plans]
    place = dict.fromkeys(range(len(plans)), 0)
    for row in range(rows.n_rows):
        for pool in held:
            held[pool] += int(takes[pool][row])
        if rows.unit[row] == Of.ARRAY:
            stage = int(rows.stage[row])
            step = passes_of[stage][place[stage] % len(passes_of[stage])]
            place[stage] += 1
            planned = plans[stage].stage
            least = min(bits_to_bytes(part.bits) for part in planned.reads)
            n_values = step.window.n_values * len(planned.inputs)
            if planned.shortcut and step.last:
                n_values += step.computed.n_values
            assert held[In.IFMAP] >= n_values * least
            assert held[In.WEIGHT] >= step.n_weights
        for pool in held:
            held[pool] -= int(gives[pool][row])


@pytest.mark.parametrize("layout", ["slotted", "packed"])
def test_every_compressed_block_is_written_once_and_so_is_its_table_entry(layout: str) -> None:
    program, _ = program_of(network(3, 13, 11, 6, 1), chip_of(layout, (4, 4, 4)))
    rows = program.rows
    blocked = rows.stage != len(program.stages) - 1  # the network's output is linear
    lines = [
        line
        for row in np.flatnonzero(program.is_write & blocked)
        for line in lines_of(program, int(row))
    ]
    assert len(lines) == len(set(lines))


def test_two_images_get_places_of_their_own() -> None:
    program, _ = program_of(network(3, 9, 9, 4, 1), chip_of("slotted", (4, 4, 4)))
    rows = program.rows
    written: list[set[int]] = [set(), set()]
    for row in np.flatnonzero(program.is_write):
        written[int(rows.image[row])].update(lines_of(program, int(row)))
    assert written[0] and written[1] and not written[0] & written[1]


def test_lowering_is_deterministic() -> None:
    graph, chip = network(3, 13, 11, 6, 2), chip_of("packed", (2, 2, 2))
    one, two = (program_of(graph, chip)[0] for _ in range(2))
    for table in ("rows", "needs", "takes", "gives", "extents"):
        for a, b in zip(
            vars(getattr(one, table)).values(), vars(getattr(two, table)).values(), strict=True
        ):
            np.testing.assert_array_equal(a, b)
