"""Cycles of the dataflows: against register-level arrays and against SCALE-Sim's reports."""

from __future__ import annotations

import csv
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from accelsim.array.dataflow import DATAFLOWS, ConvPass, Grid, PassCost
from accelsim.array.scalesim import scalesim_total_cycles

Matrix = NDArray[np.int64]
SCALESIM = Path(__file__).parents[1] / "data" / "scalesim"
SHORT = {"os": "output_stationary", "ws": "weight_stationary", "is": "input_stationary"}
each_dataflow = pytest.mark.parametrize("name", list(DATAFLOWS))
sizes = st.integers(1, 9)
sides = st.integers(1, 4)


def cost(
    name: str,
    m: int,
    n: int,
    k: int,
    rows: int,
    cols: int,
    overlap: bool,
    accumulate: bool,
    groups: int = 1,
) -> PassCost[int]:
    """``groups`` products of m x n x k, as 1 x 1 convolutions of one row of m pixels."""
    work = ConvPass(1, m, n, k, 1, 1, groups, int(accumulate), stride=(1, 1), dilation=(1, 1))
    return DATAFLOWS[name].cost(work, Grid(rows, cols, overlap))


class Collision(Exception):
    """Two values in one register: the schedule is too tight."""


def folds(size: int, side: int) -> list[range]:
    return [range(i, min(size, i + side)) for i in range(0, size, side)]


def output_stationary_array(
    a: Matrix, b: Matrix, rows: int, cols: int, gaps: list[int]
) -> tuple[Matrix, int]:
    """``a @ b`` on an array of PEs with a shadow register each, and the cycles it took.

    Fold f + 1 enters PE (0, 0) ``gaps[f]`` cycles after fold f. A column shifts its sums
    out through its foot, beginning when its lowest used PE has finished.
    """
    (m, k), n = a.shape, b.shape[1]
    todo = [(r, c) for c in folds(n, cols) for r in folds(m, rows)]
    starts = np.concatenate([[0], np.cumsum(np.array(gaps, np.int64))])
    out = np.zeros((m, n), np.int64)
    busy: set[tuple[int, int, int]] = set()  # PE and cycle
    held: set[tuple[int, int, int]] = set()  # shadow register and cycle
    for (fold_rows, fold_cols), start in zip(todo, starts.tolist(), strict=True):
        used = len(fold_rows)
        for c, j in enumerate(fold_cols):
            shift = start + k + c + used - 1  # the lowest used PE hands over its sum
            for r, i in enumerate(fold_rows):
                for t in range(k):
                    claim(busy, (r, c, start + r + c + t))
                    out[i, j] += a[i, t] * b[t, j]
                for cycle in range(start + k + r + c, shift):
                    claim(held, (r, c, cycle))
                for row in range(r, rows):
                    claim(held, (row, c, shift + row - r))
    # The control wave of the last fold leaves through the far corner, used or not.
    return out, int(starts[-1]) + k + rows + cols - 2


def weight_stationary_array(
    a: Matrix, b: Matrix, rows: int, cols: int, gaps: list[int]
) -> tuple[Matrix, int]:
    """``a @ b`` with two weight registers per PE; ``gaps`` as above, after the first load."""
    (m, k), n = a.shape, b.shape[1]
    todo = [(r, c) for c in folds(n, cols) for r in folds(k, rows)]
    first_load = len(todo[0][0])
    starts = (first_load + np.concatenate([[0], np.cumsum(np.array(gaps, np.int64))])).tolist()
    out = np.zeros((m, n), np.int64)
    busy: set[tuple[int, int, int]] = set()
    loading: set[tuple[int, int, int]] = set()
    for f, (fold_rows, fold_cols) in enumerate(todo):
        used = len(fold_rows)
        load = 0 if f == 0 else starts[f - 1]  # right behind the wave that frees the registers
        for c, j in enumerate(fold_cols):
            for r, i in enumerate(fold_rows):
                enters = load + c + used - 1 - r  # the lowest row's weight enters first
                for row in range(r + 1):
                    claim(loading, (row, c, enters + row))
                    if f and enters + row < starts[f - 1] + row + c:
                        raise Collision("a weight is overwritten before it is used")
                in_place = enters + r
                if in_place >= starts[f] + r + c:
                    raise Collision("a pixel arrives before the weight")
                for pixel in range(m):
                    claim(busy, (r, c, starts[f] + r + c + pixel))
                    out[pixel, j] += a[pixel, i] * b[i, j]
    return out, starts[-1] + m + rows + cols - 2


