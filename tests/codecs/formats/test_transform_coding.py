"""Transform coding: streams by hand, an independent reconstruction, and published figures."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from accelsim.codecs import rates
from accelsim.codecs.base import Shapes, Values, Word, one_block
from accelsim.codecs.blocks import cut
from accelsim.codecs.formats.transform_coding import TransformCoding
from accelsim.errors import CodecError

SIGNED = Word(8, signed=True)


def correlated(seed: int = 0, channels: int = 16, rows: int = 12, cols: int = 10) -> Values:
    """Signed maps of few hidden patterns, as convolutions before their ReLU give."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(0, [[20.0], [9.0], [4.0]], (3, rows * cols))
    mixed = np.random.default_rng(99).normal(size=(channels, 3)) @ hidden
    values = np.rint(mixed + rng.normal(0, 1, mixed.shape) + 5)
    return np.clip(values, -128, 127).astype(np.int8).reshape(channels, rows, cols)


def floating_point(calibration: Values, values: Values, bits: int) -> NDArray[np.float64]:
    """The paper's formulas, with the mean and the signs that decide the phase of the steps."""
    pixels = calibration.reshape(len(calibration), -1).astype(float)
    u, _, _ = np.linalg.svd(np.cov(pixels))
    u *= np.sign(u[np.abs(u).argmax(axis=0), np.arange(len(u))])
    mean = np.floor(pixels.mean(axis=1, keepdims=True) + 0.5)
    fitted = u.T @ (pixels - mean)
    step = (fitted.max() - fitted.min()) / (2**bits - 2)
    y = u.T @ (values.reshape(len(values), -1) - mean)
    q = np.clip(np.round((y - fitted.min()) / step), 0, 2**bits - 2)
    rebuilt: NDArray[np.float64] = u @ (q * step + fitted.min()) + mean
    return rebuilt.reshape(values.shape)


def text(stream: Any) -> str:
    return "".join(map(str, np.unpackbits(stream.payload)[: stream.bits]))


def test_a_pixel_is_coded_channel_by_channel_without_a_transform() -> None:
    maps = np.array([[[0, 1, 0]], [[2, 2, 2]]], np.uint8)
    codec = TransformCoding(Word(2), bits=2, basis="eye").fit(maps)
    # Means 0 and 2: y = 0 0 | 1 0 | 0 0. One step of ceil(1 / 2) = 1 unit from 0, so q = y.
    # Counts 5 and 1: one bit each, 0 for q = 0.
    assert text(codec.encode(one_block(maps))) == "00" + "10" + "00"
    np.testing.assert_array_equal(codec.reconstruct(maps), maps)
    assert codec.table_bits == 2 * 2 + 2 * (1 + 2 + 12 + 1) + 4 * 4


def test_groups_share_one_matrix_and_the_last_is_filled_with_the_mean() -> None:
    maps = np.array([[[3]], [[1]], [[7]]], np.uint8)
    codec = TransformCoding(Word(3), bits=4, group=2, basis="eye").fit(maps)
    # Mean of channels 0 and 2 is 5, of channel 1 it is 1: vectors (3, 1) and (7, 1).
    # y = -2 0 | 2 0 from -2 in steps of ceil(4 / 14) = 1: q = 2 .. counts 2, 1, 1.
    stream = codec.encode(one_block(maps))
    # q = 0 2 | 4 2: 2 has 1 bit, 0 and 4 have 2.
    assert text(stream) == "10" + "0" + "11" + "0"
    np.testing.assert_array_equal(codec.reconstruct(maps), maps)


@pytest.mark.parametrize("bits", [4, 6, 8])
def test_the_integer_pipeline_agrees_with_the_formulas_in_floating_point(bits: int) -> None:
    calibration, maps = correlated(1), correlated(2)
    codec = TransformCoding(SIGNED, bits=bits).fit(calibration)
    ours, theirs = codec.reconstruct(maps), floating_point(calibration, maps, bits)
    clipped = np.clip(np.rint(theirs), -128, 127)
    # Steps and entries differ in their last bits, so that few q fall on the other side.
    assert np.mean(ours != clipped) < 0.2
    own_error, their_error = np.mean((ours - 1.0 * maps) ** 2), np.mean((clipped - maps) ** 2)
    assert own_error == pytest.approx(their_error, rel=0.02)


