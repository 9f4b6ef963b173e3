"""Passes of random small stages against the definition of the layers, value by value."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from accelsim.mapping.stages.form import stages
from accelsim.mapping.stages.stage import Stage, StoredMap, Tiling
from accelsim.mapping.tiling.spans import Axis, Sliding, spans
from accelsim.mapping.tiling.tiles import channel_groups
from accelsim.mapping.windows.window import Block
from accelsim.workload.graph import Edge
from accelsim.workload.layer import Add, Concat, Conv, Layer, Pool, Scale, Window
from tests.mapping.small_stages import conv_stage, graph_of, small_stages, square
from tests.mapping.walked_fetches import fetches, shortcut_fetches
from tests.mapping.walked_passes import passes
from tests.mapping.walked_windows import Window3, align

Counts = NDArray[np.int64]


class Case(NamedTuple):
    stage: Stage
    tiling: Tiling
    block: Block | None


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A stage, a legal tiling of it, and a block of its input."""
    stage = draw(small_stages())
    groups, group_in, group_out = channel_groups(stage)
    whole = stage.output.channels
    if groups > 1:
        inside = [t for t in range(1, group_out + 1) if group_out % t == 0]
        channels = draw(st.sampled_from([*inside, *range(group_out, whole + 1, group_out)]))
    else:
        channels = draw(st.integers(1, whole))
    resident = draw(st.booleans())
    overlapping = stage.fused_pool is not None and any(
        e > s
        for e, s in zip(stage.fused_pool.window.extent, stage.fused_pool.window.stride, strict=True)
    )
    full_width = resident or overlapping
    tiling = Tiling(
        out_channels=channels,
        out_rows=draw(st.integers(1, stage.output.rows)),
        out_cols=stage.output.cols if full_width else draw(st.integers(1, stage.output.cols)),
        in_channels=draw(st.integers(1, group_in)) if channels <= group_out else group_in,
        order=draw(st.sampled_from(["weights_outer", "ifmap_outer"])),
        ifmap_resident=resident,
        weights_resident=draw(st.booleans()),
        ifmap_tile_bytes=0,
        weight_tile_bytes=0,
        ofmap_tile_bytes=0,
        traffic_bytes=0,
    )
    block = draw(st.none() | st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4)))
    return Case(stage, tiling, block)


def covered(stage: Stage, windows: list[Window3]) -> Counts:
    """How often each value of the stored map lies in the windows."""
    found = np.zeros((stage.output.channels, stage.output.rows, stage.output.cols), np.int64)
    for w in windows:
        found[box(w)] += 1
    return found


def box(w: Window3) -> tuple[slice, slice, slice]:
    return slice(w.c0, w.c1), slice(w.r0, w.r1), slice(w.q0, w.q1)


@settings(deadline=None, max_examples=150)
@given(cases())
def test_every_output_is_finished_once_and_every_mac_happens_once(case: Case) -> None:
    steps = list(passes(case.stage, case.tiling))
    assert (covered(case.stage, [p.output for p in steps if p.last]) == 1).all()
    assert (covered(case.stage, [p.output for p in steps if p.first]) == 1).all()
    layer, (rows, cols) = case.stage.layer, case.stage.conv_size
    if isinstance(layer, Conv):
        macs = layer.out_channels * rows * cols * layer.macs_per_output
        assert sum(p.of(layer).macs for p in steps) == macs
    computed = np.zeros((case.stage.output.channels, rows, cols), np.int64)
    for p in steps:
        if p.first:
            computed[box(Window3(p.output.c0, p.output.c1, *p.conv_rows, *p.conv_cols))] += 1
        assert p.m > 0
    assert (computed == 1).all()


@settings(deadline=None, max_examples=150)
@given(cases())
def test_pooled_outputs_wait_for_every_row_that_they_need(case: Case) -> None:
    """Conv values a pooling window needs are computed in this tile or an earlier one."""
    if case.stage.fused_pool is None:
        return
    rows, cols = case.stage.conv_size
    window = case.stage.fused_pool.window
    done = np.zeros((case.stage.output.channels, rows, cols), bool)
    for p in passes(case.stage, case.tiling):
        channels = slice(p.output.c0, p.output.c1)
        done[channels, slice(*p.conv_rows), slice(*p.conv_cols)] = True
        r = read_by(window, 0, p.output.r0, p.output.r1, rows)
        q = read_by(window, 1, p.output.q0, p.output.q1, cols)
        if p.last:
            assert done[channels, slice(*r), slice(*q)].all()


