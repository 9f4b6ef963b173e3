"""DCT along the channels: the transform, what fit chooses, and streams reckoned by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import fft

from accelsim.codecs.base import Bitstream, Shapes, Values, Word, one_block
from accelsim.codecs.formats.dct_cm import DctCm, cosines
from accelsim.codecs.formats.zvc import Zvc
from accelsim.codecs.transforms.channel_transform import fixed_point
from accelsim.errors import CodecError

WIDE = Word(16, signed=True)


def smooth(word: Word, channels: int = 16, seed: int = 0) -> Values:
    """Maps whose channels follow each other smoothly, as the transform hopes for."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 0.05 * word.high, (channels, 12, 11))
    values = steps.cumsum(axis=0) + 0.4 * word.high
    return np.clip(np.rint(values), word.low, word.high).astype(word.dtype)


def sparse(channels: int = 16) -> Values:
    rng = np.random.default_rng(1)
    magnitude = 1 + rng.exponential(40, (channels, 12, 11))
    kept = rng.random(magnitude.shape) < 0.1
    return np.where(kept, np.minimum(magnitude, 255), 0).astype(np.uint8)


def text(stream: Bitstream) -> str:
    return "".join(map(str, np.unpackbits(stream.payload)[: stream.bits]))


def relative_error(codec: DctCm, maps: Values) -> float:
    error = codec.reconstruct(maps) - maps.astype(float)
    return float(np.sum(error**2) / np.sum(maps.astype(float) ** 2))


@pytest.mark.parametrize("length", [1, 2, 3, 8, 16])
def test_the_rows_are_the_orthonormal_cosine_transform(length: int) -> None:
    vectors = np.random.default_rng(length).normal(size=(20, length))
    expected = fft.dct(vectors, type=2, norm="ortho")
    np.testing.assert_allclose(vectors @ cosines(length).T, expected, atol=1e-12)


@pytest.mark.parametrize("length", [1, 2, 3, 8, 16])
def test_the_rows_are_orthonormal_also_in_eight_bits(length: int) -> None:
    np.testing.assert_allclose(cosines(length) @ cosines(length).T, np.eye(length), atol=1e-12)
    matrix, fraction_bits = fixed_point(cosines(length), 8)
    assert np.abs(matrix).max() <= 127
    rounded = matrix / 2.0**fraction_bits
    np.testing.assert_allclose(rounded @ rounded.T, np.eye(length), atol=0.015)


def test_the_error_is_the_energy_of_the_dropped_coefficients() -> None:
    maps = smooth(WIDE)
    codec = DctCm(WIDE, tolerance_permille=30, mode="dct").fit(maps)
    assert codec.fitted is not None and codec.fitted.n_kept < 8
    groups = maps.reshape(2, 8, -1).astype(float)
    coefficients = np.einsum("kc,gcp->gkp", cosines(8), groups)
    matrix = np.frombuffer(codec.fitted.matrix, np.int64).reshape(-1, 8)
    kept = [int(np.argmax(row @ cosines(8).T)) for row in matrix]
    dropped = [k for k in range(8) if k not in kept]
    steps = np.frombuffer(codec.fitted.step, np.int64) / 2.0**codec.fitted.fraction_bits
    stored = coefficients[:, kept]
    rounding = stored - np.floor(stored / steps[:, np.newaxis] + 0.5) * steps[:, np.newaxis]
    expected = np.sum(coefficients[:, dropped] ** 2) + np.sum(rounding**2)
    error = np.sum((codec.reconstruct(maps) - maps.astype(float)) ** 2)
    assert error == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("tolerance", [1, 5, 20, 100, 400])
@pytest.mark.parametrize("word", [Word(8), Word(8, signed=True), WIDE])
def test_the_error_stays_within_the_tolerance(tolerance: int, word: Word) -> None:
    maps = smooth(word)
    codec = DctCm(word, tolerance_permille=tolerance, mode="dct").fit(maps)
    # The matrix has 8 bits, and decoding rounds to integers: a thousandth of a word of 8.
    assert relative_error(codec, maps) <= 1.02 * tolerance / 1000 + 3e-4


