"""Bitmap: two regions by hand, the sizes of zvc, and numpy's packing as an oracle."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelsim.codecs.base import Bitstream, Blocks, Word
from accelsim.codecs.formats.bitmap import Bitmap
from accelsim.codecs.formats.zvc import Zvc
from accelsim.errors import CodecError

WORD = Word(4)


def block_of(values: Any, word: Word = WORD) -> Blocks:
    array = np.asarray(values).astype(word.dtype)
    return Blocks(array, np.array([0, array.size]))


def text_of(stream: Bitstream) -> str:
    return "".join(map(str, np.unpackbits(stream.payload)[: stream.bits]))


def decoded(layout: str, n_values: int) -> list[int]:
    bits = np.array([int(b) for b in layout.replace(" ", "")], np.uint8)
    stream = Bitstream(np.packbits(bits), np.array([0, bits.size]))
    return [int(v) for v in Bitmap(WORD).decode(stream, np.array([n_values])).values]


def test_the_mask_of_all_values_comes_first() -> None:
    assert text_of(Bitmap(WORD).encode(block_of([0, 3, 5, 0, 0]))) == "01100" + "0011" + "0101"


def test_masks_longer_than_a_field_are_one_region() -> None:
    values = [0] * 70
    values[0], values[33], values[69] = 1, 2, 3
    mask = "".join(str(int(v != 0)) for v in values)
    assert text_of(Bitmap(WORD).encode(block_of(values))) == mask + "0001" + "0010" + "0011"


def test_the_common_vector_takes_the_bits_of_zvc() -> None:
    vector = [0, 0, 3, 5, 0, 0, 0, 7, 8, 8, 9, *[0] * 13, 12, 15, 15, 14, 0, 1, 0, 0]
    assert Bitmap(Word(8)).payload_bits(block_of(vector, Word(8))).tolist() == [120]


def test_longer_blocks_have_the_bits_of_zvc_in_another_order() -> None:
    blocks = block_of([1, 0] * 20)
    here, there = Bitmap(WORD).encode(blocks), Zvc(WORD).encode(blocks)
    assert here.bits == there.bits and text_of(here) != text_of(there)


@pytest.mark.parametrize(
    ("layout", "n_values"),
    [
        ("01", 3),  # the mask is cut
        ("010 00", 3),  # the value is cut
        ("010 0011 0", 3),
        ("010 0000", 3),  # a zero that the mask calls a value
        ("0110 0011 0000", 4),
        ("1111 0001", 4),
        ("1", 0),
    ],
)
def test_masks_and_values_that_disagree_are_refused(layout: str, n_values: int) -> None:
    with pytest.raises(CodecError, match=f"not a stream of {n_values} values"):
        decoded(layout, n_values)


@given(st.lists(st.lists(st.just(0) | st.integers(-128, 127), max_size=80), max_size=4))
def test_streams_are_numpys_mask_and_bytes(arrays: list[list[int]]) -> None:
    codec = Bitmap(Word(8, signed=True))
    blocks = [np.array(a, np.int8) for a in arrays]
    values = np.concatenate([*blocks, np.zeros(0, np.int8)])
    joined = Blocks(values, np.cumsum([0, *map(len, blocks)]))
    expected = [
        np.r_[(b != 0).astype(np.uint8), np.unpackbits(b[b != 0].view("u1"))] for b in blocks
    ]
    stream = codec.encode(joined)
    assert text_of(stream) == "".join(str(bit) for bits in expected for bit in bits)
    assert codec.decode(stream, joined.sizes).values.tolist() == values.tolist()
