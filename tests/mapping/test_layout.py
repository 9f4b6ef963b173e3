"""Where windows of a map lie in DRAM: by hand, then against a value-by-value reckoning.

``test_walked.py`` holds many windows at a time against walking them one by one.
"""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from accelsim.codecs.base import BlockStats
from accelsim.mapping.placing.blocked import BlockedMap, block_grid, blocks_in
from accelsim.mapping.placing.bus import Levels
from accelsim.mapping.placing.index_cache import IndexCache
from accelsim.mapping.placing.layout import MapLayout, Moves
from accelsim.mapping.placing.linear import LinearMap
from accelsim.mapping.placing.weights import WeightTiles, window_of
from accelsim.mapping.stages.stage import StoredMap
from tests.mapping.walked_windows import Window3


def stored(channels: int, rows: int, cols: int, bits: int = 8) -> StoredMap:
    return StoredMap("map", 0, channels, rows, cols, bits, False)


def stats(n_values: list[int], payload_bits: list[int]) -> BlockStats:
    n, bits = np.array(n_values, np.int64), np.array(payload_bits, np.int64)
    return BlockStats(n, bits, np.zeros_like(n), encode_work=n, decode_work=n)


def read(layout: MapLayout, window: Window3, needed: Window3 | None = None) -> Moves:
    """What one window costs."""
    return layout.reads(np.array([window]), np.array([needed or window]))


def blocks(layout: BlockedMap, window: Window3) -> list[int]:
    return blocks_in(np.array([window]), layout.block, layout.grid)[1].tolist()


def value_bits(m: StoredMap, group: int, w: Window3) -> list[int]:
    """First bit of every value of the window, counted one value at a time."""
    found = []
    for c in range(w.c0, w.c1):
        g0 = c // group * group
        depth = min(group, m.channels - g0)
        for r in range(w.r0, w.r1):
            for q in range(w.q0, w.q1):
                index = g0 * m.rows * m.cols + (r * m.cols + q) * depth + (c - g0)
                found.append(index * m.bits)
    return found


windows = st.tuples(st.integers(1, 9), st.integers(1, 6), st.integers(1, 6)).flatmap(
    lambda s: st.tuples(
        st.just(s),
        *(
            st.tuples(st.integers(0, n - 1), st.integers(1, n)).filter(lambda p: p[0] < p[1])
            for n in s
        ),
    )
)


