"""Vectors of channels: the order of pixels and channels, padding, and blocks that cut them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.codecs.base import Shapes, Word
from accelsim.codecs.blocks import Scan, cut
from accelsim.codecs.transforms.channel_vectors import (
    VectorLayout,
    calibration_vectors,
    from_vectors,
    to_vectors,
)
from accelsim.errors import CodecError


@settings(deadline=None)  # the first call compiles
@given(
    st.integers(1, 40),
    st.integers(1, 5),
    st.integers(1, 5),
    st.integers(0, 20),
    st.sampled_from(["chw", "hwc"]),
)
def test_vectors_are_the_channels_of_each_pixel_in_both_scans(
    channels: int, rows: int, cols: int, group: int, scan: Scan
) -> None:
    array = np.random.default_rng(channels).integers(0, 256, (channels, rows, cols), np.uint8)
    layout = VectorLayout.of_map(channels, group)
    blocks = cut(array, (channels, 2, 3), scan)
    assert blocks.shapes is not None
    pad = np.arange(1000, 1000 + layout.length)
    vectors = to_vectors(blocks.values, blocks.shapes, layout, pad)
    expected = []
    for r0 in range(0, rows, 2):
        for c0 in range(0, cols, 3):
            tile = array[:, r0 : r0 + 2, c0 : c0 + 3]
            for pixel in tile.reshape(channels, -1).T:
                for first in range(0, channels, layout.length):
                    part = pixel[first : first + layout.length].tolist()
                    expected.append([*part, *pad[len(part) :].tolist()])
    assert vectors.tolist() == expected
    assert layout.n_vectors(blocks.shapes).sum() == len(expected)
    np.testing.assert_array_equal(from_vectors(vectors, blocks.shapes), blocks.values)


def test_negative_values_survive_as_patterns() -> None:
    shapes = Shapes(np.array([[2, 1, 1]]), False)
    vectors = to_vectors(np.array([-1, -128], np.int8), shapes, VectorLayout(2, 0), np.zeros(2))
    assert vectors.view(np.int16).tolist() == [[-1, -128]]


@pytest.mark.parametrize(("in_map", "group", "in_block"), [(16, 16, 8), (24, 16, 9), (5, 0, 1)])
def test_a_block_that_cuts_vectors_is_refused_with_what_to_do(
    in_map: int, group: int, in_block: int
) -> None:
    layout = VectorLayout.of_map(in_map, group)
    with pytest.raises(CodecError, match=r"set codec\.block to all channels.*group"):
        layout.n_vectors(Shapes(np.array([[in_block, 2, 2]]), False))


def test_the_last_block_of_a_map_may_have_the_remaining_channels() -> None:
    layout = VectorLayout.of_map(24, 16)
    assert layout.n_vectors(Shapes(np.array([[16, 3, 1], [8, 3, 1]]), False)).tolist() == [3, 3]
    assert layout.most_vectors(24) == 3


def test_more_channels_than_exact_sums_allow_need_a_group() -> None:
    with pytest.raises(CodecError, match="give the codec a group"):
        VectorLayout.of_map(5000, 0)
    assert VectorLayout.of_map(5000, 1000).length == 1000


def test_the_mean_of_a_position_is_over_all_vectors_that_have_it() -> None:
    maps = np.arange(5)[:, np.newaxis, np.newaxis] * np.array([[[10, 20]]])
    found = calibration_vectors(maps.astype(np.uint8), Word(8), group=2)
    # Position 0 has channels 0, 2, 4 (mean 2 x 15), position 1 has 1 and 3 (mean 2 x 15).
    assert found.mean.tolist() == [30, 30]
    assert found.vectors.tolist() == [[0, 10], [20, 30], [40, 30], [0, 20], [40, 60], [80, 30]]


def test_means_are_rounded_half_up_also_below_zero() -> None:
    values = np.array([[[-1, 0]], [[1, 2]], [[-3, -2]]], np.int8)
    assert calibration_vectors(values, Word(8, signed=True), 0).mean.tolist() == [0, 2, -2]


def test_calibration_takes_stacks_of_maps_and_refuses_what_is_none() -> None:
    stack = np.zeros((3, 4, 2, 2), np.uint8)
    assert calibration_vectors(stack, Word(8), 0).vectors.shape == (12, 4)
    assert calibration_vectors(stack.reshape(12, 4), Word(8), 0).vectors.shape == (48, 1)
    assert calibration_vectors(stack[:0], Word(8), 0).vectors.shape == (0, 4)
    with pytest.raises(CodecError, match="images, channels, rows and columns"):
        calibration_vectors(stack[np.newaxis], Word(8), 0)
    with pytest.raises(CodecError, match="do not fit"):
        calibration_vectors(np.full((1, 1, 1), 300), Word(8), 0)
