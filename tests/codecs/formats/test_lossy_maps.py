"""What the codecs of smooth maps share: exact streams, small errors, finer is no worse."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.codecs.base import CODECS, Codec, Values, Word, one_block
from accelsim.codecs.blocks import Scan, cut

COSINE = ["jpeg_act", "teco"]
WORDS = [Word(5), Word(8), Word(8, signed=True), Word(12), Word(16), Word(16, signed=True)]


def codec_of(name: str, word: Word, **parameters: Any) -> Codec:
    kind: Any = CODECS[name]
    codec: Codec = kind(word, **parameters)
    return codec


def smooth_map(word: Word, seed: int, shape: tuple[int, int, int] = (4, 32, 40)) -> Values:
    """Slow waves over the whole range of the word, with a little noise."""
    rng = np.random.default_rng(seed)
    channels, rows, cols = shape
    y, x = np.mgrid[0:rows, 0:cols] / 16.0
    waves = np.array([np.sin(a * x + b * y + c) for a, b, c in rng.uniform(0, 3, (channels, 3))])
    span, middle = (word.high - word.low) / 2, (word.high + word.low) / 2
    noisy = middle + 0.95 * span * waves + rng.normal(0, span / 100, shape)
    return np.clip(np.rint(noisy), word.low, word.high).astype(word.dtype)


def mean_squared_error(codec: Codec, maps: Values) -> float:
    return float(np.mean((codec.reconstruct(maps).astype(float) - maps) ** 2))


@pytest.mark.parametrize("name", COSINE)
@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 19), st.integers(1, 19)),
    block=st.tuples(st.integers(1, 4), st.integers(1, 12), st.integers(1, 17)),
    scan=st.sampled_from(["chw", "hwc"]),
    word=st.sampled_from(WORDS),
    quality=st.integers(1, 16),
    seed=st.integers(0, 3),
)
def test_decoding_returns_what_reconstruct_says(
    name: str,
    shape: tuple[int, int, int],
    block: tuple[int, int, int],
    scan: Scan,
    word: Word,
    quality: int,
    seed: int,
) -> None:
    values = smooth_map(word, seed, shape)
    blocks = cut(values, block, scan)
    codec = codec_of(name, word, quality=quality).fit(values)
    stream = codec.encode(blocks)
    back = codec.decode(stream, blocks.sizes, blocks.shapes).values
    np.testing.assert_array_equal(back, codec.reconstruct_blocks(blocks))
    np.testing.assert_array_equal(np.diff(stream.offsets_bits), codec.payload_bits(blocks))
    for n_values, n_bits in zip(blocks.sizes, np.diff(stream.offsets_bits), strict=True):
        assert n_bits <= codec.worst_case_bits(int(n_values))


@pytest.mark.parametrize("name", COSINE)
@pytest.mark.parametrize("word", WORDS)
def test_constant_maps_come_back_exactly(name: str, word: Word) -> None:
    for constant in (word.low, word.low + 1, 3, word.high // 2, word.high - 1, word.high):
        flat = np.full((2, 11, 9), constant, word.dtype)
        for quality in (1, 5, 16):
            codec = codec_of(name, word, quality=quality)
            np.testing.assert_array_equal(codec.reconstruct(flat), flat)
            np.testing.assert_array_equal(codec.fit(flat).reconstruct(flat), flat)


@pytest.mark.parametrize("name", COSINE)
@pytest.mark.parametrize("word", WORDS[1:])
def test_smooth_maps_shrink_at_a_small_error(name: str, word: Word) -> None:
    maps = smooth_map(word, seed=1)
    codec = codec_of(name, word).fit(maps)
    blocks = cut(maps, (4, 8, 8), "hwc")
    assert codec.payload_bits(blocks).sum() < 0.5 * maps.size * word.bits
    # A uniform quantiser with the step of quality 5, 2^(W - 5), errs by step^2 / 12.
    assert mean_squared_error(codec, maps) < 4.0 ** (word.bits - 5) / 8 + 0.5


@pytest.mark.parametrize("name", COSINE)
@pytest.mark.parametrize("word", WORDS)
def test_finer_quality_has_no_larger_error_and_no_smaller_stream(name: str, word: Word) -> None:
    maps = smooth_map(word, seed=2)
    codecs = [codec_of(name, word, quality=quality).fit(maps) for quality in range(1, 17)]
    errors = [mean_squared_error(codec, maps) for codec in codecs]
    sizes = [int(codec.payload_bits(one_block(maps))[0]) for codec in codecs]
    assert errors == sorted(errors, reverse=True) and errors[-1] < errors[0]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("name", COSINE)
def test_rows_alone_work_but_cost_more(name: str) -> None:
    maps = smooth_map(Word(8), seed=3, shape=(16, 32, 64))
    codec = codec_of(name, Word(8)).fit(maps)
    rows, tiles = cut(maps, (16, 1, 64), "hwc"), cut(maps, (16, 8, 8), "hwc")
    assert codec.payload_bits(rows).sum() > 2 * codec.payload_bits(tiles).sum()
    error = codec.reconstruct_blocks(rows).astype(float) - rows.values
    assert np.mean(error**2) < 8**2 / 12 + 0.5
    assert codec.needs == ("spatial_tile",)
