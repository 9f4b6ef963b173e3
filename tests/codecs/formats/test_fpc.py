"""Frequent pattern compression against its layout, spelled out in bit strings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.codecs.base import Bitstream, Word
from accelsim.codecs.contract import adversarial, join_blocks, realistic
from accelsim.codecs.formats.fpc import Fpc
from accelsim.errors import CodecError

# 32 values of 8 bits, 21 zeros: a common vector, sized by independent scripts.
VECTOR = np.zeros(32, np.uint8)
VECTOR[[2, 3, 7, 8, 9, 10]] = [3, 5, 7, 8, 8, 9]
VECTOR[[24, 25, 26, 27, 29]] = [12, 15, 15, 14, 1]


def written(codec: Fpc, values: list[int]) -> str:
    stream = codec.encode(join_blocks([np.array(values, codec.word.dtype)], codec.word))
    return "".join(map(str, np.unpackbits(stream.payload)[: stream.bits]))


def oracle(values: np.ndarray, word: Word) -> str:
    """The stream of one block by comparing bit strings, from the layout alone."""
    cells = values.astype(f"<{'i' if word.signed else 'u'}{1 if word.bits <= 8 else 2}").tobytes()
    cells += bytes(-len(cells) % 4)
    texts = [f"{int.from_bytes(cells[i : i + 4], 'little'):032b}" for i in range(0, len(cells), 4)]
    stream = ""
    while texts:
        zeros = next((i for i, t in enumerate(texts[:8]) if "1" in t), min(len(texts), 8))
        if zeros:
            stream += f"000{zeros - 1:03b}"
            texts = texts[zeros:]
            continue
        text = texts.pop(0)
        for prefix, width in (("001", 4), ("010", 8), ("011", 16)):
            if len(set(text[: 33 - width])) == 1:
                stream += prefix + text[-width:]
                break
        else:
            upper, lower = text[:16], text[16:]
            if set(lower) == {"0"}:
                stream += "100" + upper
            elif len(set(upper[:9])) == len(set(lower[:9])) == 1:
                stream += "101" + upper[8:] + lower[8:]
            elif text == text[:8] * 4:
                stream += "110" + text[:8]
            else:
                stream += "111" + text
    return stream


def test_each_pattern_is_written_as_in_the_table() -> None:
    codec = Fpc(Word(8, signed=True))
    assert written(codec, [0] * 4) == "000 000".replace(" ", "")
    assert written(codec, [-8, -1, -1, -1]) == "001" + "1000"
    assert written(codec, [8, 0, 0, 0]) == "010" + "00001000"
    assert written(codec, [-128, -128, -1, -1]) == "011" + "1000000010000000"
    assert written(codec, [0, 0, 3, 5]) == "100" + f"{5:08b}{3:08b}"
    assert written(codec, [-2, -1, 5, 0]) == "101" + f"{5:08b}" + "11111110"
    assert written(codec, [9, 9, 9, 9]) == "110" + f"{9:08b}"
    assert written(codec, [1, 2, 3, 4]) == "111" + f"{4:08b}{3:08b}{2:08b}{1:08b}"


def test_a_zero_lower_half_is_pattern_100_even_if_the_upper_is_a_byte() -> None:
    assert written(Fpc(Word(8)), [0, 0, 7, 0]) == "100" + f"{7:016b}"


@pytest.mark.parametrize(("n_words", "runs"), [(1, [1]), (8, [8]), (9, [8, 1]), (16, [8, 8])])
def test_runs_of_zero_words_are_split_at_eight(n_words: int, runs: list[int]) -> None:
    assert written(Fpc(Word(8)), [0] * 4 * n_words) == "".join(f"000{r - 1:03b}" for r in runs)


def test_the_last_word_is_filled_with_zeros() -> None:
    assert written(Fpc(Word(8)), [200]) == "011" + f"{200:016b}"
    assert written(Fpc(Word(16)), [200]) == "011" + f"{200:016b}"
    assert written(Fpc(Word(16)), [0, 0, 0]) == "000001"


def test_narrow_words_fill_a_byte_and_carry_their_sign_into_it() -> None:
    assert written(Fpc(Word(4, signed=True)), [-1, -1, -1, -1]) == "001" + "1111"
    assert written(Fpc(Word(4)), [15, 15, 15, 15]) == "110" + "00001111"
    assert Fpc(Word(4)).worst_case_bits(8) == 2 * 35


def test_the_common_vector_by_hand() -> None:
    # Words 05030000 07000000 00090808 0 0 0 0e0f0f0c 00000100, one run of three zero words.
    by_hand = (3 + 16) + (3 + 16) + (3 + 32) + 6 + (3 + 32) + (3 + 16)
    assert len(written(Fpc(Word(8)), VECTOR.tolist())) == by_hand == 133


@pytest.mark.parametrize("word", [Word(8), Word(8, True), Word(5, True), Word(16), Word(11, True)])
def test_streams_equal_those_of_the_oracle(word: Word) -> None:
    for values in (*adversarial(word), *realistic(word, 150, seed=3)):
        assert written(Fpc(word), values.tolist()) == oracle(values, word)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from([0, 0, 0, 1, 7, 8, 127, 128, 248, 255]), max_size=60))
def test_bytes_of_every_pattern_equal_the_oracle(values: list[int]) -> None:
    assert written(Fpc(Word(8)), values) == oracle(np.array(values, np.uint8), Word(8))


@settings(deadline=None, max_examples=300)
@given(st.binary(min_size=1, max_size=12), st.integers(1, 12), st.integers(0, 7), st.booleans())
def test_a_stream_that_decodes_is_the_one_that_encoding_writes(
    noise: bytes, n_values: int, cut: int, signed: bool
) -> None:
    codec = Fpc(Word(7, signed))
    stream = Bitstream(np.frombuffer(noise, np.uint8), np.array([0, 8 * len(noise) - cut]))
    for n_bits in range(stream.bits + 1):
        try:
            blocks = codec.decode(
                Bitstream(stream.payload, np.array([0, n_bits])), np.array([n_values])
            )
        except CodecError:
            continue
        given_bits = "".join(map(str, np.unpackbits(stream.payload)[:n_bits]))
        assert written(codec, blocks.values.tolist()) == given_bits


@pytest.mark.parametrize(
    ("layout", "n_words"),
    [
        ("000000 000000", 2),  # two runs that are one
        ("001 0000", 1),  # zero as four bits
        ("010 00000111", 1),  # four bits as eight
        ("011 0000000001111111", 1),  # eight bits as sixteen
        ("100 0000000000000000", 1),
        ("101 00000000 00000001", 1),  # four bits as two halves
        ("101 00000001 00000000", 1),  # a zero lower half as two halves
        ("110 11111111", 1),
        ("111" + "0" * 31 + "1", 1),
        ("111" + "00000011" * 4, 1),  # equal bytes as any others
        ("000111", 2),  # eight words of two
        ("001 0001 001 0001 001 0001", 2),  # three words of two
        ("001 0001", 2),
        ("001 00010", 1),
    ],
)
def test_what_encoding_cannot_have_written_is_refused(layout: str, n_words: int) -> None:
    bits = np.array([int(b) for b in layout.replace(" ", "")], np.uint8)
    stream = Bitstream(np.packbits(bits), np.array([0, len(bits)]))
    with pytest.raises(CodecError, match=r"fpc: block 0 \(\d+ bits\) is not a stream of"):
        Fpc(Word(8)).decode(stream, np.array([4 * n_words]))


def test_zeros_behind_the_last_value_must_be_zero() -> None:
    two_bytes = np.packbits([int(b) for b in "101" + f"{1:08b}{9:08b}"]).astype(np.uint8)
    stream = Bitstream(two_bytes, np.array([0, 19]))
    assert Fpc(Word(8)).decode(stream, np.array([3])).values.tolist() == [9, 0, 1]
    with pytest.raises(CodecError, match="not a stream of 2 values"):
        Fpc(Word(8)).decode(stream, np.array([2]))
