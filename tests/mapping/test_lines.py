"""Lines that windows touch, counted for many windows at once: by hand, then value by value."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.mapping.windows.lines import Arrangement, line_counts
from accelsim.mapping.windows.ranges import Ranges

Range = tuple[int, int]


def tiles(*candidates: list[Range]) -> Ranges:
    """The cuts of one axis, each a list of ranges."""
    which = [i for i, found in enumerate(candidates) for _ in found]
    start, stop = (np.array([r[end] for found in candidates for r in found]) for end in (0, 1))
    return Ranges(np.array(which), start, stop, len(candidates))


@pytest.mark.parametrize(
    ("line_bytes", "channels", "rows", "cols", "lines"),
    [
        (1, (0, 16), (0, 2), (0, 3), 96),  # exact bytes
        (16, (0, 16), (0, 2), (0, 3), 6),  # a pixel of a whole group is a line
        (64, (0, 16), (0, 2), (0, 3), 2),  # 48 bytes from the start of each row of 128
        (64, (0, 16), (0, 2), (2, 5), 4),  # bytes 32 to 80 of each row
        (64, (0, 16), (1, 3), (0, 8), 4),  # whole rows are one run of 256 bytes
        (16, (3, 4), (0, 1), (0, 8), 8),  # one channel of 16: the pixels lie lines apart
        (16, (16, 20), (0, 1), (0, 8), 2),  # the last group is thin: 32 bytes from byte 1024
        (16, (12, 20), (0, 1), (0, 8), 10),  # both
        (64, (0, 20), (0, 8), (0, 8), 20),  # the whole map: 1280 bytes
    ],
)
def test_windows_of_20_channels_by_hand(
    line_bytes: int, channels: Range, rows: Range, cols: Range, lines: int
) -> None:
    values = Arrangement(20, 8, 8, bits=8, group=16)
    cuts = (tiles([r]) for r in (channels, rows, cols))
    assert line_counts(values, line_bytes * 8, *cuts).tolist() == [[[lines]]]


def test_groups_share_a_line_where_the_window_holds_the_end_of_one_and_the_start_of_the_next() -> (
    None
):
    # 16 x 9 = 144 bytes, then 4 x 9 = 36: 180 bytes are 3 lines of 64, not 3 + 1.
    values = Arrangement(20, 3, 3, bits=8, group=16)
    whole, alone = tiles([(0, 20)]), tiles([(0, 16), (16, 20)])
    rows = tiles([(0, 3)])
    assert line_counts(values, 512, whole, rows, rows).tolist() == [[[3]]]
    assert line_counts(values, 512, alone, rows, rows).tolist() == [[[4]]]


@st.composite
def axes(draw: st.DrawFn, size: int) -> list[list[Range]]:
    """Two cuts of an axis, of up to three tiles each; some are empty."""
    ends = st.tuples(st.integers(0, size), st.integers(0, size))
    one = st.lists(ends.map(sorted).map(tuple), min_size=1, max_size=3)
    return [draw(one), draw(one)]  # type: ignore[list-item]


@st.composite
def windows(draw: st.DrawFn):  # type: ignore[no-untyped-def]
    shape = draw(st.tuples(st.integers(1, 37), st.integers(1, 7), st.integers(1, 7)))
    bits, group = draw(st.sampled_from([1, 3, 5, 8, 16])), draw(st.sampled_from([1, 4, 5, 16]))
    line_bits = draw(st.sampled_from([8, 48, 128, 256, 512]))
    return Arrangement(*shape, bits, group), line_bits, [draw(axes(n)) for n in shape]


@given(windows())
@settings(deadline=None, max_examples=150)
def test_every_window_costs_the_distinct_lines_of_its_values(drawn) -> None:  # type: ignore[no-untyped-def]
    values, line_bits, cuts = drawn
    found = line_counts(values, line_bits, *(tiles(*axis) for axis in cuts))
    place = positions(values)
    expected = np.zeros((2, 2, 2))
    for i, channels in enumerate(cuts[0]):
        for j, rows in enumerate(cuts[1]):
            for k, cols in enumerate(cuts[2]):
                boxes = [place[slice(*c), slice(*r), slice(*q)]
                         for c in channels for r in rows for q in cols]  # fmt: skip
                expected[i, j, k] = sum(n_lines(box, values.bits, line_bits) for box in boxes)
    assert (np.broadcast_to(found, expected.shape) == expected).all()


def positions(values: Arrangement) -> np.ndarray:  # type: ignore[type-arg]
    """[channels, rows, cols] which value of the map each is: group, row, column, channel."""
    c, r, q = np.indices((values.channels, values.rows, values.cols))
    first = c // values.group * values.group
    depth = np.minimum(values.group, values.channels - first)
    return first * values.rows * values.cols + (r * values.cols + q) * depth + c - first


def n_lines(box: np.ndarray, bits: int, line_bits: int) -> int:  # type: ignore[type-arg]
    every_bit = (box.ravel()[:, None] * bits + np.arange(bits)).ravel()
    return len(np.unique(every_bit // line_bits))