def test_correlated_channels_take_fewer_bits_with_the_components() -> None:
    calibration, maps = correlated(1), correlated(2)
    bits, errors = {}, {}
    # The first component has a wider range than a channel, so it needs more levels.
    for basis, n_bits in (("pca", 8), ("eye", 6)):
        codec = TransformCoding(SIGNED, n_bits, basis=basis).fit(calibration, every_symbol=True)
        bits[basis] = codec.encode(one_block(maps)).bits
        errors[basis] = np.mean((codec.reconstruct(maps) - 1.0 * maps) ** 2)
    assert bits["pca"] < 0.75 * bits["eye"]
    assert errors["pca"] < 1.05 * errors["eye"]


def test_bits_equal_the_huffman_code_of_the_symbols() -> None:
    maps = correlated()
    codec = TransformCoding(SIGNED, bits=5).fit(maps)
    shapes = one_block(maps).shapes
    assert shapes is not None
    counts = rates.histogram(codec.forward(maps.reshape(-1), shapes), Word(5))
    assert codec.payload_bits(one_block(maps)).tolist() == [rates.huffman_bits(counts)]


def test_more_bits_cost_more_and_err_less() -> None:
    maps = correlated()
    codecs = [TransformCoding(SIGNED, bits=bits).fit(maps) for bits in range(3, 10)]
    sizes = [codec.encode(one_block(maps)).bits for codec in codecs]
    errors = [np.mean((codec.reconstruct(maps) - 1.0 * maps) ** 2) for codec in codecs]
    assert sizes == sorted(sizes) and errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.1


@pytest.mark.parametrize("word", [Word(2), Word(8), Word(16), Word(16, signed=True)])
@pytest.mark.parametrize("shape", [(1, 1, 1), (4, 3, 3), (40, 1, 2), (4, 0, 2)])
def test_constant_maps_survive_exactly(word: Word, shape: tuple[int, int, int]) -> None:
    for level in (word.low, word.high):
        maps = np.full(shape, level, word.dtype)
        codec = TransformCoding.for_word(word).fit(maps)
        np.testing.assert_array_equal(codec.reconstruct(maps), maps)


def test_values_beyond_the_calibrated_range_are_clipped_to_it() -> None:
    codec = TransformCoding(Word(8), group=1).fit(np.array([10, 20]), every_symbol=True)
    assert codec.reconstruct(np.array([0, 10, 15, 20, 255])).tolist() == [10, 10, 15, 20, 20]


def test_all_blocks_of_a_map_whose_channels_leave_a_remainder_are_coded() -> None:
    maps = correlated(channels=40)
    codec = TransformCoding.for_network(SIGNED).fit(maps)
    blocks = cut(maps, (16, 8, 8), "hwc")
    stream = codec.encode(blocks)
    decoded = codec.decode(stream, blocks.sizes, blocks.shapes)
    np.testing.assert_array_equal(decoded.values, codec.reconstruct_blocks(blocks))
    assert np.mean((decoded.values - 1.0 * blocks.values) ** 2) < 1


def test_blocks_that_cut_vectors_are_refused() -> None:
    codec = TransformCoding.for_word(SIGNED).fit(correlated())
    with pytest.raises(CodecError, match=r"block of 8 channels.*set codec\.block"):
        codec.payload_bits(cut(correlated(), (8, 4, 4)))
    with pytest.raises(CodecError, match=r"set codec\.block"):
        codec.decode(codec.encode(one_block(correlated())), np.array([16 * 12 * 10]))


def test_shapes_that_contradict_the_sizes_are_refused() -> None:
    codec = TransformCoding.for_word(SIGNED).fit(correlated())
    block = one_block(correlated())
    stream = codec.encode(block)
    for extents in ([[16, 12, 1000]], [[16, -12, -10]], [[16, 12, 10], [16, 0, 0]]):
        shapes = Shapes(np.array(extents), False)
        with pytest.raises(CodecError, match="as many values"):
            codec.decode(stream, block.sizes, shapes)
        with pytest.raises(CodecError, match="as many values"):
            codec.encode(block._replace(shapes=shapes))


def test_without_fit_it_says_what_is_missing() -> None:
    codec = TransformCoding.for_word(SIGNED)
    with pytest.raises(CodecError, match=r"no transform yet.*fit"):
        codec.encode(one_block(correlated()))
    assert codec.parameters["transform"] == "not fitted"
    assert codec.fit(correlated()).parameters["transform"] != "not fitted"


