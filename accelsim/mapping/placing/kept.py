"""A map that stays on the chip: it has no lines of DRAM, and its windows move none."""

from __future__ import annotations

from typing import Final

import numpy as np

from accelsim.mapping.placing.layout import Counts, Moves
from accelsim.mapping.stages.stage import StoredMap
from accelsim.mapping.windows.window import Ints, Windows


class KeptMap:
    """See the module's text."""

    block: Final = None
    total_lines: Final = 0
    table_line: Final = 0
    table_lines: Final = 0
    entries_per_line: Final = 0

    def __init__(self, stored: StoredMap) -> None:
        self.stored = stored

    def reads(self, fetched: Windows, needed: Windows) -> Moves:
        """Nothing for each window."""
        n = len(fetched)
        nowhere: Ints = np.zeros(n + 1, np.int64)
        nothing: Ints = np.zeros(0, np.int64)
        none: Ints = np.zeros(n, np.int64)
        counts = Counts(*[none] * len(Counts.__slots__))
        return Moves(nowhere, nothing, nothing, nothing, nowhere, nothing, counts)

    def writes(self, tiles: Windows) -> Moves:
        """Nothing for each tile."""
        return self.reads(tiles, tiles)
