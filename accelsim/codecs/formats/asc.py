"""ASC: groups of 32 values between two endpoints, at a constant or a variable rate. Lossy.

Yao and Chang, "ASC: Adaptive Scale Feature Map Compression for Deep Neural Network",
arXiv 2312.08176, 2023. Reconstruction: only the abstract is public to us. It names blocks
of one channel each, two endpoints with a switchable mode, interpolation at an adaptive
scale for unimodal data with and without outliers, and on 16-bit data 4x at a constant
rate and up to 7.69x at a variable rate. Fields, scales and choices below are ours.

A group is 32 values of one channel of a block, row after row: 4 x 8 pixels in blocks of 8
columns (``codec.block: [16, 8, 8]``). Values are counted from the lowest of the word.

Bit layout of a group at the constant rate, 2 W + 32 ``index_bits`` bits:

- 2 bits: scale, where the levels between the endpoints lie: 0 even, 1 dense at the low
  end, 2 at the high end, 3 in the middle (``accelsim.codecs.transforms.endpoint_groups``).
- W - 1 bits each: endpoints a and b, without their last bit, which repeats the first.
- 32 indices of ``index_bits`` (1 to 4). If a <= b, index i is level i of
  2^``index_bits`` from a to b. If a > b, index 0 is zero and the others are the levels
  from b to a: zeros stay zeros, and cost the other values only one level.

Endpoints are the extremes of the (non-zero) values; mode and scale are those of least
squared error. A shorter last group of a channel has zeros for the missing indices, so
that every group has the same size. With 3-bit indices a group of 16-bit words takes 128
bits (4x), of 8-bit words 112 (2.29x).

At the variable rate a field in front, as wide as ``index_bits`` needs, says how many bits
an index has: the fewest at which no value is off by more than half of
2^(W - ``quality``), else ``index_bits``. At 0 bits, one value of W bits (zero where that
is near enough) stands for all; scale, endpoints and indices are absent.

>>> from accelsim.codecs.base import one_block
>>> values = np.array([0, 0, 40, 45, 50, 52, 54, 99], np.uint8)
>>> codec = Asc.for_word(Word(8))
>>> codec.encode(one_block(values)).bits   # 2 + 7 + 7 + 32 x 3
112
>>> codec.reconstruct(values)
array([  0,   0,  40,  47,  47,  55,  55, 100], dtype=uint8)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Blocks, Shapes, Values, Word
from accelsim.codecs.bits import get, put
from accelsim.codecs.lane_costs import pj_per_value
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import LosslessCodec, exercise
from accelsim.codecs.transforms import endpoint_groups, endpoint_search
from accelsim.codecs.transforms.endpoint_groups import GROUP, RECORD, WIDEST_INDEX_BITS
from accelsim.codecs.transforms.transform import TransformCodec
from accelsim.codecs.words import Words, check_range, checked_offsets
from accelsim.errors import CodecError
from accelsim.jit import kernel

SCALE_BITS = 2
HIGHEST_QUALITY = 16


@kernel
def _size(
    words: Words, offsets: NDArray[np.int64], group_bits: NDArray[np.int64], bits: NDArray[np.int64]
) -> None:
    """``group_bits`` [width] bits of a group with indices of that width."""
    for block in range(len(bits)):
        total = 0
        for first in range(offsets[block], offsets[block + 1], 36):
            total += group_bits[words[first]]
        bits[block] = total


@kernel
def _write(
    words: Words,
    offsets: NDArray[np.int64],
    word_bits: int,
    width_field_bits: int,
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
) -> None:
    for block in range(len(starts) - 1):
        at = starts[block]
        for first in range(offsets[block], offsets[block + 1], 36):
            width = int(words[first])
            at = put(payload, at, width, width_field_bits)
            if width == 0:
                at = put(payload, at, int(words[first + 2]), word_bits)
                continue
            at = put(payload, at, int(words[first + 1]), 2)
            at = put(payload, at, int(words[first + 2]), word_bits - 1)
            at = put(payload, at, int(words[first + 3]), word_bits - 1)
            for eight in range(first + 4, first + 36, 8):
                indices = 0
                for i in range(eight, eight + 8):
                    indices = (indices << width) | int(words[i])
                at = put(payload, at, indices, 8 * width)


@kernel
def _read(
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
    word_bits: int,
    width_field_bits: int,
    index_bits: int,
    group_bits: NDArray[np.int64],
    words: Words,
    offsets: NDArray[np.int64],
) -> int:
    for block in range(len(starts) - 1):
        at, end = starts[block], starts[block + 1]
        for first in range(offsets[block], offsets[block + 1], 36):
            if at + width_field_bits > end:
                return block
            width = get(payload, at, width_field_bits) if width_field_bits > 0 else index_bits
            if width > index_bits or at + group_bits[width] > end:
                return block
            at += width_field_bits
            words[first] = width
            for i in range(first + 1, first + 36):
                words[i] = 0
            if width == 0:
                words[first + 2] = get(payload, at, word_bits)
                at += word_bits
                continue
            words[first + 1] = get(payload, at, 2)
            words[first + 2] = get(payload, at + 2, word_bits - 1)
            words[first + 3] = get(payload, at + 1 + word_bits, word_bits - 1)
            at += 2 * word_bits
            for eight in range(first + 4, first + 36, 8):
                indices = get(payload, at, 8 * width)
                for i in range(8):
                    words[eight + i] = (indices >> ((7 - i) * width)) & ((1 << width) - 1)
                at += 8 * width
        if at != end:
            return block
    return -1


@dataclass(frozen=True)
class GroupRecords(LosslessCodec):
    """The fields of groups, packed. The word holds any of them."""

    word: Word
    value_bits: int
    index_bits: int
    width_field_bits: int
    """0 at the constant rate: then every index has ``index_bits``."""

    name = "asc_records"
    hardware = LaneHardware(1, 1, 1, 1, 0.0, 0.0, 0.0, source="part of asc")

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(Word(16), word.bits, 3, 0)

    @cached_property
    def group_bits(self) -> NDArray[np.int64]:
        """[width] bits of a group with indices of that width."""
        n_bits = SCALE_BITS + 2 * (self.value_bits - 1) + GROUP * np.arange(self.index_bits + 1)
        n_bits[0] = self.value_bits
        return self.width_field_bits + n_bits

    def worst_case_bits(self, n_values: int) -> int:
        return n_values // RECORD * int(self.group_bits.max())

    def size_blocks(self, words: Words, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        bits = np.empty(len(offsets) - 1, np.int64)
        _size(words, offsets, self.group_bits, bits)
        return bits

    def write_blocks(
        self,
        words: Words,
        offsets: NDArray[np.int64],
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
    ) -> None:
        _write(words, offsets, self.value_bits, self.width_field_bits, payload, starts)

    def read_blocks(
        self,
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
        words: Words,
        offsets: NDArray[np.int64],
    ) -> int:
        fields = (self.value_bits, self.width_field_bits, self.index_bits, self.group_bits)
        return _read(payload, starts, *fields, words, offsets)


@dataclass(frozen=True)
class Asc(TransformCodec):
    """Groups of 32 values between two endpoints, at a constant or variable rate.

    ``rate`` is "constant" or "variable"; ``quality``, 1 (coarse) to 16 (fine), counts at
    the variable rate only.
    """

    word: Word
    rate: str = "constant"
    index_bits: int = 3
    quality: int = 5

    name = "asc"
    evidence = "abstract"
    reconstruction = True
    preferred_block = (16, 8, 8)

    @property
    def hardware(self) -> LaneHardware:
        kge = 6.135 * 7.65 * self.word.bits / 8
        return LaneHardware(
            encode_values_per_cycle=GROUP,
            decode_values_per_cycle=GROUP,
            encode_fill_cycles=4,
            decode_fill_cycles=4,
            encode_pj_per_value=pj_per_value(kge / 2, GROUP),
            decode_pj_per_value=pj_per_value(kge / 2, GROUP),
            gates_kge=kge,
            encode_buffer_bits=GROUP * self.word.bits,
            decode_buffer_bits=GROUP * self.word.bits,
            source=(
                "gates: Yao and Chang, arXiv 2312.08176, 6135 gates (8-bit version, 28 nm) x 7.65 "
                "for 32 times the throughput; that this is 32 values per cycle each way is our "
                "reading (it meets DDR5-6400, 51 GB/s, at 1.6 GHz); other words in proportion to 8 "
                "bits; fill is an estimate; energy: gates x 15 % activity x 1.5 fJ / 32 values, 65 "
                "nm, half each way, an estimate"
            ),
        )

    def __post_init__(self) -> None:
        if self.rate not in ("constant", "variable"):
            raise CodecError(f"asc: rate is constant or variable, not {self.rate!r}")
        if not 1 <= self.index_bits <= WIDEST_INDEX_BITS:
            raise CodecError(f"asc: index_bits is 1 to {WIDEST_INDEX_BITS}, not {self.index_bits}")
        if not 1 <= self.quality <= HIGHEST_QUALITY:
            raise CodecError(
                f"asc: quality is 1 (coarse) to {HIGHEST_QUALITY} (fine), not {self.quality}"
            )

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    @property
    def parameters(self) -> dict[str, int | str]:
        own: dict[str, int | str] = {"rate": self.rate, "index_bits": self.index_bits}
        return {**super().parameters, **own, "quality": self.quality}

    @cached_property
    def coder(self) -> GroupRecords:
        width_field_bits = self.index_bits.bit_length() if self.rate == "variable" else 0
        return GroupRecords(Word(16), self.word.bits, self.index_bits, width_field_bits)

    def worst_case_bits(self, n_values: int) -> int:
        """In a block of one pixel each value is a group of its channel."""
        return n_values * int(self.coder.group_bits.max())

    def n_symbols(self, shapes: Shapes) -> NDArray[np.int64]:
        return RECORD * endpoint_groups.n_groups(shapes)

    def forward(self, values: Values, shapes: Shapes) -> Values:
        near = -1
        if self.rate == "variable":
            near = (1 << max(0, self.word.bits - self.quality)) // 2
        return endpoint_search.forward(values, shapes, self.word, self.index_bits, near)

    def inverse(self, symbols: Values, shapes: Shapes) -> Values:
        return endpoint_groups.inverse(symbols, shapes, self.word)

    def payload_bits(self, blocks: Blocks) -> NDArray[np.int64]:
        if self.rate == "variable":
            return super().payload_bits(blocks)
        check_range(blocks.values, self.word)
        checked_offsets(blocks)
        return self._n_groups(blocks) * int(self.coder.group_bits[self.index_bits])

    def encode_work(self, blocks: Blocks) -> NDArray[np.int64]:
        """A cycle for each group, also for a shorter one."""
        return self._n_groups(blocks)

    def decode_work(self, blocks: Blocks) -> NDArray[np.int64]:
        return self._n_groups(blocks)

    def _n_groups(self, blocks: Blocks) -> NDArray[np.int64]:
        return endpoint_groups.n_groups(blocks.shapes or Shapes.flat(blocks.sizes))


CODEC = Asc


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    exercise(CODEC.for_word(Word(8)))
