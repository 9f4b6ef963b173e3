"""The bit compactor of Intel's NPU 4 and 5: blocks of 64 bytes, each by the best of six predictors.

A codec that ships: the DMA engine of the NPU compresses spilled activations with it, and the
compiler weights. The format is that of the compiler's public sources (openvinotoolkit/npu_compiler,
module bitc, Apache-2.0), read as facts; nothing of the silicon itself is published.

A value of up to 8 bits is a byte, one of 9 to 16 bits two, little-endian; signed values are
sign-extended. All fields are little-endian: a field of a byte begins at its lowest bit, and
fields of several bytes have their lowest byte first. All begin on bytes. A stream is

    blocks of 64 bytes, of these two kinds:
      raw         2 bits  2, 6 zeros; then the 64 bytes
      compressed  2 bits  3
                  3       decoder: 0 plain, 1 zigzag, 2 zigzag + base, 3 base, 4 zigzag + previous
                  3       width L of a difference
                  2       1 where wide differences take 8 bits, else 0
                  10      bits of all differences, only where wide ones take 8 bits
                  zeros to 16 or 24 bits; then
                  8       the base, of decoders 2 and 3
                  64      bit i is 1 where difference i takes 8 bits, only where some do
                  the 64 differences in L (or 8) bits; zeros to a byte
    a rest of m < 64 bytes: 2 bits 1, 6 bits m, then the m bytes
    8 zeros, the end; then zeros to a multiple of 32 bytes

Differences are modulo 256, from these predictors: block minimum (decoder 3); with ``weights``,
signed minimum (2); mean of the signed bytes, halves away from zero (2); none (0, 1); median,
the 32nd of the bytes in rising unsigned order (2); the block before, not of the first (4).
Zigzag is 2 x for signed x >= 0, else 2 (-x) - 1. One width for all is at least 3, two are 2 to
7 and 8. The shortest of one width wins, the first predictor among equals, and so for two
widths; two widths win where they are shorter; the block stays raw where none has below 65
bytes. (Where a block had two widths and all differences fit the short one, the first would take
8 bits: never shorter than one width.)

Words of two bytes come in the mode for 16-bit floats: 128 bytes at a time become 64 low bytes,
shifted left by one with the top bit of their high byte below, and 64 high bytes with that of
their low byte; a rest below 128 bytes stays.

``sparse`` is the mode of NPU 5: the bytes above are, for each storage element of ``element``
values, a bitmap (bit i is 1 where value i is not zero), their number k as one byte 2 k, or as
two bytes 4 k + 1 from 128 on, and the values that are not zero. The compiler takes whole
storage elements; a last partial one is filled up with zeros here.

>>> from accelsim.codecs.base import one_block
>>> stream = BitCompactor.for_word(Word(8)).encode(one_block(np.full(64, 5, np.uint8)))
>>> stream.payload[:5].tobytes().hex(" "), stream.bits   # 2 + 64 x 3 / 8 bytes and the end
('63 00 6d db b6', 256)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Bitstream, Word
from accelsim.codecs.coding.byte_blocks import (
    BLOCK_BYTES,
    LAST,
    RAW_BYTES,
    STREAM_BYTES,
    choose,
    fitting,
    read_stream,
    write_block,
)
from accelsim.codecs.coding.stored_bytes import (
    Bytes,
    Ints,
    cell_bytes,
    halve,
    pack_elements,
    packed_bytes,
    stored,
    unhalve,
    unpack_elements,
    unstored,
)
from accelsim.codecs.lane_costs import pj_per_value
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.codecs.lossless import WordCodec, exercise, write_in_one_pass
from accelsim.codecs.words import Words
from accelsim.errors import CodecError
from accelsim.jit import kernel

LANE_BYTES = 32
"""A lane's bytes of a cycle: a block takes two."""
MAX_ELEMENT = 8192
ENCODER_KGE_PER_BYTE = 1.66
DECODER_KGE_PER_BYTE = 0.59
ELEMENTS_KGE_PER_BYTE = 0.19


