"""The base of all lossless formats: a format is three kernels over the words of many blocks.

A subclass computes how many bits each block takes, writes them, and reads them back. This
file places the blocks back to back in one buffer, and checks whatever it is given.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Bitstream, Blocks, Codec, Shapes
from accelsim.codecs.bits import PADDING
from accelsim.codecs.words import Words, checked_offsets, from_words, to_words
from accelsim.errors import CodecError
from accelsim.units import bits_to_bytes

MAX_STREAM_BYTES = 1 << 31
"""A limit, because unary codes of wide words can be thousands of times longer than the words."""


class WordCodec(Codec):
    """A lossless codec defined by ``size_blocks``, ``encode_words`` and ``read_blocks``.

    ``words`` are the patterns of all values (see ``accelsim.codecs.words``); block i is
    ``words[offsets[i]:offsets[i + 1]]``, its bits are ``starts[i]`` to ``starts[i + 1]``.
    """

    @abstractmethod
    def size_blocks(self, words: Words, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        """[n_blocks] bits of each block. Raises ``CodecError`` for words without a code."""

    @abstractmethod
    def encode_words(self, words: Words, offsets: NDArray[np.int64]) -> Bitstream:
        """The streams of all blocks. Raises ``CodecError`` for words without a code."""

    @abstractmethod
    def read_blocks(
        self,
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
        words: Words,
        offsets: NDArray[np.int64],
    ) -> int:
        """Fill ``words``; returns the first block that is not a valid stream of its size, or -1.

        A block must end exactly where the next one starts. ``payload`` has ``PADDING``
        spare bytes.
        """

    def payload_bits(self, blocks: Blocks) -> NDArray[np.int64]:
        offsets = checked_offsets(blocks)
        return self.size_blocks(to_words(blocks.values, self.word), offsets)

    def encode(self, blocks: Blocks) -> Bitstream:
        offsets = checked_offsets(blocks)
        return self.encode_words(to_words(blocks.values, self.word), offsets)

    def decode(
        self, stream: Bitstream, sizes: NDArray[np.int64], shapes: Shapes | None = None
    ) -> Blocks:
        starts = np.require(stream.offsets_bits, np.int64, ["C", "W"])
        offsets = np.zeros(len(sizes) + 1, np.int64)
        np.cumsum(sizes, out=offsets[1:])
        self._check_stream(stream.payload, starts, offsets)
        payload = np.concatenate([stream.payload, np.zeros(PADDING, np.uint8)])
        words = np.zeros(int(offsets[-1]), np.uint16)
        broken = self.read_blocks(payload, starts, words, offsets)
        if broken >= 0:
            n_bits = int(starts[broken + 1] - starts[broken])
            raise CodecError(
                f"{self.name}: block {broken} ({n_bits} bits) is not a stream of "
                f"{int(sizes[broken])} values"
            )
        return Blocks(from_words(words, self.word), offsets, shapes)

    def _check_stream(
        self, payload: NDArray[np.uint8], starts: NDArray[np.int64], offsets: NDArray[np.int64]
    ) -> None:
        if np.any(np.diff(offsets) < 0):
            raise CodecError(f"{self.name}: a block cannot have a negative number of values")
        if len(starts) != len(offsets) or starts[0] != 0 or np.any(np.diff(starts) < 0):
            raise CodecError(
                f"{self.name}: bit offsets must rise from 0, one more than the "
                f"{len(offsets) - 1} blocks; got {len(starts)}"
            )
        if payload.dtype != np.uint8 or starts[-1] > 8 * payload.size:
            raise CodecError(
                f"{self.name}: the stream is cut: {int(starts[-1])} bits announced, "
                f"{8 * payload.size} present"
            )


class LosslessCodec(WordCodec):
    """A codec that writes its blocks into space of the sizes that ``size_blocks`` returns."""

    @abstractmethod
    def write_blocks(
        self,
        words: Words,
        offsets: NDArray[np.int64],
        payload: NDArray[np.uint8],
        starts: NDArray[np.int64],
    ) -> None:
        """Write all blocks into ``payload``, which is zero and has ``PADDING`` spare bytes."""

    def encode_words(self, words: Words, offsets: NDArray[np.int64]) -> Bitstream:
        starts = np.zeros(len(offsets), np.int64)
        np.cumsum(self.size_blocks(words, offsets), out=starts[1:])
        n_bytes = bits_to_bytes(int(starts[-1]))
        if n_bytes > MAX_STREAM_BYTES:
            raise CodecError(
                f"{self.name}: {words.size:,} values would take {n_bytes / 1e9:.1f} GB; other "
                "parameters suit these values better"
            )
        payload = np.zeros(n_bytes + PADDING, np.uint8)
        self.write_blocks(words, offsets, payload, starts)
        return Bitstream(payload[:n_bytes], starts)


def write_in_one_pass(
    room_bits: int,
    offsets: NDArray[np.int64],
    write: Callable[[NDArray[np.uint8], NDArray[np.int64]], None],
) -> Bitstream:
    """The stream that ``write(payload, starts)`` writes; it fills ``starts`` and needs no sizes.

    ``room_bits`` is an upper bound for all blocks together; ``payload`` is zero.
    """
    payload = np.zeros(bits_to_bytes(room_bits) + PADDING, np.uint8)
    starts = np.zeros(len(offsets), np.int64)
    write(payload, starts)
    return Bitstream(payload[: bits_to_bytes(int(starts[-1]))].copy(), starts)


def exercise(codec: Codec) -> None:
    """Call every kernel of a codec once on one value, which compiles it for the types used."""
    blocks = Blocks(np.ones(1, codec.word.dtype), np.array([0, 1], np.int64))
    fitted = codec.fit(blocks.values)
    fitted.measure(blocks)
    fitted.decode(fitted.encode(blocks), blocks.sizes)
