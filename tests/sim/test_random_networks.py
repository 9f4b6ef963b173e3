"""Random small networks from values to counts: the laws that hold for every one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from accelsim import read_hardware
from accelsim.codecs.base import CODECS, Word
from accelsim.codecs.measure import MapStats, measure_map
from accelsim.hardware.chip import Chip
from accelsim.mapping.lowering.lower import lower
from accelsim.mapping.lowering.units import Of
from accelsim.mapping.measuring.measured import planned_sizes
from accelsim.mapping.placing.blocked import BlockedMap
from accelsim.mapping.stages.form import stages, stored_maps
from accelsim.mapping.stages.stage import Stage, StoredMap
from accelsim.mapping.tiling.plan import plan
from accelsim.program.table import NONE, Moment, Program
from accelsim.sim.counts import ByteCounts, RunCounts
from accelsim.sim.machine import Times
from accelsim.sim.run import run
from accelsim.units import bits_to_bytes, ceil_div
from accelsim.workload.graph import Edge, Graph, output_shape
from accelsim.workload.layer import Add, Concat, Conv, Layer, Pool, Window
from tests.dram.states import all_states, with_open_banks
from tests.mapping.test_lower import check_buffers, check_bytes, check_dependencies, check_macs
from tests.sim.edges import edges, last_needed

N_IMAGES = 2
Images = list[dict[StoredMap, MapStats]]


def random_graph(rng: np.random.Generator) -> Graph:
    """Six to nine layers of any kind on small odd maps, words of 2 to 16 bits, some signed."""
    channels, rows, cols = (int(n) for n in rng.integers(1, 13, 3))
    edges = {"x": Edge("x", channels, rows, cols)}
    layers: list[Layer] = []

    def grow(layer: Layer) -> None:
        shape = output_shape(layer, [edges[n] for n in layer.inputs])
        bits, signed = int(rng.integers(2, 17)), bool(rng.integers(2))
        if isinstance(layer, Pool | Concat):
            first = edges[layer.inputs[0]]
            bits, signed = first.bits, first.signed
        edges[layer.output] = Edge(layer.output, *shape, bits=bits, signed=signed)
        layers.append(layer)

    while len(layers) < 6:
        name = f"l{len(layers)}"
        source = edges[str(rng.choice(list(edges)))]
        side = int(rng.choice([1, 3])) if min(source.rows, source.cols) >= 3 else 1
        pad = (side // 2,) * 4
        window = Window((side, side), (int(rng.integers(1, 3)),) * 2, pad)
        match rng.choice(["conv", "conv", "depthwise", "pool", "add", "concat", "fc"]):
            case "conv":
                groups = int(rng.choice([g for g in (1, 2, 3) if source.channels % g == 0]))
                out = groups * int(rng.integers(1, 9))
                grow(Conv(name, source.name, name, source.channels, out, window, groups))
                if rng.integers(2):  # a pooling that may join the convolution
                    grow(Pool(f"{name}p", name, f"{name}p", window_on(edges[name])))
            case "depthwise":
                c = source.channels
                grow(Conv(name, source.name, name, c, c, window, c))
            case "pool":
                grow(Pool(name, source.name, name, window_on(source), "avg"))
            case "add":
                alike = [e.name for e in edges.values() if e.shape == source.shape]
                grow(Add(name, (source.name, str(rng.choice(alike))), name))
            case "concat":
                one = Conv(f"{name}a", source.name, f"{name}a", source.channels, 5, window)
                two = replace(one, name=f"{name}b", output=f"{name}b", out_channels=4)
                grow(one)
                grow(two)
                below = two.output if rng.integers(3) else one.output
                grow(Concat(name, (one.output, below), name))
                if rng.integers(2):
                    grow(Pool(f"{name}p", name, f"{name}p", window_on(edges[name])))
            case "fc":
                whole = Window((source.rows, source.cols))
                grow(Conv(name, source.name, name, source.channels, 7, whole, fully_connected=True))
    return Graph(tuple(layers), tuple(edges.values()), ("x",), (layers[-1].output,))


def window_on(edge: Edge) -> Window:
    side = min(3, edge.rows, edge.cols)
    return Window((side, side), (2, 2), (1, 1, 1, 1) if side == 3 else (0, 0, 0, 0))


def measured(
    graph: Graph, chip: Chip, rng: np.random.Generator, unfused: frozenset[str] = frozenset()
) -> Images:
    """Statistics of real streams: half of the values are zero, the others small."""
    images: Images = []
    for _ in range(N_IMAGES):
        found = {}
        for stored in stored_maps(stages(graph, unfused)):
            word = Word(stored.bits, stored.signed)
            shape = (stored.channels, stored.rows, stored.cols)
            values = rng.integers(max(word.low, -9), min(word.high, 9) + 1, shape)
            values = (values * rng.integers(0, 2, shape)).astype(word.dtype)
            codec = CODECS[chip.codec.name].for_network(word).fit(values, every_symbol=True)
            found[stored] = measure_map(values, codec, chip.codec.block, chip.codec.scan)
        images.append(found)
    return images


def coded_part(images: Images, graph: Graph, chip: Chip) -> Images:
    if chip.codec.layout == "linear":
        return [{} for _ in images]
    ends = {*graph.inputs, *graph.outputs}
    return [{m: s for m, s in found.items() if m.edge not in ends} for found in images]


CASES = [
    (seed, codec, layout, policy)
    for seed, (codec, layout, policy) in enumerate(
        (codec, layout, policy)
        for policy in ("ideal", "dramsim3")
        for codec, layout in [
            ("raw", "linear"), ("raw", "slotted"), ("zvc", "slotted"), ("zvc", "packed"),
            ("zero_rle", "packed"), ("eyeriss_rlc", "slotted"), ("huffman", "slotted"),
            ("huffman", "packed"),
        ]
        for _ in range(5)
    )
]  # fmt: skip


@pytest.mark.parametrize(("seed", "codec", "layout", "policy"), CASES)
def test_the_laws_hold(seed: int, codec: str, layout: str, policy: str) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng)
    block = [int(n) for n in rng.choice([1, 2, 4, 16], 3)]
    kib = 4 if rng.integers(2) else 64
    chip = read_hardware(
        "edge_npu",
        [
            f"codec.name={codec}", f"codec.layout={layout}", f"dram.policy={policy}",
            f"codec.block={block}", f"codec.lanes={rng.choice([1, 3])}",
            f"codec.fifo_blocks={rng.choice([3, 32])}",
            f"codec.index_cache_entries={rng.choice([1, 16, 256])}",
            f"buffers.ifmap_kib={kib}", f"buffers.weight_kib={kib}", f"buffers.ofmap_kib={kib}",
            f"dram.allocation={rng.choice(['staggered', 'packed'])}",
        ],
    )  # fmt: skip
    images = measured(graph, chip, rng)
    blocked = coded_part(images, graph, chip)
    work = stages(graph)
    plans = plan(
        work, chip, planned_sizes(images[0], blocked[0].keys(), chip), chip.mapping.objective
    )
    program = lower(plans, blocked, chip)
    check_bytes(program, chip)
    check_macs(program, graph)
    check_dependencies(program)
    check_buffers(program, plans, chip)
    for number, stage in enumerate(work):
        check_stage(program, number, stage, blocked, chip)
    check_table_entries(program, chip)
    played = run(program, chip)
    check_run(program, played.counts, policy, chip.dram.config.line_bytes)
    check_order(program, played.times)


def check_stage(program: Program, number: int, stage: Stage, blocked: Images, chip: Chip) -> None:
    """Bytes against the maps themselves, in other words than the lowering's."""
    counts = program.stages[number].bytes_by_tensor
    line_bytes, output = chip.dram.config.line_bytes, stage.output
    ofmap, ifmap, weight = counts["ofmap"], counts["ifmap"], counts["weight"]
    per_image = [layout_of(output, image, chip) for image in blocked]
    if per_image[0] is None:
        assert ofmap.fetched_bytes == ofmap.coded_bytes + ofmap.padding_bytes
        assert_close(ofmap.coded_bytes, N_IMAGES * bits_to_bytes(output.n_values * output.bits))
        assert ofmap.fallback_blocks == program.stages[number].encoded_values == 0
    else:
        maps = [m for m in per_image if m is not None]
        assert ofmap.coded_bytes == sum(int(m.block_bytes.sum()) for m in maps)
        assert ofmap.index_bytes == sum(m.table_lines for m in maps) * line_bytes
        assert ofmap.fallback_blocks == sum(int(m.fallback.sum()) for m in maps)
        # The encoder tries every block, also those that stay raw; raw maps have no encoder.
        tried = 0 if chip.codec.name == "raw" else N_IMAGES * output.n_values
        assert program.stages[number].encoded_values == tried
        moved_lines = sum(int(m.n_lines.sum()) for m in maps)
        assert ofmap.coded_bytes + ofmap.padding_bytes == moved_lines * line_bytes
    assert_close(ofmap.needed_bytes, N_IMAGES * bits_to_bytes(output.n_values * output.bits))
    assert ofmap.overfetch_bytes == 0
    parts = list(stage.reads)
    assert ofmap.table_bytes == table_bytes([output], blocked, line_bytes)
    assert ifmap.table_bytes == table_bytes(parts, blocked, line_bytes)
    assert 0 <= ifmap.overfetch_bytes <= ifmap.coded_bytes
    if not any(part in blocked[0] for part in parts):
        assert ifmap.index_bytes == ifmap.overfetch_bytes == ifmap.fallback_blocks == 0
        assert ifmap.coded_bytes == ifmap.needed_bytes
    if chip.codec.name == "raw":
        assert program.stages[number].decoded_values == 0
    if chip.codec.name == "raw" and any(part in blocked[0] for part in parts):
        # Every value costs its bytes: overfetch can be reckoned.
        assert_close(ifmap.coded_bytes - ifmap.overfetch_bytes, ifmap.needed_bytes)
    if isinstance(stage.layer, Conv):
        least = bits_to_bytes(stage.layer.n_weights * stage.layer.weight_bits)
        assert weight.coded_bytes == weight.needed_bytes >= N_IMAGES * least
    else:
        assert weight == ByteCounts()
    assert counts["psum"] == ByteCounts()


