"""The rule of the raw fallback, by bursts of the memory: which blocks are stored uncoded.

Memories move whole bursts. A stream that is shorter in bits than the raw block, but not in
bursts, saves nothing and would still have to be decoded; such a block is stored raw. The
contents of DRAM, the error of lossy codecs and the rate of the stored stream all follow from
``as_stored``, so that they refer to the same blocks.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.base import BlockStats

Ints = NDArray[np.int64]


class StoredBlocks(NamedTuple):
    """Blocks as they are stored in DRAM. All arrays are [n_blocks]."""

    is_raw: NDArray[np.bool_]
    bits: Ints
    """Bits of the stream or of the raw values, unpadded."""
    n_bytes: Ints
    n_bursts: Ints
    raw_bursts: Ints
    """Bursts that each block would take raw."""


def as_stored(stats: BlockStats, word_bits: int, burst_bytes: int) -> StoredBlocks:
    """Each block as its stream, or raw if its stream needs no fewer bursts.

    The flags that say which blocks are raw belong to the layout and are not counted here.

    >>> ones = np.array([1, 1])
    >>> stats = BlockStats(np.array([64, 64]), np.array([480, 384]), ones, ones, ones)
    >>> as_stored(stats, 8, 16).is_raw   # 64 bytes raw: 4 bursts; streams of 60 and 48 bytes
    array([ True, False])
    >>> as_stored(stats, 8, 64).is_raw   # all fit one burst of 64 bytes
    array([ True,  True])
    """
    raw_bits = stats.n_values * word_bits
    raw_bursts, coded_bursts = (
        -(-bits // (8 * burst_bytes)) for bits in (raw_bits, stats.payload_bits)
    )
    is_raw = coded_bursts >= raw_bursts
    bits = np.where(is_raw, raw_bits, stats.payload_bits)
    return StoredBlocks(
        is_raw, bits, -(-bits // 8), np.where(is_raw, raw_bursts, coded_bursts), raw_bursts
    )
