"""Classes of magnitudes: every word of every width, fields by hand, and broken streams."""

import numpy as np
import pytest

from accelsim.codecs.base import Bitstream, Word
from accelsim.codecs.contract import (
    adversarial,
    check_broken_streams,
    check_coding,
    check_refusals,
    join_blocks,
    realistic,
)
from accelsim.codecs.formats._magnitude_classes import MagnitudeClasses
from accelsim.errors import CodecError


def text(stream: Bitstream) -> str:
    return "".join(map(str, np.unpackbits(stream.payload)[: stream.bits]))


@pytest.mark.parametrize("bits", [2, 5, 8, 16])
@pytest.mark.parametrize("signed", [False, True])
def test_every_word_has_its_own_field(bits: int, signed: bool) -> None:
    word = Word(bits, signed)
    codec = MagnitudeClasses(word, group=8)
    everything = join_blocks([np.arange(word.low, word.high + 1).astype(word.dtype)], word)
    check_coding(codec, everything)
    lengths = [int(abs(v)).bit_length() for v in range(word.low, word.high + 1) if v]
    expected = (1 << bits) + sum(4 + (c if signed else c - 1) for c in lengths)
    assert codec.payload_bits(everything).tolist() == [expected]


def test_signed_fields_are_class_sign_and_the_bits_below_the_leading_one() -> None:
    codec = MagnitudeClasses(Word(8, signed=True), group=4)
    blocks = join_blocks([np.array([1, 0, -1, 6, -128], np.int8)], codec.word)
    fields = "0000" + "0", "0000" + "1", "0010" + "0" + "10", "0111" + "1" + "0000000"
    assert (
        text(codec.encode(blocks)) == "1011" + fields[0] + fields[1] + fields[2] + "1" + fields[3]
    )


def test_unsigned_fields_have_no_sign() -> None:
    codec = MagnitudeClasses(Word(8), group=2)
    blocks = join_blocks([np.array([255, 2], np.uint8)], codec.word)
    assert text(codec.encode(blocks)) == "11" + "0111" + "1111111" + "0001" + "0"


@pytest.mark.parametrize("word", [Word(2, signed=True), Word(8), Word(8, signed=True), Word(16)])
def test_it_keeps_the_promises_of_a_codec(word: Word) -> None:
    codec = MagnitudeClasses(word, group=8)
    blocks = join_blocks([*adversarial(word), *realistic(word, 40, seed=0)], word)
    check_coding(codec, blocks)
    check_broken_streams(codec, blocks, seed=0)
    check_refusals(codec)


@pytest.mark.parametrize(
    ("word", "stream"),
    [
        (Word(4), "1" + "0100" + "0000"),  # class 5 of 4-bit words
        (Word(4, signed=True), "1" + "0011" + "0" + "000"),  # +8
        (Word(4, signed=True), "1" + "0011" + "1" + "001"),  # -9
        (Word(4), "1" + "0010" + "0"),  # one bit short
    ],
)
def test_what_the_encoder_never_writes_is_refused(word: Word, stream: str) -> None:
    padded = np.packbits([int(bit) for bit in stream])
    with pytest.raises(CodecError, match="not a stream of 1 values"):
        MagnitudeClasses(word, group=1).decode(
            Bitstream(padded, np.array([0, len(stream)])), np.array([1])
        )


def test_the_lowest_signed_word_is_decoded() -> None:
    stream = np.packbits([int(bit) for bit in "1" + "0011" + "1" + "000"])
    codec = MagnitudeClasses(Word(4, signed=True), group=1)
    assert codec.decode(Bitstream(stream, np.array([0, 9])), np.array([1])).values.tolist() == [-8]
