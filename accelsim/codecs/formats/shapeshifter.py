"""ShapeShifter: groups of values, each stored at the width of its widest value.

Delmás Lascorz et al., "ShapeShifter: Enabling Fine-Grain Data Width Adaptation in Deep
Learning", MICRO 2019: groups of 16 to 256 values. The scheme is widely reproduced; the
order of the fields is that of the reproductions, not re-read in the paper.

Bit layout of a group, most significant bit first: the mask, first value first, 1 where
the value is not zero; the width b of the widest value, stored as b - 1 in ceil(log2 W)
bits; then the b-bit words of the non-zero values in order. Signed values are zigzagged
first. A group without non-zeros has b = 1. The mask of a last partial group covers the
existing values only.

>>> from accelsim.codecs.base import Blocks, Word
>>> blocks = Blocks(np.array([0, 5, 2, 0], np.uint8), np.array([0, 4]))
>>> stream = Shapeshifter.for_word(Word(8)).encode(blocks)
>>> stream.bits   # 4 mask bits, 3 bits of width, 2 words of 3 bits
13
>>> [f"{byte:08b}" for byte in stream.payload]   # 0110, 010, 101, 010, padding
['01100101', '01010000']
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Word
from accelsim.codecs.bits import get, put
from accelsim.codecs.coding.zigzag import fold, unfold
from accelsim.codecs.lane_costs import pj_per_value
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import LosslessCodec, exercise
from accelsim.codecs.words import Words
from accelsim.errors import CodecError
from accelsim.jit import kernel
from accelsim.units import ceil_div

MASK_PIECE = 32
"""Mask bits that are written or read at once."""
GATES_KGE_PER_VALUE = 0.28


@kernel
def _width(merged: int) -> int:
    """Bits of the widest value, at least 1; ``merged`` (16 bits) is the OR of all values."""
    width = 1
    for step in (8, 4, 2, 1):
        wide = int(merged >> step != 0) * step
        width += wide
        merged >>= wide
    return width


@kernel
def _size(
    words: Words,
    offsets: NDArray[np.int64],
    group: int,
    field_bits: int,
    bits: NDArray[np.int64],
) -> None:
    for block in range(len(bits)):
        total = offsets[block + 1] - offsets[block]
        for first in range(offsets[block], offsets[block + 1], group):
            merged, n_nonzeros = 0, 0
            for i in range(first, min(first + group, offsets[block + 1])):
                merged |= int(words[i])
                n_nonzeros += words[i] != 0
            total += field_bits + n_nonzeros * _width(merged)
        bits[block] = total


@kernel
def _write(
    words: Words,
    offsets: NDArray[np.int64],
    group: int,
    field_bits: int,
    mask_piece: int,
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
) -> None:
    for block in range(len(starts) - 1):
        at = starts[block]
        for first in range(offsets[block], offsets[block + 1], group):
            last = min(first + group, offsets[block + 1])
            merged = 0
            for piece in range(first, last, mask_piece):
                piece_end = min(piece + mask_piece, last)
                mask = 0
                for i in range(piece, piece_end):
                    merged |= int(words[i])
                    mask = (mask << 1) | (words[i] != 0)
                at = put(payload, at, mask, piece_end - piece)
            width = _width(merged)
            at = put(payload, at, width - 1, field_bits)
            # A zero is written in no bits: cheaper than a branch that no one can predict.
            for i in range(first, last):
                at = put(payload, at, int(words[i]), width * int(words[i] != 0))


@kernel
def _read(
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
    group: int,
    field_bits: int,
    word_bits: int,
    mask_piece: int,
    words: Words,
    offsets: NDArray[np.int64],
) -> int:
    for block in range(len(starts) - 1):
        mask_at, end = starts[block], starts[block + 1]
        for first in range(offsets[block], offsets[block + 1], group):
            last = min(first + group, offsets[block + 1])
            at = mask_at + (last - first)
            if at + field_bits > end:
                return block
            width = 1 + get(payload, at, field_bits)
            at += field_bits
            if width > word_bits:
                return block
            merged, n_lost = 0, 0
            for piece in range(first, last, mask_piece):
                piece_end = min(piece + mask_piece, last)
                mask = get(payload, mask_at + (piece - first), piece_end - piece)
                if at + width * (piece_end - piece) > end:
                    # Only where all values of the piece would not fit is it worth counting.
                    n_nonzeros = 0
                    for i in range(piece_end - piece):
                        n_nonzeros += (mask >> i) & 1
                    if at + width * n_nonzeros > end:
                        return block
                for i in range(piece, piece_end):
                    is_nonzero = (mask >> (piece_end - 1 - i)) & 1
                    word = get(payload, at, width * is_nonzero)
                    at += width * is_nonzero
                    merged |= word
                    n_lost += is_nonzero & int(word == 0)
                    words[i] = word
            if n_lost != 0 or _width(merged) != width:
                return block
            mask_at = at
        if mask_at != end:
            return block
    return -1


@dataclass(frozen=True)
class Shapeshifter(LosslessCodec):
    """Words of a common width in groups of ``group`` (1 to 256) values."""

    word: Word
    group: int = 16

    name = "shapeshifter"
    evidence = "literature"

    def __post_init__(self) -> None:
        if not 1 <= self.group <= 256:
            raise CodecError(f"shapeshifter: a group has 1 to 256 values, not {self.group}")

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    @property
    def hardware(self) -> LaneHardware:
        bits, width_bits = self.word.bits, (self.word.bits - 1).bit_length()
        kge = GATES_KGE_PER_VALUE * self.group * bits / 8
        return LaneHardware(
            encode_values_per_cycle=self.group,
            decode_values_per_cycle=self.group,
            encode_fill_cycles=3,
            decode_fill_cycles=2,
            encode_pj_per_value=pj_per_value(kge, self.group),
            decode_pj_per_value=pj_per_value(kge, self.group),
            gates_kge=2 * kge,
            encode_buffer_bits=bits * self.group,
            decode_buffer_bits=(bits + 1) * self.group + width_bits,
            source=(
                "estimates: a group each cycle, since its values have one width; per 8-bit value "
                "and way 0.28 kGE: 4 stages of multiplexers that close or open the gaps, a share "
                "of the shifter to the group's width and of the width detector, and 16 bits of "
                "registers; other words in proportion; 15 % activity x 1.5 fJ per gate, 65 nm; "
                "buffers hold a group raw (encode) or at its longest (decode); format from MICRO "
                "2019"
            ),
        )

    @property
    def parameters(self) -> dict[str, int | str]:
        return {**super().parameters, "group": self.group}

    @property
    def _field_bits(self) -> int:
        return (self.word.bits - 1).bit_length()

    def worst_case_bits(self, n_values: int) -> int:
        return n_values * (1 + self.word.bits) + ceil_div(n_values, self.group) * self._field_bits

    def size_blocks(self, words: Words, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        bits = np.empty(len(offsets) - 1, np.int64)
        _size(fold(words, self.word), offsets, self.group, self._field_bits, bits)
        return bits

    def write_blocks(
        self,
        words: Words,
        offsets: NDArray[np.int64],
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
    ) -> None:
        folded = fold(words, self.word)
        _write(folded, offsets, self.group, self._field_bits, MASK_PIECE, payload, starts)

    def read_blocks(
        self,
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
        words: Words,
        offsets: NDArray[np.int64],
    ) -> int:
        fields = (self.group, self._field_bits, self.word.bits, MASK_PIECE)
        broken = _read(payload, starts, *fields, words, offsets)
        unfold(words, self.word)
        return broken


CODEC = Shapeshifter


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    exercise(CODEC.for_word(Word(8)))
