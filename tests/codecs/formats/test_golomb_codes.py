"""Rice and Exp-Golomb formats: streams by hand, published sizes, codes spelled out as text."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from accelsim.codecs.base import Bitstream, Blocks, Codec, Word
from accelsim.codecs.coding import golomb
from accelsim.codecs.formats.exp_golomb import ExpGolomb
from accelsim.codecs.formats.golomb_rice import GolombRice
from accelsim.codecs.formats.sparse_exp_golomb import SparseExpGolomb
from accelsim.codecs.formats.symmetric_exp_golomb import SymmetricExpGolomb
from accelsim.errors import CodecError

# 32 values of 8 bits, 21 zeros: a common vector, sized by independent scripts.
VECTOR = np.zeros(32, np.uint8)
VECTOR[[2, 3, 7, 8, 9, 10]] = [3, 5, 7, 8, 8, 9]
VECTOR[[24, 25, 26, 27, 29]] = [12, 15, 15, 14, 1]

BYTE = Word(8)


def block_of(values: Any, word: Word) -> Blocks:
    array: NDArray[Any] = np.asarray(values).astype(word.dtype)
    return Blocks(array, np.array([0, array.size]))


def text_of(codec: Codec, values: Any) -> str:
    stream = codec.encode(block_of(values, codec.word))
    return "".join(map(str, np.unpackbits(stream.payload)[: stream.bits]))


def decoded(codec: Codec, layout: str, n_values: int) -> list[int]:
    bits = layout.replace(" ", "")
    payload = np.packbits(np.array([int(b) for b in bits], np.uint8))
    stream = Bitstream(payload, np.array([0, len(bits)]))
    return [int(v) for v in codec.decode(stream, np.array([n_values])).values]


def joined(layout: str) -> str:
    return layout.replace(" ", "")


def zigzag(value: int, word: Word) -> int:
    if not word.signed:
        return value
    return 2 * value if value >= 0 else -2 * value - 1


def rice(z: int, k: int) -> str:
    quotient, remainder = divmod(z, 1 << k)
    return "1" * quotient + "0" + (f"{remainder:0{k}b}" if k else "")


def exp_golomb(z: int, k: int) -> str:
    quotient, remainder = divmod(z, 1 << k)
    upper = f"{quotient + 1:b}"
    return "0" * (len(upper) - 1) + upper + (f"{remainder:0{k}b}" if k else "")


@pytest.mark.parametrize(("k", "bits"), list(enumerate([129, 109, 116, 135, 160])))
def test_rice_codes_of_the_common_vector_have_their_published_size(k: int, bits: int) -> None:
    assert len(text_of(GolombRice(BYTE, k), VECTOR)) == bits


@pytest.mark.parametrize(("k", "bits"), list(enumerate([94, 106, 122])))
def test_exp_golomb_codes_of_the_common_vector_have_their_published_size(k: int, bits: int) -> None:
    assert len(text_of(ExpGolomb(BYTE, k), VECTOR)) == bits


def test_sparse_exp_golomb_codes_of_the_common_vector_have_their_published_size() -> None:
    assert len(text_of(SparseExpGolomb(BYTE), VECTOR)) == 87


def test_symmetric_exp_golomb_codes_and_median_of_the_common_vector_have_their_published_size() -> (
    None
):
    codec = SymmetricExpGolomb(BYTE).fit(VECTOR)
    assert codec.median == 0
    assert len(text_of(codec, VECTOR)) + codec.table_bits == 114


def test_defaults_are_those_of_the_literature() -> None:
    assert GolombRice.for_word(BYTE).k == 1 and ExpGolomb.for_word(BYTE).k == 0
    assert SparseExpGolomb.for_word(BYTE).k == 4 and SymmetricExpGolomb.for_word(BYTE).k == 0


def test_rice_codes_are_ones_a_zero_and_the_low_bits() -> None:
    assert text_of(GolombRice(BYTE, 0), [0, 1, 3]) == joined("0 10 1110")
    assert text_of(GolombRice(BYTE, 2), [0, 3, 5, 13]) == joined("0 00  0 11  10 01  1110 01")


def test_exp_golomb_orders_zero_and_one() -> None:
    expected = "1 010 011 00100 00101 00110 00111 0001000 0001001"
    assert text_of(ExpGolomb(BYTE, 0), range(9)) == joined(expected)
    assert text_of(ExpGolomb(BYTE, 1), range(6)) == joined("10 11 0100 0101 0110 0111")


def test_signed_words_are_zigzagged() -> None:
    word = Word(4, signed=True)
    assert text_of(GolombRice(word, 0), [0, -1, 1, -2]) == joined("0 10 110 1110")
    assert text_of(ExpGolomb(word, 0), [0, -1, 1, -2]) == joined("1 010 011 00100")
    # -1 has index 1, less one 0; 1 has index 2, less one 1.
    assert text_of(SparseExpGolomb(word, 0), [0, -1, 1]) == joined("0 1 1 1 010")


def test_symmetric_codes_skip_index_one_unless_tight() -> None:
    values = [5, 6, 4, 3]  # residuals 0, 1, -1, -2
    published, tight = (SymmetricExpGolomb(BYTE, tight=t, median=5) for t in (False, True))
    assert text_of(published, values) == "".join(exp_golomb(z, 0) for z in (0, 2, 3, 5))
    assert text_of(tight, values) == "".join(exp_golomb(z, 0) for z in (0, 2, 1, 3))


@pytest.mark.parametrize(
    ("values", "median"), [([7], 7), ([-5, 2], -5), ([9, -5, 2], 2), ([-3, -3, 8, 9], -3), ([], 0)]
)
def test_the_median_is_the_lower_of_two(values: list[int], median: int) -> None:
    fitted = SymmetricExpGolomb(Word(8, signed=True)).fit(np.array(values, np.int8))
    assert fitted.median == median


def test_medians_tell_codecs_apart() -> None:
    codec = SymmetricExpGolomb(BYTE)
    assert codec.parameters["median"] == "not fitted"
    assert codec.fit(VECTOR).parameters["median"] == 0


def test_residuals_of_wide_words_take_up_to_35_bits() -> None:
    codec = SymmetricExpGolomb(Word(16), median=65535)
    layout = "0" * 17 + f"{2 * 65535 + 1 + 1:b}"
    assert text_of(codec, [0]) == layout and len(layout) == codec.worst_case_bits(1) == 35
    assert decoded(codec, layout, 1) == [0]


@pytest.mark.parametrize(("k", "longest"), [(0, 65536), (1, 32769), (15, 17)])
def test_runs_far_beyond_a_field_are_written_and_read(k: int, longest: int) -> None:
    codec = GolombRice(Word(16), k)
    values = [65535, 31, 32, 33, 64, 0, 65534]
    layout = text_of(codec, values)
    assert layout == "".join(rice(v, k) for v in values)
    assert decoded(codec, layout, len(values)) == values
    assert len(text_of(codec, [65535])) == codec.worst_case_bits(1) == longest


def test_in_a_network_wide_words_have_longer_remainders() -> None:
    ks = {bits: GolombRice.for_network(Word(bits)).k for bits in (2, 8, 9, 12, 16)}
    assert ks == {2: 1, 8: 1, 9: 2, 12: 5, 16: 9}


@pytest.mark.parametrize("codec", [GolombRice, ExpGolomb, SparseExpGolomb, SymmetricExpGolomb])
@pytest.mark.parametrize("k", [-1, 16])
def test_orders_outside_0_to_15_are_refused(codec: Any, k: int) -> None:
    with pytest.raises(CodecError, match=f"{codec.name}: k is 0 to 15, not {k}"):
        codec(BYTE, k=k)


def test_medians_outside_the_word_are_refused() -> None:
    with pytest.raises(CodecError, match="0 to 15, not 16"):
        SymmetricExpGolomb(Word(4), median=16)


NIBBLE = Word(4)
UNTERMINATED = "1" * 200


@pytest.mark.parametrize(
    ("codec", "layout"),
    [
        (GolombRice(NIBBLE, 1), rice(16, 1)),  # 16 is no word
        (GolombRice(NIBBLE, 1), UNTERMINATED),
        (GolombRice(NIBBLE, 1), "1" * 7 + "0"),  # the low bit is missing
        (GolombRice(NIBBLE, 0), "1" * 32 + "0"),
        (ExpGolomb(NIBBLE, 0), exp_golomb(16, 0)),
        (ExpGolomb(NIBBLE, 0), "0" * 200),
        (ExpGolomb(NIBBLE, 0), "00010"),
        (ExpGolomb(Word(16), 0), "0" * 16 + f"{65537:b}"),
        (ExpGolomb(Word(16), 0), "0" * 31 + "1" * 32),
        (ExpGolomb(BYTE, 0), "0" * 64 + "1" + "0" * 64),
        (SparseExpGolomb(NIBBLE), "1" + exp_golomb(15, 4)),
        (SparseExpGolomb(NIBBLE), "1"),
        (SymmetricExpGolomb(NIBBLE, median=9), exp_golomb(1, 0)),  # no residual has index 1
        (SymmetricExpGolomb(NIBBLE, median=9), exp_golomb(14, 0)),  # 9 + 7
        (SymmetricExpGolomb(NIBBLE, median=9), exp_golomb(21, 0)),  # 9 - 10
        (SymmetricExpGolomb(NIBBLE, median=9, tight=True), exp_golomb(19, 0)),
    ],
)
def test_codes_that_no_word_has_are_refused(codec: Codec, layout: str) -> None:
    with pytest.raises(CodecError, match=r"block 0 \(\d+ bits\) is not a stream of 1 values"):
        decoded(codec, layout, 1)


def test_bits_after_the_last_value_are_refused() -> None:
    assert decoded(ExpGolomb(BYTE), "1 010", 2) == [0, 1]
    for n_values in (1, 3):
        with pytest.raises(CodecError, match="not a stream"):
            decoded(ExpGolomb(BYTE), "1 010", n_values)


def test_codes_beyond_the_port_take_further_cycles() -> None:
    blocks = Blocks(np.array([0, 60, 62, 255, 0], np.uint8), np.array([0, 2, 5]))
    # k = 1: 2, 32, 33, 129 and 2 bits at 32 bits a cycle.
    stats = GolombRice(BYTE).measure(blocks)
    assert stats.payload_bits.tolist() == [34, 164]
    assert stats.encode_work.tolist() == stats.decode_work.tolist() == [2, 2 + 5 + 1]
    assert ExpGolomb(BYTE).measure(blocks).decode_work.tolist() == [2, 3]


def test_leading_zeros_of_all_lengths() -> None:
    for n_zeros in range(33):
        for window in {(1 << 32 - n_zeros) - 1, (1 << 32 - n_zeros) >> 1}:
            assert golomb._leading_zeros(window) == 32 - window.bit_length()


words = st.builds(Word, st.integers(2, 12), st.booleans())


@given(st.data(), words, st.integers(0, 15))
def test_streams_are_the_codes_one_after_another(data: st.DataObject, word: Word, k: int) -> None:
    of_word = st.integers(word.low, word.high)
    # Activations are mostly zero and small; uniform words alone would rarely be.
    values = data.draw(st.lists(st.just(0) | st.integers(0, word.high // 8) | of_word))
    median = data.draw(of_word)
    indices = [zigzag(v, word) for v in values]
    residuals = [v - median for v in values]
    expected = {
        GolombRice(word, k): [rice(z, k) for z in indices],
        ExpGolomb(word, k): [exp_golomb(z, k) for z in indices],
        SparseExpGolomb(word, k): ["1" + exp_golomb(z - 1, k) if z else "0" for z in indices],
        SymmetricExpGolomb(word, k, median=median): [
            exp_golomb(2 * abs(r) + (r < 0), k) for r in residuals
        ],
        SymmetricExpGolomb(word, k, tight=True, median=median): [
            exp_golomb(2 * abs(r) - (r < 0), k) for r in residuals
        ],
    }
    for codec, codes in expected.items():
        layout = "".join(codes)
        assert text_of(codec, values) == layout
        assert decoded(codec, layout, len(values)) == values
        assert codec.payload_bits(block_of(values, word)).tolist() == [len(layout)]
