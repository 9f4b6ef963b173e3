"""Compression-aware projection: fixed length, the energy that is dropped, and parameters."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.codecs.base import Bitstream, Values, Word, one_block
from accelsim.codecs.blocks import cut
from accelsim.codecs.formats.cap import Cap
from accelsim.errors import CodecError

SIGNED = Word(16, signed=True)


def maps_of(seed: int = 0, channels: int = 16, rows: int = 20, cols: int = 20) -> Values:
    """Wide words whose components fall in variance, far above the rounding to integers."""
    rng = np.random.default_rng(seed)
    scales = 4000.0 * 0.7 ** np.arange(channels)
    mixing = np.linalg.qr(np.random.default_rng(99).normal(size=(channels, channels)))[0]
    values = mixing @ (rng.normal(size=(channels, rows * cols)) * scales[:, np.newaxis])
    return np.clip(np.rint(values), -32768, 32767).astype(np.int16).reshape(channels, rows, cols)


def text(stream: Bitstream) -> str:
    return "".join(map(str, np.unpackbits(stream.payload)[: stream.bits]))


def test_one_channel_is_a_row_of_words_over_its_range() -> None:
    values = np.array([[[10, 40, 20, 30]]], np.uint8)
    codec = Cap(Word(8), keep=16, bits=2).fit(values)
    # Mean 25, y = -15 15 -5 5 in 2^10 parts; steps of 10 from -15.
    assert text(codec.encode(one_block(values))) == "00" + "11" + "01" + "10"
    np.testing.assert_array_equal(codec.reconstruct(values), values)
    assert codec.table_bits == 12 + 8 + 2 * (1 + 8 + 12)


@pytest.mark.parametrize("keep", [1, 3, 8, 12, 15])
def test_the_error_is_the_energy_of_the_dropped_components(keep: int) -> None:
    maps = maps_of()
    codec = Cap(SIGNED, keep=keep, bits=16).fit(maps)
    pixels = maps.reshape(16, -1).astype(float)
    variances = np.linalg.eigvalsh(np.cov(pixels, bias=True))[::-1]
    error = np.sum((codec.reconstruct(maps) - pixels.reshape(maps.shape)) ** 2) / pixels.shape[1]
    # Rounding to integers adds 1/12 to each channel; entries have 12 bits.
    assert error == pytest.approx(variances[keep:].sum() + 16 / 12, rel=0.01, abs=30)


def test_all_components_of_fine_steps_lose_little_more_than_the_rounding() -> None:
    maps = maps_of()
    error = Cap(SIGNED, keep=16, bits=16).fit(maps).reconstruct(maps) - maps.astype(float)
    assert np.sqrt(np.mean(error**2)) < 1e-3 * maps.std()


def test_every_block_of_a_shape_has_the_same_size() -> None:
    calibration, maps = maps_of(1), maps_of(2)
    maps[:, :8, :8] = 0
    codec = Cap(SIGNED, keep=5, bits=7).fit(calibration)
    blocks = cut(maps, (16, 8, 8), "hwc")
    pixels = blocks.sizes // 16
    assert codec.encode(blocks).offsets_bits.tolist() == [0, *np.cumsum(pixels * 5 * 7).tolist()]
    assert codec.worst_case_bits(16 * 64) == 64 * 5 * 7


@pytest.mark.parametrize(("channels", "keep", "n_kept"), [(16, 6, 6), (10, 6, 4), (3, 1, 1)])
def test_keep_counts_of_every_sixteen_components(channels: int, keep: int, n_kept: int) -> None:
    maps = maps_of(channels=channels)
    codec = Cap(SIGNED, keep=keep, bits=4).fit(maps)
    assert codec.encode(one_block(maps)).bits == 400 * n_kept * 4


def test_keeping_more_components_errs_less() -> None:
    maps = maps_of(3)
    errors = [
        np.mean((Cap(SIGNED, keep=keep, bits=10).fit(maps).reconstruct(maps) - 1.0 * maps) ** 2)
        for keep in range(1, 17)
    ]
    assert errors == sorted(errors, reverse=True)


def test_codes_that_calibration_never_saw_need_no_table() -> None:
    codec = Cap(Word(8), bits=3).fit(np.full((4, 2, 2), 9, np.uint8))
    other = np.array([[[0]], [[255]], [[3]], [[77]]], np.uint8)
    assert codec.encode(one_block(other)).bits == 2 * 3
    # The range of calibration is one point: whatever comes, its mean is what is left.
    assert codec.reconstruct(other).ravel().tolist() == [9, 9, 9, 9]


@pytest.mark.parametrize("shape", [(1, 1, 1), (16, 1, 1), (5, 3, 1)])
def test_constant_maps_survive_exactly(shape: tuple[int, int, int]) -> None:
    for word in (Word(2), Word(8, signed=True), Word(16)):
        for level in (word.low, word.high):
            maps = np.full(shape, level, word.dtype)
            np.testing.assert_array_equal(Cap.for_word(word).fit(maps).reconstruct(maps), maps)


@pytest.mark.parametrize(
    ("field", "value"),
    [("keep", 0), ("keep", 17), ("bits", 1), ("group", 5000), ("matrix_bits", 13)],
)
def test_parameters_outside_their_range_are_refused(field: str, value: int) -> None:
    with pytest.raises(CodecError, match=f"{field} is {value}; give"):
        replace(Cap(Word(8)), **{field: value})


def test_without_fit_it_says_what_is_missing() -> None:
    with pytest.raises(CodecError, match="call fit"):
        Cap(Word(8)).payload_bits(one_block(np.zeros((16, 1, 1), np.uint8)))


@settings(deadline=None, max_examples=60)
@given(
    st.integers(2, 16),
    st.booleans(),
    st.integers(1, 20),
    st.integers(1, 6),
    st.integers(0, 8),
    st.integers(1, 16),
    st.integers(2, 16),
    st.integers(0, 2**32 - 1),
)
def test_decoding_returns_the_reconstruction(
    width: int,
    signed: bool,
    channels: int,
    pixels: int,
    group: int,
    keep: int,
    bits: int,
    seed: int,
) -> None:
    word = Word(width, signed)
    rng = np.random.default_rng(seed)
    maps = rng.integers(word.low, word.high, (2, channels, pixels, 2), word.dtype, endpoint=True)
    codec = Cap(word, keep, bits, group).fit(maps[0])
    block = one_block(maps[1])
    stream = codec.encode(block)
    assert stream.bits == codec.payload_bits(block)[0] <= codec.worst_case_bits(maps[1].size)
    decoded = codec.decode(stream, block.sizes, block.shapes).values
    np.testing.assert_array_equal(decoded, codec.reconstruct(maps[1]).reshape(-1))
