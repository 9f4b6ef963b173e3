"""APack: a bit-by-bit coder as reference, entropy as bound, and the search for ranges."""

from itertools import combinations, product
from math import ceil, inf, log2

import constriction
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from accelsim.codecs import rates
from accelsim.codecs.base import Bitstream, Word, one_block
from accelsim.codecs.coding.range_coder import length_field_bits
from accelsim.codecs.coding.ranges import MOST_LIMITS, best_ranges, integer_shares, possible_limits
from accelsim.codecs.formats.apack import Apack
from accelsim.errors import CodecError

# 0 to 3 with half of 1024, 4 with 2 of it, 5 to 7 with the rest.
UNEVEN = Apack(Word(3), ((0, 511), (4, 2), (5, 511)))


def text(stream: Bitstream) -> str:
    return "".join(map(str, np.unpackbits(stream.payload)[: stream.bits]))


def from_text(bits: str) -> Bitstream:
    array = np.array([int(c) for c in bits], np.uint8)
    return Bitstream(np.packbits(array), np.array([0, len(array)], np.int64))


def layout(codec: Apack, values: list[int]) -> str:
    """The format in strings, from its description, one bit at a time."""
    if not values:
        return ""
    low, high, pending, codes, offsets = 0, 0xFFFF, 0, "", ""
    ends = [first for first, _ in codec.rows[1:]] + [1 << codec.word.bits]
    for value in values:
        t_low = 0
        for (first, share), end in zip(codec.rows, ends, strict=True):
            if first <= value < end:
                break
            t_low += share
        offset_bits = ceil(log2(end - first))
        offsets += f"{value - first:0{offset_bits}b}" if offset_bits else ""
        size = high - low + 1
        low, high = low + (size * t_low >> 10), low + (size * (t_low + share) >> 10) - 1
        while True:
            if low >> 15 == high >> 15:
                bit = low >> 15
                codes += str(bit) + str(1 - bit) * pending
                pending = 0
            elif low >> 14 == 0b01 and high >> 14 == 0b10:
                pending += 1
                low, high = low & 0x3FFF, high | 0x4000
            else:
                break
            low, high = (low << 1) & 0xFFFF, (high << 1) & 0xFFFF | 1
    codes += "1" + "0" * pending
    field = (10 * len(values) + len(values) // 10 + 2).bit_length()
    return f"{len(codes):0{field}b}" + codes + offsets


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([Word(b) for b in (2, 3, 8, 12, 16)]),
    st.booleans(),
    st.lists(st.one_of(st.just(0), st.integers(0, 9), st.integers(0, 1 << 16)), max_size=90),
)
def test_streams_are_those_of_the_description(
    word: Word, every_symbol: bool, drawn: list[int]
) -> None:
    values = [v % (word.high + 1) for v in drawn]
    blocks = one_block(np.array(values, word.dtype))
    codec = Apack.for_word(word).fit(blocks.values, every_symbol=every_symbol)
    stream = codec.encode(blocks)
    assert text(stream) == layout(codec, values)
    np.testing.assert_array_equal(codec.decode(stream, blocks.sizes).values, blocks.values)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 40])
@pytest.mark.parametrize("last", [[], [0], [7]])
def test_any_number_of_bits_may_be_pending(n: int, last: list[int]) -> None:
    # The share of 4 lies across the middle: each one leaves the first bit undecided.
    values = np.array([4] * n + last, np.uint8)
    stream = UNEVEN.encode(one_block(values))
    assert text(stream) == layout(UNEVEN, values.tolist())
    assert stream.bits > 9 * n
    np.testing.assert_array_equal(UNEVEN.decode(stream, np.array([values.size])).values, values)


@pytest.mark.parametrize("seed", range(4))
def test_codes_are_as_long_as_those_of_a_wide_range_coder(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.minimum(rng.exponential(3 + 10 * seed, 20_000), 255).astype(np.uint8)
    codec = Apack.for_word(Word(8)).fit(values)
    firsts = np.array([first for first, _ in codec.rows])
    rows = np.searchsorted(firsts, values, side="right") - 1
    shares = np.array([share for _, share in codec.rows]) / 1024
    used = np.flatnonzero(shares)
    model = constriction.stream.model.Categorical(shares[used], perfect=False)
    coder = constriction.stream.queue.RangeEncoder()
    coder.encode(np.searchsorted(used, rows).astype(np.int32), model)
    sizes = np.diff(np.append(firsts, 256))
    offset_bits = int(np.ceil(np.log2(sizes))[rows].sum())
    code_bits = codec.encode(one_block(values)).bits - length_field_bits(20_000) - offset_bits
    assert 0.999 * coder.num_bits() - 32 < code_bits < 1.002 * coder.num_bits()


def test_the_table_costs_less_than_huffman_and_more_than_entropy() -> None:
    rng = np.random.default_rng(5)
    values = np.where(rng.random(50_000) < 0.7, 0, rng.exponential(12, 50_000)).astype(np.uint8)
    counts = rates.histogram(values, Word(8))
    bits = Apack.for_word(Word(8)).fit(values).encode(one_block(values)).bits
    assert rates.entropy_bits(counts) < bits < 1.02 * rates.huffman_bits(counts)


def estimate(counts: list[int], firsts: tuple[int, ...]) -> float:
    """Bits of code and offset, for ranges that begin at ``firsts``."""
    total, bits = sum(counts), 0.0
    for first, end in zip(firsts, (*firsts[1:], len(counts)), strict=True):
        n = sum(counts[first:end])
        bits += n * (ceil(log2(end - first)) + log2(total / n)) if n else 0
    return bits


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=8, max_size=8).filter(any), st.integers(1, 4))
def test_no_other_ranges_take_fewer_bits(counts: list[int], n_ranges: int) -> None:
    found = tuple(best_ranges(np.array(counts), n_ranges).tolist())
    assert found[0] == 0 and len(found) <= n_ranges
    best = inf
    for n in range(n_ranges):
        for others in combinations(range(1, 8), n):
            best = min(best, estimate(counts, (0, *others)))
    assert estimate(counts, found) == pytest.approx(best, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=3, max_size=3).filter(any), st.booleans())
