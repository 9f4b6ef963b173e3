"""Base-delta-immediate: a line of memory as one base and small differences.

Pekhimenko et al., "Base-Delta-Immediate Compression: Practical Data Compression for On-Chip
Caches", PACT 2012. A scheme for the caches of a CPU: on maps of 8-bit values it seldom finds
more than lines of zeros. Encodings and tags are those that the literature reproduces.

The values lie in lines of 32 bytes as ``accelsim.codecs.coding.memory_lines`` says (a byte for
up to 8 bits, else two; little-endian; the last line of a block filled up with zeros). Bit layout
of a line, most significant bit first: a tag of 4 bits, then the shortest of these, the first in
the table among equals; (B, D) are bytes of an element and of a difference, sizes for 32 bytes:

    tag  0   all zero          one byte of zeros                       1 byte
         1   equal elements    the element of 8 bytes                  8
      2 3 4  (8, 1) (8, 2) (8, 4)                                     13  17  25
      5 6    (4, 1) (4, 2)                                            13  21
      7      (2, 1)                                                   20
      8      (1, 1/2), only with ``nibble_deltas``                    21
     15   the line as it stands                                       32

An encoding (B, D) is the base in B bytes, a difference of D bytes for each element in order,
and a bit for each in whole bytes, filled up with zeros: B + cnt D + ceil(cnt / 8) bytes. The
bit is 0 where the element is its difference itself (from an implicit base of 0, sign-extended),
1 where it is added to the base, modulo 2^(8 B). Elements take base 0 where they can; the base
is the first that cannot, or 0. An encoding fits if each element fits one of the two.
Fields are numbers, most significant bit first; the raw line is its numbers of 32 bits in order.

The longest block has 4 + 256 bits a line: for W = 8 that is 1.016 times raw, for narrower
words, which fill a byte each, 260 / (32 W) times raw (2.03 for W = 4), for W = 9 it is 1.81.

>>> from accelsim.codecs.base import Blocks, Word
>>> line = np.arange(70, 102, dtype=np.uint8)
>>> one_line = Blocks(line, np.array([0, 32]))
>>> Bdi.for_word(Word(8)).encode(one_line).bits   # 4 + 8 x 32
260
>>> pixels = Blocks(1000 + line[:16].astype(np.uint16), np.array([0, 16]))
>>> Bdi.for_word(Word(16)).encode(pixels).bits   # (2, 1): 4 + 8 x (2 + 16 + 2)
164
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Word
from accelsim.codecs.coding.base_delta import (
    BASE_DELTA,
    SIZE_BITS,
    TAG_BITS,
    choose,
    encodings_of,
    read_line,
    rows_of_tags,
    write_line,
)
from accelsim.codecs.coding.memory_lines import LANE_BITS, Cell, load_lanes, store_lanes
from accelsim.codecs.lane_costs import FLIP_FLOP_KGE, pj_per_value
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import LosslessCodec, exercise
from accelsim.codecs.words import Words
from accelsim.errors import CodecError
from accelsim.jit import kernel
from accelsim.units import ceil_div

LINE_BYTES = (16, 32, 64, 128)


@kernel
def _size(
    words: Words,
    offsets: NDArray[np.int64],
    cell: Cell,
    encodings: NDArray[np.int64],
    lanes: NDArray[np.int64],
    bits: NDArray[np.int64],
) -> None:
    per_line = len(lanes) * 32 // cell.bits
    for block in range(len(bits)):
        total = 0
        for first in range(offsets[block], offsets[block + 1], per_line):
            load_lanes(words, first, offsets[block + 1], cell, lanes)
            total += int(encodings[choose(lanes, encodings)[0], SIZE_BITS])
        bits[block] = total


@kernel
def _write(
    words: Words,
    offsets: NDArray[np.int64],
    cell: Cell,
    encodings: NDArray[np.int64],
    lanes: NDArray[np.int64],
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
) -> None:
    per_line = len(lanes) * 32 // cell.bits
    for block in range(len(starts) - 1):
        at = starts[block]
        for first in range(offsets[block], offsets[block + 1], per_line):
            load_lanes(words, first, offsets[block + 1], cell, lanes)
            row, base = choose(lanes, encodings)
            at = write_line(lanes, encodings, row, base, payload, at)


@kernel
def _read(
    payload: NDArray[np.uint8],
    starts: NDArray[np.int64],
    cell: Cell,
    encodings: NDArray[np.int64],
    row_of_tag: NDArray[np.int64],
    lanes: NDArray[np.int64],
    words: Words,
    offsets: NDArray[np.int64],
) -> int:
    per_line = len(lanes) * 32 // cell.bits
    for block in range(len(starts) - 1):
        at, end, last = starts[block], starts[block + 1], offsets[block + 1]
        for first in range(offsets[block], last, per_line):
            at = read_line(payload, at, end, encodings, row_of_tag, lanes)
            if at < 0:
                return block
            if not store_lanes(lanes, words, first, last, cell):
                return block
        if at != end:
            return block
    return -1


@dataclass(frozen=True)
class Bdi(LosslessCodec):
    """BDI on lines of ``line_bytes`` (16, 32, 64 or 128).

    ``nibble_deltas`` adds differences of 4 bits from a base of one byte, which the paper lacks.
    """

    word: Word
    line_bytes: int = 32
    nibble_deltas: bool = False

    name = "bdi"
    evidence = "literature"

    def __post_init__(self) -> None:
        if self.line_bytes not in LINE_BYTES:
            raise CodecError(f"bdi: lines have 16, 32, 64 or 128 bytes, not {self.line_bytes}")

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    @property
    def parameters(self) -> dict[str, int | str]:
        own = {"line_bytes": self.line_bytes, "nibble_deltas": int(self.nibble_deltas)}
        return {**super().parameters, **own}

    @property
    def hardware(self) -> LaneHardware:
        line_bits = 8 * self.line_bytes
        n_encodings = len(BASE_DELTA) + self.nibble_deltas
        encoder_kge = FLIP_FLOP_KGE * line_bits * (n_encodings + 1)
        decoder_kge = 2 * FLIP_FLOP_KGE * line_bits
        per_line = line_bits // Cell.of(self.word).bits
        return LaneHardware(
            encode_values_per_cycle=per_line,
            decode_values_per_cycle=per_line,
            encode_fill_cycles=2,
            decode_fill_cycles=1,
            encode_pj_per_value=pj_per_value(encoder_kge, per_line),
            decode_pj_per_value=pj_per_value(decoder_kge, per_line),
            gates_kge=encoder_kge + decoder_kge,
            encode_buffer_bits=line_bits,
            decode_buffer_bits=line_bits,
            source=(
                "fill: decompression in 1 cycle (a masked vector addition) and compression in "
                "about 2, all encodings at once, as the literature reproduces Pekhimenko et al. "
                "PACT 2012; estimates: a line a cycle; gates of 6 GE for each bit of the line, "
                "encoding and line register (encoder), 12 GE for each bit (adder, selection of "
                "widths); energy 15 % activity x 1.5 fJ per gate, 65 nm, over a line's values"
            ),
        )

    @cached_property
    def _encodings(self) -> NDArray[np.int64]:
        return encodings_of(8 * self.line_bytes, self.nibble_deltas)

    def _lanes(self) -> NDArray[np.int64]:
        return np.zeros(8 * self.line_bytes // LANE_BITS, np.int64)

    def worst_case_bits(self, n_values: int) -> int:
        line_bits = 8 * self.line_bytes
        return ceil_div(n_values * Cell.of(self.word).bits, line_bits) * (TAG_BITS + line_bits)

    def size_blocks(self, words: Words, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        bits = np.empty(len(offsets) - 1, np.int64)
        _size(words, offsets, Cell.of(self.word), self._encodings, self._lanes(), bits)
        return bits

    def write_blocks(
        self,
        words: Words,
        offsets: NDArray[np.int64],
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
    ) -> None:
        cell = Cell.of(self.word)
        _write(words, offsets, cell, self._encodings, self._lanes(), payload, starts)

    def read_blocks(
        self,
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
        words: Words,
        offsets: NDArray[np.int64],
    ) -> int:
        tables = (self._encodings, rows_of_tags(self._encodings), self._lanes())
        return _read(payload, starts, Cell.of(self.word), *tables, words, offsets)


CODEC = Bdi


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    exercise(CODEC.for_word(Word(8)))
