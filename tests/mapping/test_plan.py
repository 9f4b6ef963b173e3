"""Plans: the model of the search against passes walked one by one, and its promises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from accelsim.array.dataflow import DATAFLOWS
from accelsim.dram.standard import STANDARDS
from accelsim.errors import MappingError
from accelsim.hardware.chip import Buffers, PeArray
from accelsim.mapping.placing.blocked import block_grid, blocks_in
from accelsim.mapping.placing.index_cache import IndexCache
from accelsim.mapping.placing.linear import LinearMap
from accelsim.mapping.stages.form import stages, stored_maps
from accelsim.mapping.stages.stage import Stage, StagePlan, StoredMap, Tiling
from accelsim.mapping.tiling import candidates
from accelsim.mapping.tiling.plan import (
    TIME_TOLERANCE,
    plan,
    psum_bytes_per_value,
    vector_operations,
)
from accelsim.mapping.tiling.search import StageSearch
from accelsim.mapping.tiling.sizes import BlockedSize, LinearSize, MapSize, Sizes, linear_size
from accelsim.units import Clock
from accelsim.workload.graph import Edge
from accelsim.workload.layer import Add, Concat, Conv, Layer, Pool, Window
from tests.mapping.small_stages import conv_stage, graph_of, small_stages, square
from tests.mapping.walked_fetches import Fetch, fetches, shortcut_fetches
from tests.mapping.walked_passes import Pass, passes
from tests.mapping.walked_windows import Window3

KIB = 1024
MEMORY = STANDARDS["ddr4_2400_x16"].config()


def cutting_kernels(test: Callable[..., None]) -> Callable[..., None]:
    """Passes over parts of the kernel, also of kernels that are small."""

    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(candidates, "SMALL_KERNEL", 1)
            test(*args, **kwargs)

    return run


def chip(
    ifmap: int = 64 * KIB,
    weight: int = 64 * KIB,
    ofmap: int = 64 * KIB,
    dataflow: str = "output_stationary",
    rows: int = 16,
    cols: int = 16,
    overlap: bool = True,
) -> Any:
    """A chip with these buffers in bytes; only what the planner reads."""
    return SimpleNamespace(
        array=PeArray(rows, cols, dataflow, overlap, psum_bits=32),
        buffers=Buffers(ifmap, weight, ofmap, port_bits=128),
        codec=SimpleNamespace(block=(4, 1, 16)),
        dram=SimpleNamespace(config=MEMORY, outstanding_reads=32, policy="dramsim3"),
        core=Clock.from_mhz(1000),
    )


class Case(NamedTuple):
    stage: Stage
    sizes: Sizes
    chip: Any


blocks = st.none() | st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A small stage on a small array; every map linear or in blocks of its own."""
    stage = draw(small_stages())
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    sizes: dict[str, MapSize] = {}
    for stored in stored_maps([stage]):
        block = draw(blocks)
        if block is None:
            sizes[stored.name] = linear_size(stored, draw(st.integers(1, 4)))
        else:
            lines = rng.integers(0, 9, block_grid(stored, block))
            sizes[stored.name] = BlockedSize(block, lines, draw(st.integers(1, 48)), 3)
    side = st.integers(1, 5)
    dataflow = draw(st.sampled_from(sorted(DATAFLOWS)))
    made = chip(dataflow=dataflow, rows=draw(side), cols=draw(side), overlap=draw(st.booleans()))
    return Case(stage, Sizes(sizes, draw(st.sampled_from([1, 4, 16, 64]))), made)


def fetched(stage: Stage, step: Pass, sizes: Sizes) -> tuple[Fetch, ...]:
    return fetches(stage, step, lambda m: sizes.maps[m.name].block)


def added(stage: Stage, step: Pass, sizes: Sizes) -> tuple[Fetch, ...]:
    return shortcut_fetches(stage, step, lambda m: sizes.maps[m.name].block)


