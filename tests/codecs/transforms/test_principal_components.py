"""Components in fixed point against numpy's, and what degenerate calibration leaves open."""

import numpy as np
import pytest
from numpy.typing import NDArray

from accelsim.codecs.base import Values, Word
from accelsim.codecs.transforms.channel_vectors import calibration_vectors
from accelsim.codecs.transforms.principal_components import components


def correlated(channels: int, pixels: int, seed: int = 0) -> NDArray[np.int8]:
    """Two hidden patterns in all channels, and some noise; (channels, 1, pixels)."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(channels, 2)) @ (rng.normal(size=(2, pixels)) * [[30], [8]])
    values = hidden + rng.normal(0, 1, hidden.shape) * rng.uniform(0.5, 3, (channels, 1))
    return np.clip(np.rint(values), -128, 127).astype(np.int8)[:, np.newaxis]


def fit(maps: Values, word: Word, matrix_bits: int = 12) -> NDArray[np.float64]:
    matrix, fraction_bits = components(calibration_vectors(maps, word, 0), word.signed, matrix_bits)
    assert np.abs(matrix).max() < 1 << (matrix_bits - 1)
    return matrix / 2.0**fraction_bits


@pytest.mark.parametrize("matrix_bits", [8, 12])
def test_components_are_the_singular_vectors_of_the_centred_pixels(matrix_bits: int) -> None:
    maps = correlated(6, 500)
    pixels = maps[:, 0].astype(float)
    left, _, _ = np.linalg.svd(pixels - pixels.mean(axis=1, keepdims=True))
    found = fit(maps, Word(8, signed=True), matrix_bits)
    alignment = np.abs(found @ left)
    np.testing.assert_allclose(alignment, np.eye(6), atol=0.02 if matrix_bits == 8 else 0.003)


def test_rows_are_orthonormal_up_to_their_rounding() -> None:
    found = fit(correlated(16, 2000), Word(8, signed=True))
    np.testing.assert_allclose(found @ found.T, np.eye(16), atol=4 * 2.0**-11)


def test_the_first_largest_entry_of_each_component_is_positive() -> None:
    for seed in range(20):
        found = fit(correlated(5, 40, seed), Word(8, signed=True))
        assert (found[np.arange(5), np.abs(found).argmax(axis=1)] > 0).all()


def test_equal_and_opposite_channels_have_the_known_components() -> None:
    ramp = np.arange(-50, 50, dtype=np.int8)
    found = fit(np.stack([ramp, -ramp])[:, np.newaxis], Word(8, signed=True))
    half = pytest.approx(0.5**0.5, abs=1e-3)
    # sqrt(1/2), -sqrt(1/2) has the variance; the first largest entry is the positive one.
    assert found[0].tolist() == [half, pytest.approx(-(0.5**0.5), abs=1e-3)]
    assert found[1].tolist() == [half, half]


def test_the_mean_does_not_pose_as_a_component() -> None:
    rng = np.random.default_rng(0)
    maps = rng.integers(0, 3, (3, 1, 4000)).astype(np.uint8)
    maps[2] = 200 + (np.arange(4000) % 41)
    found = fit(maps, Word(8))
    np.testing.assert_allclose(found[0], [0, 0, 1], atol=0.01)


@pytest.mark.parametrize("shape", [(4, 5, 5), (4, 1, 1), (4, 0, 3), (1, 6, 6)])
def test_without_variance_the_channels_stay_as_they_are(shape: tuple[int, int, int]) -> None:
    assert fit(np.full(shape, 7, np.uint8), Word(8)).tolist() == np.eye(shape[0]).tolist()


def test_silent_channels_come_last_in_their_order() -> None:
    maps = np.zeros((5, 1, 64), np.uint8)
    maps[3] = np.arange(64)
    expected = np.eye(5)[[3, 0, 1, 2, 4]]
    np.testing.assert_array_equal(fit(maps, Word(8)), expected)


def test_more_channels_than_pixels_give_a_whole_basis() -> None:
    maps = correlated(32, 3)
    found = fit(maps, Word(8, signed=True))
    np.testing.assert_allclose(found @ found.T, np.eye(32), atol=0.01)
    again = fit(np.concatenate([maps, maps], axis=2), Word(8, signed=True))
    np.testing.assert_allclose(found, again, atol=2.0**-10)


def test_the_extremes_of_wide_words_do_not_overflow() -> None:
    maps = np.resize(np.array([0, 65535], np.uint16), (2, 300, 300))
    maps[1] = 65535 - maps[0]
    found = fit(maps, Word(16))
    np.testing.assert_allclose(np.abs(found), 0.5**0.5, atol=1e-3)
