"""JPEG-ACT: a cosine transform of 8 x 8 pixels, rounded by shifts, then zero-value coded.

Evans, Liu and Aamodt, "JPEG-ACT: Accelerating Deep Learning via Transform-based Lossy
Compression", ISCA 2020. Known from the literature: 8 x 8 spatial DCT of each channel on
fixed-point activations, an optimised table of power-of-two divisors, and zero-value
coding in place of run lengths and Huffman codes. The published table is not public to
us; ``fit`` derives one.

Bit layout of a tile of 8 x 8 pixels, 64 coefficients in zigzag order (see
``accelsim.codecs.transforms.dct`` for tiles at edges): twice a mask of 32 bits, first coefficient
first, 1 where the quantised coefficient is not zero, then the W-bit words of those, as
``zvc`` writes them: two's complement, but the first coefficient of unsigned maps, which
has no sign. A tile with k of them takes 64 + k W bits, whatever part of it exists.
Tiles follow each other by channel, then row, then column. Blocks should hold whole tiles
(``codec.block: [16, 8, 8]``): a tile costs 64 mask bits even for a single row.

Ours: a coefficient is divided by 2^s, s from 3 (so that it fits W bits) to W + 2. The
first coefficient has s = 3, which keeps constant tiles exact. The others get the s with
the least squared error + step^2 / 8 x bits over the calibration maps, with
step = 2^(W - ``quality``): step^2 / 8 is what one bit saves in a fine uniform quantiser
(ln 2 / 6 x step^2). Before ``fit`` all have s = W - ``quality``, at least 3. A higher
``quality`` never has a larger s; steps finer than 8 are not possible.

>>> from accelsim.codecs.base import one_block
>>> codec = JpegAct.for_word(Word(8))
>>> flat = np.full((8, 8), 7, np.uint8)
>>> codec.encode(one_block(flat)).bits   # 64 mask bits and one coefficient of 8 bits
72
>>> np.array_equal(codec.reconstruct(flat), flat)
True
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Blocks, Shapes, Values, Word
from accelsim.codecs.formats.zvc import Zvc
from accelsim.codecs.lane_costs import pj_per_value
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import exercise
from accelsim.codecs.transforms import dct
from accelsim.codecs.transforms.transform import TransformCodec
from accelsim.codecs.words import check_range
from accelsim.errors import CodecError
from accelsim.jit import kernel

SMALLEST_SHIFT = dct.GAIN_BITS
SHIFT_FIELD_BITS = 4
HIGHEST_QUALITY = 16


@kernel
def _count(
    coefficients: NDArray[np.int32],
    smallest_shift: int,
    squared_error: NDArray[np.int64],
    nonzeros: NDArray[np.int64],
) -> None:
    """Error and non-zero results of each coefficient (rows) with each shift (columns)."""
    for i in range(len(coefficients)):
        exact, place = int(coefficients[i]), i & 63
        for column in range(squared_error.shape[1]):
            shift = smallest_shift + column
            quantised = (exact + ((1 << shift) >> 1)) >> shift
            error = (quantised << shift) - exact
            squared_error[place, column] += error * error
            nonzeros[place, column] += quantised != 0


@dataclass(frozen=True)
class JpegAct(TransformCodec):
    """Cosine transform, shifts, zero-value coding. ``quality``: 1 (coarse) to 16 (fine)."""

    word: Word
    quality: int = 5
    shifts: tuple[int, ...] = field(default=(), repr=False)
    """[64] in zigzag order; empty before ``fit``."""

    name = "jpeg_act"
    evidence = "literature"
    needs = ("spatial_tile",)
    preferred_block = (16, 8, 8)

    @property
    def hardware(self) -> LaneHardware:
        wide = self.word.bits + 4
        kge = 32.0 * wide / 12
        return LaneHardware(
            encode_values_per_cycle=8,
            decode_values_per_cycle=8,
            encode_fill_cycles=20,
            decode_fill_cycles=20,
            encode_pj_per_value=pj_per_value(kge, 8),
            decode_pj_per_value=pj_per_value(kge, 8),
            gates_kge=2 * kge,
            encode_buffer_bits=2 * dct.TILE * wide,
            decode_buffer_bits=2 * dct.TILE * wide,
            source=(
                "all are estimates: two 8-point transforms of 11 multipliers and 29 adders of 12 "
                "bits (8.4 kGE each), a transpose buffer of 2 x 64 x 12 bits (12.3 kGE) and an "
                "8-word zero-value packer (3 kGE), 32 kGE each way for 8-bit words, whose "
                "coefficients have 4 bits more; others in proportion; 8 values per cycle; fill: "
                "two passes over 8 rows, 1 cycle of shifts, 3 of packing; energy: gates x 15 % "
                "activity x 1.5 fJ / 8 values, 65 nm. Evans et al. ISCA 2020 say below 1 % of a "
                "GPU's area"
            ),
        )

    def __post_init__(self) -> None:
        if not 1 <= self.quality <= HIGHEST_QUALITY:
            raise CodecError(
                f"jpeg_act: quality is 1 (coarse) to {HIGHEST_QUALITY} (fine), not {self.quality}"
            )
        largest = self.word.bits + dct.GAIN_BITS - 1
        fits = all(SMALLEST_SHIFT <= shift <= largest for shift in self.shifts)
        if not fits or len(self.shifts) not in (0, dct.TILE):
            raise CodecError(f"jpeg_act: shifts are 64 numbers from {SMALLEST_SHIFT} to {largest}")

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    def fit(self, calibration: Values, *, every_symbol: bool = False) -> Self:
        """Shifts for these maps (..., rows, cols); other arrays count as one row."""
        check_range(calibration, self.word)
        shapes = dct.as_one_block(calibration)
        exact = dct.forward(calibration, shapes, np.zeros(dct.TILE, np.int64))
        squared_error = np.zeros((dct.TILE, self.word.bits), np.int64)
        nonzeros = np.zeros_like(squared_error)
        _count(exact, SMALLEST_SHIFT, squared_error, nonzeros)
        step = 1 << max(0, self.word.bits - self.quality)
        costs = 8 * squared_error + step * step * self.word.bits * nonzeros
        # Of equal costs the smallest shift, so that costs rule monotonically.
        shifts = SMALLEST_SHIFT + np.argmin(costs, axis=1)
        return replace(self, shifts=(SMALLEST_SHIFT, *shifts[1:].tolist()))

    @property
    def parameters(self) -> dict[str, int | str]:
        table = hashlib.sha256(bytes(self.shifts)).hexdigest() if self.shifts else "not fitted"
        return {**super().parameters, "quality": self.quality, "table": table}

    @property
    def table_bits(self) -> int:
        """A field for each shift; those of an unfitted codec are fixed."""
        return SHIFT_FIELD_BITS * len(self.shifts)

    @property
    def coder(self) -> Zvc:
        return Zvc(Word(self.word.bits))

    def worst_case_bits(self, n_values: int) -> int:
        """In tiles of one pixel, which have one coefficient, or of 2 x 2, which have all."""
        return n_values * max(64 + self.word.bits, 16 + 16 * self.word.bits)

    def n_symbols(self, shapes: Shapes) -> NDArray[np.int64]:
        return dct.TILE * dct.n_tiles(shapes)

    def forward(self, values: Values, shapes: Shapes) -> Values:
        coefficients = dct.forward(values, shapes, self._shifts())
        return dct.to_patterns(coefficients, self.coder.word)

    def inverse(self, symbols: Values, shapes: Shapes) -> Values:
        coefficients = dct.from_patterns(symbols, self.coder.word, self.word.signed)
        return dct.inverse(coefficients, shapes, self._shifts(), self.word)

    def encode_work(self, blocks: Blocks) -> NDArray[np.int64]:
        """8 cycles for each tile, also for a part of one."""
        return dct.SIDE * dct.n_tiles(blocks.shapes or Shapes.flat(blocks.sizes))

    def decode_work(self, blocks: Blocks) -> NDArray[np.int64]:
        return self.encode_work(blocks)

    def _shifts(self) -> NDArray[np.int64]:
        if self.shifts:
            return np.array(self.shifts, np.int64)
        shifts = np.full(dct.TILE, max(SMALLEST_SHIFT, self.word.bits - self.quality), np.int64)
        shifts[0] = SMALLEST_SHIFT
        return shifts


CODEC = JpegAct


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    exercise(CODEC.for_word(Word(8)))
