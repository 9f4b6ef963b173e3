"""Quantised frequencies against brute force, and reciprocals against integer division."""

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.codecs.coding.ans import quantised
from accelsim.codecs.coding.rans_tables import division_shift, reciprocals
from accelsim.codecs.coding.unseen import with_unseen


def cross_entropy_bits(counts: list[int], frequencies: tuple[int, ...], total: int) -> float:
    pairs = zip(counts, frequencies, strict=True)
    return -sum(n * np.log2(f / total) for n, f in pairs if n)


def divisions(counts: list[int], total: int) -> Iterator[tuple[int, ...]]:
    """All frequencies that sum to ``total``, with at least 1 for each symbol that occurs."""
    choices = [range(1, total + 1) if n else (0,) for n in counts]
    return (parts for parts in product(*choices) if sum(parts) == total)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from([0, 1, 2, 7, 60, 1000]), min_size=1, max_size=4))
def test_no_other_frequencies_cost_less(counts: list[int]) -> None:
    if not any(counts):
        return
    frequencies = tuple(quantised(np.array(counts), 16).tolist())
    assert sum(frequencies) == 16
    least = min(cross_entropy_bits(counts, parts, 16) for parts in divisions(counts, 16))
    assert cross_entropy_bits(counts, frequencies, 16) == pytest.approx(least, abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(0, 10**9) | st.integers(0, 3), min_size=1, max_size=300),
    st.sampled_from([512, 4096]),
)
def test_moving_one_part_never_gains_anything(counts: list[int], total: int) -> None:
    frequencies = quantised(np.array(counts), total)
    present = np.array(counts) > 0
    assert ((frequencies > 0) == present).all()
    if not present.any():
        return
    assert frequencies.sum() == total
    n, f = np.array(counts)[present].astype(float), frequencies[present].astype(float)
    gain_of_one_more = n * np.log1p(1 / f)
    with np.errstate(divide="ignore"):
        loss_of_one_less = np.where(f > 1, -n * np.log1p(-1 / f), np.inf)
    assert gain_of_one_more.max() <= loss_of_one_less.min() * (1 + 1e-12)


def test_frequencies_of_nothing_are_zero_and_a_lone_symbol_takes_all() -> None:
    assert quantised(np.zeros(3, np.int64), 16).tolist() == [0, 0, 0]
    assert quantised(np.array([0, 5]), 4096).tolist() == [0, 4096]
    assert quantised(np.ones(4096, np.int64), 4096).tolist() == [1] * 4096


def test_the_first_of_equal_symbols_gets_the_odd_part() -> None:
    assert quantised(np.array([5, 5, 5]), 16).tolist() == [6, 5, 5]


def test_escapes_count_values_seen_once_unless_all_were_seen() -> None:
    assert with_unseen(np.array([3, 0, 3]), 16).tolist() == [3, 0, 3, 1]
    assert with_unseen(np.array([3, 1, 1]), 16).tolist() == [3, 1, 1, 0]
    assert with_unseen(np.array([3, 0, 1]), 8).tolist() == [4, 1, 2, 0]


@pytest.mark.parametrize("range_bits", [12, 16])
def test_reciprocals_divide_exactly_every_state_that_the_encoder_meets(range_bits: int) -> None:
    """Proof for all f and all x: only a multiple of f, or one below it, can go wrong first.

    The error of the product grows with x, so of all x with the same remainder the largest
    is the worst; and of all remainders, f - 1 when rounded up, 0 when rounded down.
    """
    frequencies = np.arange(1, (1 << range_bits) + 1)
    multipliers, biases = reciprocals(frequencies, range_bits)
    shift = division_shift(range_bits)
    rows = zip(frequencies.tolist(), multipliers.tolist(), biases.tolist(), strict=True)
    for f, multiplier, bias in rows:
        below = f << (32 - range_bits)
        for x in (0, f - 1, f, below - f, below - 1, below // 2 // f * f, below // 2 // f * f - 1):
            assert (x * multiplier + bias) >> shift == x // f, (f, x)
        assert (below - 1) * multiplier + bias < 1 << 63
        assert bias in (0, multiplier)
        excess = multiplier * f - (1 << shift)
        assert (excess < 0) == (bias > 0)
        # x e / (f 2^shift) < 1 / f, or (x + 1) e / (f 2^shift) <= 1 / f.
        assert (below - 1) * excess < 1 << shift and below * -excess <= 1 << shift
