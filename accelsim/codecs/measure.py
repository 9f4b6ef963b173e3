"""From a feature map to the statistics of its compressed blocks.

From here on, no activations are needed. Sizes are those of streams that were really written
and read back, unless ``verify`` is off.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs import rates
from accelsim.codecs.base import Bitstream, Blocks, BlockStats, Codec, Values, Word
from accelsim.codecs.beats import BeatTotals, Pins, count_beats, count_stream
from accelsim.codecs.blocks import BlockShape, Scan, cut
from accelsim.codecs.fallback import StoredBlocks, as_stored
from accelsim.codecs.named import codec_named
from accelsim.codecs.words import check_range
from accelsim.errors import CodecError


@dataclass(frozen=True)
class MapStats:
    """Statistics of one coded feature map. All bits are totals of the map."""

    blocks: BlockStats
    """Statistics of each block, in block order: channel block, row block, column block."""
    word: Word
    entropy_bits: float
    """Zeroth-order entropy of the values."""
    huffman_bits: int
    """Ideal Huffman code of the values, without its table."""
    table_bits: int
    """Tables and parameters of the codec for this map."""
    energy: float = 0.0
    """Sum of the squared values; this and the next field are for lossy codecs only."""
    error_energy: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0), compare=False)
    """[n_blocks] sum of the squared differences between decoded and original values of each
    block; empty for lossless codecs. Blocks stored raw are exact: see ``stored_error_energy``."""
    beats: NDArray[np.int64] = field(
        default_factory=lambda: np.zeros((4, 0), np.int64), compare=False
    )
    """[4, n_blocks] costly bits and toggles on the pins for each block as coded, and the same for
    the block stored raw; empty if pins were not asked for."""
    linear: BeatTotals | None = None
    """The same for the raw map without blocks, as one stream: groups of as many channels as a block
    has, with the channels of a group innermost. None if pins were not asked for."""

    def as_stored(self, burst_bytes: int) -> StoredBlocks:
        """The blocks as they are stored in a memory with such bursts: coded or raw."""
        return as_stored(self.blocks, self.word.bits, burst_bytes)

    def stored_error_energy(self, burst_bytes: int) -> float:
        """Sum of the squared errors of the stored blocks; raw blocks have none."""
        if not self.error_energy.size:
            return 0.0
        return float(self.error_energy[~self.as_stored(burst_bytes).is_raw].sum())


def measure_map(
    values: Values,
    codec: Codec,
    block: BlockShape,
    scan: Scan = "chw",
    *,
    verify: bool = True,
    pins: Pins | None = None,
) -> MapStats:
    """Sizes, cycles and rates of one map ``values`` (channels, rows, cols).

    ``codec`` has been fitted. ``verify`` also encodes and decodes every block and
    compares. ``pins`` are those of the memory that the streams go to. Raises ``CodecError``
    for values that the codec cannot code, and if a codec violates its interface.
    """
    check_range(values, codec.word)
    in_word = values.astype(codec.word.dtype, casting="same_kind", copy=False)
    found = measure_blocks(cut(in_word, block, scan), codec, verify=verify, pins=pins)
    return replace(found, linear=_linear(in_word, codec.word, block[0], pins)) if pins else found


def measure_blocks(
    blocks: Blocks, codec: Codec, *, verify: bool = True, pins: Pins | None = None
) -> MapStats:
    """Sizes, cycles and rates of values that are cut into ``blocks`` already.

    Like ``measure_map``, except that the pins of the map without blocks are not counted.
    """
    stats = codec.measure(blocks)
    stream = codec.encode(blocks) if verify or pins else None
    if verify and stream:
        check_stream(codec, blocks, stats.payload_bits, stream)
    counts = rates.histogram(blocks.values, codec.word)
    energy, error_energy = (0.0, np.zeros(0)) if codec.lossless else _energies(codec, blocks)
    found = MapStats(
        blocks=stats,
        word=codec.word,
        entropy_bits=rates.entropy_bits(counts),
        huffman_bits=rates.huffman_bits(counts),
        table_bits=codec.table_bits,
        energy=energy,
        error_energy=error_energy,
    )
    if not (pins and stream):
        return found
    return replace(found, beats=_beats(blocks, codec.word, stream, pins))


def _beats(blocks: Blocks, word: Word, stream: Bitstream, pins: Pins) -> NDArray[np.int64]:
    raw = codec_named("raw", word).encode(blocks)
    counts = [count_beats(each.payload, each.offsets_bits, pins) for each in (stream, raw)]
    return np.stack([array for count in counts for array in count])


def _linear(values: Values, word: Word, group: int, pins: Pins) -> BeatTotals:
    blocks = cut(values, (group, *values.shape[1:]), "hwc")
    return count_stream(
        codec_named("raw", word).encode(blocks).payload, values.size * word.bits, pins
    )


def _energies(codec: Codec, blocks: Blocks) -> tuple[float, NDArray[np.float64]]:
    original = blocks.values.astype(np.float64)
    squares = (codec.reconstruct_blocks(blocks) - original) ** 2
    block_of_value = np.repeat(np.arange(blocks.n_blocks), blocks.sizes)
    of_blocks = np.bincount(block_of_value, squares, blocks.n_blocks).astype(np.float64)
    return float((original**2).sum()), of_blocks


def check_stream(
    codec: Codec, blocks: Blocks, payload_bits: NDArray[np.int64], stream: Bitstream
) -> None:
    """Read all blocks of ``stream``. Raises ``CodecError`` unless sizes and values agree."""
    if not np.array_equal(np.diff(stream.offsets_bits), payload_bits):
        raise CodecError(f"{codec.name}: measured sizes differ from the encoded stream")
    decoded = codec.decode(stream, blocks.sizes, blocks.shapes)
    if not np.array_equal(decoded.values, codec.reconstruct_blocks(blocks)):
        raise CodecError(f"{codec.name}: decoding does not return what was encoded")
