"""All passes, fetches and moves of a stage at once are those of walking them one by one."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from accelsim.codecs.base import BlockStats
from accelsim.codecs.blocks import block_sizes
from accelsim.mapping.placing.blocked import BlockedMap
from accelsim.mapping.placing.bus import Levels
from accelsim.mapping.placing.index_cache import IndexCache
from accelsim.mapping.placing.layout import Moves
from accelsim.mapping.placing.linear import LinearMap
from accelsim.mapping.placing.place import PlacedMap
from accelsim.mapping.stages.stage import StoredMap
from accelsim.mapping.tiling.fetch import fetches
from accelsim.mapping.tiling.passes import NONE, Passes, Pieces, passes
from accelsim.mapping.windows.window import Block, Windows
from accelsim.workload.layer import Conv
from tests.mapping import walked_fetches, walked_passes
from tests.mapping.test_tiles import Case, cases
from tests.mapping.walked_layouts import (
    Cost,
    WalkedBlocks,
    WalkedCache,
    WalkedWriters,
    linear_cost,
)
from tests.mapping.walked_windows import Window3

BASE = 1000


def boxes(windows: Windows) -> list[Window3]:
    return [Window3(*w) for w in windows.tolist()]


def pieces_of(pieces: Pieces, key: int) -> list[list[int]]:
    first = int(pieces.first[key])
    return pieces.ends[first : first + int(pieces.n_each[key])].tolist()


@settings(deadline=None, max_examples=300)
@given(cases(), st.data())
def test_the_passes_of_a_stage_are_those_walked_one_by_one(case: Case, data: st.DataObject) -> None:
    case = with_kernel_cut(case, data)
    found = passes(case.stage, case.tiling)
    walked = list(walked_passes.passes(case.stage, case.tiling))
    assert found.n_passes == len(walked)
    assert boxes(found.output) == [p.output for p in walked]
    assert boxes(found.computed) == [p.computed for p in walked]
    assert boxes(found.window) == [p.window for p in walked]
    for i, p in enumerate(walked):
        assert pieces_of(found.row_pieces, found.row_key[i]) == [list(r) for r in p.pieces[0]]
        assert pieces_of(found.col_pieces, found.col_key[i]) == [list(q) for q in p.pieces[1]]
    for name in ("loads_ifmap", "loads_weights", "first", "last"):
        assert getattr(found, name).tolist() == [getattr(p, name) for p in walked]
    retained = [None if i == NONE else Window3(*found.window[i]) for i in found.retained.tolist()]
    assert retained == [p.retained for p in walked]
    assert found.parts.n_weights[found.part].tolist() == [p.n_weights for p in walked]
    numbers = dict.fromkeys((p.output.c0, p.part) for p in walked)
    assert found.part.tolist() == [list(numbers).index((p.output.c0, p.part)) for p in walked]
    if isinstance(case.stage.layer, Conv):
        check_work(found, walked, case.stage.layer)


def check_work(found: Passes, walked: list[walked_passes.Pass], layer: Conv) -> None:
    work, singles = found.of(layer), [p.of(layer) for p in walked]
    for name in ("rows", "cols", "out_channels", "in_channels", "kernel_rows", "kernel_cols",
                 "groups", "accumulate"):  # fmt: skip
        assert getattr(work, name).tolist() == [getattr(one, name) for one in singles]
    assert (work.stride, work.dilation) == (layer.window.stride, layer.window.dilation)


def with_kernel_cut(case: Case, data: st.DataObject) -> Case:
    """Perhaps with passes over some kernel positions only."""
    if not isinstance(case.stage.layer, Conv) or data.draw(st.booleans()):
        return case
    kernel = case.stage.layer.window.kernel
    rows, cols = (data.draw(st.integers(1, n)) for n in kernel)
    return case._replace(tiling=replace(case.tiling, kernel=(rows, cols)))


@settings(deadline=None, max_examples=300)
@given(cases(), st.data())
def test_the_fetches_of_a_stage_are_those_of_its_passes_one_by_one(
    case: Case, data: st.DataObject
) -> None:
    case = with_kernel_cut(case, data)
    stage = case.stage

    def block_of(stored: StoredMap) -> Block | None:
        return None if stored.edge.endswith("1") else case.block

    all_passes = passes(stage, case.tiling)
    found = fetches(stage, all_passes, block_of)
    expected: list[tuple[int, bool, StoredMap, Window3, Window3]] = []
    for i, p in enumerate(walked_passes.passes(stage, case.tiling)):
        brought = walked_fetches.fetches(stage, p, block_of)
        added = walked_fetches.shortcut_fetches(stage, p, block_of)
        for is_shortcut, several in ((False, brought), (True, added)):
            expected += [(i, is_shortcut, f.stored, f.needed, f.fetched) for f in several]
        assert found.new_bytes[i] == sum(f.fetched.n_values for f in brought)
        if p.loads_ifmap:
            whole = walked_fetches.fetches(stage, replace(p, retained=None), block_of)
            assert found.window_bytes[i] == sum(f.fetched.n_values for f in whole)
    assert expected == [
        (step, shortcut, found.maps[stored], needed, fetched)
        for step, shortcut, stored, needed, fetched in zip(
            found.step.tolist(),
            found.is_shortcut.tolist(),
            found.stored.tolist(),
            boxes(found.needed),
            boxes(found.fetched),
            strict=True,
        )
    ]


class Asked(NamedTuple):
    stored: StoredMap
    block: Block
    fetched: list[Window3]
    needed: list[Window3]
    line_bytes: int


@st.composite
def asked(draw: st.DrawFn) -> Asked:
    """Windows of a map, and others for which they are moved; some are empty."""
    shape = draw(st.integers(1, 9)), draw(st.integers(1, 7)), draw(st.integers(1, 7))
    bits = draw(st.sampled_from([2, 5, 8, 16]))
    block = draw(st.integers(1, 5)), draw(st.integers(1, 4)), draw(st.integers(1, 4))

    def windows() -> list[Window3]:
        found = []
        for _ in range(n):
            sides = [sorted(draw(st.tuples(*[st.integers(0, size)] * 2))) for size in shape]
            found.append(Window3(*(end for side in sides for end in side)))
        return found

    n = draw(st.integers(0, 5))
    stored = StoredMap("map", 0, *shape, bits, False)
    return Asked(stored, block, windows(), windows(), draw(st.sampled_from([4, 8, 16, 64])))


def as_array(windows: list[Window3]) -> Windows:
    return np.array(windows, np.int64).reshape(-1, 6)


def costs(moves: Moves) -> list[Cost]:
    """Window after window."""
    first, c = moves.first.tolist(), moves.counts
    lists = [column.tolist() for column in (moves.first_line, moves.n_lines, moves.work_cycles)]
    counts = (c.coded_bytes, c.padding_bytes, c.overfetch_bytes, c.codec_values,
              c.fallback_blocks, c.costly_bits, c.toggles)  # fmt: skip
    return [
        Cost(*(column[a:b] for column in lists), *(int(count[i]) for count in counts))
        for i, (a, b) in enumerate(pairwise(first))
    ]


def moved_on(cost: Cost) -> Cost:
    return replace(cost, first_line=[BASE + line for line in cost.first_line])


def check_needed(moves: Moves, case: Asked, needed: list[Window3]) -> None:
    assert moves.counts.needed_values.tolist() == [w.n_values for w in needed]
    bits = [w.n_values * case.stored.bits for w in needed]
    assert moves.counts.needed_bytes.tolist() == [-(-b // 8) for b in bits]


@settings(deadline=None, max_examples=400)
@given(asked(), st.sampled_from([1, 3, 4, 16]))
def test_many_windows_of_a_raw_map_cost_what_each_costs_alone(case: Asked, group: int) -> None:
    levels = Levels(0.37, 0.5)
    layout = LinearMap(case.stored, 0, case.line_bytes, group, levels).moved_to(BASE)
    moves = layout.reads(as_array(case.fetched), as_array(case.needed))
    expected = [linear_cost(case.stored, case.line_bytes, group, levels, w) for w in case.fetched]
    assert costs(moves) == [moved_on(cost) for cost in expected]
    check_needed(moves, case, case.needed)
    assert moves.table_line.size == 0 and not moves.first_table.any()


class Blocks(NamedTuple):
    walked: WalkedBlocks
    layout: BlockedMap
    tiles: list[Window3]


def made_blocks(case: Asked, packed: bool, data: st.DataObject) -> Blocks:
    """A map of blocks of any length, and tiles of one or more blocks in any order."""
    shape = case.stored.channels, case.stored.rows, case.stored.cols
    sizes = block_sizes(shape, case.block)
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    bits = rng.integers(0, case.stored.bits + 2, len(sizes)) * sizes
    work = rng.integers(0, 2, len(sizes)) * sizes
    stats = BlockStats(sizes, bits, sizes, encode_work=work, decode_work=sizes + 1)
    beats = rng.integers(0, 99, (4, len(sizes)))
    sides = [
        [(a, min(a + step, size)) for a in range(0, size, step)]
        for size, step in zip(
            shape, (b * data.draw(st.integers(1, 2)) for b in case.block), strict=True
        )
    ]
    tiles = [Window3(*c, *r, *q) for c in sides[0] for r in sides[1] for q in sides[2]]
    tiles = [tiles[i] for i in rng.permutation(len(tiles))]
    slotted = WalkedBlocks(case.stored, case.block, stats, case.line_bytes, None, beats)
    order = np.array([b for t in tiles for b in slotted.blocks(t)]) if packed else None
    walked = WalkedBlocks(case.stored, case.block, stats, case.line_bytes, order, beats)
    layout = BlockedMap(case.stored, case.block, stats, 0, case.line_bytes, order, beats)
    return Blocks(walked, layout.moved_to(BASE), tiles)


@settings(deadline=None, max_examples=400)
@given(asked(), st.booleans(), st.data())
def test_many_windows_of_a_compressed_map_cost_what_each_costs_alone(
    case: Asked, packed: bool, data: st.DataObject
) -> None:
    walked, layout, _ = made_blocks(case, packed, data)
    moves = layout.reads(as_array(case.fetched), as_array(case.needed))
    expected = [walked.cost(*pair) for pair in zip(case.fetched, case.needed, strict=True)]
    assert costs(moves) == [moved_on(cost) for cost in expected]
    check_needed(moves, case, case.needed)
    first = moves.first_table.tolist()
    lines = (moves.table_line - BASE - walked.body).tolist()
    for i, window in enumerate(case.fetched):
        assert lines[first[i] : first[i + 1]] == walked.table_lines(walked.blocks(window))


@settings(deadline=None, max_examples=200)
@given(asked(), st.booleans(), st.data())
def test_writing_a_compressed_map_costs_what_its_tiles_cost_and_its_table_comes_with_the_last(
    case: Asked, packed: bool, data: st.DataObject
) -> None:
    walked, layout, tiles = made_blocks(case, packed, data)
    moves = layout.writes(as_array(tiles))
    assert costs(moves) == [moved_on(walked.cost(t, t, write=True)) for t in tiles]
    check_needed(moves, case, tiles)
    first, lines = moves.first_table.tolist(), moves.table_line - BASE - walked.body
    written: set[int] = set()
    for i, tile in enumerate(tiles):
        written |= set(walked.blocks(tile))
        unknown = set(range(layout.grid[0] * layout.grid[1] * layout.grid[2])) - written
        missing = set(walked.table_lines(unknown))
        complete = set(walked.table_lines(walked.blocks(tile))) - missing
        assert lines[first[i] : first[i + 1]].tolist() == sorted(complete)
    assert layout.table_lines == len(walked.table_lines(written)) == len(lines)


@settings(deadline=None, max_examples=200)
@given(asked(), st.data())
def test_who_wrote_last_is_known_for_many_windows(case: Asked, data: st.DataObject) -> None:
    n_tiles = data.draw(st.integers(0, len(case.needed)))
    tiles = [w for w in case.needed[:n_tiles] if w.n_values]
    layout = LinearMap(case.stored, 0, 16, case.block[0])
    placed = PlacedMap(layout, (0, 0), as_array(tiles), 3, case.block)
    walked = WalkedWriters(case.stored, case.block)
    for i, tile in enumerate(tiles):
        walked.wrote(tile, 3 + i)
    found = placed.last_write(as_array(case.fetched)).tolist()
    for window, last in zip(case.fetched, found, strict=True):
        if window.n_values:
            assert last == walked.last_write(window)


accesses = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 4)), max_size=60)


@settings(deadline=None)
@given(st.integers(0, 12), accesses, st.integers(0, 60))
def test_the_cache_of_table_entries_forgets_as_one_line_at_a_time(
    capacity: int, drawn: list[tuple[int, int]], cut: int
) -> None:
    walked, cache = WalkedCache(capacity), IndexCache(capacity)
    lines, entries = np.array(drawn, np.int64).reshape(-1, 2).T.copy()
    found: list[NDArray[np.bool_]] = [
        cache.misses(lines[part], entries[part]) for part in (slice(cut), slice(cut, None))
    ]
    assert np.concatenate(found).tolist() == [walked.misses(*access) for access in drawn]
