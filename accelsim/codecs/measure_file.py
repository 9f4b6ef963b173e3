"""Measuring codecs on the arrays of a file, for ``accelsim codecs measure``.

Every number comes from a stream that was written and read back. An array is one block in
C order unless a block size is given; its word is its dtype's unless a width is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from accelsim.codecs import rates
from accelsim.codecs.array_files import Tensor, read_arrays
from accelsim.codecs.base import Blocks, Codec, Shapes, Values, one_block
from accelsim.codecs.blocks import BlockShape, cut
from accelsim.codecs.fallback import as_stored
from accelsim.codecs.measure import check_stream
from accelsim.codecs.named import codec_named, codec_of_any_width
from accelsim.codecs.reading import AS_STORED, Reading
from accelsim.codecs.weight_tiles import TileShape, check_lossless, cut_weights, weight_tiles
from accelsim.codecs.words import check_range
from accelsim.errors import CodecError, UserError
from accelsim.units import ceil_div

MAX_BURST_BYTES = 1 << 20
DEFAULT_BURST_BYTES = 64
"""One burst of a 64-bit DDR4 channel, or of two LPDDR4 channels."""


@dataclass(frozen=True)
class ArrayMeasure:
    """Measurements of one coded array. All ``_bits`` are totals of the array."""

    values: int
    density: float
    """Fraction of non-zero values."""
    entropy_bits: float
    huffman_bits: int
    """Ideal Huffman code, without its table."""
    stream_bits: int
    """Everything in the bit layout of the format, unpadded."""
    side_bits: int
    """Tables and parameters, and one flag per block if raw fallback is on."""
    fetched_bits: int
    """Whole bursts: each block begins on a new burst, and so does the side information."""
    bits_per_value: float
    """(stream_bits + side_bits) / values."""
    blocks: int
    block_bits_p50: int
    """Half of the blocks are no longer than this."""
    block_bits_p99: int
    block_bits_max: int
    word_bits: int
    """Width of the words: bits per value of the array stored raw."""
    lossless: bool
    """Whether decoding returns exactly these values."""
    mse: float
    """Mean squared error of the decoded values, in integer steps squared."""
    reconstruction: bool
    """Whether the format was rebuilt because only an abstract was available."""


@dataclass(frozen=True)
class Cutting:
    """How arrays are cut, and what a block costs in addition to its stream."""

    block: int | BlockShape | TileShape | None = None
    """Values of a block, or (channels, rows, cols) of it, or (out_channels, in_channels, rows,
    cols) of a tile of weights; None: one block."""
    fallback: bool = False
    """Store a block raw if its stream needs no fewer bursts."""
    burst_bytes: int = DEFAULT_BURST_BYTES

    def __post_init__(self) -> None:
        extents = self.block if isinstance(self.block, tuple) else (self.block or 1,)
        if self.block == 0 or min(extents) < 1:
            fix = "give a number of values, CHANNELSxROWSxCOLS, or OUTxINxROWSxCOLS, all at least 1"
            raise UserError("--block", f"is {self.block}", fix)
        if not 1 <= self.burst_bytes <= MAX_BURST_BYTES:
            fix = f"give bytes, from 1 to {MAX_BURST_BYTES}"
            raise UserError("--burst", f"is {self.burst_bytes}", fix)


def measure_file(
    path: str | Path,
    codec: str,
    *,
    block: int | BlockShape | TileShape | None = None,
    bits: int | None = None,
    fallback: bool = False,
    reading: Reading | None = None,
) -> dict[str, ArrayMeasure]:
    """Measure every array of a file with one codec; see ``measure_codecs``."""
    reading = reading or Reading(bits=bits)
    return measure_codecs(path, [codec], Cutting(block, fallback), reading)[codec]


def measure_codecs(
    path: str | Path,
    codecs: Sequence[str],
    cutting: Cutting = Cutting(),
    reading: Reading = AS_STORED,
    tensor: Tensor = "maps",
) -> dict[str, dict[str, ArrayMeasure]]:
    """Measure every array of a .npy, .npz or trace file: by codec, then array, in the file's order.

    ``codecs`` are names as users write them; tables are fitted to each array itself.
    ``reading`` says how to interpret the arrays. Blocks follow each other in order, so no block
    table is needed. Blocks with a shape are those of machines, so they get the variants
    that networks use. ``tensor`` says which tensors of a trace; weights need lossless codecs. If
    there are several codecs, one that cannot code an array leaves it out. Raises ``UserError`` (or
    ``UnknownNameError``) that says what to do.
    """
    for codec in codecs:
        codec_of_any_width(codec)
    measures: dict[str, dict[str, ArrayMeasure]] = {codec: {} for codec in codecs}
    for name, stored, of_trace in read_arrays(path, tensor):
        try:
            values, word = reading.words_of(stored, of_trace)
            check_range(values, word)
        except CodecError as error:
            fix = (
                "give a width that holds the values with --bits or --word, or store them in a "
                "fitting dtype"
            )
            raise UserError(f"{path}[{name}]", str(error), fix) from None
        for codec in codecs:
            try:
                fitting = codec_named(codec, word, in_network=isinstance(cutting.block, tuple))
                if tensor == "weights":
                    check_lossless(fitting)
                measures[codec][name] = measure_array(values, fitting, cutting)
            except CodecError as error:
                if len(codecs) == 1:
                    fix = "choose another codec, other parameters (NAME:PARAMETER=VALUE) or --block"
                    raise UserError(f"{path}[{name}]", str(error), fix) from None
    return measures


def measure_array(values: Values, codec: Codec, cutting: Cutting = Cutting()) -> ArrayMeasure:
    """Fit ``codec`` on ``values`` (any shape, at least one), code them, and check the stream.

    >>> from accelsim.codecs.base import Word
    >>> zvc = codec_named("zvc", Word(8))
    >>> measure_array(np.array([0, 0, 7, 0], np.uint8), zvc).bits_per_value   # 12 bits
    3.0
    """
    counts = rates.histogram(values, codec.word)
    blocks = _in_blocks(values.astype(codec.word.dtype), cutting.block, codec)
    # Channels are only distinguished if blocks know them.
    codec = codec.fit(values if blocks.shapes else blocks.values)
    stats = codec.measure(blocks)
    check_stream(codec, blocks, stats.payload_bits, codec.encode(blocks))
    stored_bits, is_raw, side_bits = stats.payload_bits, np.zeros(0, bool), codec.table_bits
    error = (
        np.zeros(1) if codec.lossless else codec.reconstruct_blocks(blocks) - 1.0 * blocks.values
    )
    if cutting.fallback:
        stored = as_stored(stats, codec.word.bits, cutting.burst_bytes)
        stored_bits, is_raw = stored.bits, stored.is_raw
        side_bits += blocks.n_blocks
        if not codec.lossless:
            error[np.repeat(is_raw, blocks.sizes)] = 0
    stream_bits = int(stored_bits.sum())
    burst_bits = 8 * cutting.burst_bytes
    bursts = int((-(-stored_bits // burst_bits)).sum()) + ceil_div(side_bits, burst_bits)
    p50, p99, longest = np.percentile(stored_bits, (50, 99, 100), method="inverted_cdf")
    return ArrayMeasure(
        values=values.size,
        density=int(stats.nonzeros.sum()) / values.size,
        entropy_bits=rates.entropy_bits(counts),
        huffman_bits=rates.huffman_bits(counts),
        stream_bits=stream_bits,
        side_bits=side_bits,
        fetched_bits=bursts * burst_bits,
        bits_per_value=(stream_bits + side_bits) / values.size,
        blocks=blocks.n_blocks,
        block_bits_p50=int(p50),
        block_bits_p99=int(p99),
        block_bits_max=int(longest),
        word_bits=codec.word.bits,
        lossless=not error.any(),
        mse=float(np.mean(error**2)),
        reconstruction=codec.reconstruction,
    )


def _in_blocks(values: Values, block: int | BlockShape | TileShape | None, codec: Codec) -> Blocks:
    """Lossy codecs work on maps: an array of four dimensions is a stack of them."""
    if isinstance(block, tuple) and len(block) == 4:
        check_lossless(codec)
        weights = values.reshape(-1, *(1, 1, 1, *values.shape)[-3:])
        return cut_weights(weights, weight_tiles(weights.shape, block))
    if isinstance(block, tuple):
        return _cut_maps(values, block)
    if block is None and not codec.lossless:
        return one_block(values) if values.ndim <= 3 else _cut_maps(values, values.shape[-3:])
    starts = np.arange(0, values.size, block or values.size, dtype=np.int64)
    return Blocks(values.reshape(-1), np.append(starts, values.size))


def _cut_maps(values: Values, block: BlockShape) -> Blocks:
    """The blocks of each (channels, rows, cols), one map after the other."""
    maps = values.reshape(-1, *(1, 1, 1, *values.shape)[-3:])
    parts = [cut(each, block) for each in maps]
    sizes = np.concatenate([part.sizes for part in parts])
    extents = np.concatenate([part.shapes.extents for part in parts if part.shapes])
    return Blocks(
        np.concatenate([part.values for part in parts]),
        np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)]),
        Shapes(extents, False),
    )
