"""Code lengths against brute force, a textbook heap, and an independent library."""

import heapq
from fractions import Fraction
from itertools import combinations_with_replacement, pairwise

import constriction
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.codecs import rates
from accelsim.codecs.coding.huffman_code import canonical_codes, code_lengths, decoding_table
from accelsim.errors import CodecError

counts_of_few_symbols = st.lists(st.integers(0, 1000), min_size=2, max_size=7)


def heap_cost(counts: list[int]) -> int:
    """Bits of an unlimited Huffman code: each merge adds one bit to all below it."""
    heap = [c for c in counts if c > 0]
    heapq.heapify(heap)
    cost = 0
    while len(heap) > 1:
        heapq.heappush(heap, node := heapq.heappop(heap) + heapq.heappop(heap))
        cost += node
    return cost


def best_limited_cost(counts: list[int], limit: int) -> int:
    """The cheapest of all sets of lengths that satisfy Kraft's inequality."""
    falling = sorted((c for c in counts if c > 0), reverse=True)
    return min(
        sum(c * length for c, length in zip(falling, lengths, strict=True))
        for lengths in combinations_with_replacement(range(1, limit + 1), len(falling))
        if sum(Fraction(1, 2**length) for length in lengths) <= 1
    )


@settings(deadline=None, max_examples=60)
@given(counts_of_few_symbols, st.integers(3, 5))
def test_limited_lengths_cost_no_more_than_any_other_prefix_code(
    counts: list[int], limit: int
) -> None:
    if sum(c > 0 for c in counts) < 2:
        return
    lengths = code_lengths(np.array(counts), limit)
    assert int((lengths * np.array(counts)).sum()) == best_limited_cost(counts, limit)
    assert lengths.max() <= limit
    assert sum(Fraction(1, 2 ** int(n)) for n in lengths if n) == 1


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=300))
def test_loose_limits_and_the_ideal_rate_equal_the_textbook_heap(counts: list[int]) -> None:
    if sum(c > 0 for c in counts) < 2:
        return
    array = np.array(counts)
    assert int((code_lengths(array, 30) * array).sum()) == heap_cost(counts)
    assert rates.huffman_bits(array) == heap_cost(counts)


def test_the_ideal_rate_equals_constriction() -> None:
    rng = np.random.default_rng(5)
    # Dense symbols: the library gives codes to symbols that never occur, too.
    values = np.unique(rng.geometric(0.3, 5000), return_inverse=True)[1]
    counts = np.bincount(values)
    tree = constriction.symbol.huffman.EncoderHuffmanTree(counts.astype(np.float32))
    coder = constriction.symbol.QueueEncoder()
    for value in values.tolist():
        coder.encode_symbol(value, tree)
    _, n_bits = coder.get_compressed()
    assert rates.huffman_bits(counts) == n_bits


def test_fibonacci_counts_reach_the_limit() -> None:
    fibonacci = [1, 1]
    while len(fibonacci) < 40:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])
    lengths = code_lengths(np.array(fibonacci), 12)
    assert lengths.max() == 12
    assert sum(Fraction(1, 2 ** int(n)) for n in lengths) <= 1
    assert code_lengths(np.array(fibonacci), 39).max() == 39


def test_more_symbols_than_the_limit_can_tell_apart_is_an_error() -> None:
    assert set(code_lengths(np.ones(16, int), 4)) == {4}
    with pytest.raises(CodecError, match=r"17 symbols occur.*16 apart"):
        code_lengths(np.ones(17, int), 4)


def test_a_lone_symbol_takes_one_bit_and_nothing_takes_none() -> None:
    assert code_lengths(np.array([0, 7, 0]), 12).tolist() == [0, 1, 0]
    assert code_lengths(np.zeros(3, int), 12).tolist() == [0, 0, 0]
    assert rates.huffman_bits(np.array([0, 7, 0])) == 7
    assert rates.huffman_bits(np.zeros(3, int)) == 0


def test_later_symbols_of_equal_count_get_the_longer_codes() -> None:
    assert code_lengths(np.array([5, 5, 5]), 12).tolist() == [1, 2, 2]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=40))
def test_codes_are_a_prefix_code_in_canonical_order_and_the_table_reads_them(
    counts: list[int],
) -> None:
    lengths = code_lengths(np.array(counts), 12)
    codes = canonical_codes(lengths)
    coded = sorted((int(n), s) for s, n in enumerate(lengths) if n)
    texts = [f"{codes[s]:0{n}b}" for n, s in coded]
    assert texts == sorted(texts)
    assert not any(b.startswith(a) for a, b in pairwise(texts))
    table, longest = decoding_table(lengths)
    for (n, symbol), code in zip(coded, texts, strict=True):
        windows = table[int(code.ljust(longest, "0"), 2) : int(code.ljust(longest, "1"), 2) + 1]
        assert set(windows.tolist()) == {symbol * 32 + n}


def test_entropy_of_nothing_and_of_a_constant_is_zero() -> None:
    assert rates.entropy_bits(np.zeros(4, np.int64)) == 0.0
    assert rates.entropy_bits(np.array([9, 0])) == 0.0


def test_plain_python_and_compiled_rates_agree() -> None:
    words = np.random.default_rng(0).integers(0, 16, 100).astype(np.uint16)
    compiled, plain = np.zeros(16, np.int64), np.zeros(16, np.int64)
    rates._count(words, compiled)
    rates._count.py_func(words, plain)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(compiled, plain)
    assert rates._merge_cost(np.sort(compiled)) == rates._merge_cost.py_func(np.sort(plain))  # type: ignore[attr-defined]
