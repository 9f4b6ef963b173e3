"""Residual networks from the trace to the counts: bytes by hand, and laws that hold for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from accelsim import read_hardware, read_trace, simulate
from accelsim.codecs.size_cache import SizeCache
from accelsim.errors import MappingError
from accelsim.hardware.chip import Chip, MappingChoice
from accelsim.mapping.lowering.lower import lower
from accelsim.mapping.lowering.units import In, Of
from accelsim.mapping.measuring.measured import measure_maps, planned_sizes
from accelsim.mapping.stages.form import stages, stored_maps
from accelsim.mapping.stages.stage import StagePlan
from accelsim.mapping.tiling.fuse import plan_graph
from accelsim.mapping.tiling.plan import plan
from accelsim.mapping.tiling.sizes import Sizes
from accelsim.program.table import Kind, Program
from accelsim.program.work import StageWork
from accelsim.sim.counts import LayerCounts
from accelsim.sim.run import run
from accelsim.simulation.prepare import prepare
from accelsim.workload.graph import Edge, Graph, output_shape
from accelsim.workload.layer import Add, Concat, Conv, Layer, Pool, Window
from accelsim.workload.synth import synthesise
from accelsim.workload.trace import Trace
from tests.mapping.residual_graphs import inverted_residuals, resnet8
from tests.mapping.small_stages import graph_of, square
from tests.mapping.test_lower import check_buffers, check_bytes, check_dependencies, check_macs
from tests.sim.edges import edges, last_needed
from tests.sim.test_random_networks import (
    check_order,
    check_run,
    check_stage,
    check_table_entries,
    coded_part,
    measured,
)

GRAPHS = {"resnet8": resnet8, "inverted_residuals": inverted_residuals}
CODECS = ["raw", "zvc", "huffman"]
NO_NAMES = frozenset[str]()


@pytest.fixture(scope="module", params=list(GRAPHS))
def trace(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trace:
    return written(GRAPHS[request.param](), tmp_path_factory.mktemp("traces"))


def written(graph: Graph, folder: Path) -> Trace:
    synthesise(folder / "residual.h5", graph, 0.4, 2.5, seed=5, n_images=2)
    return read_trace(folder / "residual.h5")


def chip(*settings: str) -> Chip:
    return read_hardware("edge_npu", settings)


def block(mean: bool) -> Graph:
    """A stem and one residual block on 16 x 8 x 8 values: 1024 bytes a map."""
    layers: list[Layer] = [
        Conv("stem", "x", "stem", 16, 16, square(3, 1, 1)),
        Conv("one", "stem", "one", 16, 16, square(3, 1, 1)),
        Conv("two", "one", "two", 16, 16, square(3, 1, 1)),
        Add("add", ("stem", "two"), "add", "relu"),
    ]
    layers += [Pool("mean", "add", "mean", square(8), "avg")] if mean else []
    return graph_of(layers, [Edge("x", 16, 8, 8)])


def work_of(machine: Chip, trace: Trace, *unfused: str) -> dict[str, StageWork]:
    """What each stage does, by name, with some layers kept out of the drain path."""
    work = stages(trace.graph, frozenset(unfused))
    held = plan(work, machine, Sizes.raw(stored_maps(work), 16, 16)) if unfused else None
    program = prepare(machine, trace, mapping=held).program
    return {stage.name: stage for stage in program.stages}


def moved(stage: StageWork) -> tuple[int, int, int]:
    """Bytes read of maps and of weights, and bytes written."""
    tensors = stage.bytes_by_tensor
    return (
        tensors["ifmap"].read_bytes,
        tensors["weight"].read_bytes,
        tensors["ofmap"].written_bytes,
    )


def test_every_tensor_of_a_residual_block_is_moved_once(tmp_path: Path) -> None:
    """2304 = 16 x 16 x 3 x 3 weights; the shortcut is a second map of 1024 bytes."""
    machine = chip("dram.policy=ideal", "codec.name=raw")
    work = work_of(machine, written(block(mean=False), tmp_path))
    assert {name: moved(stage) for name, stage in work.items()} == {
        "stem": (1024, 2304, 1024),
        "one": (1024, 2304, 1024),
        "two": (2 * 1024, 2304, 1024),
    }
    assert [stage.vector_values for stage in work.values()] == [0, 0, 1024]
    assert work["two"].bytes_by_tensor["ifmap"].needed_bytes == 2048


def test_a_pooling_behind_the_block_leaves_one_value_a_channel(tmp_path: Path) -> None:
    machine = chip("dram.policy=ideal", "codec.name=raw")
    work = work_of(machine, written(block(mean=True), tmp_path))
    assert moved(work["two"]) == (2048, 2304, 16)
    assert (work["two"].vector_values, work["two"].fused_pool_values) == (1024, 1024)


def test_apart_the_map_before_the_addition_is_written_and_read_again(tmp_path: Path) -> None:
    machine = chip("dram.policy=ideal", "codec.name=raw")
    apart = work_of(machine, written(block(mean=False), tmp_path), "add")
    assert moved(apart["two"]) == (1024, 2304, 1024)
    assert moved(apart["add"]) == (2 * 1024, 0, 1024)
    assert apart["add"].vector_values == 1024


@pytest.mark.parametrize("kib", [1, 2, 16])
def test_tiles_that_do_not_fit_whole_still_add_every_value_once(kib: int, tmp_path: Path) -> None:
    """Tiles are whole rows, so whole lines: halo rows stay, and the shortcut costs its bytes."""
    machine = chip("dram.policy=ideal", "codec.name=raw", f"buffers.ifmap_kib={kib}")
    machine = replace(machine, mapping=MappingChoice("traffic"))
    prepared = prepare(machine, written(block(mean=False), tmp_path))
    two, tiling = prepared.program.stages[2], prepared.plans[2].tiling
    assert tiling.out_rows < 8 or kib > 1  # where all rows fit, fewer are as good
    assert moved(two) == (2 * 1024, 2304, 1024)
    assert two.vector_values == 1024
    assert len(shortcuts(prepared.program)[0]) == -(-8 // tiling.out_rows)


def test_the_map_before_an_addition_is_not_measured(trace: Trace) -> None:
    measured_edges = {stored.edge for stored in prepare(chip(), trace).maps[0]}
    graph = trace.graph
    hidden = {"resnet8": {"block16.2", "block32.s", "block64.s"}, "inverted": {"same.p"}}
    expected = hidden["resnet8" if "block16.2" in graph.edge else "inverted"]
    assert set(graph.edge) - measured_edges == expected | {
        graph.producer["mean"].inputs[0]  # pooled on its way out
    }


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("policy", ["dramsim3", "ideal"])
def test_parts_add_up_to_the_whole(trace: Trace, codec: str, policy: str) -> None:
    result = simulate(chip(f"dram.policy={policy}"), trace, codec=codec, images=2)
    total, layers = result.totals, result.layers
    for part in (total, *layers):
        stalls = sum(part.stall_cycles.values())
        assert part.cycles == part.compute_cycles + part.vector_cycles + stalls
        dram = part.dram
        assert dram.read_bytes + dram.written_bytes == dram.fetched_bytes >= dram.coded_bytes
        rest = dram.padding_bytes + dram.index_bytes + dram.table_bytes
        assert dram.fetched_bytes == dram.coded_bytes + rest
    for name in ("cycles", "macs", "compute_cycles", "vector_cycles"):
        assert getattr(total, name) == sum(getattr(layer, name) for layer in layers)
    assert total.vector_cycles == 0, "every addition and pooling is on some drain path"
    assert total.energy_pj["vector"] > 0
    graph = trace.graph
    assert total.macs == 2 * sum(graph.macs(layer) for layer in graph.layers)
    assert {layer.name for layer in layers} == {
        layer.name for layer in graph.layers if isinstance(layer, Conv)
    }


@pytest.mark.parametrize("codec", ["raw", "zvc"])
def test_fused_additions_save_bytes_and_cycles(trace: Trace, codec: str) -> None:
    """Of each addition the map before it, written once and read once."""
    machine = chip("dram.policy=ideal", f"codec.name={codec}", "mapping.objective=traffic")
    fused = prepare(machine, trace)
    adds = frozenset(x.name for x in trace.graph.layers if isinstance(x, Add))
    work = stages(trace.graph, adds)
    everything = measure_maps(trace, stored_maps(work), 0, machine.codec, SizeCache())
    (blocked,) = coded_part([everything], trace.graph, machine)
    apart = plan(work, machine, planned_sizes(everything, blocked.keys(), machine), "traffic")
    one, two = (run(p, machine).counts for p in (fused.program, lower(apart, [blocked], machine)))
    saved = sum(fetched_bytes(c) for c in two.layers) - sum(fetched_bytes(c) for c in one.layers)
    assert saved > 0
    if codec == "raw" and "block64.add" in adds:
        # With its sum, the last block stores neither map before the average of 7 x 7 x 64. But
        # its tile is the whole map then: of 32 channels it reads all 13 x 13 pixels, of which
        # its stride wants 7 x 7. Apart, tiles of one pixel read just these.
        maps = 16 * 28 * 28 + 32 * 14 * 14 + 2 * 64 * 7 * 7
        assert saved == 2 * maps - (13 * 13 - 7 * 7) * 32
    elif codec == "raw":
        assert saved == 2 * 24 * 14 * 14
    assert one.cycles < two.cycles


def fetched_bytes(layer: LayerCounts) -> int:
    return sum(tensor.fetched_bytes for tensor in layer.work.bytes_by_tensor.values())


def test_raw_blocks_in_slots_cost_what_an_identity_codec_costs(trace: Trace) -> None:
    slotted = simulate(chip("codec.name=raw", "codec.layout=slotted"), trace)
    few = simulate(chip("codec.name=raw", "codec.layout=slotted", "codec.lanes=1"), trace)
    assert slotted.totals.cycles == few.totals.cycles
    assert slotted.totals.energy_pj["codec"] == 0
    assert slotted.totals.stall_cycles["decoder"] == 0


def test_on_an_ideal_memory_time_falls_with_the_coded_bits(trace: Trace) -> None:
    endless = chip(
        "dram.policy=ideal", "codec.name=zvc", "codec.lanes=4096", "codec.fifo_blocks=4096",
        "codec.hardware.encode_fill_cycles=0", "codec.hardware.decode_fill_cycles=0",
        "codec.hardware.encode_values_per_cycle=4096",
        "codec.hardware.decode_values_per_cycle=4096",
    )  # fmt: skip
    program = prepare(endless, trace).program
    cycles = []
    for share in (1.0, 0.75, 0.5, 0.25, 0.0):
        fewer = np.ceil(program.extents.n_lines * share).astype(np.int64)
        extents = replace(program.extents, n_lines=fewer)
        cycles.append(run(replace(program, extents=extents), endless).counts.cycles)
    assert cycles == sorted(cycles, reverse=True)


def random_residual_graph(rng: np.random.Generator) -> Graph:
    """Blocks whose shortcut is the map itself, a projection before or after the main path, or
    stacked maps; some with a pooling behind; words of 2 to 16 bits, some signed."""
    edges = {"x": Edge("x", *(int(n) for n in rng.integers(2, 13, 3)))}
    layers: list[Layer] = []

    def grow(layer: Layer) -> str:
        shape = output_shape(layer, [edges[n] for n in layer.inputs])
        bits, signed = int(rng.integers(2, 17)), bool(rng.integers(2))
        if isinstance(layer, Pool | Concat):
            first = edges[layer.inputs[0]]
            bits, signed = first.bits, first.signed
        edges[layer.output] = Edge(layer.output, *shape, bits=bits, signed=signed)
        layers.append(layer)
        return layer.output

    def conv(name: str, source: str, out: int, window: Window, groups: int = 1) -> str:
        return grow(Conv(name, source, name, edges[source].channels, out, window, groups))

    source = "x"
    for b in range(int(rng.integers(1, 4))):
        same, stride = square(3, 1, 1), int(rng.integers(1, 3))
        out = int(rng.integers(1, 13))
        kind = str(rng.choice(["self", "before", "after", "stacked"]))
        if kind == "self":
            out, stride = edges[source].channels, 1
        if kind == "before":
            shortcut = conv(f"{b}s", source, out, square(1, stride))
        if kind == "stacked":
            half = conv(f"{b}s", source, out, square(1, stride))
            rest = conv(f"{b}t", source, 3, square(1, stride))
            shortcut = grow(Concat(f"{b}st", (half, rest), f"{b}st"))
            out += 3
        width = int(rng.integers(1, 13))
        middle = conv(f"{b}a", source, width, square(3, stride, 1))
        if rng.integers(2):
            middle = conv(f"{b}d", middle, width, same, groups=width)
        main = conv(f"{b}b", middle, out, same)
        if kind == "after":
            shortcut = conv(f"{b}s", source, out, square(1, stride))
        if kind == "self":
            shortcut = source
        operands = (shortcut, main) if rng.integers(2) else (main, shortcut)
        source = grow(Add(f"{b}+", operands, f"{b}+"))
        side = min(edges[source].rows, edges[source].cols)
        if side >= 3 and rng.integers(2):
            source = grow(Pool(f"{b}p", source, f"{b}p", square(3, 2, 1)))
    last = edges[source]
    if rng.integers(2):
        grow(Pool("mean", source, "mean", Window((last.rows, last.cols)), "avg"))
    return Graph(tuple(layers), tuple(edges.values()), ("x",), (layers[-1].output,))


LAYOUTS = [
    ("raw", "linear"), ("raw", "slotted"), ("zvc", "slotted"), ("zvc", "packed"),
    ("huffman", "packed"),
]  # fmt: skip


@given(
    seed=st.integers(0, 10**6),
    coded=st.sampled_from(LAYOUTS),
    kib=st.tuples(*[st.sampled_from([1, 2, 4, 16, 64])] * 3),
    dataflow=st.sampled_from(["output_stationary", "weight_stationary", "input_stationary"]),
    policy=st.sampled_from(["ideal", "dramsim3"]),
)
@settings(deadline=None, max_examples=50)
def test_the_laws_hold(
    seed: int, coded: tuple[str, str], kib: tuple[int, int, int], dataflow: str, policy: str
) -> None:
    rng = np.random.default_rng(seed)
    graph = random_residual_graph(rng)
    block_shape = [int(n) for n in rng.choice([1, 2, 4, 16], 3)]
    machine = chip(
        f"codec.name={coded[0]}", f"codec.layout={coded[1]}", f"codec.block={block_shape}",
        f"codec.index_cache_entries={rng.choice([1, 256])}", f"dram.policy={policy}",
        f"codec.fifo_blocks={rng.choice([3, 32])}", f"array.dataflow={dataflow}",
        f"buffers.ifmap_kib={kib[0]}", f"buffers.weight_kib={kib[1]}",
        f"buffers.ofmap_kib={kib[2]}",
    )  # fmt: skip
    adds = frozenset(x.name for x in graph.layers if isinstance(x, Add))
    pools = frozenset(x.name for x in graph.layers if isinstance(x, Pool))
    images = [
        apart | pooled | fused
        for apart, pooled, fused in zip(
            *(measured(graph, machine, rng, names) for names in (adds | pools, adds, NO_NAMES)),
            strict=True,
        )
    ]
    blocked = coded_part(images, graph, machine)
    sizes = planned_sizes(images[0], blocked[0].keys(), machine)
    try:
        plans = plan_graph(graph, machine, sizes)
    except MappingError:  # a row of some layer is too long for its buffer, fused or not
        return
    program = lower(plans, blocked, machine)
    check_bytes(program, machine)
    check_macs(program, graph)
    check_dependencies(program)
    check_buffers(program, plans, machine)
    for number, planned in enumerate(plans):
        check_stage(program, number, planned.stage, blocked, machine)
        if planned.stage.fused_add:
            n_added = sum(part.n_values for part in planned.stage.shortcut)
            assert program.stages[number].vector_values == n_added * program.n_images
    check_shortcuts(program, plans)
    check_table_entries(program, machine)
    played = run(program, machine)
    check_run(program, played.counts, policy, machine.dram.config.line_bytes)
    check_order(program, played.times)


def shortcuts(program: Program) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """[n] computations that wait for two tiles of maps, and the second: that of the shortcut."""
    row, source, _ = edges(program)
    tiles = (program.rows.unit[row] == Of.ARRAY) & (program.rows.unit[source] == Of.IFMAP)
    row, source = row[tiles], source[tiles]
    second = np.flatnonzero(row[1:] == row[:-1]) + 1
    return row[second], source[second]


def check_shortcuts(program: Program, plans: Sequence[StagePlan]) -> None:
    """One ifmap READ for each tile of a stage with a shortcut, and for no other computation."""
    rows = program.rows
    adds, reads = shortcuts(program)
    assert (rows.kind[adds] == Kind.COMPUTE).all()
    assert len(set(reads.tolist())) == len(reads)
    given, taken = program.gives.by_row(In.IFMAP), program.takes.by_row(In.IFMAP)
    assert (given[adds] >= taken[reads]).all()
    finished = np.unique(last_needed(program, Of.ARRAY)[program.is_write])
    fused = [bool(p.stage.fused_add) for p in plans]
    assert adds.tolist() == [row for row in finished if fused[rows.stage[row]]]
