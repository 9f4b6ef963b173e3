"""Bit-plane compression: differences of neighbours, turned into bit planes.

Kim, Sullivan, Choukse and Erez, "Bit-Plane Compression: Transforming Data for Better
Compression in Many-core Architectures", ISCA 2016, for memory blocks of 128 bytes, 32 words of
32 bits. Here a group is n words of W bits, of the sign that the values have, so that planes
are W + 1; codes and their order are the original ones.

Bit layout, most significant bit first: all words, zeros too, in groups of n, the last one
filled up with zero words, each coded as ``accelsim.codecs.coding.bit_planes`` says: the plane of
the sign first, each XOR the next more significant one, "001" for a single zero plane and "01" and
a number for more. The base is W bits as it stands.

Groups of 16 words, and not the 32 of the paper, are the default because they suit activations:
over the 8-bit maps of SqueezeNet 1.1 in ``traces`` 4.82, 4.38 and 4.53 bits a value with n = 8,
16 and 32; of EfficientNet-Lite0 6.66, 6.22 and 6.35. Short groups pay for bases, and in long
ones planes are seldom zero. Where maps are mostly zero, EBPC takes the zeros out before.

>>> from accelsim.codecs.base import Blocks, Word
>>> blocks = Blocks(np.arange(7, 23, dtype=np.uint8), np.array([0, 16]))
>>> Bpc.for_word(Word(8)).encode(blocks).bits   # base 8, 8 zero planes 2 + 3, ones only 5
18
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Bitstream, Blocks, Word
from accelsim.codecs.coding.bit_planes import (
    PlaneCode,
    read_group,
    scratch,
    size_group,
    write_group,
)
from accelsim.codecs.lane_costs import FLIP_FLOP_KGE, pj_per_value
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import WordCodec, exercise, write_in_one_pass
from accelsim.codecs.words import Words
from accelsim.errors import CodecError
from accelsim.jit import kernel, part
from accelsim.units import ceil_div

GROUPS = (8, 16, 32)


@part
def _load_group(
    words: Words, first: int, last: int, code: PlaneCode, group: NDArray[np.int64]
) -> None:
    for i in range(code.n):
        group[i] = 0
    for i in range(first, min(first + code.n, last)):
        group[i - first] = (int(words[i]) ^ code.sign_bit) - code.sign_bit


@kernel
def _size(
    words: Words,
    offsets: NDArray[np.int64],
    code: PlaneCode,
    group: NDArray[np.int64],
    bits: NDArray[np.int64],
) -> None:
    for block in range(len(bits)):
        total = 0
        for first in range(offsets[block], offsets[block + 1], code.n):
            _load_group(words, first, offsets[block + 1], code, group)
            total += size_group(group, code)[0]
        bits[block] = total


@kernel
def _write(
    words: Words,
    offsets: NDArray[np.int64],
    code: PlaneCode,
    group: NDArray[np.int64],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
) -> None:
    """Blocks follow each other, so that none needs its size beforehand: fills ``starts``."""
    for block in range(len(starts) - 1):
        at = starts[block]
        for first in range(offsets[block], offsets[block + 1], code.n):
            _load_group(words, first, offsets[block + 1], code, group)
            at = write_group(group, code, rows, columns, payload, at)
        starts[block + 1] = at


@kernel
def _read(
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
    code: PlaneCode,
    group: NDArray[np.int64],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    words: Words,
    offsets: NDArray[np.int64],
) -> int:
    word_mask = (1 << code.word_bits) - 1
    for block in range(len(starts) - 1):
        at, end, last = starts[block], starts[block + 1], offsets[block + 1]
        for first in range(offsets[block], last, code.n):
            at = read_group(payload, at, end, code, rows, columns, group)
            if at < 0:
                return block
            n_words = min(code.n, last - first)
            for i in range(n_words):
                words[first + i] = int(group[i]) & word_mask
            # Only zeros fill up the last group.
            for i in range(n_words, code.n):
                if group[i] != 0:
                    return block
        if at != end:
            return block
    return -1


@dataclass(frozen=True)
class Bpc(WordCodec):
    """BPC with groups of ``n`` (8, 16 or, as published, 32) words."""

    word: Word
    n: int = 16

    name = "bpc"
    evidence = "literature"

    def __post_init__(self) -> None:
        if self.n not in GROUPS:
            raise CodecError(f"bpc: groups have n = 8, 16 or 32 words, not {self.n}")

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    @property
    def parameters(self) -> dict[str, int | str]:
        return {**super().parameters, "n": self.n}

    @property
    def hardware(self) -> LaneHardware:
        n, bits, cycles = self.n, self.word.bits, self._group_cycles
        # Two groups of words and one of differences, which are a bit wider.
        kge = (3 * bits + 1) * n * FLIP_FLOP_KGE + 0.05 * n * bits / 8 + 0.4
        return LaneHardware(
            encode_values_per_cycle=n / cycles,
            decode_values_per_cycle=n / cycles,
            encode_fill_cycles=cycles + 2,
            decode_fill_cycles=cycles + 2,
            encode_pj_per_value=pj_per_value(kge, n / cycles),
            decode_pj_per_value=pj_per_value(kge, n / cycles),
            gates_kge=2 * kge,
            encode_buffer_bits=2 * bits * n,
            decode_buffer_bits=2 * bits * n,
            source=(
                "estimates: base and one plane a cycle, as EBPC's coder (Cavigelli et al. JETCAS "
                "2019), while the next group is loaded; fill: a group's planes; gates of each way: "
                "two staged groups and the differences at 6 GE a bit, 0.05 kGE an 8-bit word of "
                "subtractors and 0.4 kGE of codes; energy: 15 % activity x 1.5 fJ per gate and "
                "cycle, 65 nm, over the values of a group"
            ),
        )

    @cached_property
    def _code(self) -> PlaneCode:
        return PlaneCode.of(
            self.n,
            self.word.bits,
            signed=self.word.signed,
            sign_plane_first=True,
            single_zero_first=False,
        )

    @property
    def _group_cycles(self) -> int:
        """A base and W + 1 planes."""
        return self.word.bits + 2

    def worst_case_bits(self, n_values: int) -> int:
        return ceil_div(n_values, self.n) * self._code.worst_case_bits

    def size_blocks(self, words: Words, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        bits = np.empty(len(offsets) - 1, np.int64)
        _size(words, offsets, self._code, scratch(self._code)[0], bits)
        return bits

    def encode_words(self, words: Words, offsets: NDArray[np.int64]) -> Bitstream:
        """Written in one pass, into room for the longest groups."""
        n_groups = words.size // self.n + len(offsets)
        return write_in_one_pass(
            self._code.worst_case_bits * n_groups,
            offsets,
            lambda payload, starts: _write(
                words, offsets, self._code, *scratch(self._code), payload, starts
            ),
        )

    def read_blocks(
        self,
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
        words: Words,
        offsets: NDArray[np.int64],
    ) -> int:
        return _read(payload, starts, self._code, *scratch(self._code), words, offsets)

    def encode_work(self, blocks: Blocks) -> NDArray[np.int64]:
        """A started group takes the cycles of a whole one."""
        return -(-blocks.sizes // self.n) * self._group_cycles

    def decode_work(self, blocks: Blocks) -> NDArray[np.int64]:
        return self.encode_work(blocks)


CODEC = Bpc


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    exercise(CODEC.for_word(Word(8)))
