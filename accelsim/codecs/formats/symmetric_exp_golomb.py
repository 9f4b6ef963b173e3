"""Symmetric exponential Golomb code: residuals against the median, of either sign.

Yin et al., ICASSP 2024 (arXiv 2309.02855), for feature maps of neural image compression;
known from the authors' code. They take a median of each channel of each image and store
it in W bits. A block here does not know which channels of the map it holds, so ``fit``
takes one median of the tensor (the lower one where two values are in the middle), and
``table_bits`` counts its W bits once. Before ``fit`` it is 0.

Bit layout of a value v, most significant bit first: the Exp-Golomb code of order k (see
``exp_golomb``) of z = 2 r for a residual r = v - median of 0 or more, else 2 |r| + 1, as
the authors' code has it. That never uses z = 1; with ``tight`` z = 2 |r| - 1 instead.
Residuals span twice the range of the word, so codes of 16-bit words reach 35 bits.

>>> import numpy as np
>>> from accelsim.codecs.base import Blocks, Word
>>> codec = SymmetricExpGolomb.for_word(Word(8)).fit(np.array([5, 6, 6], np.uint8))
>>> stream = codec.encode(Blocks(np.array([6, 7, 5], np.uint8), np.array([0, 3])))
>>> stream.bits   # 1 011 00100: z is 0, 2 and 3
9
>>> [f"{byte:08b}" for byte in stream.payload], codec.table_bits
(['10110010', '00000000'], 8)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from accelsim.codecs.base import Values, Word
from accelsim.codecs.coding.golomb import GolombCodec
from accelsim.codecs.coding.golomb_codes import PrefixCode, exp_golomb_code, values_of
from accelsim.codecs.lane_costs import packer_kge, pj_per_value
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import exercise
from accelsim.codecs.rates import histogram
from accelsim.errors import CodecError


@dataclass(frozen=True)
class SymmetricExpGolomb(GolombCodec):
    """Exp-Golomb codes of order ``k`` (0 to 15) of residuals against ``median``."""

    word: Word
    k: int = 0
    tight: bool = False
    median: int | None = None
    """Of the tensor; None before ``fit``, which counts as 0."""

    name = "symmetric_exp_golomb"
    evidence = "authors"

    @property
    def hardware(self) -> LaneHardware:
        kge = packer_kge(self.word.bits) + 0.5 * self.word.bits / 8
        return LaneHardware(
            encode_values_per_cycle=1,
            decode_values_per_cycle=1,
            encode_fill_cycles=2,
            decode_fill_cycles=2,
            encode_pj_per_value=pj_per_value(kge),
            decode_pj_per_value=pj_per_value(kge),
            gates_kge=2 * kge,
            encode_buffer_bits=64 + self.word.bits,
            decode_buffer_bits=64 + self.word.bits,
            source=(
                "estimates: 1.1 kGE each way for 8-bit words (bit packer or window 0.6 as of "
                "zero_rle, leading-one detector and shifter 0.3, adder and negation 0.2), in "
                "proportion for others; 15 % activity x 1.5 fJ per gate, 65 nm; a 64-bit assembly "
                "register and the median each way; a value per cycle, two for codes above 32 bits"
            ),
        )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.median is not None and not self.word.low <= self.median <= self.word.high:
            raise CodecError(
                f"{self.name}: the median is a value of the word, {self.word.low} to "
                f"{self.word.high}, not {self.median}"
            )

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    def fit(self, calibration: Values, *, every_symbol: bool = False) -> Self:
        """The codec for the median of these values; every word has a code in any case."""
        counts = histogram(calibration, self.word)
        if self.word.signed:
            counts = np.roll(counts, 1 << (self.word.bits - 1))
        at_most = np.cumsum(counts)
        middle = (calibration.size + 1) // 2
        median = self.word.low + int(np.searchsorted(at_most, middle)) if middle else 0
        return replace(self, median=median)

    @property
    def parameters(self) -> dict[str, int | str]:
        median = "not fitted" if self.median is None else self.median
        return {**super().parameters, "tight": int(self.tight), "median": median}

    @property
    def table_bits(self) -> int:
        return self.word.bits

    def prefix_code(self) -> PrefixCode:
        residuals = values_of(self.word) - (self.median or 0)
        below = -2 * residuals + (-1 if self.tight else 1)
        indices = np.where(residuals >= 0, 2 * residuals, below)
        return exp_golomb_code(indices, self.k)


CODEC = SymmetricExpGolomb


def warm_up() -> None:
    """Compile the kernels of this format with the types of production."""
    exercise(CODEC.for_word(Word(8)))
