"""Lane Compression: streams from the description, the search, and broken lanes."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.codecs.base import Bitstream, Word, one_block
from accelsim.codecs.coding.lane_search import (
    BitLane,
    _Profile,
    best_lanes,
    length_field_bits,
    longest_bits,
)
from accelsim.codecs.coding.lane_streams import CHUNK, CONST, DICT, MASK, RAW, ZRL
from accelsim.codecs.coding.zigzag import fold
from accelsim.codecs.formats.lane import LaneCompression
from accelsim.codecs.words import to_words
from accelsim.errors import CodecError


def text(codec: LaneCompression, values: list[int]) -> str:
    stream = codec.encode(one_block(np.array(values, codec.word.dtype)))
    return "".join(map(str, np.unpackbits(stream.payload)[: stream.bits]))


def from_text(layout: str) -> Bitstream:
    bits = np.array([int(c) for c in layout if c in "01"], np.uint8)
    return Bitstream(np.packbits(bits), np.array([0, len(bits)], np.int64))


def lane_text(lane: BitLane, fields: list[str]) -> str:
    """One lane of one chunk in strings, from its description."""
    zero, tokens = "0" * lane.bits, []
    if lane.method == RAW:
        tokens = fields
    elif lane.method == MASK:
        for group in (fields[i : i + 8] for i in range(0, len(fields), 8)):
            tokens.append("0" if set(group) == {zero} else "1" + "".join(group))
    elif lane.method == DICT:
        entries = [f"{v:0{lane.bits}b}" for v in lane.values]
        codes = dict(zip(entries, ("0", "10", "110"), strict=True))
        tokens = [codes.get(f, "111" + f) for f in fields]
    elif lane.method == ZRL:
        i = 0
        while i < len(fields):
            run = 0
            while i + run < len(fields) and run < 16 and fields[i + run] == zero:
                run += 1
            tokens.append(f"0{run - 1:04b}" if run else "1" + fields[i])
            i += run or 1
    return "".join(tokens)


def layout(codec: LaneCompression, values: list[int]) -> str:
    array = np.array(values, codec.word.dtype)
    words = [f"{w:0{codec.word.bits}b}" for w in fold(to_words(array, codec.word), codec.word)]
    result = ""
    for first in range(0, len(words), 64):
        chunk, top, lengths, streams = words[first : first + 64], 0, "", ""
        for lane in codec.lanes:
            stream = lane_text(lane, [w[top : top + lane.bits] for w in chunk])
            top += lane.bits
            if lane.method in (ZRL, MASK, DICT):
                lengths += f"{len(stream):0{length_field_bits(lane)}b}"
            streams += stream
        result += lengths + streams
    return result


@st.composite
def any_lanes(draw: st.DrawFn, word_bits: int) -> tuple[BitLane, ...]:
    limits = draw(st.sets(st.integers(1, word_bits - 1), max_size=3))
    lanes = []
    for low, high in zip([0, *sorted(limits)], [*sorted(limits), word_bits], strict=True):
        width = high - low
        method = draw(st.sampled_from([RAW, ZRL, MASK] + [DICT] * (width > 1)))
        value = st.integers(0, (1 << width) - 1)
        three = st.lists(value, min_size=3, max_size=3, unique=True)
        lanes.append(BitLane(width, method, tuple(draw(three)) if method == DICT else ()))
    return tuple(lanes)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([Word(b, s) for b in (2, 4, 8, 13, 16) for s in (False, True)]), st.data())
def test_streams_are_those_of_the_description(word: Word, data: st.DataObject) -> None:
    codec = LaneCompression(word, data.draw(any_lanes(word.bits)))
    near_zero = st.integers(max(word.low, -3), min(word.high, 3))
    value = st.one_of(st.just(0), near_zero, st.integers(word.low, word.high))
    values = data.draw(st.lists(value, max_size=150))
    assert text(codec, values) == layout(codec, values)
    blocks = one_block(np.array(values, word.dtype))
    decoded = codec.decode(codec.encode(blocks), blocks.sizes)
    np.testing.assert_array_equal(decoded.values, blocks.values)
    assert codec.encode(blocks).bits <= codec.worst_case_bits(len(values))


def test_a_chunk_is_lengths_and_then_lanes_from_the_top() -> None:
    # Words 0000, 0111, 0001 of a zrl lane of 2 bits above a dict lane of 2 bits.
    codec = LaneCompression(Word(4), (BitLane(2, ZRL), BitLane(2, DICT, (1, 3, 2))))
    zrl, entries = "00000 101 00000", "11100 10 0"
    assert text(codec, [0, 7, 1]) == f"{13:09b}{8:09b}{zrl}{entries}".replace(" ", "")


def test_runs_and_groups_end_with_the_chunk() -> None:
    codec = LaneCompression(Word(2), (BitLane(2, ZRL),))
    assert text(codec, [0] * 70) == f"{20:09b}" + "01111" * 4 + f"{5:09b}" + "00101"
    codec = LaneCompression(Word(2), (BitLane(2, MASK),))
    assert text(codec, [0] * 65 + [2]) == f"{8:08b}" + "0" * 8 + f"{5:08b}" + "10010"


def test_constant_lanes_take_no_bits_and_refuse_others() -> None:
    codec = LaneCompression(Word(4), (BitLane(2, CONST, (2,)), BitLane(2, RAW)))
    assert text(codec, [8, 11]) == "0011"
    with pytest.raises(CodecError, match=r"value 4 differs.*every_symbol=True"):
        codec.encode(one_block(np.array([8, 4], np.uint8)))


@pytest.mark.parametrize("method", [RAW, ZRL, MASK, DICT])
@pytest.mark.parametrize("bits", [2, 3, 4, 8, 16])
@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 64, 65, 130])
def test_the_bound_is_reached(method: int, bits: int, n: int) -> None:
    codec = LaneCompression(Word(bits), (BitLane(bits, method, (0, 1, 2)[: 3 * (method == DICT)]),))
    longest = np.full(n, (1 << bits) - 1)
    if method == ZRL and bits < 4:
        for first in range(0, n, 64):
            longest[first : first + 64 : 2] = 0
    blocks = one_block(longest.astype(codec.word.dtype))
    assert codec.encode(blocks).bits == codec.worst_case_bits(n)


# Few values, some of them frequent, as dictionaries like them; or anything.
FEW = st.sampled_from([5] * 5 + [9] * 3 + [0, 3, 12, 6])


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.lists(FEW, min_size=64, max_size=150),
        st.lists(st.integers(0, 15), min_size=1, max_size=150),
    ),
    st.booleans(),
)
def test_no_other_lanes_take_fewer_bits(values: list[int], allow_constant: bool) -> None:
    array, word = np.array(values, np.uint8), Word(4)
    words = to_words(array, word)

    def bits(lanes: tuple[BitLane, ...]) -> int:
        return LaneCompression(word, lanes).encode(one_block(array)).bits

    def best_method(low: int, high: int) -> BitLane:
        lane_values = (words >> (4 - high)) & ((1 << (high - low)) - 1)
        counts = np.bincount(lane_values, minlength=1 << (high - low))
        entries = tuple(np.argsort(-counts, kind="stable")[:3].tolist())
        lanes = [BitLane(high - low, m) for m in (RAW, MASK, ZRL)]
        lanes += [BitLane(high - low, DICT, entries)] * (high - low > 1)
        lanes += [BitLane(high - low, CONST, entries[:1])] * (
            allow_constant and len(set(lane_values)) == 1
        )
        above, below = BitLane(low, RAW), BitLane(4 - high, RAW)
        around = [(*[above] * (low > 0), lane, *[below] * (high < 4)) for lane in lanes]
        return lanes[min(range(len(lanes)), key=lambda i: bits(around[i]))]

    best = min(
        bits(tuple(best_method(low, high) for low, high in pairwise((0, *cut, 4))))
        for n in range(4)
        for cut in combinations((1, 2, 3), n)
    )
    found = best_lanes(words, 4, allow_constant)
    assert sum(lane.bits for lane in found) == 4 and len(found) <= 4
    assert bits(found) == best
    assert allow_constant or all(lane.method != CONST for lane in found)


def test_the_search_reckons_what_a_lane_takes() -> None:
    rng = np.random.default_rng(4)
    skewed = rng.choice([5, 9, 0, 40, 61, 17], 3001, p=[0.6, 0.2, 0.1, 0.06, 0.03, 0.01])
    sparse = np.where(rng.random(3001) < 0.9, 0, rng.integers(0, 64, 3001))
    methods = set()
    for values in (skewed, sparse, np.repeat(sparse, 8), rng.integers(0, 64, 3001)):
        array = values.astype(np.uint8)
        profile = _Profile(array.astype(np.uint16), 6)
        for low, top in combinations(range(7), 2):
            estimate, lane = profile.best(low, top - low, allow_constant=True)
            above, below = [BitLane(6 - top, RAW)] * (top < 6), [BitLane(low, RAW)] * (low > 0)
            codec = LaneCompression(Word(6), (*above, lane, *below))
            raw_bits = array.size * (6 - lane.bits)
            assert codec.encode(one_block(array)).bits - raw_bits == estimate
            methods.add(lane.method)
    assert methods >= {RAW, ZRL, MASK, DICT}


def test_fit_leaves_out_constant_bits_unless_every_word_must_have_a_code() -> None:
    values = np.tile(np.array([3, 0, 2, 1], np.uint16), 100)
    tight = LaneCompression.for_word(Word(16)).fit(values)
    assert tight.lanes == (BitLane(14, CONST, (0,)), BitLane(2, RAW))
    assert tight.table_bits == 2 + (4 + 3 + 14) + (4 + 3)
    open_to_all = LaneCompression.for_word(Word(16)).fit(values, every_symbol=True)
    extremes = np.array([65535, 0, 32768], np.uint16)
    blocks = one_block(extremes)
    decoded = open_to_all.decode(open_to_all.encode(blocks), blocks.sizes)
    np.testing.assert_array_equal(decoded.values, extremes)


def test_the_search_of_many_values_looks_at_chunks_of_all() -> None:
    rng = np.random.default_rng(0)
    values = np.where(rng.random(3_000_000) < 0.9, 0, rng.integers(0, 256, 3_000_000))
    words = values.astype(np.uint16)
    found = best_lanes(words, 8, True)
    assert found == best_lanes(words[:1_000_000], 8, True)


def test_before_fit_words_are_stored_raw() -> None:
    codec = LaneCompression.for_word(Word(5, True))
    assert text(codec, [1, -1]) == "00010" + "00001"
    assert codec.parameters["table"] == "not fitted" and codec.table_bits == 2 + 4 + 3


@pytest.mark.parametrize(
    ("lane", "stream", "n", "flaw"),
    [
        (BitLane(2, ZRL), "101 00001 110", 4, None),
        (BitLane(2, ZRL), "101 00001 100", 4, "a literal zero"),
        (BitLane(2, ZRL), "101 00000 00000", 3, "two runs where one would do"),
        (BitLane(2, ZRL), "101 00011", 4, "a run beyond the chunk"),
        (BitLane(2, ZRL), "101 00001 11", 4, "a literal cut short"),
        (BitLane(2, ZRL), "101 00001 110 0", 4, "a bit too many"),
        (BitLane(2, MASK), "1 01 00 00", 3, None),
        (BitLane(2, MASK), "1 00 00 00", 3, "a flag for zeros"),
        (BitLane(2, MASK), "1 01 00 0", 3, "too short"),
        (BitLane(2, MASK), "0 0", 3, "too long"),
        (BitLane(2, DICT, (1, 0, 2)), "10 11111 0", 3, None),
        (BitLane(2, DICT, (1, 0, 2)), "10 11110 0", 3, "an entry written in full"),
        (BitLane(2, DICT, (1, 0, 2)), "10 11111", 3, "too short"),
        (BitLane(2, DICT, (1, 0, 2)), "10 11111 00", 3, "too long"),
    ],
)
def test_lanes_that_no_encoder_writes_are_refused(
    lane: BitLane, stream: str, n: int, flaw: str | None
) -> None:
    codec = LaneCompression(Word(4), (lane, BitLane(2, RAW)))
    n_bits = len(stream.replace(" ", ""))
    whole = from_text(f"{n_bits:0{length_field_bits(lane)}b}{stream}" + "01" * n)
    if flaw is None:
        decoded = codec.decode(whole, np.array([n])).values
        np.testing.assert_array_equal(codec.encode(one_block(decoded)).payload, whole.payload)
        return
    with pytest.raises(CodecError, match="not a stream"):
        codec.decode(whole, np.array([n]))


def test_length_fields_hold_the_longest_lane() -> None:
    for width in range(1, 17):
        for method in (ZRL, MASK, DICT):
            lane = BitLane(width, method)
            assert longest_bits(lane, CHUNK) < 1 << length_field_bits(lane) <= 4096
