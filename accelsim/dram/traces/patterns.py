"""Request patterns for comparing memories, in lines (bursts) of any memory.

A stream is the traffic of a DMA engine, three streams that of a layer (ifmap, weights, ofmap),
tiles that of windows of a feature map, and random reads that of tables. Seeds are fixed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.config import DramConfig
from accelsim.dram.traces.requests import Requests

STREAM_RUN_LINES: Final = 16
"""Lines that each of three streams moves before the next one takes its turn."""
TILE_ROW_BYTES: Final = 256
TILE_PITCH_BYTES: Final = 7168
"""From one row of a tile to the next: 56 columns of 128 channels, a byte each."""
TILE_ROWS: Final = 16
SEED: Final = 7


def stream_read(config: DramConfig, n: int) -> Requests:
    """One address after the other, read."""
    return saturating(config, np.arange(n), np.zeros(n))


def stream_write(config: DramConfig, n: int) -> Requests:
    """One address after the other, written."""
    return saturating(config, np.arange(n), np.ones(n))


def three_streams(config: DramConfig, n: int) -> Requests:
    """Two streams read and one written in turns, each in a third of the memory."""
    turn, within = np.divmod(np.arange(n), STREAM_RUN_LINES)
    stream, run = turn % 3, turn // 3
    base = stream * (config.n_lines // 4)
    return saturating(config, base + run * STREAM_RUN_LINES + within, stream == 2)


def tiles(config: DramConfig, n: int) -> Requests:
    """Tiles of 16 rows of 256 bytes, each row 7168 bytes after the previous, left to right."""
    row_lines = max(1, TILE_ROW_BYTES // config.line_bytes)
    pitch_lines = max(row_lines, TILE_PITCH_BYTES // config.line_bytes)
    tile, within = np.divmod(np.arange(n), row_lines * TILE_ROWS)
    row, column = np.divmod(within, row_lines)
    across = max(1, pitch_lines // row_lines)
    down, left = np.divmod(tile, across)
    line = (down * TILE_ROWS + row) * pitch_lines + left * row_lines + column
    return saturating(config, line, np.zeros(n))


def random_read(config: DramConfig, n: int) -> Requests:
    """Uniform over the memory (or its first GiB), read."""
    return saturating(config, random_lines(config, n), np.zeros(n))


def random_mixed(config: DramConfig, n: int) -> Requests:
    """The same addresses, half of them written."""
    writes = np.random.default_rng(SEED + 1).random(n) < 0.5
    return saturating(config, random_lines(config, n), writes)


PATTERNS: Final[dict[str, Callable[[DramConfig, int], Requests]]] = {
    "stream read": stream_read,
    "stream write": stream_write,
    "three streams": three_streams,
    "tiles": tiles,
    "random read": random_read,
    "random mixed": random_mixed,
}


def random_lines(config: DramConfig, n: int) -> NDArray[np.int64]:
    """[n] uniform line numbers of the memory, or of its first GiB."""
    end = min(config.n_lines, (1 << 30) // config.line_bytes)
    return np.random.default_rng(SEED).integers(0, end, n)


def saturating(
    config: DramConfig, line: NDArray[np.integer], is_write: NDArray[np.generic]
) -> Requests:
    """Requests as fast as they are accepted."""
    return at_load(config, line, is_write, 0.0)


def at_load(
    config: DramConfig,
    line: NDArray[np.integer],
    is_write: NDArray[np.generic],
    every_cycles: float,
) -> Requests:
    """One request every ``every_cycles`` DRAM cycles; addresses are modulo the memory size."""
    arrival = np.floor(np.arange(len(line)) * every_cycles).astype(np.int64)
    address = (np.asarray(line, np.int64) % config.n_lines) * config.line_bytes
    return Requests(address, np.asarray(is_write, np.int64), arrival)
