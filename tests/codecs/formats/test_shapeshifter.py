"""ShapeShifter: streams reckoned by hand, and a plain reference for any values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.codecs.base import Bitstream, Blocks, Word, one_block
from accelsim.codecs.coding.zigzag import fold, unfold
from accelsim.codecs.formats.shapeshifter import Shapeshifter
from accelsim.codecs.words import to_words
from accelsim.errors import CodecError

# 32 values of 8 bits, 21 zeros: a common vector, sized by independent scripts.
VECTOR = np.zeros(32, np.uint8)
VECTOR[[2, 3, 7, 8, 9, 10]] = [3, 5, 7, 8, 8, 9]
VECTOR[[24, 25, 26, 27, 29]] = [12, 15, 15, 14, 1]


def text(codec: Shapeshifter, values: list[int]) -> str:
    stream = codec.encode(one_block(np.array(values, codec.word.dtype)))
    return "".join(map(str, np.unpackbits(stream.payload)[: stream.bits]))


def from_text(layout: str) -> Bitstream:
    bits = np.array([int(c) for c in layout if c in "01"], np.uint8)
    return Bitstream(np.packbits(bits), np.array([0, len(bits)], np.int64))


def layout(values: list[int], word: Word, group: int) -> str:
    """The format in strings, from its description."""
    signed = [2 * v if v >= 0 else -2 * v - 1 for v in values] if word.signed else values
    field = len(f"{word.bits - 1:b}")
    parts = []
    for first in range(0, len(signed), group):
        members = signed[first : first + group]
        width = max(1, *(len(f"{m:b}") for m in members))
        parts += ["1" if m else "0" for m in members] + [f"{width - 1:0{field}b}"]
        parts += [f"{m:0{width}b}" for m in members if m]
    return "".join(parts)


def test_the_common_vector_has_its_published_size() -> None:
    # Two groups of 16 + 3 bits, with 6 and 5 values of 4 bits.
    assert Shapeshifter.for_word(Word(8)).encode(one_block(VECTOR)).bits == 43 + 39 == 82


def test_a_group_is_mask_width_and_non_zeros() -> None:
    codec = Shapeshifter(Word(4), group=3)
    expected = "011 10 101 010 | 1 11 1001".replace(" ", "").replace("|", "")
    assert text(codec, [0, 5, 2, 9]) == expected


def test_a_group_of_zeros_keeps_its_width_field() -> None:
    assert text(Shapeshifter(Word(8), group=4), [0] * 6) == "0000" + "000" + "00" + "000"


def test_signed_values_are_zigzagged() -> None:
    # -1 is 1, 2 is 4, -8 is 15.
    assert text(Shapeshifter(Word(4, True), group=2), [-1, 2, -8, 0]) == "1110001100" + "10111111"


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([Word(b, s) for b in (2, 3, 5, 8, 16) for s in (False, True)]),
    st.sampled_from([1, 3, 16, 33, 64, 256]),
    st.data(),
)
def test_streams_are_those_of_the_description(word: Word, group: int, data: st.DataObject) -> None:
    value = st.one_of(st.just(0), st.integers(max(word.low, -3), 3 if word.bits > 2 else 1))
    values = data.draw(st.lists(st.one_of(value, st.integers(word.low, word.high)), max_size=300))
    codec = Shapeshifter(word, group)
    assert text(codec, values) == layout(values, word, group)
    blocks = one_block(np.array(values, word.dtype))
    decoded = codec.decode(codec.encode(blocks), blocks.sizes)
    np.testing.assert_array_equal(decoded.values, blocks.values)


@pytest.mark.parametrize(
    ("stream", "flaw"),
    [
        ("01 111 10000000", None),
        ("01 111 00000001", "wider than its widest value"),
        ("11 001 10 00", "a zero among the non-zeros"),
        ("00 001", "wide though it holds zeros only"),
        ("01 111 1000000", "too short"),
        ("01 111 10000000 0", "too long"),
    ],
)
def test_streams_that_no_encoder_writes_are_refused(stream: str, flaw: str | None) -> None:
    codec = Shapeshifter.for_word(Word(8))
    if flaw is None:
        assert codec.decode(from_text(stream), np.array([2])).values.tolist() == [0, 128]
        return
    with pytest.raises(CodecError, match="not a stream of 2 values"):
        codec.decode(from_text(stream), np.array([2]))


def test_widths_beyond_the_word_are_refused() -> None:
    with pytest.raises(CodecError, match="not a stream"):
        Shapeshifter.for_word(Word(5)).decode(from_text("1 101 100000"), np.array([1]))


@pytest.mark.parametrize("word", [Word(8), Word(5, True), Word(16)])
def test_the_bound_is_reached_by_the_longest_words(word: Word) -> None:
    codec = Shapeshifter.for_word(word)
    for n in (1, 16, 37):
        longest = one_block(np.full(n, word.low or word.high, word.dtype))
        assert codec.encode(longest).bits == codec.worst_case_bits(n)


@pytest.mark.parametrize("group", [0, 257, -1])
def test_groups_outside_1_to_256_are_refused(group: int) -> None:
    with pytest.raises(CodecError, match="1 to 256 values"):
        Shapeshifter(Word(8), group)


def test_a_lane_codes_a_group_each_cycle() -> None:
    codec = Shapeshifter(Word(8), group=32)
    blocks = Blocks(np.zeros(65, np.uint8), np.array([0, 64, 65]))
    assert codec.encode_work(blocks).tolist() == codec.decode_work(blocks).tolist() == [2, 1]
    assert codec.hardware.gates_kge == 2 * Shapeshifter(Word(8)).hardware.gates_kge


@pytest.mark.parametrize("bits", [2, 8, 16])
def test_zigzag_orders_by_magnitude_and_is_undone(bits: int) -> None:
    word = Word(bits, signed=True)
    values = np.arange(word.low, word.high + 1)
    words = to_words(values, word)
    folded = fold(words, word)
    expected = [2 * v if v >= 0 else -2 * v - 1 for v in values.tolist()]
    assert folded.tolist() == expected
    unfold(folded, word)
    np.testing.assert_array_equal(folded, words)
