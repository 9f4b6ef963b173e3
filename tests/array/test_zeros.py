"""Products of zeros left out: cases by hand, and arrays that walk every product of every PE."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from accelsim.array.dataflow import DATAFLOWS, ConvPass, Grid, PassCost, ZeroDataflow
from accelsim.array.nonzeros import Bools, Nonzeros, dense, operand_of

Matrix = NDArray[np.int64]
OS, WS, IS = (f"{name}_stationary" for name in ("output", "weight", "input"))
SKIPS = [(OS, "ifmap"), (OS, "weight"), (OS, "both"), (WS, "ifmap"), (IS, "weight")]
sizes = st.integers(1, 9)
sides = st.integers(1, 4)


def zero_dataflow(name: str) -> ZeroDataflow:
    dataflow = DATAFLOWS[name]
    assert isinstance(dataflow, ZeroDataflow)
    return dataflow


def cost(
    name: str,
    ifmap: Bools | None,
    weights: Bools | None,
    n_pixels: int,
    n_filters: int,
    grid: Grid,
    skip: bool,
    accumulate: int = 0,
) -> PassCost[int]:
    """One product by its tables [lines, k]; None is an operand whose zeros do not count."""
    table = ifmap if ifmap is not None else weights
    assert table is not None
    k = table.shape[1]
    work = ConvPass(1, n_pixels, n_filters, k, 1, 1, 1, accumulate, (1, 1), (1, 1))
    operands = [
        dense(1, n, k) if each is None else operand_of(each[None])
        for each, n in ((ifmap, n_pixels), (weights, n_filters))
    ]
    return zero_dataflow(name).cost_of(work, Nonzeros(*operands), grid, skip)


CHECKERBOARD = np.indices((4, 6)).sum(axis=0) % 2 == 0
ONE_SLOW_ROW = np.zeros((4, 6), np.bool_)
ONE_SLOW_ROW[2] = True

# 4 pixels of 6 inputs on 4 x 3 PEs, 5 filters: two folds of 4 rows each.
BY_HAND = {
    "nothing is zero": (np.ones((4, 6), np.bool_), 6, 120),
    "all is zero": (np.zeros((4, 6), np.bool_), 1, 0),
    "every other value": (CHECKERBOARD, 3, 60),
    "one slow row": (ONE_SLOW_ROW, 6, 30),
}


@pytest.mark.parametrize("case", list(BY_HAND))
def test_the_slowest_row_of_a_fold_decides(case: str) -> None:
    ifmap, slowest, made = BY_HAND[case]
    serial, overlapped = (
        cost(OS, ifmap, None, 4, 5, Grid(4, 3, overlap), skip=True) for overlap in (False, True)
    )
    assert serial.cycles == 2 * (slowest + 4 + 3 - 2)
    assert overlapped.cycles == max(slowest, 4) + slowest + 4 + 3 - 2
    assert serial.macs - serial.skipped_macs == made


def test_one_slow_row_spoils_its_own_fold_alone() -> None:
    """Eight pixels in two folds of rows: only the first waits for all six products."""
    ifmap = np.concatenate([ONE_SLOW_ROW, np.zeros_like(ONE_SLOW_ROW)])
    assert cost(OS, ifmap, None, 8, 3, Grid(4, 3, False), skip=True).cycles == 6 + 1 + 2 * 5


def test_two_sided_skipping_waits_for_the_pe_with_the_most_in_common() -> None:
    """Pixels have even or odd places; a filter has the even ones: three in common, or none."""
    filters = CHECKERBOARD[:1]
    grid = Grid(4, 1, False)
    assert cost(OS, CHECKERBOARD, filters, 4, 1, grid, skip=True).cycles == 3 + 3
    odd = CHECKERBOARD[1::2]
    assert cost(OS, odd, filters, 2, 1, grid, skip=True).cycles == 1 + 3


def test_accesses_of_output_stationary_by_hand() -> None:
    """12 of 24 inputs in two folds of columns, 30 weights; 60 of 120 products are made."""
    gated, skipped = (
        cost(OS, CHECKERBOARD, None, 4, 5, Grid(4, 3), skip=skip) for skip in (False, True)
    )
    assert (gated.ifmap_reads, skipped.ifmap_reads) == (24 * 2, 12 * 2)
    assert gated.weight_reads == skipped.weight_reads == 30
    for found in (gated, skipped):
        registers = found.ifmap_registers, found.weight_registers, found.psum_registers
        assert registers == (2 * 60, 2 * 120, 2 * 60)
    assert (gated.ifmap_rests, gated.weight_rests, gated.psum_rests) == (60, 0, 60)
    assert (skipped.ifmap_rests, skipped.weight_rests, skipped.psum_rests) == (60, 60, 60)


def test_accesses_of_weight_stationary_by_hand() -> None:
    """K of 6 in folds of 4 and 2: pixels 0 and 2 have an input in the second, 1 and 3 none."""
    ifmap = np.ones((4, 6), np.bool_)
    ifmap[1::2, 4:] = False
    grid = Grid(4, 3, False)
    gated, skipped = (cost(WS, ifmap, None, 4, 5, grid, skip=skip) for skip in (False, True))
    fill = 2 * 4 + 3 - 2
    assert (gated.cycles, skipped.cycles) == (4 * (4 + fill), 2 * (4 + fill) + 2 * (2 + fill))
    assert (gated.psum_reads, gated.psum_writes) == (20, 40)
    assert (skipped.psum_reads, skipped.psum_writes) == (10, 30)
    assert (gated.psum_registers, skipped.psum_registers) == (2 * 120, 2 * 100)
    assert gated.weight_registers == skipped.weight_registers == 30 + 100
    assert (gated.ifmap_reads, skipped.ifmap_reads) == (24 * 2, 20 * 2)


def test_the_first_fold_of_a_first_pass_takes_all_pixels() -> None:
    """Sums start in it; a later pass adds to sums that are there."""
    nothing = np.zeros((7, 4), np.bool_)
    grid = Grid(4, 3, False)
    first, later = (cost(WS, nothing, None, 7, 3, grid, True, accumulate) for accumulate in (0, 1))
    assert first.cycles - later.cycles == 7 - 1
    assert (first.psum_writes, later.psum_writes) == (21, 3)


def test_input_stationary_is_weight_stationary_of_the_transposed_product() -> None:
    rng = np.random.default_rng(0)
    table = rng.random((5, 9)) < 0.3
    for skip in (False, True):
        ours = cost(IS, None, table, 7, 5, Grid(4, 3), skip)
        mirror = cost(WS, table, None, 5, 7, Grid(4, 3), skip)
        assert (ours.cycles, ours.psum_reads) == (mirror.cycles, mirror.psum_reads)
        assert (ours.weight_reads, ours.weight_rests) == (mirror.ifmap_reads, mirror.ifmap_rests)


class Collision(Exception):
    """Two values in one register: the schedule is too tight."""


def claim(taken: set[tuple[int, int, int]], place: tuple[int, int, int]) -> None:
    if place in taken:
        raise Collision(place)
    taken.add(place)


def folds(size: int, side: int) -> list[range]:
    return [range(i, min(size, i + side)) for i in range(0, size, side)]


def output_stationary_array(
    a: Matrix, b: Matrix, grid: Grid, left_out: Bools, gaps: list[int]
) -> tuple[Matrix, int, int]:
    """``a @ b``, the cycles and the products made by an array of PEs with a shadow register each.

    ``left_out`` [m, n, k] are the products that PEs pass over. Fold f + 1 enters PE (0, 0)
    ``gaps[f]`` cycles after fold f. All PEs of a fold hold their sums until the slowest is done.
    """
    (m, _), n = a.shape, b.shape[1]
    todo = [(r, c) for c in folds(n, grid.cols) for r in folds(m, grid.rows)]
    out, made, start, end = np.zeros((m, n), np.int64), 0, 0, 0
    busy: set[tuple[int, int, int]] = set()  # PE and cycle
    held: set[tuple[int, int, int]] = set()  # shadow register and cycle
    for number, (fold_rows, fold_cols) in enumerate(todo):
        streams = {(i, j): np.flatnonzero(~left_out[i, j]) for i in fold_rows for j in fold_cols}
        slowest = max(1, *(len(each) for each in streams.values()))
        used = len(fold_rows)
        for c, j in enumerate(fold_cols):
            shift = start + slowest + c + used - 1
            for r, i in enumerate(fold_rows):
                for place in streams[i, j]:
                    made += 1
                    out[i, j] += a[i, place] * b[place, j]
                for cycle in range(slowest):
                    claim(busy, (r, c, start + r + c + cycle))
                for cycle in range(start + slowest + r + c, shift):
                    claim(held, (r, c, cycle))
                for row in range(r, grid.rows):
                    claim(held, (row, c, shift + row - r))
        end = start + slowest + grid.rows + grid.cols - 2
        start = start + gaps[number] if number < len(gaps) else start
    return out, end, made


def weight_stationary_array(
    a: Matrix, b: Matrix, grid: Grid, zero: Bools, gaps: list[int]
) -> tuple[Matrix, int, int]:
    """``a @ b`` with two weight registers per PE, the cycles, and the sums written to the buffer.

    A pixel enters a fold unless all its inputs of the fold are ``zero`` [m, k]; all enter the
    first. ``gaps`` are between the first pixels of folds.
    """
    (m, k), n = a.shape, b.shape[1]
    row_folds = folds(k, grid.rows)
    todo = [(r, c) for c in folds(n, grid.cols) for r in row_folds]
    start = len(row_folds[0])
    out, written, end, before = np.zeros((m, n), np.int64), 0, 0, 0
    busy: set[tuple[int, int, int]] = set()
    loading: set[tuple[int, int, int]] = set()
    for number, (fold_rows, fold_cols) in enumerate(todo):
        used, is_first = len(fold_rows), fold_rows[0] == 0
        enter = [p for p in range(m) if is_first or not zero[p, fold_rows].all()] or [0]
        load = 0 if number == 0 else before
        for c, j in enumerate(fold_cols):
            written += len(enter)
            for r, i in enumerate(fold_rows):
                enters = load + c + used - 1 - r
                for row in range(r + 1):
                    claim(loading, (row, c, enters + row))
                    if number and enters + row < before + row + c:
                        raise Collision("a weight is overwritten before it is used")
                if enters + r >= start + r + c:
                    raise Collision("a pixel arrives before the weight")
                for turn, pixel in enumerate(enter):
                    claim(busy, (r, c, start + r + c + turn))
                    out[pixel, j] += a[pixel, i] * b[i, j]
        end = start + len(enter) + grid.rows + grid.cols - 2
        before, start = start, start + gaps[number] if number < len(gaps) else start
    return out, end, written


def tightest(array: object, a: Matrix, b: Matrix, grid: Grid, what: Bools, n: int) -> list[int]:
    """The smallest gaps without a collision, found by trying."""
    gaps = [10_000] * n
    for i in range(n):
        for gap in range(1, 10_000):
            gaps[i] = gap
            try:
                array(a, b, grid, what, gaps)  # type: ignore[operator]
                break
            except Collision:
                continue
    return gaps


def sparse(shape: tuple[int, int], density: float, seed: int) -> Matrix:
    rng = np.random.default_rng(seed)
    return rng.integers(1, 9, shape) * (rng.random(shape) < density)


@pytest.mark.parametrize("of", ["ifmap", "weight", "both"])
@settings(deadline=None, max_examples=30)
@given(
    m=sizes, n=sizes, k=sizes, rows=sides, cols=sides, density=st.floats(0, 1), seed=st.integers(0)
)
def test_output_stationary_is_the_tightest_schedule_of_pes_that_pass_over_zeros(
    of: str, m: int, n: int, k: int, rows: int, cols: int, density: float, seed: int
) -> None:
    a, b = sparse((m, k), density, seed), sparse((k, n), density, seed + 1)
    zero = np.zeros((m, n, k), np.bool_)
    zero |= (a == 0)[:, None, :] & (of in ("ifmap", "both"))
    zero |= (b == 0).T[None, :, :] & (of in ("weight", "both"))
    grid = Grid(rows, cols)
    n_gaps = -(-m // rows) * -(-n // cols) - 1
    gaps = tightest(output_stationary_array, a, b, grid, zero, n_gaps)
    out, cycles, made = output_stationary_array(a, b, grid, zero, gaps)
    np.testing.assert_array_equal(out, a @ b)
    ifmap = a != 0 if of in ("ifmap", "both") else None
    weights = (b != 0).T if of in ("weight", "both") else None
    found = cost(OS, ifmap, weights, m, n, grid, skip=True)
    assert (found.cycles, found.macs - found.skipped_macs) == (cycles, made)


@settings(deadline=None, max_examples=40)
@given(
    m=sizes, n=sizes, k=sizes, rows=sides, cols=sides, density=st.floats(0, 1), seed=st.integers(0)
)
def test_weight_stationary_is_the_tightest_schedule_that_passes_over_pixels(
    m: int, n: int, k: int, rows: int, cols: int, density: float, seed: int
) -> None:
    a, b = sparse((m, k), density**2, seed), sparse((k, n), 1, seed + 1)
    grid = Grid(rows, cols)
    n_gaps = -(-k // rows) * -(-n // cols) - 1
    gaps = tightest(weight_stationary_array, a, b, grid, a == 0, n_gaps)
    out, cycles, written = weight_stationary_array(a, b, grid, a == 0, gaps)
    np.testing.assert_array_equal(out, a @ b)
    found = cost(WS, a != 0, None, m, n, grid, skip=True)
    assert (found.cycles, found.psum_writes) == (cycles, written)


@pytest.mark.parametrize(("name", "of"), SKIPS)
@given(m=sizes, n=sizes, k=sizes, groups=sides, overlap=st.booleans(), seed=st.integers(0))
def test_groups_follow_one_another(
    name: str, of: str, m: int, n: int, k: int, groups: int, overlap: bool, seed: int
) -> None:
    """Serial folds of all groups take what each group takes; counts add up in any case."""
    rng = np.random.default_rng(seed)
    shapes = {"ifmap": (groups, m, k), "weight": (groups, n, k)}
    tables = {side: rng.random(shape) < 0.4 for side, shape in shapes.items()}

    def operands(which: slice) -> Nonzeros:
        made = (
            operand_of(t[which]) if of in (side, "both") else dense(*t[which].shape)
            for side, t in tables.items()
        )
        return Nonzeros(*made)

    work = ConvPass(1, m, n, k, 1, 1, groups, 0, (1, 1), (1, 1))
    grid = Grid(3, 2, overlap)
    dataflow = zero_dataflow(name)
    together = dataflow.cost_of(work, operands(slice(None)), grid, skip=True)
    apart = [
        dataflow.cost_of(work._replace(groups=1), operands(slice(g, g + 1)), grid, skip=True)
        for g in range(groups)
    ]
    for field in (*PassCost.__slots__,):
        total = sum(getattr(each, field) for each in apart)
        if field == "cycles":
            assert together.cycles <= total
            assert overlap or together.cycles == total
        else:
            assert getattr(together, field) == total


def test_what_is_not_skipped_is_gated_and_costs_no_more() -> None:
    table = CHECKERBOARD
    gated, skipped = (cost(OS, table, None, 4, 5, Grid(4, 3), skip) for skip in (False, True))
    same = {"cycles": 0, "ifmap_reads": 0, "weight_rests": 0}
    assert replace(gated, **same) == replace(skipped, **same)
