"""The integer transform against the real one, at edges, in both scans, and uncompiled."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import fft

from accelsim.codecs.base import Blocks, Shapes, Values, Word
from accelsim.codecs.blocks import Scan, cut
from accelsim.codecs.transforms import dct
from accelsim.errors import CodecError

NO_SHIFTS = np.zeros(64, np.int64)


def transformed(blocks: Blocks) -> Values:
    assert blocks.shapes is not None
    return dct.forward(blocks.values, blocks.shapes, NO_SHIFTS).reshape(-1, 64)


def one_tile(tile: Values) -> Values:
    return transformed(cut(tile[None], (1, 8, 8)))[0]


@pytest.mark.parametrize("word", [Word(8), Word(8, signed=True), Word(12), Word(16)])
def test_coefficients_are_those_of_the_real_transform_within_the_stated_error(word: Word) -> None:
    rng = np.random.default_rng(0)
    tiles = rng.integers(word.low, word.high + 1, (200, 8, 8)).astype(word.dtype)
    tiles[:100] = np.where(rng.random((100, 8, 8)) < 0.5, word.low, word.high)
    real = fft.dctn(tiles.astype(float), axes=(1, 2), norm="ortho").reshape(-1, 64)
    coefficients = transformed(cut(tiles, (1, 8, 8)))
    error = np.abs(coefficients - real[:, dct.zigzag()]).max()
    assert error <= 0.5 + 5e-5 * max(word.high, -word.low)


def test_each_basis_function_is_its_cosine() -> None:
    u, x = np.arange(8)[:, None], np.arange(8)
    cosines = np.where(u == 0, np.sqrt(1 / 8), 0.5) * np.cos((2 * x + 1) * u * np.pi / 16)
    rng = np.random.default_rng(1)
    tile = rng.integers(0, 256, (8, 8)).astype(np.uint8)
    expected = (cosines @ tile @ cosines.T).reshape(-1)[dct.zigzag()]
    assert np.abs(one_tile(tile) - expected).max() <= 0.5 + 5e-5 * 255


def test_zigzag_is_the_order_of_jpeg() -> None:
    at = dct.zigzag()
    assert sorted(at) == list(range(64))
    assert at[:10].tolist() == [0, 1, 8, 16, 9, 2, 3, 10, 17, 24]
    assert at[28] == 7 and at[35] == 56 and at[63] == 63
    assert np.all(np.diff(dct.BAND) >= 0) and dct.BAND[-1] == 14


@pytest.mark.parametrize("constant", [1, 77, 65535])
def test_a_constant_has_one_coefficient_eight_times_as_large(constant: int) -> None:
    coefficients = one_tile(np.full((8, 8), constant, np.uint16))
    assert not coefficients[1:].any()
    assert abs(int(coefficients[0]) - 8 * constant) < 4


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 20), st.integers(1, 20)),
    block=st.tuples(st.integers(1, 3), st.integers(1, 17), st.integers(1, 17)),
    scan=st.sampled_from(["chw", "hwc"]),
    bits=st.sampled_from([4, 8, 12]),
    signed=st.booleans(),
    seed=st.integers(0, 9),
)
def test_without_shifts_values_come_back_within_two_steps(
    shape: tuple[int, int, int],
    block: tuple[int, int, int],
    scan: Scan,
    bits: int,
    signed: bool,
    seed: int,
) -> None:
    # Roundings of 64 coefficients add up to a deviation of 0.29 a value: 2 is 6 sigma.
    word = Word(bits, signed)
    rng = np.random.default_rng(seed)
    values = rng.integers(word.low, word.high + 1, shape).astype(word.dtype)
    blocks = cut(values, block, scan)
    assert blocks.shapes is not None
    coefficients = dct.forward(blocks.values, blocks.shapes, NO_SHIFTS)
    assert coefficients.size == 64 * dct.n_tiles(blocks.shapes).sum()
    back = dct.inverse(coefficients, blocks.shapes, NO_SHIFTS, word)
    assert np.abs(back.astype(int) - blocks.values).max() <= 2


def test_partial_tiles_repeat_their_last_row_and_column() -> None:
    rng = np.random.default_rng(2)
    part = rng.integers(0, 256, (3, 5)).astype(np.uint8)
    whole = np.pad(part, ((0, 5), (0, 3)), mode="edge")
    np.testing.assert_array_equal(one_tile(part), one_tile(whole))


def test_both_scans_have_the_same_tiles_in_the_same_order() -> None:
    rng = np.random.default_rng(3)
    values = rng.integers(0, 256, (3, 11, 13)).astype(np.uint8)
    by_channel, by_pixel = (transformed(cut(values, (2, 16, 8), s)) for s in ("chw", "hwc"))
    np.testing.assert_array_equal(by_channel, by_pixel)
    np.testing.assert_array_equal(by_channel[0], one_tile(values[0, :8, :8]))
    np.testing.assert_array_equal(by_channel[1], one_tile(values[0, 8:, :8]))
    np.testing.assert_array_equal(by_channel[2], one_tile(values[1, :8, :8]))


def test_shifts_divide_and_round_half_up() -> None:
    shapes = Shapes(np.array([[1, 8, 8]]), False)
    for constant, quotient in ((1, 1), (2, 1), (3, 2), (0, 0)):  # 8 c / 16, half up
        flat = np.full(64, constant, np.uint8)
        shifted = dct.forward(flat, shapes, np.full(64, 4))
        assert shifted.tolist() == [quotient] + 63 * [0]


def test_compiled_and_plain_kernels_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    values = rng.integers(-128, 128, (2, 9, 10)).astype(np.int8)
    blocks, shifts = cut(values, (2, 9, 8), "hwc"), rng.integers(0, 5, 64)
    assert blocks.shapes is not None
    coefficients = dct.forward(blocks.values, blocks.shapes, shifts)
    back = dct.inverse(coefficients, blocks.shapes, shifts, Word(8, True))
    for name in ("_to_frequencies", "_from_frequencies", "_forward", "_inverse"):
        monkeypatch.setattr(dct, name, getattr(dct, name).py_func)
    plain = dct.forward(blocks.values, blocks.shapes, shifts)
    np.testing.assert_array_equal(plain, coefficients)
    np.testing.assert_array_equal(dct.inverse(plain, blocks.shapes, shifts, Word(8, True)), back)


def test_the_largest_coefficients_that_damage_can_make_do_not_overflow() -> None:
    shapes = Shapes(np.array([[1, 8, 8]]), False)
    rng = np.random.default_rng(5)
    for _ in range(50):
        damaged = rng.choice(np.array([-32768, 65535], np.int32), 64)
        values = dct.inverse(damaged, shapes, np.full(64, 15), Word(16)).astype(float)
        clipped = np.zeros(64)
        clipped[dct.zigzag()] = np.clip(damaged * 2.0**15, -(2**19), 2**19)
        u, x = np.arange(8)[:, None], np.arange(8)
        cosines = np.where(u == 0, np.sqrt(1 / 8), 0.5) * np.cos((2 * x + 1) * u * np.pi / 16)
        real = np.clip(cosines.T @ clipped.reshape(8, 8) @ cosines, 0, 65535).reshape(-1)
        assert np.abs(values - real).max() < 50


def test_shapes_that_do_not_hold_the_values_are_refused() -> None:
    with pytest.raises(CodecError, match="do not hold 7 values"):
        dct.forward(np.zeros(7, np.uint8), Shapes(np.array([[1, 2, 3]]), False), NO_SHIFTS)