def test_a_loud_coefficient_has_a_coarser_step_than_the_others_not_a_clip() -> None:
    maps = np.random.default_rng(0).integers(0, 4, (8, 1, 50)).astype(np.uint8)
    maps[:, 0, 7] = 255
    codec = DctCm(Word(8), tolerance_permille=1, mode="dct").fit(maps)
    assert codec.fitted is not None
    steps = np.frombuffer(codec.fitted.step, np.int64) >> codec.fitted.fraction_bits
    # 255 sqrt(8) = 721 takes a step of 8 in signed words of 8 bits.
    assert steps[0] == 8 and (steps[1:] < 8).all()
    assert codec.reconstruct(maps)[:, 0, 7].min() >= 250


def test_more_tolerance_takes_fewer_bits() -> None:
    maps = smooth(Word(8))
    sizes = [
        DctCm(Word(8), tolerance_permille=t, mode="dct").fit(maps).encode(one_block(maps)).bits
        for t in (0, 1, 5, 20, 100, 500)
    ]
    assert sizes == sorted(sizes, reverse=True) and sizes[-1] < sizes[0] / 4


def test_fit_chooses_by_bits_and_sparse_maps_pass_by_exactly() -> None:
    maps = sparse()
    chosen = DctCm(Word(8)).fit(maps)
    assert not chosen.uses_dct
    np.testing.assert_array_equal(chosen.reconstruct(maps), maps)
    zvc = Zvc.for_word(Word(8)).payload_bits(one_block(maps))[0]
    raw = DctCm(Word(8), mode="bypass", payload="raw").fit(maps)
    assert raw.encode(one_block(maps)).bits == zvc >= chosen.encode(one_block(maps)).bits
    assert DctCm(Word(8)).fit(smooth(Word(8))).uses_dct


@pytest.mark.parametrize("maps", [sparse(), smooth(Word(8))])
def test_the_choice_takes_no_more_bits_than_any_forced_one(maps: Values) -> None:
    bits = {
        (mode, payload): DctCm(Word(8), mode=mode, payload=payload)
        .fit(maps)
        .encode(one_block(maps))
        .bits
        for mode in ("auto", "dct", "bypass")
        for payload in ("auto", "raw", "classes")
    }
    assert bits["auto", "auto"] == min(bits.values())


def test_a_vector_is_flags_and_words() -> None:
    maps = np.array([5, 0, 0, 0, 0, 0, 0, 250, 9], np.uint8).reshape(9, 1, 1)
    codec = DctCm(Word(8), mode="bypass", payload="raw").fit(maps)
    flags_and_words = "10000001" + f"{5:08b}" + f"{250:08b}", "10000000" + f"{9:08b}"
    assert text(codec.encode(one_block(maps))) == "".join(flags_and_words)


def test_a_constant_vector_is_its_first_coefficient() -> None:
    maps = np.full((8, 1, 1), 100, np.uint8)
    codec = DctCm(Word(8), tolerance_permille=0, payload="raw").fit(maps)
    # 45.25 sqrt(2) = 91 of 256 for each channel: 91 x 800 / 256 = 284.4. Signed words of 8
    # bits need a step of 4: 284.4 / 4 = 71. Back: 71 x 4 x 91 / 256 = 100.95.
    assert text(codec.encode(one_block(maps))) == "1" + f"{71:08b}"
    assert codec.reconstruct(maps).ravel().tolist() == [101] * 8


@pytest.mark.parametrize("word", [Word(2), Word(8), Word(16), WIDE])
@pytest.mark.parametrize("shape", [(1, 1, 1), (8, 1, 1), (19, 2, 2), (3, 0, 1)])
def test_constant_maps_survive_within_the_step(word: Word, shape: tuple[int, int, int]) -> None:
    for level in {word.low, 0, 1, word.high}:
        maps = np.full(shape, level, word.dtype)
        codec = DctCm(word, tolerance_permille=0, mode="dct").fit(maps)
        assert codec.fitted is not None
        step = np.frombuffer(codec.fitted.step, np.int64).max() / 2**codec.fitted.fraction_bits
        error = np.abs(codec.reconstruct(maps).astype(int) - level)
        # Half a step shared by the channels, 1 % of the matrix in 8 bits, and the rounding.
        assert error.max(initial=0) <= step / 2 + 0.015 * abs(level) + 0.5