def test_no_other_shares_take_fewer_bits(counts: list[int], every_range: bool) -> None:
    def cost(shares: NDArray[np.int64] | tuple[int, ...]) -> float:
        pairs = zip(counts, shares, strict=True)
        return sum(n * -log2(p / 16) if p else n * inf for n, p in pairs if n)

    found = integer_shares(np.array(counts), 16, every_range)
    assert found.sum() == 16
    assert all(
        (share > 0) == (n > 0 or every_range) for n, share in zip(counts, found, strict=True)
    )
    least = int(every_range)
    others = (s for s in product(range(least, 17), repeat=3) if sum(s) == 16)
    assert cost(found) == pytest.approx(min(cost(s) for s in others))


def test_limits_of_wide_words_follow_the_values() -> None:
    counts = np.zeros(1 << 16, np.int64)
    counts[1000:1200] = 1
    limits = possible_limits(counts)
    assert len(limits) <= MOST_LIMITS + 1 and (np.diff(limits) > 0).all()
    assert {0, 1, 1000, 1200, 1 << 16}.issubset(limits.tolist())
    assert np.count_nonzero((limits > 1000) & (limits < 1200)) > 150


def test_values_of_ranges_without_share_have_no_code() -> None:
    codec = Apack.for_word(Word(8, True)).fit(np.array([0, 0, 4, 5]))
    with pytest.raises(CodecError, match=r"value -3 has no code.*every_symbol=True"):
        codec.encode(one_block(np.array([0, -3], np.int8)))
    with pytest.raises(CodecError, match="value 0 has no code"):
        Apack.for_word(Word(8)).encode(one_block(np.zeros(1, np.uint8)))


def test_without_fit_nothing_is_decoded() -> None:
    with pytest.raises(CodecError, match="not a stream of 3 values"):
        Apack.for_word(Word(8)).decode(from_text("0" * 40), np.array([3]))


def test_a_constant_tensor_takes_one_code_bit_a_block() -> None:
    values = np.full(100, 77, np.uint8)
    codec = Apack.for_word(Word(8)).fit(values)
    assert codec.encode(one_block(values)).bits == length_field_bits(100) + 1 == 10 + 1


def test_the_table_is_sixteen_rows() -> None:
    assert Apack.for_word(Word(8)).table_bits == 16 * (8 + 4 + 10)
    many = np.arange(256).repeat(np.arange(256) % 7 + 1).astype(np.uint8)
    assert len(Apack.for_word(Word(8)).fit(many, every_symbol=True).rows) <= 16


@pytest.mark.parametrize("value", [4, 0, 7])
def test_the_bound_is_close_to_the_longest_row(value: int) -> None:
    n = 500
    bits = UNEVEN.encode(one_block(np.full(n, value, np.uint8))).bits
    assert bits <= UNEVEN.worst_case_bits(n)
    assert value != 4 or bits > 0.98 * UNEVEN.worst_case_bits(n)


@pytest.mark.parametrize("rows", [((0, 1), (4, 1023)), ((0, 1023), (4, 1))])
def test_least_shares_stay_within_the_length_field(rows: tuple[tuple[int, int], ...]) -> None:
    codec = Apack(Word(3), rows)
    rare = np.full(3000, 0 if rows[0][1] == 1 else 7, np.uint8)
    rng = np.random.default_rng(0)
    for values in (rare, np.where(rng.random(3000) < 0.3, 7 - rare, rare)):
        bits = codec.encode(one_block(values)).bits
        assert bits <= codec.worst_case_bits(3000)
        assert bits - 2 * 3000 < 1 << length_field_bits(3000)


def test_every_cut_or_changed_stream_of_codes_is_refused_or_decodes_to_words() -> None:
    values = np.array([0, 4, 4, 1, 7, 4, 2, 2], np.uint8)
    whole = text(UNEVEN.encode(one_block(values)))
    sizes = np.array([values.size])
    for n_bits in range(len(whole)):
        with pytest.raises(CodecError):
            UNEVEN.decode(from_text(whole[:n_bits]), sizes)
    n_refused = 0
    for at in range(len(whole)):
        changed = whole[:at] + str(1 - int(whole[at])) + whole[at + 1 :]
        try:
            other = UNEVEN.decode(from_text(changed), sizes).values
        except CodecError:
            n_refused += 1
            continue
        # Whatever is not refused is the one stream of its values.
        assert text(UNEVEN.encode(one_block(other))) == changed
    assert n_refused > len(whole) // 2


@pytest.mark.parametrize(("added", "n_lost"), [("0", 0), ("", 1), ("1", 0)])
def test_code_streams_end_with_their_last_pending_zero(added: str, n_lost: int) -> None:
    values, sizes = np.array([4, 4, 4], np.uint8), np.array([3])
    whole = text(UNEVEN.encode(one_block(values)))
    field = int(length_field_bits(3))
    length = int(whole[:field], 2)
    codes, offsets = whole[field : field + length], whole[field + length :]
    assert codes == "1" + 27 * "0" and offsets == ""
    changed = codes[: length - n_lost] + added
    with pytest.raises(CodecError):
        UNEVEN.decode(from_text(f"{len(changed):0{field}b}" + changed + offsets), sizes)
