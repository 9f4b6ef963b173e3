"""Windows against sets of values."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.mapping.tiling.kernel import bring
from accelsim.mapping.windows.window import Block, n_values
from tests.mapping.walked_windows import Window3, align, intersection, new_part

EXTENTS = (5, 7, 6)


def values(w: Window3) -> set[tuple[int, int, int]]:
    return set(product(range(w.c0, w.c1), range(w.r0, w.r1), range(w.q0, w.q1)))


@st.composite
def windows(draw: st.DrawFn) -> Window3:
    ends = []
    for size in EXTENTS:
        start = draw(st.integers(0, size))
        ends += [start, draw(st.integers(start, size))]
    return Window3(*ends)


blocks = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))


@given(windows(), windows())
def test_an_intersection_holds_the_values_of_both(a: Window3, b: Window3) -> None:
    assert values(intersection(a, b)) == values(a) & values(b)
    assert intersection(a, b).n_values == len(values(a) & values(b))


@given(windows(), blocks)
def test_an_aligned_window_is_exactly_the_blocks_touched(
    w: Window3, block: tuple[int, int, int]
) -> None:
    def block_of(value: tuple[int, int, int]) -> tuple[int, ...]:
        return tuple(i // b for i, b in zip(value, block, strict=True))

    touched = {block_of(v) for v in values(w)}
    everything = product(*(range(n) for n in EXTENTS))
    aligned = align(w, block, EXTENTS)
    assert values(aligned) == {v for v in everything if block_of(v) in touched}
    assert align(w, None, EXTENTS) == w


@settings(max_examples=300)
@given(windows(), windows(), st.booleans())
def test_the_new_part_and_what_stays_make_the_window(a: Window3, b: Window3, same: bool) -> None:
    if same:  # windows of unrelated columns seldom meet
        b = b._replace(c0=a.c0, c1=a.c1, q0=a.q0, q1=a.q1)
    new = values(new_part(b, a))
    assert new <= values(b)
    assert values(b) - new <= values(a)
    if same and a.r0 <= b.r0:
        assert new == values(b) - values(a)


def test_rows_are_kept_only_from_above_and_from_the_same_columns() -> None:
    window = Window3(0, 4, 4, 10, 0, 9)
    assert new_part(window, None) == window
    assert new_part(window, window._replace(r0=2, r1=6)).r0 == 6
    assert new_part(window, window._replace(r0=6, r1=12)) == window
    assert new_part(window, window._replace(r0=2, r1=6, q1=8)) == window
    assert new_part(window, window._replace(r0=0, r1=20)).n_values == 0


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(windows(), windows(), st.booleans())), st.none() | blocks)
def test_many_windows_at_once_bring_what_each_brings_alone(
    drawn: list[tuple[Window3, Window3, bool]], block: Block | None
) -> None:
    asked = [a for a, _, _ in drawn]
    held = [b._replace(c0=a.c0, c1=a.c1, q0=a.q0, q1=a.q1) if s else b for a, b, s in drawn]
    one, two = (np.array(w, np.int64).reshape(-1, 6) for w in (asked, held))
    assert n_values(one).tolist() == [w.n_values for w in asked]
    needed, fetched = np.empty((2, *one.shape), np.int64)
    whole, extents = np.empty(len(one), np.int64), (3, *EXTENTS[1:])
    bring(one, two, 2, extents, block or (1, 1, 1), needed, fetched, whole)
    for i, (a, b) in enumerate(zip(asked, held, strict=True)):
        a, b = (
            intersection(w._replace(c0=w.c0 - 2, c1=w.c1 - 2), Window3(0, 3, 0, 7, 0, 6))
            for w in (a, b)
        )
        assert whole[i] == align(a, block, extents).n_values
        if a.n_values:
            assert Window3(*needed[i]) == new_part(a, b)
            blocks_of_a, blocks_of_b = align(a, block, extents), align(b, block, extents)
            assert Window3(*fetched[i]) == new_part(blocks_of_a, blocks_of_b)
