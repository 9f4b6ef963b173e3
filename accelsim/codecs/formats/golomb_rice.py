"""Golomb-Rice code: a unary quotient, then k bits of remainder.

Rice and Plaunt, "Adaptive Variable-Length Coding for Efficient Compression of Spacecraft
Television Data", IEEE Trans. Communications 1971; Golomb's code for divisors 2^k.

Bit layout of a value, most significant bit first: z >> k ones and a zero; then the k low
bits of z. z is the value itself; of signed words z = 2 v for v >= 0, else -2 v - 1.

Codes have no escape: the largest word takes (2^W - 1 >> k) + 1 + k bits, 129 at 8 bits and
k = 1, 32769 at 16 bits. In a network (``for_network``) words wider than 8 bits have k = W - 7,
because the same map in finer steps has values as much larger.

>>> import numpy as np
>>> from accelsim.codecs.base import Blocks, Word
>>> blocks = Blocks(np.array([0, 3, 7], np.uint8), np.array([0, 3]))
>>> stream = GolombRice.for_word(Word(8)).encode(blocks)
>>> stream.bits   # 00 101 11101
10
>>> [f"{byte:08b}" for byte in stream.payload]
['00101111', '01000000']
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from accelsim.codecs.base import Word
from accelsim.codecs.coding.golomb import GolombCodec
from accelsim.codecs.coding.golomb_codes import PrefixCode, indices_of, rice_code
from accelsim.codecs.lane_costs import packer_kge, pj_per_value
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import exercise


@dataclass(frozen=True)
class GolombRice(GolombCodec):
    """Rice codes with ``k`` (0 to 15) bits of remainder."""

    word: Word
    k: int = 1

    name = "golomb_rice"
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
                "zero_rle, unary mask or leading-one detector and shifter 0.3), in proportion for "
                "others; 15 % activity x 1.5 fJ per gate, 65 nm; a 64-bit assembly register each "
                "way; a value per cycle, and a cycle more for each further 32 bits of a code, the "
                "width of the port"
            ),
        )

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    @classmethod
    def for_network(cls, word: Word) -> Self:
        return cls(word, k=max(1, word.bits - 7))

    def prefix_code(self) -> PrefixCode:
        return rice_code(indices_of(self.word), self.k)


CODEC = GolombRice


def warm_up() -> None:
    """Compile the kernels of this format with the types of production."""
    exercise(CODEC.for_word(Word(8)))
