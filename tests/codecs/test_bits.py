"""Fields in a stream against Python's own big integers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.codecs import bits
from accelsim.codecs.base import Blocks, Word
from accelsim.codecs.words import checked_offsets, from_words, to_words
from accelsim.errors import CodecError

fields = st.lists(
    st.integers(0, bits.MAX_FIELD_BITS).flatmap(
        lambda width: st.tuples(st.integers(0, (1 << width) - 1), st.just(width))
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=80)
@given(fields)
def test_fields_follow_each_other_from_the_top_bit_down(found: list[tuple[int, int]]) -> None:
    expected = "".join(f"{field:0{width}b}" if width else "" for field, width in found)
    n_bytes = -(-len(expected) // 8)
    for put, get in ((bits.put, bits.get), (bits.put.py_func, bits.get.py_func)):  # type: ignore[attr-defined]
        payload = np.zeros(n_bytes + bits.PADDING, np.uint8)
        at = 0
        for field, width in found:
            at = put(payload, at, field, width)
        assert at == len(expected)
        assert "".join(f"{byte:08b}" for byte in payload)[:at] == expected
        assert not payload[n_bytes:].any()
        at = 0
        for field, width in found:
            assert get(payload, at, width) == field
            at += width


def test_bits_above_the_width_of_a_field_are_dropped() -> None:
    payload = np.zeros(bits.PADDING, np.uint8)
    bits.put(payload, 0, -1, 3)
    assert payload[0] == 0b11100000


def test_nonzeros_are_counted_block_by_block() -> None:
    blocks = Blocks(np.array([0, -1, 2, 0, 0], np.int8), np.array([0, 0, 3, 5]))
    assert blocks.nonzeros.tolist() == [0, 2, 0]


@pytest.mark.parametrize("word", [Word(b, s) for b in (2, 5, 8, 12, 16) for s in (False, True)])
def test_every_value_of_a_word_survives_its_pattern(word: Word) -> None:
    values = np.arange(word.low, word.high + 1)
    words = to_words(values, word)
    assert sorted(words.tolist()) == list(range(1 << word.bits))
    np.testing.assert_array_equal(from_words(words, word), values)


def test_values_outside_the_word_are_named() -> None:
    with pytest.raises(CodecError, match="values -9 to 3 do not fit signed words of 4 bits"):
        to_words(np.array([-9, 3]), Word(4, signed=True))
    with pytest.raises(CodecError, match="not float64"):
        to_words(np.array([0.0]), Word(8))  # type: ignore[arg-type]


@pytest.mark.parametrize("offsets", [[], [1, 3], [0, 2], [0, 2, 1, 3]])
def test_offsets_that_do_not_cover_the_values_are_refused(offsets: list[int]) -> None:
    with pytest.raises(CodecError, match="offsets must rise"):
        checked_offsets(Blocks(np.zeros(3, np.uint8), np.array(offsets, np.int64)))