def test_coefficients_without_energy_are_not_stored() -> None:
    maps = np.zeros((8, 4, 4), np.uint8)
    codec = DctCm(Word(8), mode="dct").fit(maps)
    assert codec.encode(one_block(maps)).bits == 16  # one flag a pixel
    assert codec.reconstruct(maps).max() == 0


def test_maps_of_few_channels_have_short_vectors() -> None:
    maps = smooth(Word(8), channels=3)
    codec = DctCm(Word(8), tolerance_permille=0, payload="raw").fit(maps)
    assert codec.worst_case_bits(maps.size) <= maps.size * 9
    assert relative_error(codec, maps) < 1e-3


def test_blocks_that_cut_vectors_are_refused() -> None:
    codec = DctCm(Word(8)).fit(smooth(Word(8)))
    block = one_block(smooth(Word(8))[:12])
    with pytest.raises(CodecError, match=r"block of 12 channels.*set codec\.block"):
        codec.encode(block)
    eight = one_block(smooth(Word(8))[:8])
    assert codec.payload_bits(eight)[0] > 0


@pytest.mark.parametrize(
    ("field", "value"),
    [("group", 4), ("tolerance_permille", 1000), ("tolerance_permille", -1), ("mode", "pca")],
)
def test_parameters_outside_their_range_are_refused(field: str, value: Any) -> None:
    with pytest.raises(CodecError, match=f"{field} is .*; give"):
        replace(DctCm(Word(8)), **{field: value})
    with pytest.raises(CodecError, match="payload is 'zip'; give auto, raw, classes"):
        DctCm(Word(8), payload="zip")


def test_without_fit_it_says_what_is_missing() -> None:
    with pytest.raises(CodecError, match="call fit"):
        DctCm(Word(8)).encode(one_block(sparse()))
    with pytest.raises(CodecError, match="call fit"):
        DctCm(Word(8)).decode(
            Bitstream(np.zeros(0, np.uint8), np.array([0, 0])),
            np.array([0]),
            Shapes.flat(np.zeros(1)),
        )


def test_side_information_is_modes_mask_and_shifts() -> None:
    assert DctCm(Word(8), group=16).fit(sparse()).table_bits == 2 + 16 + 16 * 5


@settings(deadline=None, max_examples=60)
@given(
    st.integers(2, 16),
    st.booleans(),
    st.integers(1, 20),
    st.integers(1, 6),
    st.sampled_from([8, 16]),
    st.integers(0, 999),
    st.sampled_from(["auto", "dct", "bypass"]),
    st.integers(0, 2**32 - 1),
)
def test_decoding_returns_the_reconstruction(
    width: int,
    signed: bool,
    channels: int,
    pixels: int,
    group: int,
    tolerance: int,
    mode: str,
    seed: int,
) -> None:
    word = Word(width, signed)
    rng = np.random.default_rng(seed)
    maps = rng.integers(word.low, word.high, (2, channels, pixels, 2), word.dtype, endpoint=True)
    maps[0, rng.random(maps[0].shape) < 0.7] = 0
    codec = DctCm(word, group, tolerance, mode).fit(maps[0])
    block = one_block(maps[1])
    stream = codec.encode(block)
    assert stream.bits == codec.payload_bits(block)[0] <= codec.worst_case_bits(maps[1].size)
    decoded = codec.decode(stream, block.sizes, block.shapes).values
    np.testing.assert_array_equal(decoded, codec.reconstruct(maps[1]).reshape(-1))
    if not codec.uses_dct:
        np.testing.assert_array_equal(decoded, maps[1].reshape(-1))
