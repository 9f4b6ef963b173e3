"""tANS against a plain coder with dictionaries and bit strings, and against the entropy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.codecs.base import Bitstream, Blocks, Codec, Word
from accelsim.codecs.contract import join_blocks
from accelsim.codecs.formats.rans import Rans
from accelsim.codecs.formats.tans import Tans
from accelsim.errors import CodecError

SKEWED = np.repeat(np.arange(6), [2000, 700, 200, 40, 5, 1]).astype(np.uint8)


def blocks_of(codec: Codec, *blocks: list[int]) -> Blocks:
    return join_blocks([np.array(b, codec.word.dtype) for b in blocks], codec.word)


def text(stream: Bitstream) -> str:
    return "".join(map(str, np.unpackbits(stream.payload)[: stream.bits]))


def frequencies_of(codec: Tans) -> list[int]:
    return np.frombuffer(codec.frequencies, "<i4").tolist()


def places_of_symbols(frequencies: list[int]) -> list[list[int]]:
    """The places of each symbol, upwards, dealt one after the other."""
    total, at = sum(frequencies), 0
    places: list[list[int]] = [[] for _ in frequencies]
    for symbol, f in enumerate(frequencies):
        for _ in range(f):
            places[symbol].append(at)
            at = (at + total * 5 // 8 + 3) % total
    return [sorted(p) for p in places]


def reference(values: list[int], codec: Tans) -> str:
    """The bits of a block: shift until the number is one of the symbol's own."""
    frequencies = frequencies_of(codec)
    places, total = places_of_symbols(frequencies), sum(frequencies)
    state_bits = total.bit_length() - 1
    states, bits = [total] * min(codec.states, len(values)), ""
    for i in reversed(range(len(values))):
        symbol = values[i]
        if frequencies[symbol] == 0:
            bits = f"{symbol:0{codec.word.bits}b}" + bits
            symbol = 1 << codec.word.bits
        f, x, moved = frequencies[symbol], states[i % codec.states], ""
        while x >= 2 * f:
            moved = str(x % 2) + moved
            x //= 2
        bits = moved + bits
        states[i % codec.states] = total + places[symbol][x - f]
    return "".join(f"{x - total:0{state_bits}b}" for x in states) + bits


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(st.sampled_from([0, 0, 0, 0, 1, 1, 2, 3, 4, 5]), max_size=60), max_size=5),
    st.sampled_from([1, 2, 8]),
    st.sampled_from([5, 8, 12]),
)
def test_streams_equal_the_plain_coder_bit_for_bit(
    values: list[list[int]], n_states: int, state_bits: int
) -> None:
    codec = Tans(Word(8), n_states, state_bits=state_bits).fit(SKEWED)
    expected = [reference(block, codec) for block in values]
    stream = codec.encode(blocks_of(codec, *values))
    assert text(stream) == "".join(expected)
    assert np.diff(stream.offsets_bits).tolist() == [len(block) for block in expected]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from([0, 0, 0, 7, 9, 4095]), max_size=40), st.sampled_from([1, 4]))
def test_escaped_words_follow_their_escape(values: list[int], n_states: int) -> None:
    codec = Tans(Word(12), n_states).fit(np.array([0] * 99 + [7]), every_symbol=True)
    assert text(codec.encode(blocks_of(codec, values))) == reference(values, codec)


def test_a_stream_reckoned_by_hand() -> None:
    codec = Tans(Word(2), state_bits=5).fit(np.array([0] * 10 + [3] * 22))
    assert frequencies_of(codec) == [10, 0, 0, 22, 0]
    # 0 has places 0 1 5 10 14 15 19 23 24 28, and 3 the 22 others.
    # Last first. 3 in 32: 32 is of 22 .. 43, so no bits; its 11th place is 16: state 48.
    # 0 in 48: 48 >> 2 = 12 is of 10 .. 19, so bits 00; its 3rd place is 5: state 37.
    assert text(codec.encode(blocks_of(codec, [0, 3]))) == "00101" + "00"


def test_empty_blocks_have_no_bits_and_short_ones_only_the_states_they_use() -> None:
    codec = Tans(Word(8), states=4).fit(np.zeros(9, int))
    sizes = codec.payload_bits(blocks_of(codec, [], [0], [0, 0, 0], [0] * 999))
    assert sizes.tolist() == [0, 12, 36, 48]
    assert Tans.for_word(Word(8)).encode(blocks_of(codec, [])).bits == 0


