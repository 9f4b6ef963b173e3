"""The program: one flat table of tile operations for the whole network.

A row is one operation on one tile; a stage or layer is only a label on it. One rule holds
for every row: its unit takes its rows in order; the row waits for the rows that it *needs*,
*takes* bytes of pools, works or transfers, and *gives* bytes back. Needs, takes and gives
are edge lists beside the table. Units and pools are tables of their own
(``accelsim.program.units``). The simulation plays all this and counts; it knows nothing of
layers, blocks, codecs or buffers by name.

Rows are numbered in the order in which an array needs their work: the memory serves the
smaller number first.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from accelsim.program.units import Pool, Unit
from accelsim.program.work import StageWork

NONE: Final = -1
Column = NDArray[np.int64]


class Kind(IntEnum):
    """What a row does."""

    TRANSFER = 0
    """Moves extents of lines between the levels of its unit."""
    COMPUTE = 1
    """Occupies a PE array."""
    VECTOR = 2
    """Occupies the vector unit, which takes turns with the array of its core."""
    RESERVE = 3
    """Takes no time: what needs it may use the bytes that it took."""


class Moment(IntEnum):
    """What of a row another one waits for."""

    DONE = 0
    """Work has ended; what was read is decoded; the last line written is accepted."""
    SUBMITTED = 1
    """A transfer has got its space and went to the memory."""


@dataclass(frozen=True)
class Rows:
    """The table, by column. All arrays are [n_rows] int64."""

    kind: Column
    unit: Column
    stage: Column
    image: Column
    first_extent: Column
    last_extent: Column
    """TRANSFER: extents [first, last)."""
    cycles: Column
    """COMPUTE and VECTOR: core cycles."""

    @property
    def n_rows(self) -> int:
        return len(self.kind)

    @cached_property
    def working(self) -> Column:
        """[n] the COMPUTE and VECTOR rows, in order."""
        return np.flatnonzero((self.kind == Kind.COMPUTE) | (self.kind == Kind.VECTOR))


@dataclass(frozen=True)
class Needs:
    """Rows that each row waits for, in the order in which it asks: [first[r], first[r + 1])."""

    first: Column  # [n_rows + 1]
    source: Column
    moment: Column
    cause: Column
    """``Cause`` charged for time in which the source itself worked; ``NONE``: what the walk
    back in time brought along (see ``accelsim.sim.stalls``)."""

    def of(self, row: int) -> Column:
        """The sources of one row."""
        return self.source[self.first[row] : self.first[row + 1]]


@dataclass(frozen=True)
class Amounts:
    """Bytes of pools by row, at most one entry for a pool: [first[r], first[r + 1])."""

    first: Column  # [n_rows + 1]
    pool: Column
    n_bytes: Column

    def by_row(self, pool: int) -> Column:
        """[n_rows] the bytes of one pool.

        >>> Amounts(np.array([0, 0, 2]), np.array([0, 1]), np.array([5, 7])).by_row(1).tolist()
        [0, 7]
        """
        row = np.repeat(np.arange(len(self.first) - 1), np.diff(self.first))
        mine = self.pool == pool
        found = np.zeros(len(self.first) - 1, np.int64)
        found[row[mine]] = self.n_bytes[mine]
        return found


@dataclass(frozen=True)
class ExtentTable:
    """Runs of consecutive DRAM lines. For compressed maps one extent is one block."""

    first_line: Column
    n_lines: Column
    work_cycles: Column
    """Cycles that a decoder (reads) or encoder (writes) lane spends; 0 passes it by."""


@dataclass(frozen=True)
class Program:
    """The whole network as work for the units and pools of a chip."""

    units: tuple[Unit, ...]
    pools: tuple[Pool, ...]
    rows: Rows
    needs: Needs
    takes: Amounts
    gives: Amounts
    extents: ExtentTable
    stages: tuple[StageWork, ...]
    n_images: int
    total_lines: int
    """Lines of DRAM that the tensors occupy."""

    @cached_property
    def is_read(self) -> NDArray[np.bool_]:
        """[n_rows] whether a row reads DRAM."""
        return np.array([unit.reads_dram for unit in self.units])[self.rows.unit]

    @cached_property
    def is_write(self) -> NDArray[np.bool_]:
        """[n_rows] whether a row writes DRAM."""
        return np.array([unit.writes_dram for unit in self.units])[self.rows.unit]
