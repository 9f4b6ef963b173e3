"""The interface of codecs: a format, measured bit for bit, and the cost of its hardware.

A codec maps a block of integers to bits and back. It keeps no state between blocks, so
blocks can be accessed at random. Tables (Huffman, ...) are fitted once and are then part of the
frozen codec. The contract tests in ``tests/codecs`` run on every registered codec.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.lane_costs import cycles_at
from accelsim.codecs.lane_hardware import LaneHardware
from accelsim.errors import CodecError
from accelsim.registry import Registry
from accelsim.units import ceil_div

Values = NDArray[np.integer[Any]]

Evidence: TypeAlias = Literal["authors", "compiler", "notes", "literature", "abstract", "own"]
"""How well a format is documented. In this order: the authors' code or full paper was read; the
public sources of the vendor's compiler were read; notes of others on the paper were read; the
format is widely reproduced, and was not read again; only an abstract was available; our own."""

Need: TypeAlias = Literal["whole_pixel", "spatial_tile", "two_streams", "block_buffer"]
"""What a format needs from the machine: all channels of a pixel (or a group of them) in one block;
8 x 8 pixels of a channel in one block; two read pointers; a buffer for a whole block on encode."""

TABLE_LOAD_BITS_PER_CYCLE = 16
"""One table entry of 12 + 4 bits per cycle, as in the coder of Chmiel et al., IJCNN 2020."""


@dataclass(frozen=True)
class Word:
    """The type of a stored integer: its width in bits (2 to 16), and whether it is signed.

    Raises ``CodecError`` for other widths.
    """

    bits: int
    signed: bool = False

    def __post_init__(self) -> None:
        if not 2 <= self.bits <= 16:
            raise CodecError(f"words have 2 to 16 bits, not {self.bits}")

    @property
    def low(self) -> int:
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        return (1 << (self.bits - 1)) - 1 if self.signed else (1 << self.bits) - 1

    @property
    def dtype(self) -> np.dtype[Any]:
        """The smallest numpy integer type that holds the word."""
        kind, size = ("i" if self.signed else "u"), (1 if self.bits <= 8 else 2)
        return np.dtype(f"{kind}{size}")


class Shapes(NamedTuple):
    """Shape of each block and scan of its values, for codecs that transform blocks."""

    extents: NDArray[np.int64]  # [n_blocks, 3] channels, rows, cols
    channels_last: bool  # order of the values: rows, cols, channels; else channels, rows, cols

    @staticmethod
    def flat(sizes: NDArray[np.int64]) -> Shapes:
        """Shapes of blocks of which only the size is known: one channel, one row."""
        ones = np.ones_like(sizes)
        return Shapes(np.stack([ones, ones, sizes], axis=1), False)


class Blocks(NamedTuple):
    """Many blocks in one array: block i is ``values[offsets[i]:offsets[i + 1]]``."""

    values: Values  # [n_values] of the word's dtype
    offsets: NDArray[np.int64]  # [n_blocks + 1], rising from 0 to n_values
    shapes: Shapes | None = None  # None: blocks without a shape, see ``Shapes.flat``

    @property
    def n_blocks(self) -> int:
        return len(self.offsets) - 1

    @property
    def sizes(self) -> NDArray[np.int64]:
        """[n_blocks] number of values in each block."""
        return np.diff(self.offsets)

    @property
    def nonzeros(self) -> NDArray[np.int64]:
        """[n_blocks] number of non-zero values in each block.

        >>> Blocks(np.array([0, 7, 0]), np.array([0, 2, 3])).nonzeros
        array([1, 0])
        """
        from accelsim.codecs.nonzeros import count_nonzeros

        return count_nonzeros(self.values, self.offsets)


@dataclass(frozen=True)
class Bitstream:
    """One encoded block, or several blocks back to back in one buffer.

    ``payload`` holds the bits in the order given in the docstring of the codec, padded with zeros
    to a whole byte; ``offsets_bits[i]`` to ``offsets_bits[i + 1]`` are the bits of block i.
    """

    payload: NDArray[np.uint8]
    offsets_bits: NDArray[np.int64]

    @property
    def bits(self) -> int:
        """Total bits of all blocks, unpadded."""
        return int(self.offsets_bits[-1])


@dataclass(frozen=True)
class BlockStats:
    """Statistics of each block after coding its values. All arrays are [n_blocks].

    From here on, no activation values are needed.
    """

    n_values: NDArray[np.int64]
    payload_bits: NDArray[np.int64]
    """Bits of the stream of each block as ``encode`` writes it, unpadded."""
    nonzeros: NDArray[np.int64]
    encode_work: NDArray[np.int64]
    """Cycles that one lane needs to encode the block, without fill latency; may depend on data."""
    decode_work: NDArray[np.int64]
    """Cycles that one lane needs to decode the block, without fill latency."""

    @property
    def n_blocks(self) -> int:
        return len(self.n_values)


class Codec(ABC):
    """A format for blocks of integers of one word width. Immutable.

    Invariants, tested for every codec:
      * ``decode(encode(blocks), sizes)`` is the input, value for value (lossless codecs),
        or ``reconstruct(values)`` (lossy ones);
      * ``measure(blocks).payload_bits`` equals the sizes of ``encode``, bit for bit;
      * no block is longer than ``worst_case_bits(n)``;
      * a broken stream raises ``CodecError``; nothing crashes, hangs, or reads out of bounds.
    """

    name: ClassVar[str]
    lossless: ClassVar[bool] = True
    evidence: ClassVar[Evidence] = "own"
    reconstruction: ClassVar[bool] = False
    """True if the format was rebuilt because only an abstract was available."""
    needs: ClassVar[tuple[Need, ...]] = ()
    preferred_block: ClassVar[tuple[int, int, int]] = (16, 1, 64)
    """Channels, rows and columns of a block that suit the format, for chips that leave it open.
    1024 values, so that block lengths and padding to bursts cost only a few percent."""

    word: Word

    @property
    @abstractmethod
    def hardware(self) -> LaneHardware:
        """Hardware of one lane; a class attribute, or a property if it depends on parameters."""

    @classmethod
    @abstractmethod
    def for_word(cls, word: Word) -> Self:
        """The codec with default parameters for words of this width."""

    @classmethod
    def for_network(cls, word: Word) -> Self:
        """The variant that ``run`` and ``compare`` use; differs if word widths determine fields."""
        return cls.for_word(word)

    def fit(self, calibration: Values, *, every_symbol: bool = False) -> Self:
        """The codec with tables fitted to these values (any shape), or itself if it has no tables.

        ``every_symbol`` adds one pseudo-count per value of the word, so that values that
        calibration never saw can be coded; without it the table is optimal for exactly
        these values.
        """
        return self

    @property
    def parameters(self) -> dict[str, int | str]:
        """Parameters for reports. Cache keys come from the object itself (``codecs.identity``)."""
        return {"word_bits": self.word.bits, "signed": int(self.word.signed)}

    @property
    def table_bits(self) -> int:
        """Bits of tables and parameters that are loaded once per tensor."""
        return 0

    @property
    def table_load_cycles(self) -> int:
        """Cycles to load the tables of one lane before a layer."""
        return ceil_div(self.table_bits, TABLE_LOAD_BITS_PER_CYCLE)

    @abstractmethod
    def encode(self, blocks: Blocks) -> Bitstream:
        """The streams of all blocks, back to back.

        Raises ``CodecError`` for values outside the word or the fitted table.
        """

    @abstractmethod
    def decode(
        self, stream: Bitstream, sizes: NDArray[np.int64], shapes: Shapes | None = None
    ) -> Blocks:
        """Decode the blocks; ``sizes`` are the numbers of values per block, ``shapes`` as encoded.

        Raises ``CodecError`` for a stream that does not encode such blocks.
        """

    @abstractmethod
    def payload_bits(self, blocks: Blocks) -> NDArray[np.int64]:
        """[n_blocks] sizes in bits without writing a stream, which is faster."""

    @abstractmethod
    def worst_case_bits(self, n_values: int) -> int:
        """Bits of the longest possible stream for ``n_values``; may exceed the raw size."""

    def reconstruct_blocks(self, blocks: Blocks) -> Values:
        """[n_values] what decoding returns for these blocks, without writing a stream."""
        return blocks.values

    def reconstruct(self, values: Values) -> Values:
        """The values that decoding returns for one block, as an array (training wraps this).

        ``values`` is (channels, rows, cols), (rows, cols) or flat.
        """
        return self.reconstruct_blocks(one_block(values)).reshape(values.shape)

    def encode_work(self, blocks: Blocks) -> NDArray[np.int64]:
        """[n_blocks] cycles of one lane to encode each block."""
        return cycles_at(blocks.sizes, self.hardware.encode_values_per_cycle)

    def decode_work(self, blocks: Blocks) -> NDArray[np.int64]:
        """[n_blocks] cycles of one lane to decode each block."""
        return cycles_at(blocks.sizes, self.hardware.decode_values_per_cycle)

    def measure(self, blocks: Blocks) -> BlockStats:
        """Sizes and cycles of each block; sizes are those that ``encode`` writes."""
        return BlockStats(
            n_values=blocks.sizes,
            payload_bits=self.payload_bits(blocks),
            nonzeros=blocks.nonzeros,
            encode_work=self.encode_work(blocks),
            decode_work=self.decode_work(blocks),
        )


def one_block(values: Values) -> Blocks:
    """An array of up to three dimensions as one block that knows its shape.

    >>> one_block(np.zeros((4, 5), np.uint8)).shapes.extents   # one channel
    array([[1, 4, 5]])
    """
    if values.ndim > 3:
        raise CodecError(f"a block has channels, rows and columns; got shape {values.shape}")
    extents = np.array([(1, 1, 1, *values.shape)[-3:]], np.int64)
    return Blocks(values.reshape(-1), np.array([0, values.size], np.int64), Shapes(extents, False))


def _complaint(found: object) -> str:
    is_codec = isinstance(found, type) and issubclass(found, Codec)
    return "" if is_codec else "is not a class that derives from accelsim.codecs.base.Codec"


CODECS: Registry[type[Codec]] = Registry(
    "codec", "accelsim.codecs.formats", "CODEC", "accelsim.codecs", _complaint
)
