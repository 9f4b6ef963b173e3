"""DRAM commands as CSV, one per line, in the order in which they are issued."""

from __future__ import annotations

import csv
from typing import Final, TextIO

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.command import COMMANDS, Log

CSV_HEADER: Final = ("cycle", "command", "channel", "rank", "bankgroup", "bank", "row", "col")


class CommandCsv:
    """Writes commands to ``file``, below a header, with -1 where a column does not apply."""

    def __init__(self, file: TextIO) -> None:
        self._out = csv.writer(file, lineterminator="\n")
        self._out.writerow(CSV_HEADER)

    def write(self, commands: NDArray[np.int64]) -> None:
        """Add ``commands``, [n, len(Log)]."""
        for row in commands.tolist():
            row[Log.COMMAND] = COMMANDS[row[Log.COMMAND]]
            self._out.writerow(row)
