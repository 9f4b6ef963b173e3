"""Joint Huffman code of runs and values: streams by hand, a plain coder, and rates."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from accelsim.codecs import rates
from accelsim.codecs.base import Bitstream, Blocks, Codec, Word
from accelsim.codecs.coding.huffman_code import canonical_codes
from accelsim.codecs.coding.run_classes import class_counts, classes
from accelsim.codecs.contract import join_blocks
from accelsim.codecs.formats.huffman import Huffman
from accelsim.codecs.formats.zero_run_huffman import ZeroRunHuffman
from accelsim.errors import CodecError


def blocks_of(codec: Codec, *blocks: list[int]) -> Blocks:
    return join_blocks([np.array(b, codec.word.dtype) for b in blocks], codec.word)


def text(stream: Bitstream) -> str:
    return "".join(map(str, np.unpackbits(stream.payload)[: stream.bits]))


def sparse(n_values: int, zero_share: float, seed: int = 0) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    magnitude = np.minimum(1 + rng.exponential(20, n_values), 255)
    return np.where(rng.random(n_values) < zero_share, 0, magnitude).astype(np.uint8)


def reference(values: list[int], codec: ZeroRunHuffman) -> str:
    """Split the block into runs and values first, then look up each code."""
    lengths = np.frombuffer(codec.lengths, np.uint8)
    codes, escape, out = canonical_codes(lengths), 1 << codec.word.bits, ""

    def code(symbol: int) -> str:
        return f"{codes[symbol]:0{lengths[symbol]}b}"

    zeros = "".join("0" if v == 0 else "x" for v in values)
    at = 0
    while at < len(values):
        if values[at] != 0:
            known = lengths[values[at]] > 0
            out += code(values[at]) if known else code(escape) + f"{values[at]:0{codec.word.bits}b}"
            at += 1
            continue
        run = min(len(zeros[at:]) - len(zeros[at:].lstrip("0")), codec.longest_run)
        of_run = next(j for j in range(17) if run <= 2**j)
        out += code(escape + 1 + of_run)
        if of_run > 1:
            out += f"{run - 2 ** (of_run - 1) - 1:0{of_run - 1}b}"
        at += run
    return out


items = st.lists(
    st.integers(1, 40).map(lambda n: [0] * n) | st.sampled_from([[1], [2], [7]]), max_size=12
)


@settings(deadline=None, max_examples=80)
@given(items, st.sampled_from([1, 4, 16, 4096]))
def test_streams_equal_the_plain_coder_bit_for_bit(parts: list[list[int]], longest: int) -> None:
    calibration = np.array([0, 1, 0, 0, 0, 0, 0, 7, 7, 2, 0, 0, 1, 1])
    codec = ZeroRunHuffman(Word(8), longest).fit(calibration)
    values = [value for part in parts for value in part]
    assert text(codec.encode(blocks_of(codec, values))) == reference(values, codec)


def test_a_stream_reckoned_by_hand() -> None:
    codec = ZeroRunHuffman(Word(2), longest_run=4).fit(np.array([3] * 8 + [0] * 4 * 4))
    # 3 eight times; a run of 16 is four of class 2, and with pseudo-counts 1, 1, 5.
    # Lengths 1 for 3, 2 for class 2 (3-4), 3 for classes 0 and 1: codes 0, 10, 110, 111.
    stream = codec.encode(blocks_of(codec, [0, 3, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0, 0, 0]))
    assert text(stream) == "110" + "0" + "111" + "0" + "100" + "0" + "101" + "110"
    assert codec.table_bits == 4 * (3 + 3)


def test_runs_end_with_their_block() -> None:
    codec = ZeroRunHuffman.for_word(Word(8)).fit(np.array([0] * 9 + [5]))
    apart = codec.payload_bits(blocks_of(codec, [0] * 4, [0] * 5))
    assert text(codec.encode(blocks_of(codec, [0] * 4, [0] * 5))) == (
        reference([0] * 4, codec) + reference([0] * 5, codec)
    )
    assert (apart > 0).all()


def test_calibration_counts_runs_by_class() -> None:
    runs = [1, 2, 3, 4, 5, 8, 9, 16, 17, 33]
    words = np.concatenate([np.r_[np.zeros(n), 1] for n in runs]).astype(np.uint16)
    # At most 16: 17 is 16 and 1, 33 is 16, 16 and 1.
    assert class_counts(words, 16).tolist() == [3, 1, 2, 2, 5]
    of_runs, extra, extra_bits = classes(32768)
    assert of_runs[[1, 2, 3, 4, 5, 8, 9, 32768]].tolist() == [0, 1, 2, 2, 3, 3, 4, 15]
    assert extra_bits.max() == 14 and extra.max() == (1 << 14) - 1


@pytest.mark.parametrize("zero_share", [0.9, 0.95, 0.99])
def test_sparse_maps_cost_far_less_than_one_bit_a_value(zero_share: float) -> None:
    values = sparse(400_000, zero_share)
    blocks = Blocks(values, np.array([0, values.size]))
    coded, huffman = (
        int(kind.for_word(Word(8)).fit(values, every_symbol=True).payload_bits(blocks)[0])
        for kind in (ZeroRunHuffman, Huffman)
    )
    # One code for runs and values, although they take turns, costs up to 2 bits for each
    # non-zero value; runs of one class share their extra bits evenly, though shorter ones
    # are more frequent.
    entropy = rates.entropy_bits(rates.histogram(values, Word(8)))
    assert entropy < coded < entropy + 2.2 * np.count_nonzero(values)
    assert coded < 0.9 * huffman
    if zero_share >= 0.95:
        assert coded < 0.7 * values.size < values.size < huffman


def test_blocks_of_other_sizes_than_calibration_keep_the_rate() -> None:
    values = sparse(200_000, 0.95)
    codec = ZeroRunHuffman.for_word(Word(8)).fit(values, every_symbol=True)
    whole = codec.payload_bits(Blocks(values, np.array([0, values.size])))[0]
    cut = codec.payload_bits(Blocks(values, np.arange(0, values.size + 1, 500))).sum()
    assert whole < cut < 1.03 * whole


def test_wide_words_escape_and_zero_never_does() -> None:
    codec = ZeroRunHuffman.for_word(Word(16)).fit(np.array([4, 4, 4, 5]), every_symbol=True)
    values = [0, 4, 65535, 0, 0, 5]
    stream = codec.encode(blocks_of(codec, values))
    assert text(stream) == reference(values, codec)
    broken = reference([65535], codec)[:-16] + f"{0:016b}"
    payload = np.packbits([int(b) for b in broken])
    with pytest.raises(CodecError, match="not a stream of"):
        codec.decode(Bitstream(payload, np.array([0, len(broken)])), np.array([1]))


def test_more_symbols_than_codes_send_the_rarest_to_the_escape() -> None:
    everything = np.r_[np.arange(1 << 16), np.arange(100)].astype(np.uint16)
    codec = ZeroRunHuffman.for_word(Word(16)).fit(everything, every_symbol=True)
    blocks = Blocks(everything, np.array([0, everything.size]))
    stream = codec.encode(blocks)
    np.testing.assert_array_equal(codec.decode(stream, blocks.sizes).values, everything)
    assert np.count_nonzero(np.frombuffer(codec.lengths, np.uint8)) == 1 << 16


def test_two_runs_in_touch_are_refused() -> None:
    codec = ZeroRunHuffman(Word(8), longest_run=4).fit(np.array([0, 0, 0, 9, 9]))
    one, three, four = (reference([0] * n, codec) for n in (1, 3, 4))
    for broken, n_values in ((one + one, 2), (three + one, 4)):
        payload = np.packbits([int(b) for b in broken])
        with pytest.raises(CodecError, match="not a stream of"):
            codec.decode(Bitstream(payload, np.array([0, len(broken)])), np.array([n_values]))
    payload = np.packbits([int(b) for b in four + one])
    codec.decode(Bitstream(payload, np.array([0, len(four + one)])), np.array([5]))


def test_values_without_a_code_are_named_also_zero() -> None:
    codec = ZeroRunHuffman.for_word(Word(8, signed=True)).fit(np.array([3, 5]))
    with pytest.raises(CodecError, match=r"zero_run_huffman: value 0 has no code.*every_symbol"):
        codec.payload_bits(blocks_of(codec, [0]))
    with pytest.raises(CodecError, match="value -3 has no code"):
        codec.payload_bits(blocks_of(codec, [3, -3]))


@pytest.mark.parametrize("longest_run", [0, 3, 65536])
def test_longest_runs_are_powers_of_two(longest_run: int) -> None:
    with pytest.raises(CodecError, match=f"power of two from 1 to 32768, not {longest_run}"):
        ZeroRunHuffman(Word(8), longest_run=longest_run)
