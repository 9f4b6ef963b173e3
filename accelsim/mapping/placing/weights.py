"""The weights of one stage: tile after tile in the order of their first use, stored raw.

A tile is what one pass loads, and starts on a line of its own. Tiles are to weights what blocks
are to maps, so tile t is the window [t, t + 1) along the first axis and [0, 1) along the others.
"""

from __future__ import annotations

from copy import copy
from typing import Final

import numpy as np

from accelsim.mapping.placing.bus import NO_LEVELS, Levels
from accelsim.mapping.placing.layout import Counts, Moves
from accelsim.mapping.windows.window import Ints, Windows
from accelsim.units import bits_to_bytes, ceil_div


class WeightTiles:
    """See the module's text.

    >>> tiles = WeightTiles(np.array([20, 3]), bits=8, base_line=7, line_bytes=16)
    >>> moves = tiles.reads(window_of(np.array([1, 0])), window_of(np.array([1, 0])))
    >>> moves.first_line.tolist(), moves.n_lines.tolist(), moves.counts.padding_bytes.tolist()
    ([9, 7], [1, 2], [13, 12])
    """

    table_line: Final = 0
    table_lines: Final = 0
    entries_per_line: Final = 0

    def __init__(
        self,
        n_values: Ints,
        bits: int,
        base_line: int,
        line_bytes: int,
        levels: Levels = NO_LEVELS,
    ) -> None:
        """``n_values`` [n_tiles] of ``bits`` each; ``levels`` are what they do on the pins."""
        self._n_values, self._base_line = n_values, base_line
        self._line_bytes, self._levels = line_bytes, levels
        self._n_bytes = bits_to_bytes(n_values * bits)
        self._n_lines = ceil_div(self._n_bytes, line_bytes)
        self._start = np.cumsum(self._n_lines) - self._n_lines
        self.total_lines = int(self._n_lines.sum())

    def moved_to(self, base_line: int) -> WeightTiles:
        """The same weights at another place."""
        moved = copy(self)
        moved._base_line = base_line
        return moved

    def reads(self, fetched: Windows, needed: Windows) -> Moves:
        """Whole tiles, all of whose weights are needed."""
        tile = fetched[:, 0]
        n, none = len(tile), np.zeros(len(tile), np.int64)
        n_bytes, n_lines = self._n_bytes[tile], self._n_lines[tile]
        costly_bits, toggles = self._levels.of(8 * n_bytes)
        return Moves(
            first=np.arange(n + 1),
            first_line=self._base_line + self._start[tile],
            n_lines=n_lines,
            work_cycles=none,
            first_table=np.zeros(n + 1, np.int64),
            table_line=np.zeros(0, np.int64),
            counts=Counts(
                needed_values=self._n_values[tile],
                needed_bytes=n_bytes,
                coded_bytes=n_bytes,
                padding_bytes=n_lines * self._line_bytes - n_bytes,
                overfetch_bytes=none,
                codec_values=none,
                fallback_blocks=none,
                costly_bits=costly_bits,
                toggles=toggles,
            ),
        )


def window_of(tile: Ints) -> Windows:
    """The windows [n, 6] of tiles [n]."""
    windows = np.zeros((len(tile), 6), np.int64)
    windows[:, 0], windows[:, 1::2] = tile, 1
    windows[:, 1] += tile
    return windows
