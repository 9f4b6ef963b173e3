"""Weights cut into tiles: a decoder works on the weights that one pass of the array loads.

Tiles are index ranges of weights (out_channels, in_channels / groups, rows, cols); inside a
tile values follow in that order, outermost first.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple, TypeAlias

import numpy as np

from accelsim.codecs.base import Blocks, Codec, Values
from accelsim.errors import CodecError

TileShape: TypeAlias = tuple[int, int, int, int]
"""Output channels, input channels of a group, kernel rows and columns of a tile."""
Range: TypeAlias = tuple[int, int]
"""[start, stop)."""


class WeightTile(NamedTuple):
    """A box of weights."""

    out_channels: Range
    in_channels: Range
    """Within a group."""
    kernel_rows: Range
    kernel_cols: Range

    @property
    def n_weights(self) -> int:
        """
        >>> WeightTile((0, 16), (0, 8), (0, 3), (0, 3)).n_weights
        1152
        """
        return int(np.prod([stop - start for start, stop in self]))


def weight_tiles(shape: TileShape, tile: TileShape) -> list[WeightTile]:
    """Weights of ``shape`` in tiles of one shape, smaller at the ends; the last range runs first.

    >>> [each.out_channels for each in weight_tiles((20, 8, 3, 3), (16, 8, 3, 3))]
    [(0, 16), (16, 20)]
    """
    if min(tile) < 1:
        raise CodecError(f"a tile needs at least one weight along each dimension, not {tile}")
    ranges = [
        [(start, min(start + step, size)) for start in range(0, size, step)]
        for size, step in zip(shape, tile, strict=True)
    ]
    return [WeightTile(*each) for each in product(*ranges)]


def cut_weights(values: Values, tiles: Sequence[WeightTile]) -> Blocks:
    """The tiles of ``values`` [out_channels, in_channels / groups, rows, cols] as blocks.

    Raises ``CodecError`` for a tile that does not lie in the weights.

    >>> values = np.arange(8, dtype=np.int8).reshape(2, 4, 1, 1)
    >>> cut_weights(values, weight_tiles((2, 4, 1, 1), (2, 2, 1, 1))).values
    array([0, 1, 4, 5, 2, 3, 6, 7], dtype=int8)
    """
    if values.ndim != 4:
        raise CodecError(f"weights have four dimensions; got shape {values.shape}")
    for tile in tiles:
        for (start, stop), size in zip(tile, values.shape, strict=True):
            if not 0 <= start < stop <= size:
                raise CodecError(f"{tile} does not lie in weights of shape {values.shape}")
    parts = [values[tuple(slice(*along) for along in tile)].reshape(-1) for tile in tiles]
    offsets = np.cumsum([0, *(part.size for part in parts)], dtype=np.int64)
    return Blocks(np.concatenate([*parts, np.zeros(0, values.dtype)]), offsets)


def check_lossless(codec: Codec) -> None:
    """Raise ``CodecError`` for a codec that would change weights."""
    if not codec.lossless:
        raise CodecError(f"{codec.name} is lossy; weights are coded exactly, by a lossless codec")