def assert_close(a: int, b: int) -> None:
    """Equal but for the started bytes of tiles and blocks of words that are no bytes."""
    assert abs(a - b) <= 0.15 * b + 600


def layout_of(stored: StoredMap, image: Mapping[StoredMap, MapStats], chip: Chip):  # type: ignore[no-untyped-def]
    if stored not in image:
        return None
    order = None
    if chip.codec.layout == "packed":
        order = np.arange(image[stored].blocks.n_blocks)
    line_bytes = chip.dram.config.line_bytes
    return BlockedMap(stored, chip.codec.block, image[stored].blocks, 0, line_bytes, order)


def table_bytes(parts: list[StoredMap], blocked: Images, line_bytes: int) -> int:
    """Every map's codec table once for each image; a map that is read twice has one."""
    bits = [
        image[part].table_bits for image in blocked for part in dict.fromkeys(parts)
        if part in image
    ]  # fmt: skip
    return sum(ceil_div(bits_to_bytes(b), line_bytes) * line_bytes for b in bits)


def check_table_entries(program: Program, chip: Chip) -> None:
    """Whoever reads compressed blocks waits for an INDEX READ; nobody else does."""
    rows, work = program.rows, program.extents.work_cycles
    indices = last_needed(program, Of.INDEX)
    for row in np.flatnonzero(rows.unit == Of.IFMAP):
        decodes = bool(work[rows.first_extent[row] : rows.last_extent[row]].any())
        assert indices[row] >= 0 or not decodes
        assert indices[row] < row
    assert (indices[rows.unit != Of.IFMAP] == NONE).all()


