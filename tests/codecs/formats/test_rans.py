"""rANS against plain big-integer arithmetic, another library, and the entropy."""

import constriction
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from accelsim.codecs.base import Bitstream, Blocks, Codec, Word
from accelsim.codecs.contract import join_blocks
from accelsim.codecs.formats.rans import Rans
from accelsim.errors import CodecError

SKEWED = np.repeat(np.arange(6), [2000, 700, 200, 40, 5, 1]).astype(np.uint8)


def blocks_of(codec: Codec, *blocks: list[int]) -> Blocks:
    return join_blocks([np.array(b, codec.word.dtype) for b in blocks], codec.word)


def words_of(stream: Bitstream) -> list[int]:
    return stream.payload.view(">u2").tolist()


def frequencies_of(codec: Rans) -> list[int]:
    return np.frombuffer(codec.frequencies, "<i4").tolist()


def reference(values: list[int], frequencies: list[int], n_states: int, escape: int) -> list[int]:
    """The 16-bit words of a block, from the definition: divisions, lists, no tricks."""
    total = sum(frequencies)
    states, emitted = [2**16] * min(n_states, len(values)), []
    for i in reversed(range(len(values))):
        symbol = values[i]
        if frequencies[symbol] == 0:
            emitted.append(symbol)
            symbol = escape
        f, below = frequencies[symbol], sum(frequencies[:symbol])
        x = states[i % n_states]
        while x >= f * 2**32 // total:
            emitted.append(x % 2**16)
            x //= 2**16
        states[i % n_states] = x // f * total + below + x % f
    halves = [half for x in states for half in divmod(x, 2**16)]
    return halves + emitted[::-1]


def entropy_coded_bits(values: NDArray[np.uint8], frequencies: list[int]) -> float:
    share = np.array(frequencies)[values] / sum(frequencies)
    return float(-np.log2(share).sum())


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.lists(st.sampled_from([0, 0, 0, 0, 1, 1, 2, 3, 4, 5]), max_size=60), max_size=5),
    st.sampled_from([1, 2, 4, 8, 32]),
)
def test_streams_equal_plain_arithmetic_word_for_word(
    values: list[list[int]], n_states: int
) -> None:
    codec = Rans(Word(8), n_states).fit(SKEWED)
    expected = [reference(block, frequencies_of(codec), n_states, 256) for block in values]
    stream = codec.encode(blocks_of(codec, *values))
    assert words_of(stream) == [word for block in expected for word in block]
    assert np.diff(stream.offsets_bits).tolist() == [16 * len(block) for block in expected]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from([0, 0, 0, 7, 9, 4095]), max_size=40), st.sampled_from([1, 4]))
def test_escaped_words_follow_the_word_that_the_escape_takes_in(
    values: list[int], n_states: int
) -> None:
    codec = Rans(Word(12), n_states).fit(np.array([0] * 99 + [7]), every_symbol=True)
    frequencies = frequencies_of(codec)
    assert frequencies[4096] > 0 == frequencies[9]
    stream = codec.encode(blocks_of(codec, values))
    assert words_of(stream) == reference(values, frequencies, n_states, 4096)


def test_a_stream_reckoned_by_hand() -> None:
    codec = Rans.for_word(Word(2)).fit(np.array([0, 0, 0, 3]))
    assert frequencies_of(codec) == [3072, 0, 0, 1024, 0]
    # Last first. 3: 65536 = 64 * 1024, so 64 * 4096 + 3072 = 265216.
    # 0: 265216 = 86 * 3072 + 1024, so 86 * 4096 + 1024 = 353280 = 5 * 65536 + 25600.
    assert words_of(codec.encode(blocks_of(codec, [0, 3]))) == [5, 25600]


def test_a_state_at_its_limit_moves_sixteen_bits_out() -> None:
    codec = Rans.for_word(Word(2)).fit(np.array([0] * 4095 + [3]))
    # f = 1: 65536 to 65536 * 4096 + 4095 = 4096 * 65536 + 4095, which is at f 2^20.
    # Then 4096 alone stays: 4096 * 4096 + 4095 = 256 * 65536 + 4095.
    assert words_of(codec.encode(blocks_of(codec, [3, 3]))) == [256, 4095, 4095]


def test_empty_blocks_have_no_bits_and_short_ones_only_the_states_they_use() -> None:
    codec = Rans(Word(8), states=4).fit(SKEWED)
    sizes = codec.payload_bits(blocks_of(codec, [], [0], [0, 0, 0], [0] * 9))
    assert sizes.tolist() == [0, 32, 96, 128]


@pytest.mark.parametrize("n_states", [1, 8])
def test_a_lone_symbol_costs_nothing_beside_the_states(n_states: int) -> None:
    codec = Rans(Word(8), n_states).fit(np.full(9, 5))
    assert codec.payload_bits(blocks_of(codec, [5] * 10_000)).tolist() == [32 * n_states]
    assert codec.worst_case_bits(10_000) < 32 * n_states + 1000


