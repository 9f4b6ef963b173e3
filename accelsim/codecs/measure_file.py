"""What a codec makes of the arrays of a file: behind ``accelsim codecs measure``.

Every number comes from a stream that was written and read back. An array is one block in
C order unless a block size is given; its word is its dtype's unless a width is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from accelsim.codecs import rates
from accelsim.codecs.array_files import read_arrays
from accelsim.codecs.base import CODECS, Blocks, Codec, Values, Word
from accelsim.codecs.measure import check_stream, with_fallback
from accelsim.errors import CodecError, UserError


@dataclass(frozen=True)
class ArrayMeasure:
    """One coded array. All ``_bits`` are totals of the array."""

    values: int
    density: float
    """Share of values that are not zero."""
    entropy_bits: float
    huffman_bits: int
    """Ideal Huffman code, without table."""
    stream_bits: int
    """Everything in the format's bit layout, unpadded."""
    side_bits: int
    """Tables and parameters, and one flag a block where raw fallback is on."""
    bits_per_value: float
    """(stream_bits + side_bits) / values."""
    lossless: bool
    """Whether decoding returns exactly these values."""
    mse: float
    """Mean squared error of the decoded values, in integer steps squared."""


def measure_file(
    path: str | Path,
    codec: str,
    *,
    block: int | None = None,
    bits: int | None = None,
    fallback: bool = False,
) -> dict[str, ArrayMeasure]:
    """Measure every array of a .npy, .npz or trace file, in the file's order.

    ``codec`` is a registered name; tables are fitted on each array itself. ``block`` is
    the number of values in a block, ``bits`` the word width; ``fallback`` stores a block
    raw where its stream is not shorter. Blocks follow each other in order, so that no
    index is needed. Raises ``UserError`` (or ``UnknownNameError``) with what to do.
    """
    kind = CODECS[codec]
    if block is not None and block < 1:
        raise UserError("--block", f"is {block}", "give a number of values, at least 1")
    measures = {}
    for name, values, word in read_arrays(path):
        try:
            measures[name] = measure_array(
                values, kind.for_word(_word(values, word, bits)), block, fallback
            )
        except CodecError as error:
            fix = "give the word width with --bits, or store the values in a fitting dtype"
            raise UserError(f"{path}[{name}]", str(error), fix) from None
    return measures


def measure_array(
    values: Values, codec: Codec, block: int | None = None, fallback: bool = False
) -> ArrayMeasure:
    """Fit ``codec`` on ``values`` (any shape, at least one), code them, and check the stream.

    >>> from accelsim.codecs.base import CODECS, Word
    >>> zvc = CODECS["zvc"].for_word(Word(8))
    >>> measure_array(np.array([0, 0, 7, 0], np.uint8), zvc).bits_per_value   # 12 bits
    3.0
    """
    codec = codec.fit(values)
    counts = rates.histogram(values, codec.word)
    blocks = _in_blocks(values.astype(codec.word.dtype).reshape(-1), block)
    stats = codec.measure(blocks)
    check_stream(codec, blocks, stats.payload_bits)
    stored_bits, is_raw, side_bits = stats.payload_bits, np.zeros(0, bool), codec.table_bits
    error = (
        np.zeros(1) if codec.lossless else codec.reconstruct_blocks(blocks) - 1.0 * blocks.values
    )
    if fallback:
        stored_bits, is_raw = with_fallback(stats, codec.word)
        side_bits += blocks.n_blocks
        if not codec.lossless:
            error[np.repeat(is_raw, blocks.sizes)] = 0
    stream_bits = int(stored_bits.sum())
    return ArrayMeasure(
        values=values.size,
        density=int(stats.nonzeros.sum()) / values.size,
        entropy_bits=rates.entropy_bits(counts),
        huffman_bits=rates.huffman_bits(counts),
        stream_bits=stream_bits,
        side_bits=side_bits,
        bits_per_value=(stream_bits + side_bits) / values.size,
        lossless=not error.any(),
        mse=float(np.mean(error**2)),
    )


def _in_blocks(flat: Values, block: int | None) -> Blocks:
    starts = np.arange(0, flat.size, block or flat.size, dtype=np.int64)
    return Blocks(flat, np.append(starts, flat.size))


def _word(values: Values, word: Word | None, bits: int | None) -> Word:
    own = word or Word(min(16, 8 * values.itemsize), values.dtype.kind == "i")
    if bits is not None:
        return Word(bits, own.signed)
    if word is None and values.itemsize > 2:
        raise CodecError(f"holds {values.dtype}, wider than the 16 bits of the widest word")
    return own
