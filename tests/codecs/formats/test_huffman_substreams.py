"""Huffman with interleaved sub-streams: pointers, order, and what stays as it was."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from accelsim.codecs.base import Bitstream, Blocks, Word, one_block
from accelsim.codecs.contract import adversarial, join_blocks, realistic
from accelsim.codecs.formats.huffman import Huffman
from accelsim.errors import CodecError

# 0: 0, 5: 10, 2: 110, 7: 111.
CALIBRATION = np.array([0] * 8 + [5] * 4 + [2] * 2 + [7] * 2, np.uint8)
CODE_TEXTS = {0: "0", 5: "10", 2: "110", 7: "111"}


def fitted(substreams: int) -> Huffman:
    return Huffman(Word(8), substreams).fit(CALIBRATION)


def text(stream: Bitstream) -> str:
    return "".join(map(str, np.unpackbits(stream.payload)[: stream.bits]))


def from_text(layout: str) -> Bitstream:
    bits = np.array([int(c) for c in layout if c in "01"], np.uint8)
    return Bitstream(np.packbits(bits), np.array([0, len(bits)], np.int64))


def test_value_i_belongs_to_substream_i_modulo_k() -> None:
    # Sub-streams 0 7, then 5 0, then 2: 4, 3 and 3 bits; the last has no pointer.
    values = np.array([0, 5, 2, 7, 0], np.uint8)
    expected = f"{4:016b}{3:016b}" + "0111" + "100" + "110"
    assert text(fitted(3).encode(one_block(values))) == expected


def test_blocks_shorter_than_the_substreams_keep_their_pointers() -> None:
    assert text(fitted(3).encode(one_block(CALIBRATION[:1]))) == f"{1:016b}{0:016b}0"
    assert fitted(4).encode(one_block(CALIBRATION[:0])).bits == 3 * 16


def test_one_substream_writes_what_it_always_wrote() -> None:
    word = Word(8)
    blocks = join_blocks([*adversarial(word), *realistic(word, 200, seed=3)], word)
    stream = Huffman.for_word(word).fit(blocks.values).encode(blocks)
    digest = hashlib.sha256(stream.payload.tobytes() + stream.offsets_bits.tobytes())
    assert digest.hexdigest()[:16] == "bdb0f36368ab6bb4"


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 9),
    st.lists(st.lists(st.sampled_from(list(CODE_TEXTS)), max_size=60), max_size=4),
)
def test_streams_are_those_of_the_description(k: int, blocks: list[list[int]]) -> None:
    expected = ""
    for values in blocks:
        lanes = ["".join(CODE_TEXTS[v] for v in values[lane::k]) for lane in range(k)]
        expected += "".join(f"{len(lane):016b}" for lane in lanes[:-1]) + "".join(lanes)
    given_blocks = join_blocks([np.array(v, np.uint8) for v in blocks], Word(8))
    codec = fitted(k)
    stream = codec.encode(given_blocks)
    assert text(stream) == expected
    np.testing.assert_array_equal(
        codec.decode(stream, given_blocks.sizes).values, given_blocks.values
    )


@pytest.mark.parametrize(("n_values", "pointer_bits"), [(43690, 16), (43691, 32)])
def test_pointers_widen_where_the_longest_codes_would_not_fit(
    n_values: int, pointer_bits: int
) -> None:
    # Two sub-streams of 21845 values of 3 bits are 65535 bits: the last that fit 16.
    values = np.full(n_values, 7, np.uint8)
    blocks = one_block(values)
    codec = fitted(2)
    stream = codec.encode(blocks)
    assert stream.bits == 3 * n_values + pointer_bits == codec.worst_case_bits(n_values)
    np.testing.assert_array_equal(codec.decode(stream, blocks.sizes).values, values)


def test_escaped_words_lie_in_their_substream() -> None:
    codec = Huffman(Word(16), 2).fit(np.array([0, 0, 0, 4, 4]), every_symbol=True)
    # Codes 0: 0, 4: 10, escape: 11.
    expected = f"{18:016b}" + "11" + f"{65535:016b}" + "0" + "10"
    stream = codec.encode(one_block(np.array([65535, 0, 4], np.uint16)[[0, 1]]))
    assert text(stream) == expected[:-2]
    assert codec.worst_case_bits(3) == 3 * 18 + 16


@pytest.mark.parametrize(
    "layout",
    [
        f"{2:016b} 0 111 10",  # the first sub-stream ends inside a code
        f"{5:016b} 0111 10",  # ... or later than its values
        f"{60000:016b} 0111 10",  # ... or beyond the block
        f"{4:016b} 0111 1",  # the last one is cut
        f"{4:016b} 0111 10 0",  # ... or too long
        "0000",  # no room for the pointer
    ],
)
def test_pointers_that_no_encoder_writes_are_refused(layout: str) -> None:
    intact = fitted(2).decode(from_text(f"{4:016b} 0111 10"), np.array([3]))
    assert intact.values.tolist() == [0, 5, 7]
    with pytest.raises(CodecError, match="not a stream of 3 values"):
        fitted(2).decode(from_text(layout), np.array([3]))


@pytest.mark.parametrize("k", [2, 5, 64])
def test_noise_is_refused_or_decodes_to_words(k: int) -> None:
    rng = np.random.default_rng(k)
    codec = Huffman(Word(5, True), k).fit(np.arange(-16, 16), every_symbol=True)
    for n_bytes in rng.integers(0, 200, 200).tolist():
        payload: NDArray[np.uint8] = rng.integers(0, 256, n_bytes, np.uint8)
        payload[: 2 * k : 2] = 0
        stream = Bitstream(payload, np.array([0, 8 * n_bytes]))
        try:
            decoded = codec.decode(stream, np.array([rng.integers(0, 100)])).values
        except CodecError:
            continue
        assert decoded.min(initial=0) >= -16 and decoded.max(initial=0) < 16


def test_a_lane_codes_k_values_a_cycle_with_k_coders() -> None:
    one, four = Huffman(Word(8)).hardware, Huffman(Word(8), 4).hardware
    assert (four.encode_values_per_cycle, four.decode_values_per_cycle) == (4, 4)
    assert four.gates_kge == 4 * one.gates_kge
    assert four.encode_pj_per_value == one.encode_pj_per_value
    blocks = Blocks(np.zeros(9, np.uint8), np.array([0, 8, 9]))
    assert fitted(4).decode_work(blocks).tolist() == [2, 1]


def test_substreams_are_in_the_parameters() -> None:
    assert fitted(2).parameters != fitted(1).parameters
    assert Huffman(Word(8)).parameters["table"] == "not fitted"


@pytest.mark.parametrize("k", [0, 65])
def test_numbers_of_substreams_outside_1_to_64_are_refused(k: int) -> None:
    with pytest.raises(CodecError, match="1 to 64 substreams"):
        Huffman(Word(8), k)
