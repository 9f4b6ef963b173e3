"""Streams reckoned by hand from the layout in each codec's docstring, and published sizes."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from accelsim.codecs import rates
from accelsim.codecs.base import CODECS, Bitstream, Blocks, Codec, Word
from accelsim.codecs.contract import join_blocks
from accelsim.codecs.formats.eyeriss_rlc import EyerissRlc
from accelsim.codecs.formats.huffman import Huffman
from accelsim.codecs.formats.zero_rle import ZeroRle
from accelsim.codecs.formats.zvc import Zvc
from accelsim.errors import CodecError

# 32 values of 8 bits, 21 zeros: a common vector, sized by independent scripts.
VECTOR = np.zeros(32, np.uint8)
VECTOR[[2, 3, 7, 8, 9, 10]] = [3, 5, 7, 8, 8, 9]
VECTOR[[24, 25, 26, 27, 29]] = [12, 15, 15, 14, 1]


def stream_of(codec: Codec, *blocks: list[int]) -> Bitstream:
    arrays = [np.array(b, codec.word.dtype) for b in blocks]
    return codec.encode(join_blocks(arrays, codec.word))


def text(stream: Bitstream) -> str:
    return "".join(map(str, np.unpackbits(stream.payload)[: stream.bits]))


def bits(layout: str) -> str:
    return layout.replace(" ", "").replace("|", "")


def one_block(values: NDArray[Any]) -> Blocks:
    return Blocks(values, np.array([0, values.size], np.int64))


@pytest.mark.parametrize(
    ("name", "expected_bits"),
    [("raw", 256), ("zvc", 120), ("zero_rle", 124), ("eyeriss_rlc", 256), ("huffman", 67)],
)
def test_the_common_vector_has_its_published_size(name: str, expected_bits: int) -> None:
    codec = CODECS[name].for_word(Word(8)).fit(VECTOR)
    assert codec.payload_bits(one_block(VECTOR)).tolist() == [expected_bits]


def test_the_common_vector_has_its_published_entropy() -> None:
    counts = rates.histogram(VECTOR, Word(8))
    assert rates.entropy_bits(counts) == pytest.approx(63.76, abs=0.005)
    assert rates.huffman_bits(counts) == 67


def test_raw_words_follow_each_other_most_significant_bit_first() -> None:
    codec = CODECS["raw"].for_word(Word(5, signed=True))
    assert text(stream_of(codec, [1, -1, 8])) == bits("00001 11111 01000")


def test_zvc_writes_mask_then_words_per_group() -> None:
    codec = Zvc(Word(4), group=2)
    assert text(stream_of(codec, [0, 3, 5, 0, 0])) == bits("01 0011 | 10 0101 | 0")


def test_zvc_masks_of_a_last_group_cover_existing_values_only() -> None:
    values = np.r_[np.zeros(32, np.uint8), np.uint8(9)]
    assert Zvc.for_word(Word(8)).payload_bits(one_block(values)).tolist() == [32 + 1 + 8]


def test_zero_rle_writes_the_run_less_one() -> None:
    codec = ZeroRle.for_word(Word(4))
    expected = bits("0 0001 | 1 0011 | 1 0101 | 0 0000")
    assert text(stream_of(codec, [0, 0, 3, 5, 0])) == expected


@pytest.mark.parametrize(("n_zeros", "n_tokens"), [(15, 1), (16, 1), (17, 2), (32, 2), (33, 3)])
def test_zero_rle_splits_runs_at_sixteen(n_zeros: int, n_tokens: int) -> None:
    stream = stream_of(ZeroRle.for_word(Word(8)), [0] * n_zeros)
    assert stream.bits == 5 * n_tokens


def test_zero_rle_worst_case_of_narrow_words_is_single_zeros_between_literals() -> None:
    codec = ZeroRle.for_word(Word(2))
    assert stream_of(codec, [0, 3, 0, 3, 0]).bits == 3 * 5 + 2 * 3 == codec.worst_case_bits(5)


def test_eyeriss_rlc_packs_three_pairs_and_a_terminator() -> None:
    codec = EyerissRlc.for_word(Word(8))
    level = "{:016b}".format
    expected = bits(
        f"00010 {level(3)} 00000 {level(5)} 00001 {level(7)} 0"
        f"00000 {level(0)} 00000 {level(0)} 00000 {level(0)} 1"
    )
    assert text(stream_of(codec, [0, 0, 3, 5, 0, 7, 0])) == expected


def test_eyeriss_rlc_in_a_network_packs_four_pairs_of_eight_bit_levels() -> None:
    codec = EyerissRlc.for_network(Word(8))
    expected = bits(f"00010 {3:08b} 00000 {5:08b} 00001 {7:08b} 00000 {0:08b} {'0' * 11} 1")
    assert codec.pairs == 4
    assert text(stream_of(codec, [0, 0, 3, 5, 0, 7, 0])) == expected


@pytest.mark.parametrize(
    ("values", "n_pairs"),
    [
        ([0], 1),
        ([0] * 31, 1),  # run 30, level 0
        ([0] * 32, 1),  # run 31, level 0
        ([0] * 33, 2),  # run 31, level 0; run 0, level 0
        ([0] * 31 + [9], 1),
        ([0] * 32 + [9], 2),
        ([9, 0], 2),
    ],
)
def test_eyeriss_rlc_ends_a_pair_at_thirty_one_zeros_and_at_the_last_value(
    values: list[int], n_pairs: int
) -> None:
    one_pair_a_word = EyerissRlc(Word(8), level_bits=27)
    assert one_pair_a_word.pairs == 1
    assert stream_of(one_pair_a_word, values).bits == 64 * n_pairs


def test_huffman_codes_are_canonical_and_most_significant_bit_first() -> None:
    codec = Huffman.for_word(Word(3)).fit(np.array([0] * 8 + [5] * 4 + [2] * 2 + [7] * 2))
    # Lengths 0:1 5:2 2:3 7:3; in the order (length, symbol) 0, 10, 110, 111.
    assert text(stream_of(codec, [0, 5, 2, 7])) == "0" + "10" + "110" + "111"


def test_huffman_without_fit_says_what_is_missing() -> None:
    with pytest.raises(CodecError, match=r"value 3 has no code.*every_symbol=True"):
        stream_of(Huffman.for_word(Word(8)), [3])


def test_huffman_names_negative_values_without_code() -> None:
    codec = Huffman.for_word(Word(8, signed=True)).fit(np.array([0, 1]))
    with pytest.raises(CodecError, match="value -3 has no code"):
        stream_of(codec, [0, -3])


def test_huffman_escape_codes_wide_words_verbatim() -> None:
    codec = Huffman.for_word(Word(16)).fit(np.array([0, 0, 0, 4, 4]), every_symbol=True)
    # Counts 3, 2 and an escape of 1: lengths 1, 2, 2, the escape last.
    assert text(stream_of(codec, [0, 4, 65535])) == "0" + "10" + "11" + "1" * 16
    assert codec.table_bits == 4 * 65536 + 4
    assert codec.worst_case_bits(10) == 10 * (2 + 16)


def test_huffman_escape_counts_as_often_as_values_seen_once() -> None:
    calibration = np.array([0] * 8 + [1] * 4 + [2, 3, 4])
    codec = Huffman.for_word(Word(16)).fit(calibration, every_symbol=True)
    # Weights 8, 4, 1, 1, 1 and 3 for the escape: 1+1=2, 1+2=3, 3+3=6, 4+6=10, 8+10.
    assert stream_of(codec, [9]).bits == 3 + 16


def test_huffman_without_fit_decodes_nothing() -> None:
    nothing = Bitstream(np.zeros(0, np.uint8), np.array([0, 0]))
    with pytest.raises(CodecError, match="not a stream of 3 values"):
        Huffman.for_word(Word(8)).decode(nothing, np.array([3]))


def test_huffman_needs_no_escape_when_every_wide_word_was_seen() -> None:
    everything = np.arange(1 << 16).astype(np.uint16)
    codec = Huffman.for_word(Word(16)).fit(everything, every_symbol=True)
    assert set(codec.lengths) == {16, 0} and codec.lengths[-1] == 0
    assert codec.table_bits == 4 * 65536


def test_huffman_pseudo_counts_of_narrow_words_cost_little_on_seen_values() -> None:
    rng = np.random.default_rng(0)
    values = np.minimum(rng.exponential(8, 20_000), 40).astype(np.uint8)
    tight = Huffman.for_word(Word(8)).fit(values).payload_bits(one_block(values))[0]
    full = Huffman.for_word(Word(8)).fit(values, every_symbol=True)
    assert tight < full.payload_bits(one_block(values))[0] < 1.02 * tight


def test_huffman_limit_is_sixteen_above_4096_symbols() -> None:
    geometric = np.repeat(np.arange(40), np.minimum(2 ** np.arange(40), 20_000))
    assert max(Huffman.for_word(Word(16)).fit(geometric).lengths) == 12
    many = np.concatenate([np.arange(5000), np.zeros(1_000_000, int)])
    assert 12 < max(Huffman.for_word(Word(16)).fit(many).lengths) <= 16


@pytest.mark.parametrize("width", [0, 1, 17, 32])
def test_words_outside_two_to_sixteen_bits_are_refused(width: int) -> None:
    with pytest.raises(CodecError, match="2 to 16 bits"):
        Word(width)


def test_levels_narrower_than_the_word_are_refused() -> None:
    with pytest.raises(CodecError, match="cannot hold words"):
        EyerissRlc(Word(16), level_bits=8)
