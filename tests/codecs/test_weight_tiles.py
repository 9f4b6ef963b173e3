"""Tiles of weights: which values they hold, in which order, and what is refused."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelsim.codecs.base import CODECS, Word
from accelsim.codecs.weight_tiles import WeightTile, check_lossless, cut_weights, weight_tiles
from accelsim.errors import CodecError

shapes = st.tuples(*[st.integers(1, 7)] * 4)


@given(shapes, shapes)
def test_every_weight_is_in_one_tile_of_at_most_the_shape(
    shape: tuple[int, int, int, int], tile: tuple[int, int, int, int]
) -> None:
    values = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    tiles = weight_tiles(shape, tile)
    blocks = cut_weights(values, tiles)
    assert sorted(blocks.values.tolist()) == values.reshape(-1).tolist()
    assert blocks.sizes.tolist() == [each.n_weights for each in tiles]
    for i, each in enumerate(tiles):
        assert all(b - a <= n for (a, b), n in zip(each, tile, strict=True))
        indices = product(*(range(*along) for along in each))
        expected = [int(values[index]) for index in indices]
        assert blocks.values[blocks.offsets[i] : blocks.offsets[i + 1]].tolist() == expected


def test_tiles_follow_each_other_with_output_channels_outermost() -> None:
    tiles = weight_tiles((3, 2, 1, 2), (2, 2, 1, 1))
    assert tiles == [
        WeightTile((0, 2), (0, 2), (0, 1), (0, 1)),
        WeightTile((0, 2), (0, 2), (0, 1), (1, 2)),
        WeightTile((2, 3), (0, 2), (0, 1), (0, 1)),
        WeightTile((2, 3), (0, 2), (0, 1), (1, 2)),
    ]


@pytest.mark.parametrize("along", [(0, 3), (-1, 1), (1, 1), (2, 1)])
def test_tiles_outside_the_weights_are_refused(along: tuple[int, int]) -> None:
    values = np.zeros((2, 2, 1, 1), np.int8)
    with pytest.raises(CodecError, match="does not lie in weights of shape"):
        cut_weights(values, [WeightTile((0, 2), along, (0, 1), (0, 1))])


def test_other_shapes_are_refused() -> None:
    with pytest.raises(CodecError, match="four dimensions"):
        cut_weights(np.zeros((2, 2), np.int8), [])
    with pytest.raises(CodecError, match="at least one weight"):
        weight_tiles((2, 2, 1, 1), (2, 0, 1, 1))


@pytest.mark.parametrize("name", list(CODECS))
def test_only_lossless_codecs_take_weights(name: str) -> None:
    codec = CODECS[name].for_word(Word(8))
    if codec.lossless:
        check_lossless(codec)
    else:
        with pytest.raises(CodecError, match=f"{name} is lossy"):
            check_lossless(codec)
