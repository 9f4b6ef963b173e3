"""TECO: a cosine transform of 8 x 8 pixels, one shift, and Rice codes fitted to each frequency.

Shi et al., "TECO: A Unified Feature Map Compression Framework Based on Transform and
Entropy", IEEE Trans. Neural Networks and Learning Systems 35(12), 2024.
Reconstruction: only the abstract is public to us. It says that feature maps of many
kinds have a unimodal distribution in the frequency domain, and that a coding scheme is
fitted to it; transform, quantiser and codes below are our reading.

Each channel is transformed in tiles of 8 x 8 pixels (``accelsim.codecs.transforms.dct``, which also
says what tiles at edges do). Coefficients are divided by 2^s and rounded, with
s = W - ``quality``, at least 0 (or W - 13, so that they fit 16 bits); the first
coefficient has at most s = 3, which keeps constant tiles exact.

Bit layout of a tile:

- 1 bit, 0 if all coefficients are zero: nothing follows.
- 6 bits: place of the last coefficient other than zero, 0 to 63 in zigzag order.
- Coefficients r up to that one, in zigzag order, as z = 2 |r| - (r > 0), a Rice code with
  the k of their frequency: z >> k ones, a zero, then the low k bits. The first
  coefficient of unsigned maps has no sign: z = r.
- Where z >> k is 12 or more: 12 ones, then r as W + 3 bits (at most 16), two's complement.

The frequency is the diagonal, 0 to 14. ``fit`` sets k = floor(log2(0.694 x mean z)), 0 to
15, over the coefficients that would be coded; before ``fit`` every k is 0. The table is
15 k of 4 bits and s in 4 bits. Tiles follow each other by channel, then row, then
column. Blocks should hold whole tiles (``codec.block: [16, 8, 8]``).

>>> from accelsim.codecs.base import one_block
>>> codec = Teco.for_word(Word(8))
>>> ramp = np.tile(np.arange(8, dtype=np.uint8), (8, 1))   # 28 / 8, -18.2 / 8: 4 and -2
>>> codec.encode(one_block(ramp)).bits   # 1 + 6, 4 as 11110, -2 as z = 4: 11110
17
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Blocks, Shapes, Values, Word
from accelsim.codecs.coding.rice_tiles import (
    ESCAPE_ONES,
    HEADER_BITS,
    HIGHEST_K,
    N_BANDS,
    RiceTiles,
    folded,
    last_nonzero,
)
from accelsim.codecs.lane_costs import pj_per_value
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import exercise
from accelsim.codecs.transforms import dct
from accelsim.codecs.transforms.transform import TransformCodec
from accelsim.codecs.words import Words, check_range
from accelsim.errors import CodecError
from accelsim.jit import kernel

WIDEST_FIELD_BITS = 16
HIGHEST_QUALITY = 16
LARGEST_FIRST_SHIFT = 3


@kernel
def _sum_by_band(
    words: Words,
    bands: NDArray[np.int64],
    signs: NDArray[np.int64],
    sums: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> None:
    """Add up z and the number of the coefficients that a stream holds."""
    for first in range(0, len(words), 64):
        for i in range(last_nonzero(words, first) + 1):
            sums[bands[i]] += folded(int(words[first + i]), signs[i])
            counts[bands[i]] += 1


@dataclass(frozen=True)
class Teco(TransformCodec):
    """Cosine transform, shift, Rice codes. ``quality``: 1 (coarse) to 16 (fine)."""

    word: Word
    quality: int = 5
    ks: tuple[int, ...] = field(default=(), repr=False)
    """[15] the Rice parameter of each frequency; empty before ``fit``."""

    name = "teco"
    evidence = "abstract"
    reconstruction = True
    needs = ("spatial_tile",)
    preferred_block = (16, 8, 8)

    @property
    def hardware(self) -> LaneHardware:
        wide = self.word.bits + 4
        kge = 37.0 * wide / 12
        return LaneHardware(
            encode_values_per_cycle=8,
            decode_values_per_cycle=8,
            encode_fill_cycles=20,
            decode_fill_cycles=20,
            encode_pj_per_value=pj_per_value(kge, 8),
            decode_pj_per_value=pj_per_value(kge, 8),
            gates_kge=2 * kge,
            encode_buffer_bits=2 * dct.TILE * wide + 4 * N_BANDS,
            decode_buffer_bits=2 * dct.TILE * wide + 4 * N_BANDS,
            source=(
                "all are estimates: two 8-point transforms of 11 multipliers and 29 adders of 12 "
                "bits (8.4 kGE each), a transpose buffer of 2 x 64 x 12 bits (12.3 kGE) and 8 Rice "
                "coders that work on 8 tiles (1 kGE each), 37 kGE each way for 8-bit words, whose "
                "coefficients have 4 bits more; others in proportion; 8 values per cycle; fill: "
                "two passes over 8 rows, a scan for the last coefficient, packing; energy: gates x "
                "15 % activity x 1.5 fJ / 8 values, 65 nm"
            ),
        )

    def __post_init__(self) -> None:
        if not 1 <= self.quality <= HIGHEST_QUALITY:
            raise CodecError(
                f"teco: quality is 1 (coarse) to {HIGHEST_QUALITY} (fine), not {self.quality}"
            )
        fits = all(0 <= k <= HIGHEST_K for k in self.ks)
        if not fits or len(self.ks) not in (0, N_BANDS):
            raise CodecError(f"teco: Rice parameters are {N_BANDS} numbers from 0 to {HIGHEST_K}")

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    def fit(self, calibration: Values, *, every_symbol: bool = False) -> Self:
        """Rice parameters for these maps (..., rows, cols); other arrays count as one row."""
        check_range(calibration, self.word)
        symbols = self.forward(calibration, dct.as_one_block(calibration)).astype(np.uint16)
        sums, counts = np.zeros(N_BANDS, np.int64), np.zeros(N_BANDS, np.int64)
        _sum_by_band(symbols, dct.BAND, self.coder.signs, sums, counts)
        # 0.694 x sum / count >= 2^k, in integers.
        powers = 1000 * np.left_shift(counts[:, None], np.arange(1, HIGHEST_K + 1))
        reached = (694 * sums[:, None] >= powers) & (counts[:, None] > 0)
        return replace(self, ks=tuple(reached.sum(axis=1).tolist()))

    @property
    def parameters(self) -> dict[str, int | str]:
        table = hashlib.sha256(bytes(self.ks)).hexdigest() if self.ks else "not fitted"
        return {**super().parameters, "quality": self.quality, "table": table}

    @property
    def table_bits(self) -> int:
        """A field for each k, and one for the shift; those of an unfitted codec are fixed."""
        return 4 * (N_BANDS + 1) if self.ks else 0

    @property
    def coder(self) -> RiceTiles:
        width = min(WIDEST_FIELD_BITS, self.word.bits + dct.GAIN_BITS)
        return RiceTiles(Word(width), self.word.signed, self.ks or (0,) * N_BANDS)

    def worst_case_bits(self, n_values: int) -> int:
        """In tiles of one column of two pixels, whose coefficients end at place 35."""
        longest = ESCAPE_ONES + min(WIDEST_FIELD_BITS, self.word.bits + dct.GAIN_BITS)
        return n_values * (HEADER_BITS + 36 * longest)

    def n_symbols(self, shapes: Shapes) -> NDArray[np.int64]:
        return dct.TILE * dct.n_tiles(shapes)

    def forward(self, values: Values, shapes: Shapes) -> Values:
        return dct.to_patterns(dct.forward(values, shapes, self._shifts), self.coder.word)

    def inverse(self, symbols: Values, shapes: Shapes) -> Values:
        coefficients = dct.from_patterns(symbols, self.coder.word, self.word.signed)
        return dct.inverse(coefficients, shapes, self._shifts, self.word)

    def encode_work(self, blocks: Blocks) -> NDArray[np.int64]:
        """8 cycles for each tile, also for a part of one."""
        return dct.SIDE * dct.n_tiles(blocks.shapes or Shapes.flat(blocks.sizes))

    def decode_work(self, blocks: Blocks) -> NDArray[np.int64]:
        return self.encode_work(blocks)

    @cached_property
    def _shifts(self) -> NDArray[np.int64]:
        smallest = max(0, self.word.bits + dct.GAIN_BITS - WIDEST_FIELD_BITS)
        shifts = np.full(dct.TILE, max(smallest, self.word.bits - self.quality), np.int64)
        shifts[0] = min(LARGEST_FIRST_SHIFT, shifts[0])
        return shifts


CODEC = Teco


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    exercise(CODEC.for_word(Word(8)))
