"""Huffman with a table in each block: codes, header, and what a decoder refuses."""

from collections import Counter
from math import ceil, log2

import constriction
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.codecs import rates
from accelsim.codecs.base import Bitstream, Blocks, Word, one_block
from accelsim.codecs.coding import block_table
from accelsim.codecs.coding.block_code import Scratch, build_lengths, first_codes, sort_keys
from accelsim.codecs.coding.huffman_code import canonical_codes, code_lengths
from accelsim.codecs.coding.zigzag import fold
from accelsim.codecs.contract import join_blocks
from accelsim.codecs.formats.huffman_adaptive import HuffmanAdaptive
from accelsim.codecs.words import to_words
from accelsim.errors import CodecError

WORDS = st.sampled_from([Word(b, s) for b in (2, 4, 8, 12, 16) for s in (False, True)])


def text(values: list[int], word: Word) -> str:
    stream = HuffmanAdaptive(word).encode(one_block(np.array(values, word.dtype)))
    return "".join(map(str, np.unpackbits(stream.payload)[: stream.bits]))


def number(value: int) -> str:
    """Exp-Golomb of order 0 in strings."""
    return "0" * (len(f"{value + 1:b}") - 1) + f"{value + 1:b}"


def layout(values: list[int], word: Word) -> str:
    """The format in strings, from its description."""
    if not values:
        return ""
    symbols = fold(to_words(np.array(values, word.dtype), word), word).tolist()
    counts = np.bincount(symbols, minlength=1 << word.bits)
    n_symbols = int(np.count_nonzero(counts))
    lengths = code_lengths(counts, 12 if n_symbols <= 4096 else 16)
    codes = canonical_codes(lengths)
    count_bits = ceil(log2(min(len(values), 1 << word.bits)))
    parts = [f"{n_symbols - 1:0{count_bits}b}" if count_bits else ""]
    skipped_to, length = 0, 1
    for symbol in sorted(set(symbols)):
        parts.append(number(symbol - skipped_to))
        change = int(lengths[symbol]) - length
        if n_symbols > 1:
            parts.append(number(2 * change if change >= 0 else -2 * change - 1))
        skipped_to, length = symbol + 1, int(lengths[symbol])
    if n_symbols > 1:
        parts += [f"{codes[s]:0{lengths[s]}b}" for s in symbols]
    return "".join(parts)


@settings(max_examples=150, deadline=None)
@given(WORDS, st.data())
def test_streams_are_those_of_the_description(word: Word, data: st.DataObject) -> None:
    near_zero = st.integers(max(word.low, -4), min(word.high, 9))
    value = st.one_of(st.just(0), near_zero, st.integers(word.low, word.high))
    values = data.draw(st.lists(value, max_size=120))
    assert text(values, word) == layout(values, word)
    blocks = one_block(np.array(values, word.dtype))
    codec = HuffmanAdaptive(word)
    decoded = codec.decode(codec.encode(blocks), blocks.sizes)
    np.testing.assert_array_equal(decoded.values, blocks.values)


def test_a_constant_block_is_its_table() -> None:
    # One symbol of at most 64: 6 bits for the count; 7 words skipped, 0001000.
    assert text([7] * 64, Word(8)) == "000000" + "0001000"
    assert text([7], Word(8)) == "0001000"
    assert text([], Word(8)) == ""


def test_a_block_of_many_symbols_has_codes_of_sixteen_bits_at_most() -> None:
    # Fibonacci counts would take 20 bits; a code of more than 4096 symbols takes 13 or more.
    fibonacci = [1, 1]
    while len(fibonacci) < 20:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])
    steep = np.repeat(np.arange(20), fibonacci).astype(np.uint16)
    many = np.concatenate([np.arange(5000), np.zeros(200_000, int)]).astype(np.uint16)
    for values, longest in ((steep, 12), (many, 16)):
        scratch = Scratch.for_words(16)
        highest = build_lengths(values, 0, values.size, *scratch)
        lengths = np.where(scratch.counts > 0, scratch.lengths, 0)[: highest + 1]
        np.testing.assert_array_equal(lengths, code_lengths(np.bincount(values), longest))
        assert 12 <= lengths.max() <= longest
        blocks = one_block(values)
        codec = HuffmanAdaptive(Word(16))
        decoded = codec.decode(codec.encode(blocks), blocks.sizes)
        np.testing.assert_array_equal(decoded.values, values)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=2, max_size=300))
def test_codes_are_as_short_as_those_of_constriction(values: list[int]) -> None:
    counts = np.bincount(values)
    present = np.flatnonzero(counts)
    if len(present) < 2:
        return
    tree = constriction.symbol.huffman.EncoderHuffmanTree(counts[present].astype(np.float32))
    coder = constriction.symbol.QueueEncoder()
    for value in values:
        coder.encode_symbol(int(np.searchsorted(present, value)), tree)
    _, n_bits = coder.get_compressed()
    scratch = Scratch.for_words(8)
    build_lengths(np.array(values, np.uint16), 0, len(values), *scratch)
    assert int((scratch.counts[present] * scratch.lengths[present]).sum()) == n_bits
    np.testing.assert_array_equal(scratch.lengths[present], code_lengths(counts, 12)[present])
    codes = np.empty(256, np.int64)
    first_codes(scratch.counts, scratch.lengths, max(values), codes, np.empty(18, np.int64))
    np.testing.assert_array_equal(
        codes[present], canonical_codes(code_lengths(counts, 12))[present]
    )