def test_sizes_are_the_cross_entropy_and_the_state() -> None:
    rng = np.random.default_rng(3)
    values = np.minimum(rng.exponential(6, 200_000), 255).astype(np.uint8)
    values[rng.random(values.size) < 0.5] = 0
    blocks = Blocks(values, np.array([0, values.size]))
    codec = Tans.for_word(Word(8)).fit(values)
    ideal = -np.log2(np.array(frequencies_of(codec))[values] / 4096).sum()
    coded = int(codec.payload_bits(blocks)[0])
    assert ideal < coded < ideal + 12 + 0.01 * values.size
    other = int(Rans.for_word(Word(8)).fit(values).payload_bits(blocks)[0])
    assert abs(coded - other) < 64 + 0.01 * values.size


def test_below_one_bit_a_value_the_rate_follows_the_entropy() -> None:
    values = np.zeros(100_000, np.uint8)
    values[::50] = 9
    codec = Tans.for_word(Word(8)).fit(values)
    bits = codec.payload_bits(Blocks(values, np.array([0, values.size])))[0]
    assert bits / values.size == pytest.approx(0.1414, abs=0.003)  # H(1 / 50)


def test_more_symbols_than_states_take_more_states() -> None:
    codec = Tans(Word(16), state_bits=5).fit(np.arange(33))
    assert sum(frequencies_of(codec)) == 64
    assert codec.table_bits == 6 << 16
    everything = np.arange(1 << 16).astype(np.uint16)
    full = Tans.for_word(Word(16)).fit(everything, every_symbol=True)
    blocks = Blocks(everything, np.array([0, 1 << 16]))
    stream = full.encode(blocks)
    assert stream.bits == 16 + (16 << 16)
    np.testing.assert_array_equal(full.decode(stream, blocks.sizes).values, everything)


def test_every_single_damaged_bit_shows_or_changes_values_only() -> None:
    codec = Tans(Word(8), states=2).fit(SKEWED)
    values = np.random.default_rng(0).permutation(SKEWED)[:200]
    blocks = Blocks(values, np.array([0, 120, 200]))
    stream = codec.encode(blocks)
    n_refused = 0
    for bit in range(stream.bits):
        payload = stream.payload.copy()
        payload[bit // 8] ^= 128 >> bit % 8
        try:
            decoded = codec.decode(Bitstream(payload, stream.offsets_bits), blocks.sizes)
        except CodecError:
            n_refused += 1
            continue
        # What decodes is what the encoder writes for other values.
        np.testing.assert_array_equal(codec.encode(decoded).payload, payload)
    assert n_refused > 0.95 * stream.bits


def test_an_escape_before_a_word_with_its_own_code_is_refused() -> None:
    codec = Tans.for_word(Word(12)).fit(np.array([0] * 99 + [7]), every_symbol=True)
    stream = codec.encode(blocks_of(codec, [9]))
    as_bits = np.unpackbits(stream.payload)
    as_bits[stream.bits - 12 : stream.bits] = [int(b) for b in f"{7:012b}"]
    with pytest.raises(CodecError, match="not a stream of"):
        codec.decode(Bitstream(np.packbits(as_bits), stream.offsets_bits), np.array([1]))


def test_without_fit_nothing_is_coded_or_decoded() -> None:
    codec = Tans.for_word(Word(8))
    with pytest.raises(CodecError, match="tans: value 0 has no frequency"):
        codec.payload_bits(blocks_of(codec, [0]))
    with pytest.raises(CodecError, match="not a stream of 3 values"):
        codec.decode(Bitstream(np.zeros(2, np.uint8), np.array([0, 12])), np.array([3]))


def test_parameters_outside_their_range_are_refused() -> None:
    with pytest.raises(CodecError, match="tans: states must be one of 1, 2, 4, 8, 16, 32, not 3"):
        Tans(Word(8), states=3)
    for state_bits in (4, 17):
        with pytest.raises(CodecError, match=f"state_bits must be 5 to 16, not {state_bits}"):
            Tans(Word(8), state_bits=state_bits)


def test_fewer_states_need_smaller_tables_and_a_little_more_bits() -> None:
    small, large = Tans(Word(8), state_bits=8), Tans.for_word(Word(8))
    assert small.hardware.decode_buffer_bits < large.hardware.decode_buffer_bits / 10
    blocks = Blocks(SKEWED, np.array([0, SKEWED.size]))
    sizes = [int(c.fit(SKEWED).payload_bits(blocks)[0]) for c in (large, small)]
    assert sizes[0] < sizes[1] < 1.05 * sizes[0]
    assert small.parameters != large.parameters


def test_the_worst_block_is_close_to_its_bound() -> None:
    codec = Tans.for_word(Word(8)).fit(SKEWED, every_symbol=True)
    bits = int(codec.payload_bits(blocks_of(codec, [255] * 4096))[0])
    assert 0.98 * codec.worst_case_bits(4096) < bits <= codec.worst_case_bits(4096)