def claim(taken: set[tuple[int, int, int]], place: tuple[int, int, int]) -> None:
    if place in taken:
        raise Collision(place)
    taken.add(place)


def earliest_gaps(array: object, a: Matrix, b: Matrix, rows: int, cols: int, n: int) -> list[int]:
    """The smallest gaps without a collision, found by trying."""
    gaps: list[int] = [10_000] * n
    for i in range(n):
        for gap in range(1, 10_000):
            gaps[i] = gap
            try:
                array(a, b, rows, cols, gaps)  # type: ignore[operator]
                break
            except Collision:
                continue
    return gaps


def matrices(m: int, n: int, k: int) -> tuple[Matrix, Matrix]:
    rng = np.random.default_rng(m * 100 + n * 10 + k)
    return rng.integers(-9, 9, (m, k)), rng.integers(-9, 9, (k, n))


@settings(deadline=None, max_examples=40)
@given(m=sizes, n=sizes, k=sizes, rows=sides, cols=sides)
def test_overlapped_output_stationary_is_the_tightest_schedule_of_an_array(
    m: int, n: int, k: int, rows: int, cols: int
) -> None:
    a, b = matrices(m, n, k)
    n_gaps = -(-m // rows) * -(-n // cols) - 1
    gaps = earliest_gaps(output_stationary_array, a, b, rows, cols, n_gaps)
    out, cycles = output_stationary_array(a, b, rows, cols, gaps)
    np.testing.assert_array_equal(out, a @ b)
    assert cost("output_stationary", m, n, k, rows, cols, True, False).cycles == cycles


@settings(deadline=None, max_examples=40)
@given(m=sizes, n=sizes, k=sizes, rows=sides, cols=sides)
def test_overlapped_weight_stationary_is_the_tightest_schedule_of_an_array(
    m: int, n: int, k: int, rows: int, cols: int
) -> None:
    a, b = matrices(m, n, k)
    n_gaps = -(-k // rows) * -(-n // cols) - 1
    gaps = earliest_gaps(weight_stationary_array, a, b, rows, cols, n_gaps)
    out, cycles = weight_stationary_array(a, b, rows, cols, gaps)
    np.testing.assert_array_equal(out, a @ b)
    assert cost("weight_stationary", m, n, k, rows, cols, True, False).cycles == cycles


@given(m=sizes, n=sizes, k=sizes, rows=sides, cols=sides, overlap=st.booleans())
def test_input_stationary_is_weight_stationary_of_the_transposed_product(
    m: int, n: int, k: int, rows: int, cols: int, overlap: bool
) -> None:
    one = cost("input_stationary", m, n, k, rows, cols, overlap, True)
    other = cost("weight_stationary", n, m, k, rows, cols, overlap, True)
    assert (one.cycles, one.ifmap_reads) == (other.cycles, other.weight_reads)
    assert (one.weight_reads, one.psum_reads) == (other.ifmap_reads, other.psum_reads)
    assert one.ifmap_registers == other.weight_registers
    assert one.weight_registers == other.ifmap_registers
    assert one.psum_registers == other.psum_registers


@each_dataflow
@given(m=sizes, n=sizes, k=sizes, groups=sides, rows=sides, cols=sides)
def test_overlap_never_costs_cycles_and_never_beats_the_number_of_macs(
    name: str, m: int, n: int, k: int, groups: int, rows: int, cols: int
) -> None:
    overlapped, serial = (
        cost(name, m, n, k, rows, cols, overlap, False, groups).cycles for overlap in (True, False)
    )
    assert m * n * k * groups <= overlapped * rows * cols
    assert overlapped <= serial


@each_dataflow
def test_costs_of_arrays_are_the_costs_of_their_elements(name: str) -> None:
    m, n, k = np.meshgrid([1, 31, 33], [1, 64, 65], [9, 32, 100])
    for overlap in (False, True):
        array = Grid(32, 16, overlap)
        ones, groups, first = (np.full_like(m, i) for i in (1, 3, 0))
        work = ConvPass(ones, m, n, k, ones, ones, groups, first, stride=(1, 1), dilation=(1, 1))
        many = DATAFLOWS[name].cost(work, array)
        one_by_one = [
            cost(name, *map(int, mnk), 32, 16, overlap, False, groups=3)
            for mnk in zip(m.flat, n.flat, k.flat, strict=True)
        ]
        for field in fields(PassCost):
            found = np.broadcast_to(getattr(many, field.name), m.shape)
            assert found.ravel().tolist() == [getattr(one, field.name) for one in one_by_one]


def test_buffer_accesses_follow_the_folds() -> None:
    # 5 pixels, 7 channels, 9 products on 4 x 3: folds of M 2, of N 3, of K 3.
    os = cost("output_stationary", 5, 7, 9, 4, 3, False, False)
    assert (os.ifmap_reads, os.weight_reads) == (5 * 9 * 3, 9 * 7 * 2)
    assert (os.psum_reads, os.psum_writes) == (0, 35)
    ws = cost("weight_stationary", 5, 7, 9, 4, 3, False, False)
    assert (ws.ifmap_reads, ws.weight_reads) == (5 * 9 * 3, 9 * 7)
    assert (ws.psum_reads, ws.psum_writes) == (35 * 2, 35 * 3)
    is_ = cost("input_stationary", 5, 7, 9, 4, 3, False, False)
    assert (is_.ifmap_reads, is_.weight_reads) == (5 * 9, 9 * 7 * 2)
    assert (is_.psum_reads, is_.psum_writes) == (35 * 2, 35 * 3)


def test_registers_hold_what_stays_and_hand_on_what_moves() -> None:
    """The same product: 315 of them, 63 weights, 45 inputs."""
    os, ws, is_ = (
        cost(f"{name}_stationary", 5, 7, 9, 4, 3, False, True, groups=2)
        for name in ("output", "weight", "input")
    )
    products = 2 * 5 * 7 * 9
    assert (os.ifmap_registers, os.weight_registers) == (2 * products, 2 * products)
    # Each weight is loaded once; each input, too.
    assert (ws.ifmap_registers, ws.weight_registers) == (2 * products, products + 2 * 63)
    assert (is_.ifmap_registers, is_.weight_registers) == (products + 2 * 45, 2 * products)
    assert os.psum_registers == ws.psum_registers == is_.psum_registers == 2 * products


@each_dataflow
@given(m=sizes, n=sizes, k=sizes, groups=sides, rows=sides, cols=sides)
def test_registers_hold_at_least_what_comes_in_and_what_is_computed(
    name: str, m: int, n: int, k: int, groups: int, rows: int, cols: int
) -> None:
    """A product reads both operands and its sum in the PE; buffers write into registers."""
    found = cost(name, m, n, k, rows, cols, True, False, groups)
    products = m * n * k * groups
    assert found.ifmap_registers >= products + found.ifmap_reads
    assert found.weight_registers >= products + found.weight_reads
    assert found.psum_registers >= products + found.psum_writes


@each_dataflow
def test_a_later_pass_reads_each_partial_sum_once_more(name: str) -> None:
    first, later = (cost(name, 5, 7, 9, 4, 3, False, accumulate) for accumulate in (False, True))
    assert later.psum_reads - first.psum_reads == 5 * 7
    assert later.psum_writes == first.psum_writes


def test_totals_equal_the_closed_form_of_the_full_resnet18() -> None:
    with (SCALESIM / "closed_form_resnet18.csv").open() as file:
        for row in csv.DictReader(file):
            rows, cols = (int(x) for x in row["array"].split("x"))
            m, k, n = int(row["M"]), int(row["K"]), int(row["N"])
            for short, name in SHORT.items():
                total = scalesim_total_cycles(DATAFLOWS[name], m, n, k, rows, cols)
                assert total == int(row[f"{short}_total_cycles"]), row


REPORTS = sorted((SCALESIM / "reports").glob("*.csv"))


@pytest.mark.parametrize("report", REPORTS, ids=lambda p: p.stem)
def test_totals_equal_the_compute_reports_that_scalesim_wrote(report: Path) -> None:
    short, array = report.stem.split("__")[1].split("_")[:2]
    rows, cols = (int(x) for x in array.split("x"))
    with (SCALESIM / "r18_sub.csv").open() as file:
        layers = [[c.strip() for c in line] for line in list(csv.reader(file))[1:] if line]
    with report.open() as file:
        totals = [int(line[2]) for line in list(csv.reader(file))[1:] if line]
    for (_, h, w, r, s, c, n, stride, *_), expected in zip(layers, totals, strict=True):
        # SCALE-Sim rounds output sizes up.
        out_h, out_w = (
            -(-(int(size) - int(kernel) + int(stride)) // int(stride))
            for size, kernel in ((h, r), (w, s))
        )
        m, k = out_h * out_w, int(r) * int(s) * int(c)
        assert scalesim_total_cycles(DATAFLOWS[SHORT[short]], m, int(n), k, rows, cols) == expected


def test_there_is_a_report_for_every_dataflow_and_array() -> None:
    assert len(REPORTS) == 9