def read_by(window: Window, axis: int, start: int, stop: int, size: int) -> tuple[int, int]:
    """Rows or columns [first, last) that output rows or columns [start, stop) read of ``size``."""
    before, stride = window.padding[2 * axis], window.stride[axis]
    first = max(0, start * stride - before)
    last = min(size, (stop - 1) * stride - before + window.extent[axis])
    return (first, last) if last > first else (0, 0)


def positions(stage: Stage, conv_range: tuple[int, int], axis: int, size: int) -> set[int]:
    """Rows or columns that the layer reads, tap by tap."""
    if isinstance(stage.layer, Add | Scale):
        return set(range(*conv_range))
    w = stage.layer.window
    taps = product(range(*conv_range), range(w.kernel[axis]))
    reads = (i * w.stride[axis] - w.padding[2 * axis] + t * w.dilation[axis] for i, t in taps)
    return {i for i in reads if 0 <= i < size}


@settings(deadline=None, max_examples=150)
@given(cases())
def test_every_input_value_of_a_pass_is_in_its_window_and_the_window_is_tight(case: Case) -> None:
    stage = case.stage
    _, group_in, group_out = channel_groups(stage)
    part = stage.inputs[0][0]
    used: dict[tuple[int, int], set[int]] = {}
    for p in passes(stage, case.tiling):
        rows = positions(stage, p.conv_rows, 0, part.rows)
        cols = positions(stage, p.conv_cols, 1, part.cols)
        assert not (rows and cols) or rows <= set(range(p.window.r0, p.window.r1))
        assert not (rows and cols) or cols <= set(range(p.window.q0, p.window.q1))
        dilated = not isinstance(stage.layer, Add | Scale) and stage.layer.window.dilation != (1, 1)
        if rows and cols and not dilated:  # taps of dilated windows may fall into the padding
            assert (min(rows), max(rows) + 1) == (p.window.r0, p.window.r1)
            assert (min(cols), max(cols) + 1) == (p.window.q0, p.window.q1)
        first, last = p.output.c0 // group_out, (p.output.c1 - 1) // group_out
        allowed = set(range(first * group_in, (last + 1) * group_in))
        channels = set(range(p.window.c0, p.window.c1))
        assert channels <= allowed and p.groups == last - first + 1
        tile = used.setdefault((p.output.c0, p.output.r0 * 100 + p.output.q0), set())
        assert not tile & channels
        tile |= channels
        if p.last:
            assert tile == allowed


@settings(deadline=None, max_examples=200)
@given(cases())
def test_fetches_bring_every_value_before_it_is_used(case: Case) -> None:
    """A buffer that forgets all but what a pass may rely on still holds its window."""
    stage, tiling = case.stage, case.tiling
    held: dict[StoredMap, Counts] = {}
    for p in passes(stage, tiling):
        if p.loads_ifmap and not tiling.ifmap_resident:
            for m, values in held.items():
                kept = np.zeros_like(values)
                if p.retained is not None:
                    kept[box(align(p.retained, case.block, values.shape))] = 1
                held[m] = kept & values
        for fetch in fetches(stage, p, lambda _: case.block):
            m, w = fetch.stored, fetch.fetched
            values = held.setdefault(m, np.zeros((m.channels, m.rows, m.cols), np.int64))
            if case.block and w.n_values:
                assert all(a % b == 0 for a, b in zip(w[::2], case.block, strict=True))
            values[box(w)] = 1
        w = p.window
        if not w.n_values:
            continue
        for parts in stage.inputs:
            assert held[parts[0]][box(w)].all()


