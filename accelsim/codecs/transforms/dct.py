"""The 8 x 8 integer cosine transform of feature maps, with a quantiser of shifts.

DCT-II, orthonormal: Ahmed, Natarajan and Rao, "Discrete Cosine Transform", IEEE Trans.
Computers C-23(1), 1974. The basis has 19 fraction bits; products and sums are exact in
64 bits and only the end of each direction rounds, half up. So results are the same on
every machine. A coefficient is within 0.5 + 5e-5 x (largest magnitude) of the real
transform. A constant map of 16-bit words has one coefficient other than zero, 8 times
the constant, off by less than 4: exact after a shift of 3.

A block is tiled per channel from its first row and column; a tile that reaches over the
edge repeats the last row and column, and only existing values come back. Coefficients
follow each other tile by tile (channel, tile row, tile column), 64 a tile in zigzag order.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Shapes, Values, Word
from accelsim.errors import CodecError
from accelsim.jit import kernel

SIDE, TILE = 8, 64
FRACTION_BITS = 19
GAIN_BITS = 3
"""A coefficient of W-bit values has up to W + 3 bits: 8 times the mean, or a sign and less."""


def zigzag() -> NDArray[np.int64]:
    """[64] the place, row by row, of each coefficient in the order of JPEG.

    >>> zigzag()[:6]
    array([ 0,  1,  8, 16,  9,  2])
    """
    places = [(row, col) for row in range(SIDE) for col in range(SIDE)]
    # Diagonals alternate: odd ones start at the top, even ones at the left.
    places.sort(key=lambda p: (sum(p), p[0] if sum(p) % 2 else p[1]))
    return np.array([SIDE * row + col for row, col in places], np.int64)


def _basis() -> NDArray[np.int64]:
    """[8, 4] the left half of each basis vector; the right half mirrors it, odd ones negated."""
    frequency, at = np.arange(SIDE)[:, None], np.arange(SIDE // 2)
    cosines = np.cos(np.pi * (2 * at + 1) * frequency / (2 * SIDE)) / 2
    cosines[0] /= np.sqrt(2)
    return np.rint(cosines * (1 << FRACTION_BITS)).astype(np.int64)


_BASIS, _ZIGZAG = _basis(), zigzag()
BAND = (_ZIGZAG // SIDE + _ZIGZAG % SIDE).astype(np.int64)
"""[64] the diagonal of each coefficient in zigzag order: its frequency, 0 to 14."""


@kernel
def _to_frequencies(
    source: NDArray[np.int64], target: NDArray[np.int64], basis: NDArray[np.int64]
) -> None:
    """Transform the columns of ``source``, and lay them down as rows of ``target``."""
    for i in range(8):
        a, b = source[i] + source[56 + i], source[8 + i] + source[48 + i]
        c, d = source[16 + i] + source[40 + i], source[24 + i] + source[32 + i]
        for u in range(0, 8, 2):
            target[8 * i + u] = (
                basis[u, 0] * a + basis[u, 1] * b + basis[u, 2] * c + basis[u, 3] * d
            )
        a, b = source[i] - source[56 + i], source[8 + i] - source[48 + i]
        c, d = source[16 + i] - source[40 + i], source[24 + i] - source[32 + i]
        for u in range(1, 8, 2):
            target[8 * i + u] = (
                basis[u, 0] * a + basis[u, 1] * b + basis[u, 2] * c + basis[u, 3] * d
            )


@kernel
def _from_frequencies(
    source: NDArray[np.int64], target: NDArray[np.int64], basis: NDArray[np.int64]
) -> None:
    """The way back: columns of frequencies become rows of values."""
    for i in range(8):
        a, b, c, d = source[i], source[16 + i], source[32 + i], source[48 + i]
        e, f, g, h = source[8 + i], source[24 + i], source[40 + i], source[56 + i]
        for x in range(4):
            even = basis[0, x] * a + basis[2, x] * b + basis[4, x] * c + basis[6, x] * d
            odd = basis[1, x] * e + basis[3, x] * f + basis[5, x] * g + basis[7, x] * h
            target[8 * i + x] = even + odd
            target[8 * i + 7 - x] = even - odd


@kernel
def _forward(
    values: NDArray[np.int32],
    extents: NDArray[np.int64],
    channels_last: bool,
    shifts: NDArray[np.int64],
    order: NDArray[np.int64],
    basis: NDArray[np.int64],
    scratch: NDArray[np.int64],
    coefficients: NDArray[np.int32],
) -> None:
    tile, half_done = scratch[0], scratch[1]
    half = 1 << 37
    first, at = 0, 0
    for block in range(len(extents)):
        channels, rows, cols = extents[block]
        by_channel, by_col = (1, channels) if channels_last else (rows * cols, 1)
        by_row = cols * by_col
        for channel in range(channels):
            for top in range(0, rows, 8):
                for left in range(0, cols, 8):
                    # Maps after ReLU are full of empty tiles.
                    seen = 0
                    for i in range(8):
                        row = min(top + i, rows - 1)
                        start = first + channel * by_channel + row * by_row
                        for j in range(8):
                            value = int(values[start + min(left + j, cols - 1) * by_col])
                            tile[8 * i + j] = value
                            seen |= value
                    if seen == 0:
                        for i in range(64):
                            coefficients[at + i] = 0
                    else:
                        _to_frequencies(tile, half_done, basis)
                        _to_frequencies(half_done, tile, basis)
                        for i in range(64):
                            exact = (tile[order[i]] + half) >> 38
                            rounding = (1 << shifts[i]) >> 1
                            coefficients[at + i] = (exact + rounding) >> shifts[i]
                    at += 64
        first += channels * rows * cols


@kernel
def _inverse(
    coefficients: NDArray[np.int32],
    extents: NDArray[np.int64],
    channels_last: bool,
    shifts: NDArray[np.int64],
    order: NDArray[np.int64],
    basis: NDArray[np.int64],
    largest: int,
    low: int,
    high: int,
    scratch: NDArray[np.int64],
    values: NDArray[np.int32],
) -> None:
    tile, half_done = scratch[0], scratch[1]
    half = 1 << 37
    first, at = 0, 0
    for block in range(len(extents)):
        channels, rows, cols = extents[block]
        by_channel, by_col = (1, channels) if channels_last else (rows * cols, 1)
        by_row = cols * by_col
        for channel in range(channels):
            for top in range(0, rows, 8):
                for left in range(0, cols, 8):
                    seen = 0
                    for i in range(64):
                        # Only damaged streams hold more; the sums below would overflow.
                        scaled = int(coefficients[at + i]) << shifts[i]
                        tile[order[i]] = min(max(scaled, -largest), largest)
                        seen |= scaled
                    if seen != 0:
                        _from_frequencies(tile, half_done, basis)
                        _from_frequencies(half_done, tile, basis)
                    at += 64
                    for i in range(min(8, rows - top)):
                        start = first + channel * by_channel + (top + i) * by_row
                        for j in range(min(8, cols - left)):
                            exact = (tile[8 * i + j] + half) >> 38
                            values[start + (left + j) * by_col] = min(max(exact, low), high)
        first += channels * rows * cols


def n_tiles(shapes: Shapes) -> NDArray[np.int64]:
    """[n_blocks] tiles of blocks of these shapes.

    >>> n_tiles(Shapes(np.array([[16, 8, 8], [3, 9, 20]]), False))
    array([16, 18])
    """
    channels, rows, cols = shapes.extents.T
    tiles: NDArray[np.int64] = channels * -(-rows // SIDE) * -(-cols // SIDE)
    return tiles


def forward(values: Values, shapes: Shapes, shifts: NDArray[np.int64]) -> NDArray[np.int32]:
    """[64 x tiles] coefficients of all blocks, each divided by 2^shift and rounded half up.

    ``shifts`` [64] are in zigzag order. Raises ``CodecError`` where shapes and values differ.
    """
    extents = np.require(shapes.extents, np.int64, ["C", "W"])
    if int(extents.prod(axis=1).sum()) != values.size:
        raise CodecError(f"these shapes do not hold {values.size} values")
    coefficients = np.empty(TILE * int(n_tiles(shapes).sum()), np.int32)
    scratch = np.empty((2, TILE), np.int64)
    flat = np.ascontiguousarray(values).reshape(-1).astype(np.int32)
    tables = (shifts, _ZIGZAG, _BASIS)
    _forward(flat, extents, bool(shapes.channels_last), *tables, scratch, coefficients)
    return coefficients


def inverse(
    coefficients: NDArray[np.int32], shapes: Shapes, shifts: NDArray[np.int64], word: Word
) -> Values:
    """The values of all blocks again, rounded half up and clipped to the word."""
    extents = np.require(shapes.extents, np.int64, ["C", "W"])
    values = np.empty(int(extents.prod(axis=1).sum()), np.int32)
    scratch = np.empty((2, TILE), np.int64)
    tables = (shifts, _ZIGZAG, _BASIS)
    bounds = (1 << (word.bits + GAIN_BITS), word.low, word.high)
    _inverse(coefficients, extents, bool(shapes.channels_last), *tables, *bounds, scratch, values)
    return values.astype(word.dtype)


def to_patterns(coefficients: NDArray[np.int32], field: Word) -> Values:
    """Quantised coefficients as unsigned fields, two's complement.

    >>> to_patterns(np.array([15, -1], np.int32), Word(4))
    array([15, 15], dtype=uint8)
    """
    fields: Values = coefficients.astype(field.dtype) & field.dtype.type(field.high)
    return fields


def from_patterns(patterns: Values, field: Word, signed: bool) -> NDArray[np.int32]:
    """The way back; the first coefficient of each tile has a sign only if the map has.

    >>> from_patterns(np.resize(np.array([15], np.uint8), 64), Word(4), signed=False)[:3]
    array([15, -1, -1], dtype=int32)
    """
    unused = 32 - field.bits
    coefficients = (patterns.astype(np.int32) << unused) >> unused
    if not signed:
        coefficients[::TILE] = patterns[::TILE]
    return coefficients


def as_one_block(calibration: Values) -> Shapes:
    """Shapes of an array of any shape: (..., rows, cols) of many channels, or flat."""
    *channels, rows, cols = (1, 1, *calibration.shape)
    n_channels = int(np.prod(channels, dtype=np.int64))
    return Shapes(np.array([[n_channels, rows, cols]], np.int64), False)


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    values, shapes = np.ones(1, np.uint8), Shapes(np.ones((1, 3), np.int64), False)
    shifts = np.zeros(TILE, np.int64)
    inverse(forward(values, shapes, shifts), shapes, shifts, Word(8))
