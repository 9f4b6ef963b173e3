"""Exponential Golomb code of order k: short codes for small values, no table.

Teuhola, "A Compression Method for Clustered Bit-Vectors", Information Processing Letters
1978; known from video coding (H.264). Order 0 is the default.

Bit layout of a value, most significant bit first: with u = (z >> k) + 1, floor(log2 u)
zeros, then u in floor(log2 u) + 1 bits, then the k low bits of z: 2 floor(log2 u) + 1 + k
bits. z is the value itself; of signed words z = 2 v for v >= 0, else -2 v - 1.

>>> import numpy as np
>>> from accelsim.codecs.base import Blocks, Word
>>> blocks = Blocks(np.array([0, 3, 7], np.uint8), np.array([0, 3]))
>>> stream = ExpGolomb.for_word(Word(8)).encode(blocks)
>>> stream.bits   # 1 00100 0001000
13
>>> [f"{byte:08b}" for byte in stream.payload]
['10010000', '01000000']
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from accelsim.codecs.base import Word
from accelsim.codecs.coding.golomb import GolombCodec
from accelsim.codecs.coding.golomb_codes import PrefixCode, exp_golomb_code, indices_of
from accelsim.codecs.lane_costs import packer_kge, pj_per_value
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import exercise


@dataclass(frozen=True)
class ExpGolomb(GolombCodec):
    """Exponential Golomb codes of order ``k`` (0 to 15)."""

    word: Word
    k: int = 0

    name = "exp_golomb"
    evidence = "literature"

    @property
    def hardware(self) -> LaneHardware:
        kge = packer_kge(self.word.bits) + 0.3 * self.word.bits / 8
        return LaneHardware(
            encode_values_per_cycle=1,
            decode_values_per_cycle=1,
            encode_fill_cycles=2,
            decode_fill_cycles=2,
            encode_pj_per_value=pj_per_value(kge),
            decode_pj_per_value=pj_per_value(kge),
            gates_kge=2 * kge,
            encode_buffer_bits=64,
            decode_buffer_bits=64,
            source=(
                "estimates: 0.9 kGE each way for 8-bit words (bit packer or window 0.6 as of "
                "zero_rle, leading-one detector and shifter 0.3), in proportion for others; 15 % "
                "activity x 1.5 fJ per gate, 65 nm; a 64-bit assembly register each way; a value "
                "per cycle, two for codes above 32 bits"
            ),
        )

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    def prefix_code(self) -> PrefixCode:
        return exp_golomb_code(indices_of(self.word), self.k)


CODEC = ExpGolomb


def warm_up() -> None:
    """Compile the kernels of this format with the types of production."""
    exercise(CODEC.for_word(Word(8)))