@given(windows, st.sampled_from([2, 5, 8, 16]), st.sampled_from([1, 3, 4, 16]))
@settings(deadline=None, max_examples=200)
def test_linear_windows_move_exactly_the_lines_of_their_values(drawn, bits, group) -> None:  # type: ignore[no-untyped-def]
    (shape, (c0, c1), (r0, r1), (q0, q1)) = drawn
    m, w = stored(*shape, bits=bits), Window3(c0, c1, r0, r1, q0, q1)
    moves = read(LinearMap(m, 1000, 16, group), w)
    first_bits = value_bits(m, group, w)
    expected = {1000 + b // 128 for b in first_bits} | {
        1000 + (b + bits - 1) // 128 for b in first_bits
    }
    moved = [
        line
        for first, n in zip(moves.first_line, moves.n_lines, strict=True)
        for line in range(first, first + n)
    ]
    assert sorted(moved) == sorted(expected), "every line once, and no other"
    (coded_bytes,) = moves.counts.coded_bytes
    assert coded_bytes == -(-w.n_values * bits // 8)
    assert moves.counts.padding_bytes == len(moved) * 16 - coded_bytes


def test_an_empty_window_costs_nothing() -> None:
    nothing = Window3(0, 4, 2, 2, 0, 4)
    moves = read(LinearMap(stored(4, 4, 4), 0, 16, 4), nothing)
    assert len(moves.first_line) == 0 and moves.counts.coded_bytes.tolist() == [0]


def test_an_empty_window_at_the_ragged_end_of_a_map_touches_no_block() -> None:
    # Rows 0..4 and 4..7: the last block of rows is not whole, so row 7 is no block border.
    m = BlockedMap(stored(1, 7, 4), (1, 4, 4), stats([16, 12], [64, 64]), 0, 4, None)
    nothing = Window3(0, 1, 7, 7, 0, 4)
    assert blocks(m, nothing) == []
    assert read(m, nothing).counts.coded_bytes.tolist() == [0]


def test_slotted_blocks_start_at_multiples_of_their_raw_size() -> None:
    # Two blocks of 64 values: 64 bytes raw, so slots of 4 lines of 16 bytes.
    m = BlockedMap(stored(2, 4, 8), (1, 4, 8), stats([32, 32], [100, 250]), 10, 16, None)
    assert m.grid == (2, 1, 1)
    assert m.first_line.tolist() == [10, 12]
    # 100 bits are 13 bytes: one line. 250 bits are 32 bytes: two lines, as many as raw.
    assert m.n_lines.tolist() == [1, 2]
    assert m.fallback.tolist() == [False, True]
    assert m.block_bytes.tolist() == [13, 32]
    assert m.entry_bits == 2  # lengths 0, 1, 2 lines
    assert (m.table_line, m.table_lines, m.total_lines) == (14, 1, 5)


def test_packed_blocks_follow_in_the_order_of_production() -> None:
    m = BlockedMap(
        stored(3, 4, 8), (1, 4, 8), stats([32] * 3, [100, 10, 250]), 10, 16, np.array([2, 0, 1])
    )
    assert m.n_lines.tolist() == [1, 1, 2]
    assert m.first_line.tolist() == [12, 13, 10]
    assert m.entry_bits == 48
    assert m.table_line == 14
    assert m.table_lines == 2  # 3 entries of 48 bits are 18 bytes


def test_blocks_that_a_window_touches_are_fetched_whole() -> None:
    m = BlockedMap(stored(4, 4, 4), (2, 2, 4), stats([16] * 4, [64] * 4), 0, 4, None)
    rows = Window3(0, 2, 1, 3, 0, 4)  # one row of each of two blocks
    counts = read(m, rows).counts
    assert blocks(m, rows) == [0, 1]
    assert counts.coded_bytes.tolist() == [16]
    assert counts.overfetch_bytes.tolist() == [8]  # half of the values are not needed
    assert counts.needed_values.tolist() == [16]
    assert counts.codec_values.tolist() == [32]
    assert m.writes(np.array([[0, 2, 0, 4, 0, 4]])).counts.codec_values.tolist() == [32]


def test_overfetch_is_the_share_of_each_block_not_of_the_mean() -> None:
    # Blocks of 10 and 20 bytes, two rows each; the second row of the first is not needed.
    m = BlockedMap(stored(2, 4, 8), (2, 2, 8), stats([32, 32], [80, 160]), 0, 4, None)
    for rows, overfetch in (((1, 4), 5), ((0, 3), 10)):
        counts = read(m, Window3(0, 2, 0, 4, 0, 8), Window3(0, 2, *rows, 0, 8)).counts
        assert counts.overfetch_bytes == overfetch


@given(st.integers(1, 9), st.integers(1, 4), st.lists(st.integers(1, 9), min_size=1), st.data())
@settings(deadline=None)
def test_a_map_read_down_its_rows_has_no_overfetch_in_the_end(
    channels: int, block_rows: int, steps: list[int], data: st.DataObject
) -> None:
    """Each step needs some more rows; a block comes with the first step that needs it."""
    rows, block = sum(steps), (2, block_rows, 3)
    m = stored(channels, rows, 5)
    sizes = [
        min(2, channels - c) * min(block_rows, rows - r) * min(3, 5 - q)
        for c in range(0, channels, 2)
        for r in range(0, rows, block_rows)
        for q in (0, 3)
    ]
    bits = [data.draw(st.integers(1, 8 * n)) for n in sizes]
    layout = BlockedMap(m, block, stats(sizes, bits), 0, 4, None)
    overfetch = coded = row = held = 0
    for step in steps:
        until = row + step
        fetched_until = max(held, min(rows, -(-until // block_rows) * block_rows))
        fetched = Window3(0, channels, held, fetched_until, 0, 5)
        found = read(layout, fetched, Window3(0, channels, row, until, 0, 5)).counts
        overfetch += found.totals().overfetch_bytes
        coded += found.totals().coded_bytes
        assert overfetch >= 0
        row, held = until, fetched_until
    assert overfetch == 0
    assert coded == layout.block_bytes.sum()


def test_the_blocks_of_all_tiles_are_all_blocks_once() -> None:
    m = stored(20, 13, 9)
    block = (16, 4, 5)
    nc, nr, nq = block_grid(m, block)
    assert (nc, nr, nq) == (2, 4, 2)
    n = nc * nr * nq
    layout = BlockedMap(m, block, stats([1] * n, [1] * n), 0, 16, None)
    corners = [(c, r) for c in (0, 16) for r in range(0, 13, 4)]
    tiles = [Window3(c, min(c + 16, 20), r, min(r + 4, 13), 0, 9) for c, r in corners]
    assert sorted(b for t in tiles for b in blocks(layout, t)) == list(range(n))


def test_table_lines_hold_the_entries_of_the_blocks() -> None:
    n = 40
    m = BlockedMap(stored(n, 4, 8), (1, 4, 8), stats([32] * n, [8] * n), 0, 16, np.arange(n))
    # Entries of 48 bits: entry 2 lies in bits 96..143, which is lines 0 and 1 of the table.
    for channels, lines in (((2, 3), [0, 1]), ((0, 2), [0]), ((3, 6), [1, 2])):
        moves = read(m, Window3(*channels, 0, 4, 0, 8))
        assert (moves.table_line - m.table_line).tolist() == lines


@settings(deadline=None)
@given(st.integers(1, 5), st.lists(st.integers(1, 7), max_size=40))
@example(2, [1, 2, 1, 3, 1])  # the last access hits; first in, first out would miss
def test_the_index_cache_forgets_the_least_recently_used(
    capacity: int, accesses: list[int]
) -> None:
    cache, held, expected = IndexCache(capacity), list[int](), list[int]()
    for line in accesses:
        if line in held:
            held.remove(line)
        else:
            expected.append(line)
        held = [*held, line][-capacity:]
    one = np.ones(1, np.int64)
    assert [x for x in accesses if cache.misses(np.array([x]), one)[0]] == expected


def test_the_index_cache_counts_entries_not_lines() -> None:
    cache, four = IndexCache(10), np.full(5, 4)
    # The third line pushes out the first, which pushes out the third: the second was used again.
    found = cache.misses(np.array([1, 2, 3, 2, 1]), four)
    assert found.tolist() == [True, True, True, False, True]
    assert cache.misses(np.array([2, 3]), four[:2]).tolist() == [False, True]


def test_blocks_look_on_the_pins_as_they_are_stored() -> None:
    """Block 0 is coded, block 1 falls back to raw: each has the beats of what is stored."""
    beats = np.array([[10, 20], [1, 2], [300, 400], [30, 40]])
    m = BlockedMap(stored(2, 4, 8), (1, 4, 8), stats([32, 32], [100, 250]), 10, 16, None, beats)
    assert m.fallback.tolist() == [False, True]
    both, one = Window3(0, 2, 0, 4, 0, 8), Window3(1, 2, 0, 4, 0, 8)
    found = m.reads(np.array([both, one]), np.array([both, one])).counts
    assert found.costly_bits.tolist() == [10 + 400, 400]
    assert found.toggles.tolist() == [1 + 40, 40]


def test_maps_without_blocks_look_like_their_mean_in_all_that_is_moved() -> None:
    """Two of a group's four channels cost the lines of all four."""
    w = Window3(0, 2, 0, 4, 0, 8)
    linear = LinearMap(stored(4, 4, 8), 0, 16, 4, Levels(0.25, 0.5))
    found = read(linear, w).counts
    n_bits = 8 * 4 * 4 * 8
    assert 8 * (found.coded_bytes + found.padding_bytes) == n_bits
    assert (found.costly_bits, found.toggles) == (n_bits // 4, n_bits // 2)


def test_weights_lie_tile_after_tile_each_from_a_line_of_its_own() -> None:
    tiles = WeightTiles(np.array([20, 16, 3]), 4, 100, 8, Levels(0.25, 0.5))
    # 10, 8 and 2 bytes in lines of 8: two lines, one and one.
    assert tiles.total_lines == 4
    asked = window_of(np.array([2, 0, 2]))
    moves = tiles.reads(asked, asked)
    assert moves.first_line.tolist() == [103, 100, 103]
    assert moves.n_lines.tolist() == [1, 2, 1]
    assert moves.counts.needed_values.tolist() == [3, 20, 3]
    assert moves.counts.coded_bytes.tolist() == [2, 10, 2]
    assert moves.counts.padding_bytes.tolist() == [6, 6, 6]
    # Of the weights alone: four bits in 16, twenty in 80.
    assert moves.counts.costly_bits.tolist() == [4, 20, 4]
    assert tiles.moved_to(0).reads(asked, asked).first_line.tolist() == [3, 0, 3]
