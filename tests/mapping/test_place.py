"""Who waits for whom, and what each map occupies."""

import numpy as np
import pytest

from accelsim.errors import MappingError
from accelsim.mapping.placing.blocked import BlockedMap
from accelsim.mapping.placing.linear import LinearMap
from accelsim.mapping.placing.place import PlacedMap, Placement
from accelsim.mapping.windows.window import Window3
from accelsim.program.table import NONE
from tests.mapping.test_layout import stats, stored
from tests.mapping.test_lower import chip_of, made_up_stats


def test_a_reader_waits_for_the_writers_of_its_own_channels_and_rows() -> None:
    placed = PlacedMap(LinearMap(stored(10, 8, 5), 0, 16, 4), (0, 0), (4, 2, 3))
    assert placed.last_write(Window3(0, 10, 0, 8, 0, 5)) == NONE
    placed.wrote(Window3(0, 4, 0, 4, 0, 5), 1)
    placed.wrote(Window3(0, 4, 4, 8, 0, 5), 2)
    placed.wrote(Window3(4, 10, 0, 4, 0, 5), 3)
    placed.wrote(Window3(4, 10, 4, 8, 0, 5), 4)
    assert placed.last_write(Window3(0, 4, 0, 4, 0, 5)) == 1
    assert placed.last_write(Window3(2, 4, 3, 5, 1, 2)) == 2
    assert placed.last_write(Window3(8, 10, 0, 1, 0, 5)) == 3
    assert placed.last_write(Window3(3, 5, 0, 4, 0, 5)) == 3
    assert placed.last_write(Window3(0, 10, 0, 8, 0, 5)) == 4
    assert placed.last_write(Window3(0, 10, 4, 4, 0, 5)) == NONE, "nothing waits for nobody"


def test_channels_that_lie_together_wait_for_each_other() -> None:
    placed = PlacedMap(LinearMap(stored(10, 8, 5), 0, 16, 4), (0, 0), (4, 2, 3))
    placed.wrote(Window3(0, 2, 0, 8, 0, 5), 1)
    placed.wrote(Window3(2, 6, 0, 8, 0, 5), 2)
    assert placed.last_write(Window3(0, 1, 0, 8, 0, 5)) == 2


def test_a_reader_of_columns_does_not_wait_for_the_tile_beside_it() -> None:
    placed = PlacedMap(LinearMap(stored(4, 8, 9), 0, 16, 4), (0, 0), (4, 1, 3))
    placed.wrote(Window3(0, 4, 0, 8, 0, 6), 1)
    placed.wrote(Window3(0, 4, 0, 8, 6, 9), 2)
    assert placed.last_write(Window3(0, 4, 0, 8, 0, 6)) == 1
    assert placed.last_write(Window3(0, 4, 0, 8, 5, 7)) == 2


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
    assert one.layout.base_line != two.layout.base_line


def test_packed_blocks_lie_as_their_producer_writes_them() -> None:
    chip, a_map = chip_of("packed", (4, 4, 4)), stored(8, 4, 5)  # blocks of 4 x 2 x 5
    measured = {a_map: made_up_stats(a_map, np.random.default_rng(0))}
    tiles = [Window3(c, c + 4, r, r + 2, 0, 5) for r in (2, 0) for c in (4, 0)]
    layout = Placement(chip).place(a_map, measured, tiles).layout
    assert isinstance(layout, BlockedMap)
    next_line = layout.base_line
    for tile in tiles:
        (block,) = layout.blocks(tile)
        assert layout.first_line[block] == next_line
        next_line += layout.n_lines[block]
    assert layout.table_line == next_line


def test_tiles_that_cut_blocks_are_refused() -> None:
    chip, a_map = chip_of("slotted", (4, 4, 4)), stored(4, 4, 5)
    measured = {a_map: made_up_stats(a_map, np.random.default_rng(0))}
    halves = [Window3(0, 4, r, r + 1, 0, 5) for r in range(4)]
    with pytest.raises(MappingError, match="cut blocks"):
        Placement(chip).place(a_map, measured, halves)


@pytest.mark.parametrize("packed", [False, True])
def test_a_line_of_the_table_is_written_with_the_last_of_its_entries(packed: bool) -> None:
    # 48-bit entries in 16-byte lines: entries 0 1 2a | 2b 3 4 5a | ...; slots: all in one line.
    order = np.arange(5) if packed else None
    layout = BlockedMap(stored(5, 4, 8), (1, 4, 8), stats([32] * 5, [100] * 5), 0, 16, order)
    placed = PlacedMap(layout, (0, 0), (1, 4, 8))
    complete = [placed.complete_table_lines(np.array([b])).tolist() for b in (0, 2, 1, 4, 3)]
    assert complete == ([[], [], [0], [], [1]] if packed else [[], [], [], [], [0]])
    placed.wrote_table(np.array([0]), 7)
    assert placed.last_table_write(np.array([0])) == 7
    assert placed.last_table_write(np.zeros(0, np.int64)) == NONE
