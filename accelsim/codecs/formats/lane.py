"""Lane Compression: bit fields of the word, each stored by the method that suits it.

Reconstruction. Only the abstract of Ko et al., "Lane Compression: A Lightweight Lossless
Compression Method for Machine Learning on Embedded Systems", ACM TECS 20(2), 2021, was
read: values are split bit-wise into lanes with statistics of their own, and a profile of
data gathered ahead picks one of a few cheap compressors for each. The compressors, their
layout and the search are ours. Signed values are zigzagged, in place of the recodings that
a profile might choose.

Lanes: the word is cut into up to 4 fields of neighbouring bits. ``fit`` finds the split
and the methods with the fewest bits; before it there is one raw lane.
  * raw: the bits of each value.
  * const: none; all values are the same. Not used with ``every_symbol``.
  * zrl: ``1`` and the bits of a value that is not zero; ``0`` and 4 bits of length - 1 for
    a run of 1 to 16 zeros.
  * mask: per 8 values a flag; behind ``1`` the bits of each, behind ``0`` nothing, all zero.
  * dict: ``0``, ``10`` and ``110`` for the three most frequent values, ``111`` and its bits
    for any other. Lanes of 2 bits or more.

Bit layout of a block: chunks of 64 values, the last one with what is left. A chunk is the
length in bits of each zrl, mask and dict lane, in fields that hold the longest lane of 64
values; then all lanes one after the other, that of the highest bits first. So each lane of
a chunk is found without reading the others.

The table takes 2 bits for the number of lanes, and for each lane 4 bits for its width, 3
for its method, and the values of const (1) and dict (3).

>>> from accelsim.codecs.base import Blocks, Word
>>> values = np.array([3, 0, 2, 1, 0, 0, 3, 1] * 8, np.uint8)
>>> codec = LaneCompression.for_word(Word(8)).fit(values)
>>> codec.parameters["table"]   # the upper 6 bits are always 0
'6 const 0, 2 raw'
>>> codec.encode(Blocks(values, np.array([0, 64]))).bits
128
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Values, Word
from accelsim.codecs.coding.lane_reading import read_lanes
from accelsim.codecs.coding.lane_search import BitLane, best_lanes, length_field_bits, longest_bits
from accelsim.codecs.coding.lane_streams import (
    CHUNK,
    CONST,
    METHODS,
    N_ENTRIES,
    RAW,
    BitLanes,
    size_lanes,
    write_lanes,
)
from accelsim.codecs.coding.zigzag import fold, unfold
from accelsim.codecs.lane_costs import pj_per_value
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import LosslessCodec, exercise
from accelsim.codecs.words import Words, from_words, to_words
from accelsim.errors import CodecError


@dataclass(frozen=True)
class LaneCompression(LosslessCodec):
    """Bit lanes with a method each; one raw lane before ``fit``."""

    word: Word
    lanes: tuple[BitLane, ...] = field(default=(), repr=False)
    """That of the highest bits first; empty before ``fit``."""

    name = "lane"
    evidence = "abstract"
    reconstruction = True

    @property
    def hardware(self) -> LaneHardware:
        share = self.word.bits / 8
        return LaneHardware(
            encode_values_per_cycle=1,
            decode_values_per_cycle=1,
            encode_fill_cycles=3,
            decode_fill_cycles=3,
            encode_pj_per_value=pj_per_value(6.0 * share),
            decode_pj_per_value=pj_per_value(5.0 * share),
            gates_kge=11.0 * share,
            encode_buffer_bits=80 * self.word.bits,
            decode_buffer_bits=80 * self.word.bits,
            source=(
                "estimates: four lanes side by side, each a field of every value a cycle; per lane "
                "0.6 kGE each way for zero runs, group flags, dictionary and bit packer, and the "
                "staging of a chunk (its lengths come first) in 640 bits of latches, 3.6 kGE on "
                "encode and 2.6 kGE on decode for 8-bit words, others in proportion; 15 % activity "
                "x 1.5 fJ per gate, 65 nm; format rebuilt from the abstract of ACM TECS 20(2) "
                "2021, which gives no figures"
            ),
        )

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    def fit(self, calibration: Values, *, every_symbol: bool = False) -> Self:
        """The lanes and methods with the fewest bits for these values in C order."""
        words = fold(to_words(calibration, self.word), self.word)
        return replace(self, lanes=best_lanes(words, self.word.bits, not every_symbol))

    @property
    def parameters(self) -> dict[str, int | str]:
        table = ", ".join(
            " ".join(map(str, (lane.bits, METHODS[lane.method], *lane.values)))
            for lane in self.lanes
        )
        return {**super().parameters, "table": table or "not fitted"}

    @property
    def table_bits(self) -> int:
        return 2 + sum(4 + 3 + len(lane.values) * lane.bits for lane in self._lanes)

    def worst_case_bits(self, n_values: int) -> int:
        n_chunks, rest = divmod(n_values, CHUNK)
        return n_chunks * self._longest_chunk(CHUNK) + (self._longest_chunk(rest) if rest else 0)

    def _longest_chunk(self, n_values: int) -> int:
        return sum(length_field_bits(lane) + longest_bits(lane, n_values) for lane in self._lanes)

    @property
    def _lanes(self) -> tuple[BitLane, ...]:
        return self.lanes or (BitLane(self.word.bits, RAW),)

    @cached_property
    def _arrays(self) -> BitLanes:
        lanes = self._lanes
        widths = np.array([lane.bits for lane in lanes], np.int64)
        entries = np.zeros((len(lanes), N_ENTRIES), np.int64)
        for row, lane in zip(entries, lanes, strict=True):
            row[: len(lane.values)] = lane.values
        return BitLanes(
            shifts=self.word.bits - np.cumsum(widths),
            widths=widths,
            methods=np.array([lane.method for lane in lanes], np.int64),
            entries=entries,
            length_bits=np.array([length_field_bits(lane) for lane in lanes], np.int64),
        )

    @cached_property
    def _constant(self) -> tuple[int, int]:
        """Which bits are those of const lanes, and what they are."""
        mask = value = 0
        for lane, shift in zip(self._lanes, self._arrays.shifts.tolist(), strict=True):
            if lane.method == CONST:
                mask |= ((1 << lane.bits) - 1) << shift
                value |= lane.values[0] << shift
        return mask, value

    def size_blocks(self, words: Words, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        mask, value = self._constant
        folded = fold(words, self.word)
        if mask and np.any(uncoded := (folded & np.uint16(mask)) != value):
            first = from_words(words[uncoded][:1], self.word)[0]
            raise CodecError(
                f"lane: value {first} differs from all values of fit() in bits that it left "
                "out. Fit with every_symbol=True to code all values"
            )
        bits = np.empty(len(offsets) - 1, np.int64)
        size_lanes(folded, offsets, CHUNK, bits, *self._arrays)
        return bits

    def write_blocks(
        self,
        words: Words,
        offsets: NDArray[np.int64],
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
    ) -> None:
        write_lanes(fold(words, self.word), offsets, CHUNK, payload, starts, *self._arrays)

    def read_blocks(
        self,
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
        words: Words,
        offsets: NDArray[np.int64],
    ) -> int:
        constant = self._constant[1]
        broken = read_lanes(payload, starts, words, offsets, CHUNK, constant, *self._arrays)
        unfold(words, self.word)
        return int(broken)


CODEC = LaneCompression


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    exercise(CODEC.for_word(Word(8)))
