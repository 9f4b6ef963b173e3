"""Who waits for whom, and what each map occupies."""

import numpy as np
import pytest

from accelsim.errors import MappingError
from accelsim.mapping.placing.blocked import BlockedMap
from accelsim.mapping.placing.layout import Counts, MapLayout, Moves
from accelsim.mapping.placing.linear import LinearMap
from accelsim.mapping.placing.place import PlacedMap, Placement
from accelsim.mapping.stages.stage import StoredMap
from accelsim.mapping.windows.window import Block, Windows, n_values
from accelsim.program.table import NONE
from tests.mapping.test_layout import stats, stored
from tests.mapping.test_lower import chip_of, made_up_stats
from tests.mapping.walked_windows import Window3


def waits(tiles: list[Window3], block: Block, *windows: Window3) -> list[int]:
    """The tiles that readers of a raw map of 10 x 8 x 9 wait for, numbered from 1 on."""
    layout = LinearMap(stored(10, 8, 9), 0, 16, block[0])
    placed = PlacedMap(layout, (0, 0), np.array(tiles, np.int64).reshape(-1, 6), 1, block)
    return placed.last_write(np.array(windows)).tolist()


def test_a_reader_waits_for_the_writers_of_its_own_channels_and_rows() -> None:
    whole = Window3(0, 10, 0, 8, 0, 9)
    assert waits([], (4, 2, 3), whole) == [NONE]
    tiles = [Window3(*c, *r, 0, 9) for c in ((0, 4), (4, 10)) for r in ((0, 4), (4, 8))]
    asked = {
        Window3(0, 4, 0, 4, 0, 9): 1,
        Window3(2, 4, 3, 5, 1, 2): 2,
        Window3(8, 10, 0, 1, 0, 9): 3,
        Window3(3, 5, 0, 4, 0, 9): 3,
        whole: 4,
        Window3(0, 10, 4, 4, 0, 9): NONE,  # nothing waits for nobody
    }
    assert waits(tiles, (4, 2, 3), *asked) == list(asked.values())


def test_channels_that_lie_together_wait_for_each_other() -> None:
    tiles = [Window3(0, 2, 0, 8, 0, 9), Window3(2, 6, 0, 8, 0, 9)]
    assert waits(tiles, (4, 2, 3), Window3(0, 1, 0, 8, 0, 9)) == [2]


def test_a_reader_of_columns_does_not_wait_for_the_tile_beside_it() -> None:
    tiles = [Window3(0, 10, 0, 8, 0, 6), Window3(0, 10, 0, 8, 6, 9)]
    assert waits(tiles, (4, 1, 3), Window3(0, 4, 0, 8, 0, 6)) == [1]
    assert waits(tiles, (4, 1, 3), Window3(0, 4, 0, 8, 5, 7)) == [2]


def test_images_lie_apart_and_share_the_codec_tables() -> None:
    chip = chip_of("slotted", (4, 4, 4))
    placement, a_map = Placement(chip), stored(5, 4, 8)
    measured = {a_map: made_up_stats(a_map, np.random.default_rng(0))}
    one = placement.place(a_map, measured)
    assert placement.place(a_map, measured) is one
    placement.start_image(1)
    two = placement.place(a_map, measured)
    assert one.codec_table == two.codec_table
    assert one.codec_table[1] == -(-300 // 8 // placement.line_bytes)
    assert one.layout.total_lines == two.layout.total_lines > 0
    assert one.layout.table_line != two.layout.table_line


def test_packed_blocks_lie_as_their_producer_writes_them() -> None:
    chip, a_map = chip_of("packed", (4, 4, 4)), stored(8, 4, 5)  # blocks of 4 x 2 x 5
    measured = {a_map: made_up_stats(a_map, np.random.default_rng(0))}
    tiles = np.array([[c, c + 4, r, r + 2, 0, 5] for r in (2, 0) for c in (4, 0)])
    layout = Placement(chip).place(a_map, measured, tiles).layout
    moves = layout.writes(tiles)
    assert moves.first.tolist() == [0, 1, 2, 3, 4]  # one block each
    ends = moves.first_line + moves.n_lines
    assert moves.first_line[1:].tolist() == ends[:-1].tolist()
    assert layout.table_line == ends[-1]


def test_tiles_that_cut_blocks_are_refused() -> None:
    chip, a_map = chip_of("slotted", (4, 4, 4)), stored(4, 4, 5)
    measured = {a_map: made_up_stats(a_map, np.random.default_rng(0))}
    halves = np.array([[0, 4, r, r + 1, 0, 5] for r in range(4)])
    with pytest.raises(MappingError, match="cut blocks"):
        Placement(chip).place(a_map, measured, halves)


@pytest.mark.parametrize("packed", [False, True])
def test_a_line_of_the_table_is_written_with_the_last_of_its_entries(packed: bool) -> None:
    # 48-bit entries in 16-byte lines: entries 0 1 2a | 2b 3 4 5a | ...; slots: all in one line.
    order = np.arange(5) if packed else None
    layout = BlockedMap(stored(5, 4, 8), (1, 4, 8), stats([32] * 5, [100] * 5), 0, 16, order)
    tiles = np.array([[b, b + 1, 0, 4, 0, 8] for b in (0, 2, 1, 4, 3)])
    moves = layout.writes(tiles)
    complete = np.split(moves.table_line - layout.table_line, moves.first_table[1:-1])
    expected = [[], [], [0], [], [1]] if packed else [[], [], [], [], [0]]
    assert [lines.tolist() for lines in complete] == expected
    placed = PlacedMap(layout, (0, 0), tiles, 10, (1, 4, 8))
    assert placed.table_write(moves.table_line).tolist() == ([12, 14] if packed else [14])


class OnChip:
    """A map that no line of DRAM holds: the least that a layout can be."""

    block = None
    total_lines = table_line = table_lines = entries_per_line = 0

    def __init__(self, whole: StoredMap) -> None:
        self.stored = whole

    def reads(self, fetched: Windows, needed: Windows) -> Moves:
        n, nothing = len(fetched), np.zeros(0, np.int64)
        none, first = np.zeros(n, np.int64), np.zeros(n + 1, np.int64)
        counts = Counts(n_values(needed), *[none] * 8)
        return Moves(first, nothing, nothing, nothing, first, nothing, counts)

    def writes(self, tiles: Windows) -> Moves:
        return self.reads(tiles, tiles)


def test_a_map_may_lie_in_no_line_of_dram() -> None:
    """Its readers wait for its writers all the same."""
    layout: MapLayout = OnChip(stored(4, 8, 9))
    tiles = np.array([[0, 4, 0, 4, 0, 9], [0, 4, 4, 8, 0, 9]])
    placed = PlacedMap(layout, (0, 0), tiles, 5, (4, 2, 3))
    assert placed.written.first.tolist() == [0, 0, 0]
    assert placed.written.counts.totals().needed_values == 4 * 8 * 9
    assert placed.last_write(tiles).tolist() == [5, 6]