def map_bits(stored: StoredMap, window: Any, sizes: Sizes) -> int:
    """Bits that the layout of a map moves for one window, without its table."""
    size = sizes.maps[stored.name]
    if isinstance(size, LinearSize):
        layout = LinearMap(stored, 0, sizes.line_bytes, size.values.group)
        one = np.array([window])
        return int(layout.reads(one, one).n_lines.sum()) * sizes.line_bits
    _, ids = blocks_in(np.array([window]), size.block, size.block_lines.shape)
    return int(size.block_lines.ravel()[ids].sum()) * sizes.line_bits


def entry_bits(stored: StoredMap, window: Any, sizes: Sizes) -> int:
    """Bits of the lines with the table entries of a window's blocks, by listing every bit."""
    size = sizes.maps[stored.name]
    if isinstance(size, LinearSize):
        return 0
    _, ids = blocks_in(np.array([window]), size.block, size.block_lines.shape)
    bits = {int(b) * size.entry_bits + i for b in ids for i in range(size.entry_bits)}
    return len({b // sizes.line_bits for b in bits}) * sizes.line_bits


def walked_traffic(stage: Stage, tiling: Tiling, sizes: Sizes) -> tuple[int, int, int, int]:
    """Bits of ifmap, weights, ofmap and shortcut, pass by pass, on a chip that keeps no entry."""
    ifmap = weights = ofmap = shortcut = 0
    for p in passes(stage, tiling):
        for f in fetched(stage, p, sizes):
            ifmap += map_bits(f.stored, f.fetched, sizes) + entry_bits(f.stored, f.fetched, sizes)
        for f in added(stage, p, sizes):
            shortcut += map_bits(f.stored, f.fetched, sizes)
            shortcut += entry_bits(f.stored, f.fetched, sizes)
        if p.loads_weights:
            assert isinstance(stage.layer, Conv)
            tile_bits = p.n_weights * stage.layer.weight_bits
            weights += -(-tile_bits // sizes.line_bits) * sizes.line_bits
        if p.last:
            ofmap += map_bits(stage.output, p.output, sizes)
    whole = stage.output
    everything = Window3(0, whole.channels, 0, whole.rows, 0, whole.cols)
    return ifmap, weights, ofmap + entry_bits(whole, everything, sizes), shortcut


def codec_table_bits(stage: Stage, sizes: Sizes) -> int:
    found = [sizes.maps[m.name] for m in {*stage.reads, stage.output}]
    return sum(3 * sizes.line_bits for size in found if isinstance(size, BlockedSize))


def walked_ifmap_need(stage: Stage, tiling: Tiling, sizes: Sizes) -> int:
    """Most values (of one byte) in the ifmap buffer: a window and what the next one adds,
    and the same of the shortcut."""
    tiles = [sum(f.fetched.n_values for f in added(stage, p, sizes))
             for p in passes(stage, tiling) if p.last]  # fmt: skip
    shortcut = max([*tiles, *(a + b for a, b in pairwise(tiles))])
    loads = [p for p in passes(stage, tiling) if p.loads_ifmap]
    if tiling.ifmap_resident:
        whole_map = sum(f.fetched.n_values for p in loads for f in fetched(stage, p, sizes))
        return whole_map + shortcut
    whole, new = [], []
    for p in loads:
        alone = replace(p, retained=None)
        whole.append(sum(f.fetched.n_values for f in fetched(stage, alone, sizes)))
        new.append(sum(f.fetched.n_values for f in fetched(stage, p, sizes)))
    with_next = [a + b for (a, _), (_, b) in pairwise(zip(whole, new, strict=True))]
    return max([*whole, *with_next]) + shortcut


def tiling_of(search: StageSearch, v: int, p: int, r: int, q: int) -> Tiling:
    variant = search.variants[v]
    return Tiling(
        out_channels=int(search.cuts.channels.out_channels[p]),
        out_rows=search.cuts.row_extents[r],
        out_cols=search.cuts.col_extents[q],
        in_channels=int(search.cuts.channels.in_channels[p]),
        order=variant.order,
        ifmap_resident=variant.ifmap_resident,
        weights_resident=variant.weights_resident,
        ifmap_tile_bytes=0,
        weight_tile_bytes=0,
        ofmap_tile_bytes=0,
        traffic_bytes=0,
        kernel=search.cuts.channels.pairs()[p][2],
    )


@settings(deadline=None, max_examples=200)
@given(cases(), st.data())
@cutting_kernels
def test_the_search_prices_a_candidate_as_walking_its_passes_does(
    case: Case, data: st.DataObject
) -> None:
    stage, sizes = case.stage, case.sizes
    search = StageSearch(stage, case.chip, sizes)
    v = data.draw(st.integers(0, len(search.variants) - 1))
    p, r, q = (data.draw(st.integers(0, n - 1)) for n in search.cuts.shape)
    variant, tiling = search.variants[v], tiling_of(search, v, p, r, q)

    def at(values: Any) -> float:
        return float(np.broadcast_to(values, search.cuts.shape)[p, r, q])

    assume(np.isfinite(at(variant.ifmap_need_bytes)))
    steps = list(passes(stage, tiling))
    ifmap, weights, ofmap, shortcut = walked_traffic(stage, tiling, sizes)
    assert at(variant.ifmap_bits) == ifmap
    assert at(variant.weight_bits) == weights
    assert at(search.traffic.ofmap_bits) == ofmap
    assert at(variant.drain_bits) == ofmap + shortcut
    moved = ifmap + weights + ofmap + shortcut + codec_table_bits(stage, sizes)
    assert at(search.traffic_bits(variant)) == moved
    assert at(search.cuts.n_places * search.cuts.n_channel_steps) == len(steps)
    assert at(variant.ifmap_need_bytes) >= walked_ifmap_need(stage, tiling, sizes)
    if isinstance(stage.layer, Conv):
        assert at(search.needs.weight_tile_bytes) == max(step.n_weights for step in steps)
        array = case.chip.array
        cycles = sum(DATAFLOWS[array.dataflow].cost(s.of(stage.layer), array).cycles for s in steps)
        one = [np.array([i]) for i in (p, r, q)]
        assert search.compute_cycles(*one)[0, 0, 0] == cycles
    stored = max(step.output.n_values for step in steps)
    computed = max(step.m * step.n * step.groups for step in steps)
    per_value = psum_bytes_per_value(StagePlan(stage, tiling), case.chip)
    assert at(search.needs.ofmap_tile_bytes) == (computed * 4 if per_value == 4 else stored)


@settings(deadline=None, max_examples=100)
@given(cases())
def test_output_tiles_are_unions_of_blocks(case: Case) -> None:
    block = case.sizes.maps[case.stage.output.name].block
    assume(block is not None)
    assert block is not None
    search = StageSearch(case.stage, case.chip, case.sizes)
    total = (case.stage.output.channels, case.stage.output.rows, case.stage.output.cols)
    extents = (
        search.cuts.channels.out_channels.tolist(),
        search.cuts.row_extents,
        search.cuts.col_extents,
    )
    for found, size, whole in zip(extents, block, total, strict=True):
        assert all(e % size == 0 or e == whole for e in found)


@settings(deadline=None, max_examples=100)
@given(cases(), st.data())
@cutting_kernels
def test_larger_buffers_never_give_more_modelled_traffic(case: Case, data: st.DataObject) -> None:
    sizes = st.integers(0, 12)
    small = [2 ** data.draw(sizes) for _ in range(3)]
    large = [n + data.draw(st.integers(0, 4000)) for n in small]
    try:
        case.chip.buffers = Buffers(*small, port_bits=128)
        tight = plan([case.stage], case.chip, case.sizes)[0].tiling
    except MappingError:
        return
    case.chip.buffers = Buffers(*large, port_bits=128)
    roomy = plan([case.stage], case.chip, case.sizes)[0].tiling
    assert roomy.traffic_bytes <= tight.traffic_bytes


@settings(deadline=None, max_examples=100)
@given(cases(), st.sampled_from(["traffic", "latency"]))
@cutting_kernels
def test_a_plan_fits_the_buffers_and_is_the_same_each_time(case: Case, objective: Any) -> None:
    case.chip.buffers = Buffers(600, 600, 900, port_bits=128)
    try:
        (found,) = plan([case.stage], case.chip, case.sizes, objective)
    except MappingError:
        return
    t = found.tiling
    assert t.ifmap_tile_bytes <= 600 and 2 * t.weight_tile_bytes <= 600
    assert 2 * t.ofmap_tile_bytes + t.line_buffer_bytes <= 900
    assert t.ifmap_tile_bytes >= walked_ifmap_need(case.stage, t, case.sizes)
    assert plan([case.stage], case.chip, case.sizes, objective) == (found,)
    bits = sum(walked_traffic(case.stage, t, case.sizes))
    bits += codec_table_bits(case.stage, case.sizes)
    assert t.traffic_bytes == pytest.approx(bits / 8, abs=1)


def modelled_time(case: Case, tiling: Tiling) -> float:
    """The docstring of ``plan``, written out by walking the passes of one tiling."""
    stage, array = case.stage, case.chip.array
    steps = list(passes(stage, tiling))
    bits_per_cycle = 4.8 * 8  # 4.8 GB/s at 1 GHz
    bits = walked_traffic(stage, tiling, case.sizes)
    ifmap, weights, ofmap, shortcut = (b / bits_per_cycle for b in bits)
    cycles = 0
    if isinstance(stage.layer, Conv):
        cycles = sum(DATAFLOWS[array.dataflow].cost(s.of(stage.layer), array).cycles for s in steps)
    windows = {(s.output.r0, s.output.q0, s.window.c0, s.part): s for s in steps}.values()
    alone = [replace(s, loads_ifmap=True, retained=None) for s in windows]
    window_bits = sum(
        map_bits(f.stored, f.fetched, case.sizes)
        for s in alone
        for f in fetched(stage, s, case.sizes)
    )
    n_weight_tiles = len({(s.output.c0, s.part) for s in steps})
    once = weights * n_weight_tiles / max(1, sum(s.loads_weights for s in steps))
    exposed = window_bits / bits_per_cycle / len(windows) + once / n_weight_tiles
    exposed += (ofmap + shortcut) / sum(s.last for s in steps)
    return max(cycles, ifmap + weights + ofmap + shortcut) + exposed


@settings(deadline=None, max_examples=60)
@given(cases(), st.data())
@cutting_kernels
def test_no_tiling_is_faster_than_the_latency_plan_or_as_fast_with_less_traffic(
    case: Case, data: st.DataObject
) -> None:
    (best,) = plan([case.stage], case.chip, case.sizes, "latency")
    search = StageSearch(case.stage, case.chip, case.sizes)
    v = data.draw(st.integers(0, len(search.variants) - 1))
    p, r, q = (data.draw(st.integers(0, n - 1)) for n in search.cuts.shape)
    need = np.broadcast_to(search.variants[v].ifmap_need_bytes, search.cuts.shape)[p, r, q]
    assume(need <= 64 * KIB)  # narrow tiles of a resident map are no candidates
    other = tiling_of(search, v, p, r, q)
    best_time, time = modelled_time(case, best.tiling), modelled_time(case, other)
    assert best_time <= time * (1 + TIME_TOLERANCE) * (1 + 1e-9)
    traffic = sum(walked_traffic(case.stage, other, case.sizes)) / 8
    if time * (1 + 1e-9) < best_time:  # within the tolerance, then
        assert best.tiling.traffic_bytes <= traffic + 1


def test_among_equally_fast_tilings_the_latency_plan_moves_the_fewest_bytes() -> None:
    # One PE: the array decides the time of every cut, so all that differ by less than the
    # tolerance are equal, and re-reading the map for fewer, larger passes buys nothing.
    stage = conv_stage(16, 16, 16, 16, square(3, 1, 1))
    sizes = Sizes.raw(stored_maps([stage]))
    made = chip(ifmap=KIB, weight=2 * KIB, ofmap=16 * KIB, rows=1, cols=1)
    fast, thrifty = (plan([stage], made, sizes, o)[0].tiling for o in ("latency", "traffic"))
    assert fast.traffic_bytes == thrifty.traffic_bytes


def test_a_stage_that_fits_whole_moves_every_value_once() -> None:
    stage = conv_stage(16, 14, 14, 32, square(3, 1, 1))
    (found,) = plan([stage], chip(), Sizes.raw(stored_maps([stage])))
    assert found.tiling.traffic_bytes == 16 * 196 + 32 * 16 * 9 + 32 * 196


def test_the_cheaper_operand_is_read_again_when_neither_fits() -> None:
    # Ifmap 64 x 28 x 28 = 50176 bytes, weights 128 x 64 = 8192 bytes, 4 KiB for either.
    stage = conv_stage(64, 28, 28, 128, square(1))
    sizes, output = Sizes.raw(stored_maps([stage])), 128 * 784
    # Small ofmap buffer: two weight tiles of 32 channels fit, so four sweeps of the map; a
    # single sweep would read all weights at each of 28 places, as two rows (3584 bytes) do
    # not fit twice.
    (found,) = plan([stage], chip(ifmap=4 * KIB, weight=4 * KIB, ofmap=16 * KIB), sizes)
    assert found.tiling.traffic_bytes == 4 * 50176 + 8192 + output
    # 256 KiB hold two tiles of psums of 128 channels x 7 rows (100352 bytes): one sweep,
    # in passes of few input channels, with all weights at four places.
    (found,) = plan([stage], chip(ifmap=4 * KIB, weight=4 * KIB, ofmap=256 * KIB), sizes)
    assert found.tiling.traffic_bytes == 50176 + 4 * 8192 + output


def test_halo_rows_are_not_fetched_again_but_overlapping_blocks_of_columns_are() -> None:
    stage = conv_stage(4, 64, 64, 4, square(3, 1, 1))
    sizes = Sizes.raw(stored_maps([stage]))
    search = StageSearch(stage, chip(), sizes)
    p = len(search.cuts.channels.out_channels) - 1
    r, full, half = search.cuts.row_extents.index(8), len(search.cuts.col_extents) - 1, -2
    bits = np.broadcast_to(search.variants[0].ifmap_bits, search.cuts.shape)
    assert bits[p, r, full] == 4 * 64 * 64 * 8
    assert bits[p, r, half] == 4 * 64 * (33 + 33) * 8


def test_two_shortcut_tiles_lie_beside_the_windows_and_one_where_there_is_but_one() -> None:
    stage = conv_stage(16, 8, 8, 16, square(3, 1, 1), shortcut=(16,))
    search = StageSearch(stage, chip(), Sizes.raw(stored_maps([stage])))
    last, row_extents = len(search.cuts.channels.out_channels) - 1, search.cuts.row_extents
    needs = np.broadcast_to(search.needs.shortcut_bytes, search.cuts.shape)[last, :, -1]
    assert row_extents == (1, 2, 3, 4, 8)
    assert needs.tolist() == [2 * n * 8 * 16 for n in (1, 2, 3, 4)] + [8 * 8 * 16]
    # One row of all channels: the window and the row that comes next, and two rows to add.
    ifmap = np.broadcast_to(search.variants[0].ifmap_need_bytes, search.cuts.shape)[:, 0, -1]
    whole = search.cuts.channels.in_channels == 16
    assert ifmap[whole][-1] == (3 + 1 + 2) * 8 * 16


def test_every_layer_of_a_network_is_planned_and_pooling_lines_are_counted() -> None:
    layers: list[Layer] = [
        Conv("a", "x", "am", 3, 16, square(3, 2)),
        Pool("p", "am", "pm", square(3, 2)),
        Conv("b", "pm", "bm", 16, 16, square(1)),
        Conv("c", "pm", "cm", 16, 16, square(3, 1, 1)),
        Concat("cat", ("bm", "cm"), "bc"),
        Conv("d", "bc", "dm", 32, 32, square(3, 1, 1), groups=32),
        Add("s", ("bc", "dm"), "sm"),
        Pool("q", "sm", "qm", square(2, 2)),
        Conv("fc", "qm", "y", 32, 10, square(13), fully_connected=True),
    ]
    cut = stages(graph_of(layers, [Edge("x", 3, 111, 111)]))
    made = chip(ifmap=16 * KIB, weight=32 * KIB, ofmap=16 * KIB)
    found = plan(cut, made, Sizes.raw(stored_maps(cut)))
    assert [p.stage.name for p in found] == ["a", "b", "c", "d", "fc"]
    assert found[3].stage.fusions == ("s", "q")
    apart = stages(graph_of(layers, [Edge("x", 3, 111, 111)]), frozenset({"s"}))
    found_apart = plan(apart, made, Sizes.raw(stored_maps(apart)))
    assert [p.stage.name for p in found_apart] == ["a", "b", "c", "d", "s", "q", "fc"]
    first = found[0].tiling
    # 3x3 pooling with stride 2 keeps one of its three rows of 55 columns.
    channels = first.out_channels if first.order == "weights_outer" else 16
    assert first.line_buffer_bytes == channels * 55 and first.out_cols == 27


def test_what_does_not_fit_is_named_with_its_knob() -> None:
    # One row of one channel: 3 + 1 rows of 400 columns, one output row of 4-byte psums twice.
    stage = conv_stage(8, 400, 400, 8, square(3, 1, 1))
    sizes = Sizes.raw(stored_maps([stage]))
    with pytest.raises(MappingError) as ifmap:
        plan([stage], chip(ifmap=8), sizes)
    assert "smallest tile" in str(ifmap.value) and "ifmap buffer, which has 8" in str(ifmap.value)
    assert "buffers.ifmap_kib to at least 1" in str(ifmap.value)
    with pytest.raises(MappingError, match=r"needs 18 bytes of the weight buffer.*\n.*weight_kib"):
        plan([stage], chip(weight=17), sizes)
    pooled = conv_stage(8, 400, 400, 8, square(1), pool=Pool("p", "y", "z", square(3, 2)))
    sizes = Sizes.raw(stored_maps([pooled]))
    with pytest.raises(MappingError, match=r"ofmap_kib to at least 1, or run 'p' on the vector"):
        plan([pooled], chip(ofmap=600), sizes)


def test_the_named_demand_is_enough_to_fit() -> None:
    stage = conv_stage(8, 40, 40, 8, square(3, 1, 1))
    sizes = Sizes.raw(stored_maps([stage]))
    (planned,) = plan([stage], chip(weight=18), sizes)  # two tiles of 9 weights: see above
    assert planned.tiling.weight_tile_bytes == 9


def test_vector_operations_count_window_values_and_operands() -> None:
    pool = Pool("p", "x", "y", square(3, 2))
    (stage,) = stages(graph_of([pool], [Edge("x", 4, 9, 9)]))
    tiling = Tiling(4, 4, 4, 1, "weights_outer", False, False, 0, 0, 0, 0)
    (step,) = passes(stage, tiling)
    assert vector_operations(pool, step.output.n_values) == 4 * 16 * 9
    add = Add("s", ("a", "b"), "y")
    (stage,) = stages(graph_of([add], [Edge("a", 2, 3, 3), Edge("b", 2, 3, 3)]))
    (step,) = passes(stage, tiling)
    assert vector_operations(add, step.output.n_values) == 18


def test_psums_are_wide_only_where_something_is_added_to_them() -> None:
    stage = conv_stage(32, 8, 8, 16, square(1))
    whole = Tiling(16, 8, 8, 32, "weights_outer", False, False, 0, 0, 0, 0)
    split = Tiling(16, 8, 8, 16, "weights_outer", False, False, 0, 0, 0, 0)
    for dataflow, tiling, expected in (
        ("output_stationary", whole, 1),
        ("output_stationary", split, 4),
        ("weight_stationary", whole, 4),  # 32 products on 16 rows: two folds
    ):
        made = chip(dataflow=dataflow)
        assert psum_bytes_per_value(StagePlan(stage, tiling), made) == expected
    tall = chip(dataflow="weight_stationary", rows=32)
    assert psum_bytes_per_value(StagePlan(stage, whole), tall) == 1


def test_the_plan_knows_what_an_engine_reaches_of_many_channels() -> None:
    """On 16 channels of which the map lets one engine use one, tiles take 16 times as long to
    come as at the peak, and so does an operand."""
    search = {}
    for text in ("roracobabgch", "rochracobabg"):
        memory = STANDARDS["hbm2_2000_x64"].config(16, text)
        dram = SimpleNamespace(config=memory, outstanding_reads=512, policy="dramsim3")
        stage = conv_stage(64, 28, 28, 64, Window((1, 1)))
        with_map = chip()
        with_map.dram = dram
        found = StageSearch(stage, with_map, Sizes.raw(stored_maps([stage])))
        found.compute_cycles = lambda *where: np.zeros([len(w) for w in where])  # type: ignore[method-assign]
        one = np.zeros(1, np.int64)
        search[text] = float(found.time_cycles(one + 800, one + 500, (one, one, one))[0])
        exposed = float(found.traffic.exposed_bits(one, one, one)[0])
    peak = 256 * 8  # bits in a cycle of 1 ns
    assert search["roracobabgch"] == pytest.approx(800 / peak + exposed / peak)
    assert search["rochracobabg"] == pytest.approx(500 * 16 / peak + exposed * 16 / peak)


@pytest.mark.parametrize(("cached_entries", "lines"), [(0, 35), (4, 11), (256, 11)])
def test_lines_of_block_tables_are_fetched_once_where_the_cache_holds_a_place(
    cached_entries: int, lines: int
) -> None:
    # 28 rows of one block each, entries of 48 bits: the table has 10.5 lines of 16 bytes. Of
    # every eight entries two cross lines: rows 2, 5, 10, 13, 18, 21 and 26. Without a cache each
    # row fetches its one or two lines, 28 + 7. Going down, a row needs the line of the row above.
    cache = IndexCache(cached_entries)
    of_rows = [range(48 * row // 128, (48 * row + 47) // 128 + 1) for row in range(28)]
    wanted = np.concatenate([np.array(lines_of_row) for lines_of_row in of_rows])
    assert cache.misses(wanted, np.full(len(wanted), 3)).sum() == lines
    stage = conv_stage(16, 28, 28, 16, square(1))
    read, written = (part.name for part in stored_maps([stage]))
    block = (16, 1, 64)
    sizes = {
        read: BlockedSize(block, np.ones((1, 28, 1), np.int64), 48),
        written: linear_size(stage.output, 16),
    }
    search = StageSearch(stage, chip(), Sizes(sizes, 16, cached_entries))
    (variant,) = (v for v in search.variants if v.order == "weights_outer" and not v.ifmap_resident)
    p = search.cuts.channels.pairs().index((16, 16, (1, 1)))
    bits = np.broadcast_to(variant.ifmap_bits, search.cuts.shape)
    one_row, all_cols = search.cuts.row_extents.index(1), len(search.cuts.col_extents) - 1
    assert bits[p, one_row, all_cols] == (28 + lines) * 128


def test_input_channels_of_raw_maps_are_cut_at_groups_where_these_can_be_whole() -> None:
    stage = conv_stage(100, 8, 8, 16, square(1))
    search = StageSearch(stage, chip(), Sizes.raw(stored_maps([stage]), 16, channel_group=16))
    assert set(search.cuts.channels.in_channels.tolist()) == {100, 64, 32, 16, 8, 4, 2, 1}