def test_sizes_are_the_cross_entropy_and_the_state() -> None:
    rng = np.random.default_rng(3)
    values = np.minimum(rng.exponential(6, 200_000), 255).astype(np.uint8)
    values[rng.random(values.size) < 0.5] = 0
    codec = Rans.for_word(Word(8)).fit(values)
    ideal = entropy_coded_bits(values, frequencies_of(codec))
    coded = int(codec.payload_bits(Blocks(values, np.array([0, values.size])))[0])
    assert ideal < coded < ideal + 32 + 0.005 * values.size


def test_sizes_are_those_of_another_library_with_the_same_model() -> None:
    rng = np.random.default_rng(4)
    values = np.minimum(rng.geometric(0.6, 50_000) - 1, 40).astype(np.uint8)
    codec = Rans.for_word(Word(8)).fit(values)
    frequencies = np.array(frequencies_of(codec))
    model = constriction.stream.model.Categorical(frequencies / 4096.0, perfect=False)
    coder = constriction.stream.stack.AnsCoder()
    coder.encode_reverse(values.astype(np.int32), model)
    ours = int(codec.payload_bits(Blocks(values, np.array([0, values.size])))[0])
    assert abs(ours - coder.num_bits()) < 64 + 0.01 * values.size


def test_below_one_bit_a_value_the_rate_follows_the_entropy() -> None:
    values = np.zeros(100_000, np.uint8)
    values[::50] = 9
    codec = Rans.for_word(Word(8)).fit(values)
    bits = codec.payload_bits(Blocks(values, np.array([0, values.size])))[0]
    assert bits / values.size == pytest.approx(0.1414, abs=0.002)  # H(1 / 50)


def test_more_than_4096_symbols_take_sixteen_bit_probabilities() -> None:
    few, many = np.arange(4096), np.arange(4097)
    assert sum(frequencies_of(Rans.for_word(Word(16)).fit(few))) == 1 << 12
    codec = Rans.for_word(Word(16)).fit(many)
    assert sum(frequencies_of(codec)) == 1 << 16
    assert codec.table_bits == 16 << 16
    blocks = Blocks(many.astype(np.uint16), np.array([0, 4097]))
    stream = codec.encode(blocks)
    assert words_of(stream) == reference(many.tolist(), frequencies_of(codec), 1, 65536)
    np.testing.assert_array_equal(codec.decode(stream, blocks.sizes).values, blocks.values)


def test_the_table_has_an_entry_for_the_escape() -> None:
    codec = Rans.for_word(Word(12)).fit(np.array([0, 0, 1]), every_symbol=True)
    assert codec.table_bits == 12 * 4097
    assert Rans.for_word(Word(8)).fit(SKEWED, every_symbol=True).table_bits == 12 * 256


def test_every_single_damaged_bit_shows() -> None:
    codec = Rans(Word(8), states=2).fit(SKEWED)
    values = np.random.default_rng(0).permutation(SKEWED)[:200]
    blocks = Blocks(values, np.array([0, 120, 200]))
    stream = codec.encode(blocks)
    for bit in range(stream.bits):
        payload = stream.payload.copy()
        payload[bit // 8] ^= 128 >> bit % 8
        with pytest.raises(CodecError, match="not a stream of"):
            codec.decode(Bitstream(payload, stream.offsets_bits), blocks.sizes)


def test_an_escape_before_a_word_with_its_own_code_is_refused() -> None:
    codec = Rans.for_word(Word(12)).fit(np.array([0] * 99 + [7]), every_symbol=True)
    stream = codec.encode(blocks_of(codec, [9]))
    assert words_of(stream)[2:] == [9]
    for word in (7, 4096):
        broken = np.array([*words_of(stream)[:2], word], ">u2").view(np.uint8)
        with pytest.raises(CodecError, match="not a stream of"):
            codec.decode(Bitstream(broken, stream.offsets_bits), np.array([1]))


def test_values_without_a_frequency_are_named() -> None:
    codec = Rans.for_word(Word(8, signed=True)).fit(np.array([0, 1]))
    with pytest.raises(CodecError, match=r"rans: value -3 has no frequency.*every_symbol=True"):
        codec.payload_bits(blocks_of(codec, [0, -3]))
    with pytest.raises(CodecError, match="value 0 has no frequency"):
        Rans.for_word(Word(8)).payload_bits(blocks_of(codec, [0]))


@pytest.mark.parametrize("n_states", [0, 3, 64])
def test_states_are_powers_of_two(n_states: int) -> None:
    with pytest.raises(CodecError, match=r"rans: states must be one of 1, 2, 4, 8, 16, 32, not"):
        Rans(Word(8), states=n_states)


def test_a_lane_decodes_as_many_values_a_cycle_as_it_has_states() -> None:
    four = Rans(Word(8), states=4).hardware
    assert four.decode_values_per_cycle == four.encode_values_per_cycle == 4
    assert four.gates_kge > Rans(Word(8)).hardware.gates_kge


def test_the_worst_block_is_close_to_its_bound() -> None:
    codec = Rans.for_word(Word(8)).fit(SKEWED, every_symbol=True)
    bits = int(codec.payload_bits(blocks_of(codec, [255] * 4096))[0])
    assert 0.98 * codec.worst_case_bits(4096) < bits <= codec.worst_case_bits(4096)
