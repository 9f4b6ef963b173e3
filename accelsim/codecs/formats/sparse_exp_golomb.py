"""Sparse exponential Golomb code: one bit for zero, Exp-Golomb of order 4 for the rest.

Yin et al., ICASSP 2024 (arXiv 2309.02855), for feature maps of neural image compression;
known from the authors' code.

Bit layout of a value, most significant bit first: ``0`` for zero; else ``1``, then the
Exp-Golomb code of order k of z - 1 (see ``exp_golomb``). z is the value itself; of signed
words z = 2 v for v >= 0, else -2 v - 1. (That ``0`` is the zero is our choice; sizes do not
depend on it.)

>>> import numpy as np
>>> from accelsim.codecs.base import Blocks, Word
>>> blocks = Blocks(np.array([0, 7, 17], np.uint8), np.array([0, 3]))
>>> stream = SparseExpGolomb.for_word(Word(8)).encode(blocks)
>>> stream.bits   # 0, 1 1 0110, 1 010 0000: z - 1 is 6 and 16
15
>>> [f"{byte:08b}" for byte in stream.payload]
['01101101', '01000000']
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
class SparseExpGolomb(GolombCodec):
    """A zero flag, then Exp-Golomb codes of order ``k`` (0 to 15)."""

    word: Word
    k: int = 4

    name = "sparse_exp_golomb"
    evidence = "authors"

    @property
    def hardware(self) -> LaneHardware:
        kge = packer_kge(self.word.bits) + 0.4 * self.word.bits / 8
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
                "estimates: 1.0 kGE each way for 8-bit words (bit packer or window 0.6 as of "
                "zero_rle, leading-one detector and shifter 0.3, zero detector and decrement 0.1), "
                "in proportion for others; 15 % activity x 1.5 fJ per gate, 65 nm; a 64-bit "
                "assembly register each way; a value per cycle"
            ),
        )

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    def prefix_code(self) -> PrefixCode:
        return exp_golomb_code(indices_of(self.word) - 1, self.k, flagged=True)


CODEC = SparseExpGolomb


def warm_up() -> None:
    """Compile the kernels of this format with the types of production."""
    exercise(CODEC.for_word(Word(8)))
