"""A linear transform along the channels, and uniform quantisers of its coefficients.

What all codecs that transform the channels of a pixel share. For the vector x of a pixel:

    y = M (x - mean)                        coefficients, in units of 2^-F
    q = floor((y - low + step / 2) / step)  symbols, clipped to those of the codec
    x' = mean + M^T (low + q step)          rounded half up, clipped to the word

M holds integers of at most 12 bits: its rows are orthonormal vectors times 2^F, F <= 12.
So |y| < 2^12 x 2^16 x sqrt(4096) = 2^34, and the sums of the inverse stay near 2^52. They
are taken as matrix products of float64, which are exact below 2^53 in any order of
summation: results depend neither on the machine nor on its libraries.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Shapes, Values, Word
from accelsim.codecs.lane_costs import pj_per_value
from accelsim.codecs.transforms.channel_vectors import (
    Calibration,
    VectorLayout,
    from_vectors,
    to_vectors,
)
from accelsim.codecs.transforms.transform import TransformCodec
from accelsim.codecs.words import from_words
from accelsim.errors import CodecError
from accelsim.jit import kernel
from accelsim.units import ceil_div

VALUES_AT_ONCE = 1 << 16
"""Vectors are transformed in parts of about so many values, which stay in the cache."""

MAC_KGE = 0.85
"""Gates of a multiplier of 8 x 12 bits (0.5 kGE) and an accumulator of 24 bits (0.35)."""

MAC_PJ = pj_per_value(MAC_KGE)
"""Energy of a multiply-accumulate: gates x 15 % activity x 1.5 fJ a toggle (65 nm)."""


@kernel
def _quantise(
    coefficients: NDArray[np.float64],
    low: NDArray[np.int64],
    step: NDArray[np.int64],
    lowest: int,
    highest: int,
    symbols: NDArray[np.int32],
) -> None:
    for row in range(coefficients.shape[0]):
        for i in range(coefficients.shape[1]):
            above = int(coefficients[row, i]) - low[i] + (step[i] >> 1)
            symbols[row, i] = min(max(above // step[i], lowest), highest)


@dataclass(frozen=True)
class ChannelTransform:
    """A fitted transform; hashable. Arrays are kept as bytes of ``int64``."""

    vectors: VectorLayout
    fraction_bits: int
    """F: M is in units of 2^-F."""
    matrix: bytes = field(repr=False)
    """M [n_kept, length]: one row per coefficient that is kept."""
    mean: bytes = field(repr=False)
    """[length] words."""
    low: bytes = field(repr=False)
    """[n_kept] the coefficient of symbol 0, in units of 2^-F."""
    step: bytes = field(repr=False)
    """[n_kept] at least 1, in units of 2^-F."""
    lowest: int
    """Symbols are ``lowest`` to ``highest``."""
    highest: int

    @classmethod
    def of(
        cls,
        maps: Calibration,
        matrix: NDArray[np.int64],
        fraction_bits: int,
        low: NDArray[np.int64],
        step: NDArray[np.int64],
        symbols: tuple[int, int],
    ) -> Self:
        """From arrays; ``symbols`` are the lowest and the highest."""
        return cls(
            maps.layout,
            fraction_bits,
            matrix=matrix.tobytes(),
            mean=maps.mean.tobytes(),
            low=low.tobytes(),
            step=step.tobytes(),
            lowest=symbols[0],
            highest=symbols[1],
        )

    @classmethod
    def over_range(
        cls, maps: Calibration, signed: bool, basis: tuple[NDArray[np.int64], int], top: int
    ) -> Self:
        """Symbols 0 to ``top`` over the range of all coefficients of ``maps`` together.

        ``basis`` is M and F. One step serves all coefficients; where all are equal it is
        the smallest that there is.
        """
        matrix, fraction_bits = basis
        zero, one = np.zeros(len(matrix), np.int64), np.ones(len(matrix), np.int64)
        unscaled = cls.of(maps, matrix, fraction_bits, zero, one, (0, 0))
        lows, highs = unscaled.extremes(maps.vectors, signed)
        low, high = int(lows.min()), int(highs.max())
        step = max(1, ceil_div(high - low, top))
        return cls.of(maps, matrix, fraction_bits, one * low, one * step, (0, top))

    @property
    def n_kept(self) -> int:
        """Symbols of a vector."""
        return len(self.low) // 8

    @cached_property
    def digest(self) -> str:
        """A hash of everything."""
        numbers = repr((self.vectors, self.fraction_bits, self.lowest, self.highest)).encode()
        arrays = self.matrix + self.mean + self.low + self.step
        return hashlib.sha256(numbers + arrays).hexdigest()

    @cached_property
    def arrays(self) -> tuple[NDArray[np.float64], ...]:
        """M, mean, low and step as float64, which holds them exactly."""
        flat = (self.matrix, self.mean, self.low, self.step)
        matrix, mean, low, step = (np.frombuffer(a, np.int64).astype(np.float64) for a in flat)
        return matrix.reshape(self.n_kept, self.vectors.length), mean, low, step

    def coefficients(
        self, vectors: NDArray[np.uint16], signed: bool
    ) -> Iterator[tuple[slice, NDArray[np.float64]]]:
        """Parts of the rows, and y of their vectors: [n_rows, n_kept] integers."""
        matrix, mean, _, _ = self.arrays
        numbers = vectors.view(np.int16) if signed else vectors
        for rows in self._parts(len(vectors)):
            yield rows, (numbers[rows] - mean) @ matrix.T

    def extremes(
        self, vectors: NDArray[np.uint16], signed: bool
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """([n_kept] lowest, [n_kept] highest) coefficients of these vectors; 0 without any."""
        low, high = np.full(self.n_kept, np.inf), np.full(self.n_kept, -np.inf)
        for _, y in self.coefficients(vectors, signed):
            low, high = np.minimum(low, y.min(axis=0)), np.maximum(high, y.max(axis=0))
        if not len(vectors):
            low, high = np.zeros_like(low), np.zeros_like(high)
        return low.astype(np.int64), high.astype(np.int64)

    def quantise(self, vectors: NDArray[np.uint16], signed: bool) -> NDArray[np.int32]:
        """[n_vectors, n_kept] the symbols of vectors of words."""
        symbols = np.empty((len(vectors), self.n_kept), np.int32)
        low, step = (np.frombuffer(a, np.int64).copy() for a in (self.low, self.step))
        for rows, coefficients in self.coefficients(vectors, signed):
            _quantise(coefficients, low, step, self.lowest, self.highest, symbols[rows])
        return symbols

    def rebuild(self, symbols: Values, low: int, high: int) -> NDArray[np.uint16]:
        """[n_vectors, length] patterns of the vectors again, clipped to ``low`` .. ``high``."""
        matrix, mean, offset, step = self.arrays
        half, unit = 0.5 * 4.0**self.fraction_bits, 4.0**-self.fraction_bits
        vectors = np.empty((len(symbols), self.vectors.length), np.uint16)
        for rows in self._parts(len(symbols)):
            sums = (symbols[rows] * step + offset) @ matrix
            numbers = np.floor((sums + half) * unit) + mean
            vectors[rows] = np.clip(numbers, low, high).astype(np.int32).astype(np.uint16)
        return vectors

    def _parts(self, n_vectors: int) -> Iterator[slice]:
        n_rows = max(1, VALUES_AT_ONCE // self.vectors.length)
        return (slice(first, first + n_rows) for first in range(0, n_vectors, n_rows))


class ChannelCodec(TransformCodec):
    """A lossy codec whose symbols are those of a fitted ``ChannelTransform``."""

    needs = ("whole_pixel",)

    @property
    @abstractmethod
    def fitted(self) -> ChannelTransform | None:
        """The transform; None before ``fit``."""

    @property
    def parameters(self) -> dict[str, int | str]:
        fitted = self.fitted
        return {**super().parameters, "transform": fitted.digest if fitted else "not fitted"}

    def n_symbols(self, shapes: Shapes) -> NDArray[np.int64]:
        transform = self._transform
        return transform.vectors.n_vectors(shapes) * transform.n_kept

    def forward(self, values: Values, shapes: Shapes) -> Values:
        transform = self._transform
        mean = np.frombuffer(transform.mean, np.int64)
        vectors = to_vectors(values, shapes, transform.vectors, mean)
        symbols = transform.quantise(vectors, self.word.signed)
        return symbols.reshape(-1).astype(self.coder.word.dtype)

    def inverse(self, symbols: Values, shapes: Shapes) -> Values:
        transform = self._transform
        rows = symbols.reshape(-1, transform.n_kept)
        vectors = transform.rebuild(rows, self.word.low, self.word.high)
        words = from_vectors(vectors, shapes) & np.uint16((1 << self.word.bits) - 1)
        return from_words(words, self.word)

    @property
    def _transform(self) -> ChannelTransform:
        if self.fitted is None:
            raise CodecError(
                f"{self.name} has no transform yet: call fit() with calibration maps first"
            )
        return self.fitted


def coefficient_bits(word: Word, matrix_bits: int, length: int) -> int:
    """Bits of a register that holds any coefficient of a vector: of a sum of products.

    >>> coefficient_bits(Word(8), 12, 2)
    22
    """
    return 1 + word.bits + matrix_bits + (length - 1).bit_length()


def fixed_point(rows: NDArray[np.float64], matrix_bits: int) -> tuple[NDArray[np.int64], int]:
    """Orthonormal rows as integers of ``matrix_bits`` and their fraction bits F.

    F is as large as the entries allow, at most ``matrix_bits``.

    >>> fixed_point(np.eye(2), 8)
    (array([[64,  0],
           [ 0, 64]]), 6)
    """
    largest, most = float(np.abs(rows).max()), (1 << (matrix_bits - 1)) - 1
    fraction_bits = matrix_bits
    while round(largest * (1 << fraction_bits)) > most:
        fraction_bits -= 1
    return np.rint(rows * (1 << fraction_bits)).astype(np.int64), fraction_bits


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    one = np.ones(1, np.int64)
    _quantise(np.ones((1, 1)), one, one, 0, 1, np.zeros((1, 1), np.int32))
