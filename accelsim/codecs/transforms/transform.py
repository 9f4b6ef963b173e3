"""What lossy codecs share: values become symbols, and a lossless codec stores the symbols.

A subclass turns blocks into symbols and back; everything lossy is in those two steps. So
sizes are those of decodable streams, and decoding returns exactly ``reconstruct``.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import Bitstream, Blocks, Codec, Shapes, Values
from accelsim.codecs.lossless import LosslessCodec
from accelsim.codecs.words import check_range, checked_offsets
from accelsim.errors import CodecError


class TransformCodec(Codec):
    """A lossy codec in terms of ``coder``, ``n_symbols``, ``forward`` and ``inverse``.

    Arithmetic is exact (integers, or floats that hold them), so that no result depends on
    the machine, on the order of a sum, or on which blocks are coded together.
    """

    lossless = False

    @property
    @abstractmethod
    def coder(self) -> LosslessCodec:
        """What stores the symbols."""

    @abstractmethod
    def n_symbols(self, shapes: Shapes) -> NDArray[np.int64]:
        """[n_blocks] symbols of blocks of these shapes."""

    @abstractmethod
    def forward(self, values: Values, shapes: Shapes) -> Values:
        """[sum of n_symbols] the symbols of all blocks, of the dtype of the coder's word."""

    @abstractmethod
    def inverse(self, symbols: Values, shapes: Shapes) -> Values:
        """[n_values] the values of all blocks again, of the word's dtype; any symbols do."""

    def encode(self, blocks: Blocks) -> Bitstream:
        return self.coder.encode(self._symbols(blocks))

    def decode(
        self, stream: Bitstream, sizes: NDArray[np.int64], shapes: Shapes | None = None
    ) -> Blocks:
        shapes = _checked_shapes(shapes, sizes)
        symbols = self.coder.decode(stream, self.n_symbols(shapes)).values
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        return Blocks(self.inverse(symbols, shapes), offsets, shapes)

    def payload_bits(self, blocks: Blocks) -> NDArray[np.int64]:
        return self.coder.payload_bits(self._symbols(blocks))

    def reconstruct_blocks(self, blocks: Blocks) -> Values:
        shapes = _checked_shapes(blocks.shapes, blocks.sizes)
        return self.inverse(self._symbols(blocks).values, shapes)

    def _symbols(self, blocks: Blocks) -> Blocks:
        check_range(blocks.values, self.word)
        checked_offsets(blocks)
        shapes = _checked_shapes(blocks.shapes, blocks.sizes)
        ends = np.cumsum(self.n_symbols(shapes))
        symbols = self.forward(blocks.values, shapes)
        return Blocks(symbols, np.concatenate([np.zeros(1, np.int64), ends]))


def _checked_shapes(shapes: Shapes | None, sizes: NDArray[np.int64]) -> Shapes:
    """Kernels trust shapes: raises ``CodecError`` unless these are of blocks of ``sizes``."""
    shapes = shapes or Shapes.flat(sizes)
    if bool(np.any(shapes.extents < 0)) or not np.array_equal(
        shapes.extents.prod(axis=1, dtype=np.int64), sizes
    ):
        raise CodecError("the shapes of blocks must have as many values as the blocks")
    return shapes