@settings(deadline=None, max_examples=150)
@given(cases())
def test_a_resident_map_crosses_the_bus_once(case: Case) -> None:
    tiling = case.tiling
    if not tiling.ifmap_resident:
        return
    groups, group_in, _ = channel_groups(case.stage)
    times: dict[tuple[str, int], Counts] = {}
    for p in passes(case.stage, tiling):
        for fetch in fetches(case.stage, p, lambda _: case.block):
            m, w = fetch.stored, fetch.fetched
            if case.block and groups * -(-group_in // tiling.in_channels) > 1:
                continue  # channel ranges that cut blocks fetch them twice
            values = times.setdefault(
                (m.name, id(m)), np.zeros((m.channels, m.rows, m.cols), np.int64)
            )
            values[box(w)] += 1
    assert all((values <= 1).all() for values in times.values())


@settings(deadline=None, max_examples=150)
@given(cases())
def test_every_value_of_the_shortcut_is_added_once_and_only_to_finished_sums(case: Case) -> None:
    stage, computed = case.stage, np.zeros((case.stage.output.channels, *case.stage.conv_size))
    added = {part: np.zeros((part.channels, part.rows, part.cols)) for part in stage.shortcut}
    for p in passes(stage, case.tiling):
        found = shortcut_fetches(stage, p, lambda _: case.block)
        assert bool(found) == (p.last and bool(stage.shortcut))
        for f in found:
            added[f.stored][box(f.needed)] += 1
            extents = (f.stored.channels, f.stored.rows, f.stored.cols)
            assert f.fetched == align(f.needed, case.block, extents)
        if found:
            computed[box(p.computed)] += 1
            assert sum(f.needed.n_values for f in found) == p.m * p.n * p.groups
    assert all((times == 1).all() for times in added.values())
    assert not stage.shortcut or (computed == 1).all()


def test_a_shortcut_tile_is_the_region_of_its_output_tile() -> None:
    stage = conv_stage(4, 6, 6, 8, square(3, 1, 1), shortcut=(3, 5))
    tiling = Tiling(4, 3, 6, 2, "weights_outer", False, False, 0, 0, 0, 0)
    found = [shortcut_fetches(stage, p, none) for p in passes(stage, tiling)]
    # Two passes of input channels for each tile: only the second one adds.
    assert [[(f.stored.edge, f.needed[:4]) for f in fs] for fs in found] == [
        [], [("s0", (0, 3, 0, 3)), ("s1", (0, 1, 0, 3))],
        [], [("s0", (0, 3, 3, 6)), ("s1", (0, 1, 3, 6))],
        [], [("s1", (1, 5, 0, 3))],
        [], [("s1", (1, 5, 3, 6))],
    ]  # fmt: skip


def test_a_stacked_input_is_fetched_part_by_part() -> None:
    layers: list[Layer] = [
        Conv("a", "x", "am", 2, 3, square(1)),
        Conv("b", "x", "bm", 2, 5, square(1)),
        Concat("cat", ("am", "bm"), "ab"),
        Conv("c", "ab", "y", 8, 4, square(1)),
    ]
    stage = stages(graph_of(layers, [Edge("x", 2, 6, 6)]))[-1]
    tiling = Tiling(4, 6, 6, 4, "weights_outer", False, False, 0, 0, 0, 0)
    found = [
        [(f.stored.edge, f.needed.c0, f.needed.c1, f.fetched.c0, f.fetched.c1) for f in fs]
        for fs in (fetches(stage, p, lambda _: (2, 2, 2)) for p in passes(stage, tiling))
    ]
    # Channels 0..3 are all of a and the first of b; its block of two comes twice.
    assert found == [[("am", 0, 3, 0, 3), ("bm", 0, 1, 0, 2)], [("bm", 1, 5, 0, 5)]]


def test_halo_rows_stay_in_the_buffer_down_a_column_of_tiles() -> None:
    stage = conv_stage(4, 12, 12, 8, square(3, 1, 1))
    tiling = Tiling(8, 4, 6, 4, "weights_outer", False, False, 0, 0, 0, 0)
    rows = [
        [(f.fetched.r0, f.fetched.r1, f.fetched.q0, f.fetched.q1) for f in fetches(stage, p, none)]
        for p in passes(stage, tiling)
    ]
    assert rows == [
        [(0, 5, 0, 7)],
        [(5, 9, 0, 7)],
        [(9, 12, 0, 7)],
        [(0, 5, 5, 12)],
        [(5, 9, 5, 12)],
        [(9, 12, 5, 12)],
    ]


def test_blocks_that_the_tile_above_brought_are_not_fetched_again() -> None:
    stage = conv_stage(4, 12, 12, 8, square(3, 1, 1))
    tiling = Tiling(8, 4, 12, 4, "weights_outer", False, False, 0, 0, 0, 0)
    found = [fetches(stage, p, lambda _: (4, 4, 4))[0] for p in passes(stage, tiling)]
    assert [(f.needed.r0, f.needed.r1) for f in found] == [(0, 5), (5, 9), (9, 12)]
    assert [(f.fetched.r0, f.fetched.r1) for f in found] == [(0, 8), (8, 12), (12, 12)]


@pytest.mark.parametrize("order, weights, ifmap", [("weights_outer", 2, 6), ("ifmap_outer", 6, 3)])
def test_the_inner_loop_decides_what_is_read_again(order: str, weights: int, ifmap: int) -> None:
    stage = conv_stage(4, 12, 12, 8, square(1))
    tiling = Tiling(4, 4, 12, 4, order, False, False, 0, 0, 0, 0)
    steps = list(passes(stage, tiling))
    assert len(steps) == 6
    assert sum(p.loads_weights for p in steps) == weights
    assert sum(p.loads_ifmap for p in steps) == ifmap


def test_input_channel_passes_alternate_operands_unless_resident() -> None:
    stage = conv_stage(4, 12, 12, 8, square(1))
    split = Tiling(8, 6, 12, 2, "weights_outer", False, False, 0, 0, 0, 0)
    steps = list(passes(stage, split))
    assert [(p.loads_ifmap, p.loads_weights, p.first, p.last) for p in steps] == [
        (True, True, True, False),
        (True, True, False, True),
    ] * 2
    kept = Tiling(8, 6, 12, 2, "weights_outer", False, True, 0, 0, 0, 0)
    assert [p.loads_weights for p in passes(stage, kept)] == [True, True, False, False]


def test_pooling_of_a_tile_leaves_no_convolution_row_to_two_tiles() -> None:
    # 13 rows, 3x3 pooling with stride 2: 6 pooled rows; pooled rows 0..2 need rows 0..6.
    stage = conv_stage(2, 13, 13, 2, square(1), pool=Pool("p", "y", "z", square(3, 2)))
    tiling = Tiling(2, 3, 6, 2, "weights_outer", False, False, 0, 0, 0, 0)
    assert [p.conv_rows for p in passes(stage, tiling)] == [(0, 7), (7, 13)]


@pytest.mark.parametrize(
    "before, computed, stored",
    [
        # Windows end before rows 2, 3, 4 and 5 of four: the last one adds no row.
        (1, [(0, 2), (2, 3), (3, 4)], [(0, 1), (1, 2), (2, 4)]),
        # Windows end before rows 0, 1, 2 and 3: the first one sees padding only.
        (3, [(0, 1), (1, 2), (2, 4)], [(0, 2), (2, 3), (3, 4)]),
    ],
)
def test_tiles_without_rows_of_their_own_join_their_neighbour(
    before: int, computed: list[tuple[int, int]], stored: list[tuple[int, int]]
) -> None:
    pool, same = Sliding(3, 1, before), Sliding(1, 1, 0)
    cut = spans(Axis(4, 4, 4, pool, same), (1,))
    assert list(zip(*(c.tolist() for c in cut.computed), strict=True)) == computed
    assert list(zip(*(c.tolist() for c in cut.stored), strict=True)) == stored


def test_a_sweep_starts_afresh() -> None:
    stage = conv_stage(4, 12, 12, 8, square(3, 1, 1))
    tiling = Tiling(4, 6, 12, 4, "weights_outer", False, False, 0, 0, 0, 0)
    assert [p.retained is None for p in passes(stage, tiling)] == [True, False, True, False]


def test_a_tile_that_cuts_a_group_is_refused() -> None:
    stage = conv_stage(4, 5, 5, 6, square(1), groups=2)
    tiling = Tiling(4, 5, 5, 2, "weights_outer", False, False, 0, 0, 0, 0)
    with pytest.raises(ValueError, match="cut a group"):
        list(passes(stage, tiling))


def none(_: StoredMap) -> None:
    return None
