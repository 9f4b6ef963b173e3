"""Who waits for whom, and what each map occupies."""

import numpy as np
import pytest

from accelsim.mapping.layout import BlockedMap, LinearMap
from accelsim.mapping.place import PlacedMap
from accelsim.mapping.program import NONE
from accelsim.mapping.window import Window3
from tests.mapping.test_layout import stats, stored


def test_a_reader_waits_for_the_writers_of_its_own_channels_and_rows() -> None:
    placed = PlacedMap(LinearMap(stored(10, 8, 5), 0, 16, 4), (0, 0), 4)
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
    placed = PlacedMap(LinearMap(stored(10, 8, 5), 0, 16, 4), (0, 0), 4)
    placed.wrote(Window3(0, 2, 0, 8, 0, 5), 1)
    placed.wrote(Window3(2, 6, 0, 8, 0, 5), 2)
    assert placed.last_write(Window3(0, 1, 0, 8, 0, 5)) == 2


@pytest.mark.parametrize("packed", [False, True])
def test_a_line_of_the_table_is_written_with_the_last_of_its_entries(packed: bool) -> None:
    # 48-bit entries in 16-byte lines: entries 0 1 2a | 2b 3 4 5a | ...; slots: all in one line.
    order = np.arange(5) if packed else None
    layout = BlockedMap(stored(5, 4, 8), (1, 4, 8), stats([32] * 5, [100] * 5), 0, 16, order)
    placed = PlacedMap(layout, (0, 0), 1)
    complete = [placed.complete_table_lines(np.array([b])).tolist() for b in (0, 2, 1, 4, 3)]
    assert complete == ([[], [], [0], [], [1]] if packed else [[], [], [], [], [0]])
    placed.wrote_table(np.array([0]), 7)
    assert placed.last_table_write(np.array([0])) == 7
    assert placed.last_table_write(np.zeros(0, np.int64)) == NONE
