"""Raw values without blocks: any window is read exactly.

Values lie in groups of channels, then rows, columns, and the channels of the group innermost
(NVDLA's C-atoms, as many as the chip's codec block has), ``bits`` bits each without gaps
(``accelsim.mapping.windows.lines.Arrangement``).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from accelsim.mapping.placing.bus import NO_LEVELS, Levels
from accelsim.mapping.placing.layout import NOTHING, Extents, Ints
from accelsim.mapping.stages.stage import StoredMap
from accelsim.mapping.windows.lines import Arrangement
from accelsim.mapping.windows.window import Window3
from accelsim.units import bits_to_bytes, ceil_div


class LinearMap:
    """Raw values without blocks."""

    block: Final = None
    table_line: Final = 0
    table_lines: Final = 0
    entry_bits: Final = 0
    all_blocks: Final = NOTHING

    def __init__(
        self,
        stored: StoredMap,
        base_line: int,
        line_bytes: int,
        group: int,
        levels: Levels = NO_LEVELS,
    ) -> None:
        self.stored, self.base_line = stored, base_line
        self._line_bits = line_bytes * 8
        self._values = Arrangement(stored.channels, stored.rows, stored.cols, stored.bits, group)
        self._levels = levels
        self.total_lines = self.size_lines(stored, line_bytes)

    @staticmethod
    def size_lines(stored: StoredMap, line_bytes: int) -> int:
        """Lines that the map occupies."""
        return ceil_div(stored.n_values * stored.bits, line_bytes * 8)

    def extents(self, window: Window3, needed: Window3) -> Extents:
        """The runs of lines of ``window``; a line shared by neighbours is moved once.

        There are no blocks, so all values are needed; ``needed`` is ignored.
        """
        starts, stops = self._runs(window) if window.n_values else (NOTHING, NOTHING)
        bits = self.stored.bits
        first = starts * bits // self._line_bits
        last = -(-stops * bits // self._line_bits)  # one past
        # Runs are in rising order; a line that the run before already moves is left out.
        first[1:] = np.maximum(first[1:], np.maximum.accumulate(last)[:-1])
        keep = last > first
        first, last = first[keep], last[keep]
        coded = bits_to_bytes(window.n_values * bits)
        moved_bits = int((last - first).sum()) * self._line_bits
        none = np.zeros(len(first), np.int64)
        # Whole lines move: what of them the window does not need is data of the same map.
        costly, toggles = self._levels.of(moved_bits)
        return Extents(
            blocks=NOTHING,
            first_line=self.base_line + first,
            n_lines=last - first,
            decode_work=none,
            encode_work=none,
            coded_bytes=coded,
            padding_bytes=moved_bits // 8 - coded,
            overfetch_bytes=0,
            encoded_values=0,
            decoded_values=0,
            fallback_blocks=0,
            costly_bits=costly,
            toggles=toggles,
        )

    def entry_lines(self, blocks: Ints) -> Ints:
        """None: there is no table."""
        return NOTHING

    def _runs(self, w: Window3) -> tuple[Ints, Ints]:
        """[n] first and one-past-last value of each contiguous run, in rising order."""
        m, starts, stops = self.stored, [], []
        for origin, depth, c0, c1 in _parts(self._values, w.c0, w.c1):
            if c1 - c0 == depth and w.q0 == 0 and w.q1 == m.cols:
                first = np.array([w.r0 * m.cols * depth], np.int64)
                length = (w.r1 - w.r0) * m.cols * depth
            elif c1 - c0 == depth:
                rows = np.arange(w.r0, w.r1, dtype=np.int64)
                first = (rows * m.cols + w.q0) * depth
                length = (w.q1 - w.q0) * depth
            else:
                rows = np.arange(w.r0, w.r1, dtype=np.int64)[:, None] * m.cols
                pixels = (rows + np.arange(w.q0, w.q1, dtype=np.int64)).ravel()
                first, length = pixels * depth + c0, c1 - c0
            starts.append(origin + first)
            stops.append(origin + first + length)
        return np.concatenate(starts), np.concatenate(stops)


@lru_cache(maxsize=4096)  # the windows of a map share few ranges of channels
def _parts(values: Arrangement, start: int, stop: int) -> list[tuple[int, int, int, int]]:
    """(first value of the group, its channels, and which of them) of one range of channels."""
    found = values.parts(np.array([start]), np.array([stop]))
    columns = (n.tolist() for n in (found.origin, found.depth, found.start, found.stop))
    return list(zip(*columns, strict=True))