@given(st.lists(st.integers(0, 1 << 44), max_size=60))
def test_keys_are_sorted(keys: list[int]) -> None:
    array = np.array([*keys, -1], np.int64)
    if len(keys) > 1:
        sort_keys(array, len(keys))
        assert array.tolist() == [*sorted(keys), -1]


def test_the_payload_lies_between_entropy_and_one_bit_more() -> None:
    rng = np.random.default_rng(0)
    values = np.minimum(rng.exponential(6, 4096), 60).astype(np.uint8)
    bits = HuffmanAdaptive(Word(8)).encode(one_block(values)).bits
    entropy = rates.entropy_bits(rates.histogram(values, Word(8)))
    n_symbols = len(Counter(values.tolist()))
    assert entropy < bits < 1.02 * entropy + 8 + 6 * n_symbols


def test_small_blocks_of_changing_statistics_beat_one_table() -> None:
    from accelsim.codecs.formats.huffman import Huffman

    rng = np.random.default_rng(1)
    quiet = np.minimum(rng.exponential(0.4, (8, 512)), 9)
    loud = np.clip(rng.normal(100, 3, (8, 512)), 0, 255)
    values = np.stack([quiet, loud], axis=1).reshape(-1).astype(np.uint8)
    blocks = Blocks(values, np.arange(0, values.size + 1, 512))
    static = Huffman(Word(8)).fit(values)
    adaptive = HuffmanAdaptive(Word(8)).payload_bits(blocks).sum()
    assert adaptive < static.payload_bits(blocks).sum()


@pytest.mark.parametrize("word", [Word(2), Word(4, True), Word(8), Word(16)])
def test_the_bound_holds_for_all_symbols_spread_evenly(word: Word) -> None:
    codec = HuffmanAdaptive(word)
    largest = one_block(np.array([word.low or word.high], word.dtype))
    assert codec.encode(largest).bits == codec.worst_case_bits(1) == 2 * word.bits + 1
    for n in (2, 3, 7, 64, 300, 5000):
        spread = np.linspace(word.low, word.high, n).astype(word.dtype)
        bits = codec.encode(one_block(spread)).bits
        assert 0.4 * codec.worst_case_bits(n) < bits <= codec.worst_case_bits(n)


@pytest.mark.parametrize(
    ("stream", "flaw"),
    [
        ("01 1 1 1 1 010", None),  # symbols 0 and 1 with a bit each; 0, 1, 0
        ("11 1 011 1 1 1 1 1 1 000110", "four symbols for three values"),
        ("01 1 1 1 011 0100", "codes of 1 and 2 bits leave one without a symbol"),
        ("10 1 1 1 1 1 1 010", "three codes of 1 bit"),
        ("01 1 011 1 1 010001", "two codes of 2 bits leave codes without a symbol"),
        ("01 1 010 1 1 010", "a code of 0 bits"),
        ("01 1 1 000000000100000001 1 010", "a symbol beyond the word"),
        ("01 1 1 1 1 01", "too short"),
        ("01 1 1 1 1 0100", "too long"),
        ("0" * 60, "no number starts here"),
        ("01 1 00000101001 1 1 010", "a code of more than 12 bits"),
    ],
)
def test_tables_that_no_encoder_writes_are_refused(stream: str, flaw: str | None) -> None:
    bits = np.array([int(c) for c in stream if c in "01"], np.uint8)
    given_stream = Bitstream(np.packbits(bits), np.array([0, len(bits)], np.int64))
    codec, sizes = HuffmanAdaptive(Word(8)), np.array([3])
    if flaw is None:
        assert codec.decode(given_stream, sizes).values.tolist() == [0, 1, 0]
        return
    with pytest.raises(CodecError, match="not a stream of 3 values"):
        codec.decode(given_stream, sizes)


def test_a_cut_stream_is_refused_wherever_it_is_cut() -> None:
    whole = layout([0, 3, 0, 200, 0, 3], Word(8))
    bits = np.array([int(c) for c in whole], np.uint8)
    for n_bits in range(len(bits)):
        cut = Bitstream(np.packbits(bits[:n_bits]), np.array([0, n_bits], np.int64))
        with pytest.raises(CodecError):
            HuffmanAdaptive(Word(8)).decode(cut, np.array([6]))


def test_cycles_grow_with_the_symbols_of_the_block() -> None:
    blocks = join_blocks([np.zeros(10), np.arange(10), np.zeros(0)], Word(8))
    codec = HuffmanAdaptive(Word(8))
    assert codec.encode_work(blocks).tolist() == [2 * 10 + 24 * 1, 2 * 10 + 24 * 10, 0]
    assert codec.decode_work(blocks).tolist() == [10 + 2 * 1, 10 + 2 * 10, 0]


def test_numbers_end_at_sixteen_bits() -> None:
    payload = np.zeros(16, np.uint8)
    assert block_table._put_number(payload, 3, 65535) == 3 + 33
    assert block_table._number_bits(payload, 3) == block_table.LONGEST_NUMBER_BITS == 33
