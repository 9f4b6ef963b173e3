"""SPARK's code, value by value from the rule of the paper, and its streams by hand."""

import numpy as np
import pytest

from accelsim.codecs.base import Bitstream, Blocks, Word
from accelsim.codecs.contract import join_blocks
from accelsim.codecs.formats.spark import Spark
from accelsim.errors import CodecError

VECTOR = np.zeros(32, np.uint8)
VECTOR[[2, 3, 7, 8, 9, 10]] = [3, 5, 7, 8, 8, 9]
VECTOR[[24, 25, 26, 27, 29]] = [12, 15, 15, 14, 1]


def code(value: int) -> str:
    """The code of an unsigned value as the paper's rule reads, bit by bit."""
    b = f"{value:08b}"
    if value <= 7:
        return "0" + b[5:]
    if value <= 127:
        return "1" + b[1:] if b[3] == "0" else "1" + b[1:3] + "0" + "1111"
    return b if b[3] == "1" else "1" + b[1:3] + "1" + "0000"


def text(stream: Bitstream) -> str:
    return "".join(map(str, np.unpackbits(stream.payload)[: stream.bits]))


def encoded(codec: Spark, values: list[int]) -> Bitstream:
    return codec.encode(join_blocks([np.array(values, codec.word.dtype)], codec.word))


def decoded(codec: Spark, bits: str, n_values: int) -> list[int]:
    payload = np.packbits(np.array(list(bits), np.uint8))
    stream = Bitstream(payload, np.array([0, len(bits)]))
    return codec.decode(stream, np.array([n_values])).values.tolist()


@pytest.mark.parametrize(
    ("value", "bits", "back"),
    [(5, "0101", 5), (18, "10001111", 15), (170, "10110000", 176), (8, "10001000", 8)],
)
def test_the_published_examples(value: int, bits: str, back: int) -> None:
    codec = Spark(Word(8))
    assert text(encoded(codec, [value])) == bits
    assert decoded(codec, bits, 1) == [back]


def test_every_value_has_the_code_of_the_rule_and_a_bounded_error() -> None:
    codec, values = Spark(Word(8)), list(range(256))
    assert text(encoded(codec, values)) == "".join(map(code, values))
    back = codec.reconstruct(np.array(values, np.uint8)).astype(int)
    error = np.abs(back - np.arange(256))
    exact = set(range(16))
    for i in (1, 2, 3):
        exact |= set(range(32 * i, 32 * i + 16))
    for i in (4, 5, 6, 7):
        exact |= set(range(32 * i + 16, 32 * i + 32))
    assert set(np.flatnonzero(error == 0).tolist()) == exact
    assert error.max() == 16


def test_the_common_vector_has_its_published_size_without_loss() -> None:
    codec, block = Spark(Word(8)), Blocks(VECTOR, np.array([0, 32]))
    assert codec.payload_bits(block).tolist() == [156]
    np.testing.assert_array_equal(codec.reconstruct(VECTOR), VECTOR)


def test_signed_words_are_zigzagged_and_keep_their_sign() -> None:
    codec = Spark(Word(8, signed=True))
    assert text(encoded(codec, [0, -1, 1, -4, 4])) == "0000 0001 0010 0111 10001000".replace(
        " ", ""
    )
    values = np.arange(-128, 128).astype(np.int8)
    back = codec.reconstruct(values).astype(int)
    assert np.all(np.sign(back) == np.sign(values))
    assert np.abs(back - values).max() == 8
    assert back[128 + 9] == 7 and back[128 - 9] == -8  # z = 18 and 17, to 14 and 15


def test_rounding_again_changes_nothing() -> None:
    for word in (Word(8), Word(8, signed=True), Word(5), Word(3, signed=True)):
        values = np.arange(word.low, word.high + 1).astype(word.dtype)
        once = Spark(word).reconstruct(values)
        np.testing.assert_array_equal(Spark(word).reconstruct(once), once)


def test_words_of_three_bits_take_one_nibble() -> None:
    codec = Spark(Word(3))
    assert encoded(codec, list(range(8))).bits == 8 * 4 == codec.worst_case_bits(8)
    assert Spark(Word(4)).worst_case_bits(8) == 64


def test_wider_words_are_refused() -> None:
    with pytest.raises(CodecError, match=r"words have 9.*2 to 8 bits"):
        Spark(Word(9))


@pytest.mark.parametrize("bits", ["1000 0011", "1000", "0101 0", "0101 0101"])
def test_streams_that_no_value_has_are_refused(bits: str) -> None:
    # A long code of 3; half a code; a bit too many; a nibble too many.
    with pytest.raises(CodecError, match="not a stream of 1 values"):
        decoded(Spark(Word(8)), bits.replace(" ", ""), 1)


def test_a_foreign_stream_of_narrow_words_is_clipped() -> None:
    assert decoded(Spark(Word(4)), code(32) + code(3), 2) == [15, 3]