def test_values_that_calibration_never_saw_need_every_symbol() -> None:
    calibration, maps = correlated(1)[:, :2], correlated(2)
    with pytest.raises(CodecError, match="every_symbol=True"):
        TransformCoding.for_word(SIGNED).fit(calibration).encode(one_block(maps))
    TransformCoding.for_word(SIGNED).fit(calibration, every_symbol=True).encode(one_block(maps))


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("bits", 1, "2 to 12"),
        ("bits", 13, "2 to 12"),
        ("group", -1, "0 for all"),
        ("basis", "dct", "pca or eye"),
        ("matrix_bits", 7, "8 to 12"),
    ],
)
def test_parameters_outside_their_range_are_refused(field: str, value: Any, allowed: str) -> None:
    with pytest.raises(CodecError, match=f"{field} is .*{allowed}"):
        replace(TransformCoding(Word(8)), **{field: value})


def test_fitted_codecs_are_equal_and_hash_alike_when_their_tables_are() -> None:
    one, same = (TransformCoding.for_word(SIGNED).fit(correlated(3)) for _ in range(2))
    other = TransformCoding.for_word(SIGNED).fit(correlated(4))
    assert one == same and hash(one) == hash(same) and one.parameters == same.parameters
    assert one != other and one.parameters != other.parameters


def test_the_matrix_costs_as_much_as_it_has_entries() -> None:
    codec = TransformCoding(SIGNED, bits=6, matrix_bits=8).fit(correlated())
    coefficient = 1 + 8 + 8 + 4
    assert codec.table_bits == 16 * 16 * 8 + 16 * 8 + 2 * coefficient + 4 * 2**6


@settings(deadline=None, max_examples=60)
@given(
    st.integers(2, 16),
    st.booleans(),
    st.integers(1, 20),
    st.integers(1, 6),
    st.integers(0, 8),
    st.integers(2, 12),
    st.integers(0, 2**32 - 1),
)
def test_decoding_returns_the_reconstruction(
    width: int, signed: bool, channels: int, pixels: int, group: int, bits: int, seed: int
) -> None:
    word = Word(width, signed)
    rng = np.random.default_rng(seed)
    maps = rng.integers(word.low, word.high, (2, channels, pixels, 2), word.dtype, endpoint=True)
    codec = TransformCoding(word, bits, group).fit(maps[0], every_symbol=True)
    block = one_block(maps[1])
    stream = codec.encode(block)
    assert stream.bits == codec.payload_bits(block)[0] <= codec.worst_case_bits(maps[1].size)
    decoded = codec.decode(stream, block.sizes, block.shapes).values
    np.testing.assert_array_equal(decoded, codec.reconstruct(maps[1]).reshape(-1))


# Published by the authors beside their power script: ResNet-18, 17 outputs of convolutions.
MAP_VALUES = [112**2 * 64, *[56**2 * 64] * 4, *[28**2 * 128] * 4, *[14**2 * 256] * 4]
MAP_VALUES += [7**2 * 512] * 4
PCA_BITS = [2.930, 3.269, 4.716, 4.680, 4.991, 4.670, 5.069, 5.406, 5.141, 4.361, 4.968, 4.332]
PCA_BITS += [4.205, 3.505, 4.255, 3.413, 4.108]
EYE_BITS = [5.297, 5.765, 5.825, 5.998, 6.035, 6.630, 6.001, 6.425, 5.896, 6.385, 6.252, 6.388]
EYE_BITS += [5.649, 6.561, 6.283, 6.432, 5.796]


def test_published_entropies_give_the_published_energies() -> None:
    """One write and one read of each map from DDR3-1066, four x16 devices on a 16-bit bus."""
    watts = 1.5 * (0.220 + 0.180)
    pj_per_bit = watts / 16 * 4 / 1066e6 * 1e12
    assert sum(MAP_VALUES) == 2_308_096
    assert pj_per_bit == pytest.approx(77.392 + 63.321, abs=0.001)
    assert 56**2 * 64 * 8 * pj_per_bit / 1e6 == pytest.approx(225.93, abs=0.005)
    for entropies, bits_per_value, millijoule in (
        (PCA_BITS, 3.9910, 1.296),
        (EYE_BITS, 5.7903, 1.881),
        ([8.0] * 17, 8.0, 2.598),
    ):
        bits = np.dot(MAP_VALUES, entropies)
        assert bits / sum(MAP_VALUES) == pytest.approx(bits_per_value, abs=1e-4)
        assert bits * pj_per_bit / 1e9 == pytest.approx(millijoule, abs=5e-4)
