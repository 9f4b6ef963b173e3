"""APack: the range of a value arithmetic-coded, its place in the range verbatim.

Delmás Lascorz et al., "APack: Off-Chip, Lossless Data Compression for Efficient Deep
Learning Inference", 2022. Only the abstract was read; ranges, coder and renormalisation
follow notes on a public reimplementation. The layout of a block is ours.

Table: the 2^W words (two's complement read as unsigned if signed) are cut into up to 16
ranges. A row has the first word v_min, the offset length OL = ceil(log2(words of the
range)), and the end t_high of its share of 1024; v_max and t_low follow from the rows
beside it. It counts as 16 rows of W + (bits of W) + 10 bits. ``fit`` searches the ranges
with the fewest bits (``accelsim.codecs.coding.ranges``), where the paper has a heuristic search.

Coder: LOW = 0000, HIGH = FFFF (16 bits). Per value, with R = HIGH - LOW + 1, HIGH becomes
LOW + (R t_high >> 10) - 1 and LOW becomes LOW + (R t_low >> 10). While their first bits
agree, that bit is written, then as many inverse ones as are pending; while LOW = 01...
and HIGH = 10..., one more bit is pending and the second bit of both is dropped. After the
last value a 1 is written, then the pending zeros. The decoder reads zeros beyond the end.

Bit layout of a block of n values, most significant bit first: the bits of the code
stream, in a field as wide as the longest code stream of n values needs (floor(10.1 n) + 2
bits); the code stream; the offset stream, v - v_min in OL bits for each value in order. An
empty block has no bits.

With ``every_symbol`` each row keeps a share of at least 1, so that all words have codes.
Else the rows without values have no share; words that did not occur may have no code.

>>> from accelsim.codecs.base import Blocks, Word
>>> codec = Apack.for_word(Word(8)).fit(np.array([0, 0, 0, 0, 4, 5, 6, 7]))
>>> codec.rows   # 0 | 1 to 3, unused | 4 to 7 | 8 to 255, unused
((0, 512), (1, 0), (4, 512), (8, 0))
>>> stream = codec.encode(Blocks(np.array([0, 5], np.uint8), np.array([0, 2])))
>>> stream.bits   # length (up to 22), codes 0 and 1 and the closing 1, offset of 5
10
>>> [f"{byte:08b}" for byte in stream.payload]   # 00011, 011, 01
['00011011', '01000000']
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import ceil, log2
from typing import Self

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Values, Word
from accelsim.codecs.coding.range_coder import (
    RangeTable,
    length_field_bits,
    read_coded,
    size_coded,
    write_coded,
)
from accelsim.codecs.coding.ranges import best_ranges, integer_shares
from accelsim.codecs.lane_costs import pj_per_value
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import LosslessCodec, exercise
from accelsim.codecs.rates import histogram
from accelsim.codecs.words import Words, from_words
from accelsim.errors import CodecError

N_ROWS = 16
SHARE_BITS = 10


@dataclass(frozen=True)
class Apack(LosslessCodec):
    """Arithmetic-coded ranges and verbatim offsets. Without ``fit`` it encodes nothing."""

    word: Word
    rows: tuple[tuple[int, int], ...] = field(default=(), repr=False)
    """First word and share (of 1024) of each range, rising; empty before ``fit``."""

    name = "apack"
    evidence = "notes"
    needs = ("two_streams", "block_buffer")

    @property
    def hardware(self) -> LaneHardware:
        table_bits = 16 * (self.word.bits + 14)  # of each row: least value, width, share
        wider = 16 * 8e-3 * (self.word.bits - 8)
        return LaneHardware(
            encode_values_per_cycle=1,
            decode_values_per_cycle=1,
            encode_fill_cycles=4,
            decode_fill_cycles=6,
            encode_pj_per_value=pj_per_value(5.0 + wider),
            decode_pj_per_value=pj_per_value(5.5 + wider),
            gates_kge=10.5 + 2 * wider,
            encode_buffer_bits=table_bits + 64,
            decode_buffer_bits=table_bits + 64,
            source=(
                "rate: one value per cycle and engine, widely reported for the paper's 64 engines; "
                "estimates: fill; gates, 5 kGE (encode) and 5.5 kGE (decode) for 8-bit words: 352 "
                "bits of table in registers, two 16 x 10 multipliers, 16 comparators, shifters; "
                "for others 16 rows x 8 GE a bit of the word; energy: 15 % activity x 1.5 fJ per "
                "gate, 65 nm; buffers: the table and two 32-bit windows (without the offsets of a "
                "block, which the encoder holds until its code stream has ended)"
            ),
        )

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    def fit(self, calibration: Values, *, every_symbol: bool = False) -> Self:
        counts = histogram(calibration, self.word)
        firsts = best_ranges(counts, N_ROWS)
        in_range = np.add.reduceat(counts, firsts)
        shares = integer_shares(in_range, 1 << SHARE_BITS, every_symbol)
        return replace(self, rows=tuple(zip(firsts.tolist(), shares.tolist(), strict=True)))

    @property
    def parameters(self) -> dict[str, int | str]:
        table = hashlib.sha256(str(self.rows).encode()).hexdigest() if self.rows else "not fitted"
        return {**super().parameters, "table": table}

    @property
    def table_bits(self) -> int:
        return N_ROWS * (self.word.bits + self.word.bits.bit_length() + SHARE_BITS)

    def worst_case_bits(self, n_values: int) -> int:
        """All values in the row that takes most; before ``fit``, in the worst there can be.

        A share p leaves floor(R p / 1024) of R > 2^14, so p / 1024 of it or 1 / (16 p) less.
        """
        used = np.diff(self._table.shares)
        longest = self.word.bits + 10.1
        if used.any():
            shares, offset_bits = used[used > 0], self._table.offset_bits[used > 0]
            code_bits = np.log2((1024 / shares) * (1 + 1 / (16 * shares)))
            longest = float((code_bits + offset_bits).max())
        return ceil(n_values * longest) + int(length_field_bits(n_values)) + min(1, n_values)

    @cached_property
    def _table(self) -> RangeTable:
        firsts, used = np.zeros((2, N_ROWS), np.int64)
        firsts[: len(self.rows)] = [first for first, _ in self.rows]
        used[: len(self.rows)] = [share for _, share in self.rows]
        ends = np.append(firsts[1:], 0)
        ends[max(0, len(self.rows) - 1) :] = 1 << self.word.bits
        rows = np.arange(N_ROWS).astype(np.uint8)
        n_words = np.maximum(ends - firsts, 0)
        n_words[max(1, len(self.rows)) :] = 0
        return RangeTable(
            first_words=firsts,
            n_words=n_words,
            offset_bits=np.array([ceil(log2(max(1, n))) for n in n_words], np.int64),
            shares=np.append(0, np.cumsum(used)),
            row_of_word=np.repeat(rows, n_words),
            row_of_share=np.repeat(rows, used),
            lengths=np.array([i.bit_length() for i in range(1 << 12)], np.uint8),
        )

    def size_blocks(self, words: Words, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        bits = np.empty(len(offsets) - 1, np.int64)
        if not size_coded(words, offsets, bits, *self._table):
            table = self._table
            uncoded = words[np.diff(table.shares)[table.row_of_word[words]] == 0][:1]
            raise CodecError(
                f"apack: value {from_words(uncoded, self.word)[0]} has no code; its range did not "
                "occur in the values of fit(). Fit with every_symbol=True to code all values"
            )
        return bits

    def write_blocks(
        self,
        words: Words,
        offsets: NDArray[np.int64],
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
    ) -> None:
        write_coded(words, offsets, payload, starts, *self._table)

    def read_blocks(
        self,
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
        words: Words,
        offsets: NDArray[np.int64],
    ) -> int:
        return read_coded(payload, starts, words, offsets, *self._table)


CODEC = Apack


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    exercise(CODEC.for_word(Word(8)))
