"""Raw values without blocks: any window is read exactly.

Values lie in groups of channels, then rows, columns, and the channels of the group innermost
(NVDLA's C-atoms, as many as the chip's codec block has), ``bits`` bits each without gaps
(``accelsim.mapping.windows.lines.Arrangement``). A line that neighbours in a window share is
moved once.
"""

from __future__ import annotations

from copy import copy
from functools import partial
from typing import Final

import numpy as np

from accelsim.mapping.placing.bus import NO_LEVELS, Levels
from accelsim.mapping.placing.kernel import list_runs
from accelsim.mapping.placing.layout import Counts, Moves, listed, starts
from accelsim.mapping.stages.stage import StoredMap
from accelsim.mapping.windows.lines import Arrangement
from accelsim.mapping.windows.window import Windows, n_values
from accelsim.units import bits_to_bytes, ceil_div


class LinearMap:
    """See the module's text."""

    block: Final = None
    table_line: Final = 0
    table_lines: Final = 0
    entries_per_line: Final = 0

    def __init__(
        self,
        stored: StoredMap,
        base_line: int,
        line_bytes: int,
        group: int,
        levels: Levels = NO_LEVELS,
    ) -> None:
        """``group`` channels lie side by side; ``levels`` are what the values do on the pins."""
        self.stored, self.base_line = stored, base_line
        self._line_bits = line_bytes * 8
        self._values = Arrangement(stored.channels, stored.rows, stored.cols, stored.bits, group)
        self._levels = levels
        self.total_lines = ceil_div(stored.n_values * stored.bits, self._line_bits)

    def moved_to(self, base_line: int) -> LinearMap:
        """The same map at another place."""
        moved = copy(self)
        moved.base_line = base_line
        return moved

    def reads(self, fetched: Windows, needed: Windows) -> Moves:
        """The runs of lines of ``fetched``, whose values are all needed now or were before."""
        n, bits = len(fetched), self.stored.bits
        parts = self._values.parts(fetched[:, 0], fetched[:, 1])
        first_part = starts(np.bincount(parts.range, minlength=n))
        lie = *parts[2:], self.stored.cols, bits, self._line_bits
        make = partial(list_runs, fetched, first_part, *lie)
        first, first_line, n_lines = listed(make, n, n_lists=2)
        before = starts(n_lines)[first]
        moved_bytes = (before[1:] - before[:-1]) * (self._line_bits // 8)
        coded_bytes = bits_to_bytes(n_values(fetched) * bits)
        needed_values = n_values(needed)
        none = np.zeros(n, np.int64)
        # Whole lines move: what of them the window does not need is data of the same map.
        costly_bits, toggles = self._levels.of(8 * moved_bytes)
        return Moves(
            first=first,
            first_line=self.base_line + first_line,
            n_lines=n_lines,
            work_cycles=np.zeros(len(n_lines), np.int64),
            first_table=np.zeros(n + 1, np.int64),
            table_line=np.zeros(0, np.int64),
            counts=Counts(
                needed_values=needed_values,
                needed_bytes=bits_to_bytes(needed_values * bits),
                coded_bytes=coded_bytes,
                padding_bytes=moved_bytes - coded_bytes,
                overfetch_bytes=none,
                codec_values=none,
                fallback_blocks=none,
                costly_bits=costly_bits,
                toggles=toggles,
            ),
        )

    def writes(self, tiles: Windows) -> Moves:
        """As they are read."""
        return self.reads(tiles, tiles)
