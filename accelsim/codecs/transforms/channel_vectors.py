"""The channels of each pixel as vectors: what transforms along the channels work on.

Vectors follow each other pixel by pixel in row-major order, whatever the scan of the
block, and within a pixel by channels. A pixel's last vector may have too few channels;
a pad value per position fills it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Shapes, Values, Word
from accelsim.codecs.words import check_range
from accelsim.errors import CodecError
from accelsim.jit import kernel

MAX_LENGTH = 4096
"""Longest vector: up to here, sums of products stay below 2^53 (see channel_transform)."""

NETWORK_GROUP = 16
"""Channels of the blocks of the machines, so that each block has whole vectors."""


@kernel
def _move(
    values: NDArray[np.uint16],
    vectors: NDArray[np.uint16],
    extents: NDArray[np.int64],
    channels_last: bool,
    to_vectors: bool,
) -> None:
    """Move every value between ``values`` (flat) and ``vectors`` [n_vectors, length]."""
    length = vectors.shape[1]
    start, row = 0, 0
    for block in range(len(extents)):
        n_channels, n_pixels = extents[block, 0], extents[block, 1] * extents[block, 2]
        of_channel = 1 if channels_last else n_pixels
        of_pixel = n_channels if channels_last else 1
        for pixel in range(n_pixels):
            at = start + pixel * of_pixel
            for first in range(0, n_channels, length):
                for i in range(min(length, n_channels - first)):
                    if to_vectors:
                        vectors[row, i] = values[at]
                    else:
                        values[at] = vectors[row, i]
                    at += of_channel
                row += 1
        start += n_channels * n_pixels


class VectorLayout(NamedTuple):
    """How the channels of a map are divided into vectors."""

    length: int
    remainder: int
    """Channels of a pixel's last vector where it is partial; 0 where there is none."""

    @staticmethod
    def of_map(n_channels: int, group: int) -> VectorLayout:
        """Vectors of ``group`` channels (0: of all), of fewer where the map has no more.

        >>> VectorLayout.of_map(24, 16), VectorLayout.of_map(24, 0)
        (VectorLayout(length=16, remainder=8), VectorLayout(length=24, remainder=0))
        """
        length = max(1, min(group or n_channels, n_channels))
        if length > MAX_LENGTH:
            raise CodecError(
                f"vectors have at most {MAX_LENGTH} channels, not {length}; give the codec a group"
            )
        return VectorLayout(length, n_channels % length)

    def n_vectors(self, shapes: Shapes) -> NDArray[np.int64]:
        """[n_blocks] vectors of each block.

        Raises ``CodecError`` for blocks that cut vectors apart.
        """
        channels, rows, cols = shapes.extents.T
        over = channels % self.length
        cut = (over != 0) & (over != self.remainder)
        if cut.any():
            raise CodecError(
                f"a block of {channels[cut][0]} channels cuts vectors of {self.length} channels "
                "apart: set codec.block to all channels of the map, or the codec's group to a "
                "divisor of the block's channels"
            )
        n_vectors: NDArray[np.int64] = rows * cols * -(-channels // self.length)
        return n_vectors

    def most_vectors(self, n_values: int) -> int:
        """The most vectors that a block of so many values can have."""
        return n_values // (self.remainder or self.length)


def to_vectors(
    values: Values, shapes: Shapes, layout: VectorLayout, pad: NDArray[np.int64]
) -> NDArray[np.uint16]:
    """[n_vectors, length] patterns of all blocks; ``pad`` [length] fills partial vectors.

    Patterns are the low 16 bits, as ``uint16``, whatever the sign.
    """
    n_vectors = int(layout.n_vectors(shapes).sum())
    vectors = np.empty((n_vectors, layout.length), np.uint16)
    if layout.remainder:
        vectors[:] = pad.astype(np.uint16)
    _move(values.astype(np.uint16), vectors, _extents(shapes), shapes.channels_last, True)
    return vectors


def from_vectors(vectors: NDArray[np.uint16], shapes: Shapes) -> NDArray[np.uint16]:
    """The flat patterns of all blocks again, without what was padded."""
    values = np.empty(int(shapes.extents.prod(axis=1).sum()), np.uint16)
    _move(values, vectors, _extents(shapes), shapes.channels_last, False)
    return values


class Calibration(NamedTuple):
    """Maps that a transform is fitted on, as vectors."""

    vectors: NDArray[np.uint16]
    layout: VectorLayout
    mean: NDArray[np.int64]  # [length] what is taken off, and fills partial vectors


def calibration_vectors(
    calibration: Values, word: Word, group: int, *, centred: bool = True
) -> Calibration:
    """The vectors of (channels, rows, cols) or (images, channels, rows, cols).

    Their mean is the rounded mean of each position in a vector, or 0 unless ``centred``.
    Other shapes count as one channel, as blocks without a shape do. Raises ``CodecError``
    for values outside the word.
    """
    check_range(calibration, word)
    if calibration.ndim > 4:
        raise CodecError(f"maps have images, channels, rows and columns; not {calibration.shape}")
    maps = calibration if calibration.ndim > 2 else calibration.reshape(1, 1, -1)
    maps = maps if maps.ndim == 4 else maps[np.newaxis]
    n_images, n_channels, n_rows, n_cols = maps.shape
    layout = VectorLayout.of_map(n_channels, group)
    mean = _mean(maps, layout.length) if centred else np.zeros(layout.length, np.int64)
    extents = np.tile(np.array([n_channels, n_rows, n_cols], np.int64), (n_images, 1))
    vectors = to_vectors(maps.reshape(-1), Shapes(extents, False), layout, mean)
    return Calibration(vectors, layout, mean)


def _mean(maps: Values, length: int) -> NDArray[np.int64]:
    """[length] over all pixels and all channels that stand at that position in a vector."""
    n_images, n_channels, n_rows, n_cols = maps.shape
    positions = np.arange(n_channels) % length
    sums, counts = np.zeros((2, length), np.int64)
    np.add.at(sums, positions, maps.sum(axis=(0, 2, 3), dtype=np.int64))
    np.add.at(counts, positions, n_images * n_rows * n_cols)
    counts = np.maximum(counts, 1)
    mean: NDArray[np.int64] = (2 * sums + counts) // (2 * counts)
    return mean


def _extents(shapes: Shapes) -> NDArray[np.int64]:
    return np.require(shapes.extents, np.int64, ["C", "W"])


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    shapes = Shapes(np.ones((1, 3), np.int64), False)
    layout = VectorLayout(1, 0)
    pad = np.zeros(1, np.int64)
    from_vectors(to_vectors(np.ones(1, np.uint8), shapes, layout, pad), shapes)
