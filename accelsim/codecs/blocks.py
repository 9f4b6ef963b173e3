"""Cutting a feature map into blocks, and joining them again.

A block is (channels, rows, cols) of the map; blocks at the edges are smaller. Blocks
follow each other in row-major order: channel block outermost, then row block, then column
block. Inside a block, values follow in the order of ``scan``, outermost first.
"""

from __future__ import annotations

from itertools import starmap
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Blocks, Shapes, Values
from accelsim.errors import CodecError
from accelsim.jit import kernel
from accelsim.units import ceil_div

BlockShape: TypeAlias = tuple[int, int, int]
Scan: TypeAlias = Literal["chw", "hwc"]


@kernel
def _copy(
    values: NDArray[np.unsignedinteger[Any]],
    flat: NDArray[np.unsignedinteger[Any]],
    block_channels: int,
    block_rows: int,
    block_cols: int,
    channels_last: bool,
    to_blocks: bool,
) -> None:
    """Move every value between ``values`` [C, H, W] and ``flat`` [C * H * W], block by block."""
    n_channels, n_rows, n_cols = values.shape
    at = 0
    for c0 in range(0, n_channels, block_channels):
        c1 = min(c0 + block_channels, n_channels)
        for r0 in range(0, n_rows, block_rows):
            r1 = min(r0 + block_rows, n_rows)
            for w0 in range(0, n_cols, block_cols):
                w1 = min(w0 + block_cols, n_cols)
                if channels_last:
                    for r in range(r0, r1):
                        for w in range(w0, w1):
                            for c in range(c0, c1):
                                if to_blocks:
                                    flat[at] = values[c, r, w]
                                else:
                                    values[c, r, w] = flat[at]
                                at += 1
                else:
                    for c in range(c0, c1):
                        for r in range(r0, r1):
                            for w in range(w0, w1):
                                if to_blocks:
                                    flat[at] = values[c, r, w]
                                else:
                                    values[c, r, w] = flat[at]
                                at += 1


def grid(shape: tuple[int, int, int], block: BlockShape) -> tuple[int, int, int]:
    """Number of blocks of a map of ``shape`` along channels, rows and columns.

    >>> grid((64, 55, 55), (16, 8, 8))
    (4, 7, 7)
    """
    if min(block) < 1:
        raise CodecError(f"a block needs at least one channel, row and column, not {block}")
    channels, rows, cols = starmap(ceil_div, zip(shape, block, strict=True))
    return channels, rows, cols


def block_sizes(shape: tuple[int, int, int], block: BlockShape) -> NDArray[np.int64]:
    """[n_blocks] number of values in each block, in block order.

    >>> block_sizes((1, 3, 3), (1, 2, 2))
    array([4, 2, 2, 1])
    """
    sizes: NDArray[np.int64] = block_extents(shape, block).prod(axis=1)
    return sizes


def block_extents(shape: tuple[int, int, int], block: BlockShape) -> NDArray[np.int64]:
    """[n_blocks, 3] channels, rows and columns of each block, in block order.

    >>> block_extents((1, 3, 2), (1, 2, 2))
    array([[1, 2, 2],
           [1, 1, 2]])
    """
    along = [
        np.minimum(step, size - step * np.arange(n, dtype=np.int64))
        for size, step, n in zip(shape, block, grid(shape, block), strict=True)
    ]
    return np.stack(np.meshgrid(*along, indexing="ij"), axis=-1).reshape(-1, 3)


def cut(values: Values, block: BlockShape, scan: Scan = "chw") -> Blocks:
    """The blocks of a map ``values`` (channels, rows, cols) of at most 16-bit integers.

    >>> blocks = cut(np.arange(9, dtype=np.uint8).reshape(1, 3, 3), (1, 2, 2))
    >>> blocks.values
    array([0, 1, 3, 4, 2, 5, 6, 7, 8], dtype=uint8)
    """
    extents = _extents(values.shape, block)
    flat = np.empty(values.size, values.dtype)
    _copy(_unsigned(values), _unsigned(flat), *block, _channels_last(scan), True)
    return Blocks(flat, _offsets(extents), Shapes(extents, scan == "hwc"))


def join(
    blocks: Blocks, shape: tuple[int, int, int], block: BlockShape, scan: Scan = "chw"
) -> Values:
    """The map of ``shape`` (channels, rows, cols) whose ``cut`` gives these blocks."""
    if not np.array_equal(blocks.offsets, _offsets(_extents(shape, block))):
        raise CodecError(f"these are not the blocks {block} of a map {shape}")
    values = np.empty(shape, blocks.values.dtype)
    _copy(_unsigned(values), _unsigned(blocks.values), *block, _channels_last(scan), False)
    return values


def _extents(shape: tuple[int, ...], block: BlockShape) -> NDArray[np.int64]:
    if len(shape) != 3:
        raise CodecError(f"a feature map has channels, rows and columns; got shape {shape}")
    return block_extents((shape[0], shape[1], shape[2]), block)


def _offsets(extents: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(extents.prod(axis=1))])


def _channels_last(scan: str) -> bool:
    if scan not in ("chw", "hwc"):
        raise CodecError(f"unknown scan {scan!r}. Known: chw, hwc.")
    return scan == "hwc"


def _unsigned(values: Values) -> NDArray[np.unsignedinteger[Any]]:
    """A view as unsigned integers, so that a kernel has one type per width."""
    if values.dtype not in (np.uint8, np.int8, np.uint16, np.int16):
        raise CodecError(f"feature maps are integers of 8 or 16 bits, not {values.dtype}")
    writable = np.require(values, requirements=["C", "W"])
    return writable.view(np.uint8 if values.itemsize == 1 else np.uint16)


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    for dtype in (np.uint8, np.uint16):
        values = np.ones((1, 1, 1), dtype)
        join(cut(values, (1, 1, 1)), (1, 1, 1), (1, 1, 1))