def check_order(program: Program, times: Times) -> None:
    """Nothing starts before all that it needs; the engines end their rows in order."""
    rows, done, submit = program.rows, np.array(times.done), np.array(times.submit)
    start = np.where(program.is_write, times.needed, times.submit)
    row, source, moment = edges(program)
    assert (source < row).all()
    reached = np.where(moment == Moment.DONE, done[source], submit[source])
    assert (reached <= start[row]).all()
    for unit in Of:
        # Tiles without compressed blocks pass the decoder by, and may pass others in it.
        if unit is not Of.IFMAP:
            assert (np.diff(done[rows.unit == unit]) >= 0).all(), unit.name
    busy = rows.working
    of_busy = np.isin(row, busy)
    for unit in (Of.IFMAP, Of.WEIGHT):
        # Every tile is waited for, so all before the last one are there as well.
        reads = np.flatnonzero(rows.unit == unit)
        assert set(reads) == set(source[of_busy & (rows.unit[source] == unit)])
    assert (start[busy[1:]] >= done[busy[:-1]]).all()
    # Codec tables are the first INDEX READs of a stage: whatever it reads waits for them.
    for image in range(program.n_images):
        for stage, work in enumerate(program.stages):
            mine = (rows.stage == stage) & (rows.image == image)
            reads = mine & (rows.unit == Of.IFMAP)
            tables = mine & (rows.unit == Of.INDEX)
            tables[np.argmax(reads) :] = False
            loads = any(b.table_bytes for b in work.bytes_by_tensor.values())
            assert not loads or done[tables].max() <= start[reads].min()


def check_run(program: Program, counts: RunCounts, policy: str, line_bytes: int) -> None:
    n_lines = int(program.extents.n_lines.sum())
    for layer in counts.layers:
        busy = layer.compute_cycles + layer.vector_cycles
        assert layer.cycles == busy + sum(layer.stall_cycles.values())
        assert min(layer.stall_cycles.values()) >= 0
    assert sum(layer.cycles for layer in counts.layers) == counts.cycles
    assert len(counts.image_end_cycles) == N_IMAGES
    assert list(counts.image_end_cycles) == sorted(set(counts.image_end_cycles))
    drain = counts.layers[-1].stall_cycles["drain"]
    assert counts.image_end_cycles[-1] == counts.cycles - drain
    moved = sum(layer.dram.reads + layer.dram.writes for layer in counts.layers)
    assert moved == n_lines if policy == "ideal" else moved <= n_lines
    if policy == "ideal":  # every burst is charged to the stage that asked for it
        for stage, layer in enumerate(counts.layers):
            fetched = sum(b.fetched_bytes for b in program.stages[stage].bytes_by_tensor.values())
            assert (layer.dram.reads + layer.dram.writes) * line_bytes == fetched
    assert sum(all_states(layer.dram) for layer in counts.layers) == counts.memory_cycles
    active = sum(with_open_banks(layer.dram) for layer in counts.layers)
    assert active <= sum(layer.dram.open_bank_cycles for layer in counts.layers) <= 16 * active