@kernel
def _size(
    data: Bytes, offsets: Ints, block_bytes: int, weights: bool, fits: Ints, bits: Ints
) -> None:
    for block in range(len(bits)):
        start, end = offsets[block], offsets[block + 1]
        whole_end = end - (end - start) % block_bytes
        n_bytes = 0
        for first in range(start, whole_end, block_bytes):
            n_bytes += choose(data, start, first, weights, fits).n_bytes
        n_bytes += end - whole_end + int(end > whole_end)
        bits[block] = 8 * ((n_bytes + STREAM_BYTES) // STREAM_BYTES * STREAM_BYTES)


@kernel
def _write(
    data: Bytes,
    offsets: Ints,
    weights: bool,
    fits: Ints,
    differences: Bytes,
    payload: Bytes,
    starts: Ints,
) -> None:
    block_bytes = len(differences)
    for block in range(len(starts) - 1):
        start, end = offsets[block], offsets[block + 1]
        stream_at = at = starts[block] >> 3
        whole_end = end - (end - start) % block_bytes
        for first in range(start, whole_end, block_bytes):
            choice = choose(data, start, first, weights, fits)
            at = write_block(data, first, choice, differences, payload, at)
        if end > whole_end:
            payload[at] = LAST | ((end - whole_end) << 2)
            for i in range(whole_end, end):
                at += 1
                payload[at] = data[i]
            at += 1
        at += STREAM_BYTES - (at - stream_at) % STREAM_BYTES
        starts[block + 1] = 8 * at


@kernel
def _read(
    payload: Bytes,
    starts: Ints,
    data: Bytes,
    rooms: Ints,
    is_exact: bool,
    differences: Bytes,
    lengths: Ints,
) -> int:
    """``is_exact``: a stream has as many bytes as there is room for; else it may have fewer."""
    for block in range(len(lengths)):
        first, last = rooms[block], rooms[block + 1]
        start, end = starts[block] >> 3, starts[block + 1] >> 3
        if (starts[block] | starts[block + 1]) & 7:
            return block
        n_bytes = read_stream(payload, start, end, data, first, last, differences)
        if n_bytes < 0 or (is_exact and n_bytes < last - first):
            return block
        lengths[block] = n_bytes
    return -1


@dataclass(frozen=True)
class BitCompactor(WordCodec):
    """Intel's bit compactor, as the NPU 4 and 5 decode it.

    ``weights`` adds the predictor that only the compiler has, for weights. ``sparse`` packs
    storage elements of ``element`` (a multiple of 16, at most 8192) values before.
    """

    word: Word
    weights: bool = False
    sparse: bool = False
    element: int = 64

    name = "bit_compactor"
    evidence = "compiler"

    def __post_init__(self) -> None:
        if self.element % 16 or not 16 <= self.element <= MAX_ELEMENT:
            raise CodecError(
                "bit_compactor: storage elements have a multiple of 16 values, at most "
                f"{MAX_ELEMENT}, not {self.element}"
            )

    @classmethod
    def for_word(cls, word: Word) -> Self:
        return cls(word)

    @property
    def parameters(self) -> dict[str, int | str]:
        own = {"weights": int(self.weights), "sparse": int(self.sparse), "element": self.element}
        return {**super().parameters, **own}

    @property
    def hardware(self) -> LaneHardware:
        elements = ELEMENTS_KGE_PER_BYTE if self.sparse else 0
        encoder_kge = (ENCODER_KGE_PER_BYTE + elements) * LANE_BYTES
        decoder_kge = (DECODER_KGE_PER_BYTE + elements) * LANE_BYTES
        values = LANE_BYTES // cell_bytes(self.word)
        return LaneHardware(
            encode_values_per_cycle=values,
            decode_values_per_cycle=values,
            encode_fill_cycles=8,
            decode_fill_cycles=4,
            encode_pj_per_value=pj_per_value(encoder_kge, values),
            decode_pj_per_value=pj_per_value(decoder_kge, values),
            gates_kge=encoder_kge + decoder_kge,
            encode_buffer_bits=4 * 8 * BLOCK_BYTES,
            decode_buffer_bits=2 * 8 * BLOCK_BYTES,
            source=(
                "all estimates, nothing of the silicon is published: 32 bytes a cycle, to which "
                "its streams are aligned; encoder, per byte of these: 4 subtractors (60 GE), "
                "zigzag and width thresholds of 6 predictors (40), minimum, sum and bitwise "
                "median (250), counts of 6 widths of 6 predictors (250), 4 staged blocks of 64 "
                "bytes (384), shifter to bits (300); decoder: shifter (300), zigzag and adder "
                "(100), 2 blocks (192); sparse: 190 GE a byte and way, as zvc's packer; fill: 8 "
                "and 4 stages; energy 15 % activity x 1.5 fJ per gate, 65 nm"
            ),
        )

    def worst_case_bits(self, n_values: int) -> int:
        n_cell = cell_bytes(self.word)
        n_bytes = n_values * n_cell
        if self.sparse:
            n_bytes = int(packed_bytes(np.array([n_values]), n_cell, self.element)[0])
        whole, rest = divmod(n_bytes, BLOCK_BYTES)
        n_stream = whole * RAW_BYTES + rest + int(rest > 0)
        return 8 * ((n_stream + STREAM_BYTES) // STREAM_BYTES * STREAM_BYTES)

    def _data(self, words: Words, offsets: Ints) -> tuple[Bytes, Ints]:
        """The bytes of all blocks, and [n_blocks + 1] where each begins."""
        data, n_cell = stored(words, self.word), cell_bytes(self.word)
        starts = n_cell * offsets
        if self.sparse:
            data, starts = pack_elements(data, offsets, n_cell, self.element)
        if n_cell == 2:
            halve(data, starts[:-1], np.diff(starts))
        return data, starts

    def size_blocks(self, words: Words, offsets: Ints) -> Ints:
        bits = np.empty(len(offsets) - 1, np.int64)
        _size(*self._data(words, offsets), BLOCK_BYTES, self.weights, fitting(), bits)
        return bits

    def encode_words(self, words: Words, offsets: Ints) -> Bitstream:
        """Written in one pass, into room for blocks that all stay raw."""
        data, firsts = self._data(words, offsets)
        room_bytes = data.size + data.size // BLOCK_BYTES + (1 + STREAM_BYTES) * len(offsets)
        return write_in_one_pass(
            8 * room_bytes,
            offsets,
            lambda payload, starts: _write(
                data, firsts, self.weights, fitting(), _differences(), payload, starts
            ),
        )

    def read_blocks(
        self, payload: NDArray[np.uint8], starts: Ints, words: Words, offsets: Ints
    ) -> int:
        n_cell, sizes = cell_bytes(self.word), np.diff(offsets)
        rooms = np.zeros(len(offsets), np.int64)
        most = packed_bytes(sizes, n_cell, self.element) if self.sparse else n_cell * sizes
        np.cumsum(most, out=rooms[1:])
        data, lengths = np.zeros(int(rooms[-1]), np.uint8), np.zeros(len(sizes), np.int64)
        broken = _read(payload, starts, data, rooms, not self.sparse, _differences(), lengths)
        if n_cell == 2:
            unhalve(data, rooms[:-1], lengths)
        if broken < 0 and self.sparse:
            packed, data = data, np.zeros(n_cell * words.size, np.uint8)
            layout = (n_cell, self.element)
            broken = unpack_elements(packed, rooms[:-1], lengths, *layout, data, offsets)
        return broken if broken >= 0 else unstored(data, self.word, words, offsets)


def _differences() -> Bytes:
    """Room for those of a block."""
    return np.zeros(BLOCK_BYTES, np.uint8)


CODEC = BitCompactor


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    exercise(CODEC.for_word(Word(8)))
