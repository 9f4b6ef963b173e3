"""The program: one flat table of tile operations for the whole network.

A row is one operation on one tile; a stage or layer is only a label on it. Rows are in
the order in which the machine starts them. The simulation plays the table and counts; it
knows nothing of layers, blocks or codecs.

Rows of kind READ bring extents of lines from DRAM through the decoder into a buffer. Rows
of kind COMPUTE and VECTOR occupy the PE array or the vector unit. Rows of kind WRITE take
a finished tile through the encoder to DRAM. Where the drain path adds a shortcut, the
COMPUTE that finishes a tile also needs a READ of that tile of the shortcut. Buffers are byte
counters: a READ takes bytes of its buffer, the COMPUTE that last uses them gives them back;
the first COMPUTE of an output tile takes bytes of the ofmap buffer, its last WRITE gives
them back. Rows that overlapping pooling keeps lie in the ofmap buffer from a stage's first
COMPUTE to its last.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from accelsim.program.work import StageWork

NONE = -1
Column = NDArray[np.int64]


class Kind(IntEnum):
    """What a row does."""

    READ = 0
    COMPUTE = 1
    VECTOR = 2
    WRITE = 3


class Requester(IntEnum):
    """The DMA engines, each with its own queue at the memory."""

    IFMAP = 0
    WEIGHT = 1
    INDEX = 2
    OFMAP = 3


@dataclass(frozen=True)
class Rows:
    """The table, by column. All arrays are [n_rows] int64; row numbers or ``NONE``."""

    kind: Column
    stage: Column
    image: Column
    requester: Column
    """READ and WRITE: the DMA engine; otherwise ``NONE``."""
    first_extent: Column
    last_extent: Column
    """READ and WRITE: extents [first, last)."""
    cycles: Column
    """COMPUTE and VECTOR: core cycles."""
    after: Column
    """READ: the WRITE that must be accepted before. WRITE: the COMPUTE that makes the tile."""
    index: Column
    """READ: the last INDEX READ that it needs, of table entries of its blocks or codec tables."""
    needs_ifmap: Column
    """COMPUTE: the last ifmap READ whose tile it uses. A COMPUTE before it waited for each
    earlier one: they are not needed here. INDEX READ: starts no
    earlier than this ifmap READ, the one before its own."""
    needs_weight: Column
    needs_shortcut: Column
    """COMPUTE: the ifmap READ of the shortcut tile that is added to what it finishes."""
    acquire_bytes: Column
    """READ: bytes of its buffer. COMPUTE: bytes of the ofmap buffer."""
    release_ifmap_bytes: Column
    release_weight_bytes: Column
    release_ofmap_bytes: Column

    @property
    def n_rows(self) -> int:
        return len(self.kind)

    @property
    def on_array(self) -> Column:
        """[n] the COMPUTE and VECTOR rows, in the order in which the array makes them."""
        return np.flatnonzero((self.kind == Kind.COMPUTE) | (self.kind == Kind.VECTOR))


@dataclass(frozen=True)
class ExtentTable:
    """Runs of consecutive DRAM lines. For compressed maps one extent is one block."""

    first_line: Column
    n_lines: Column
    work_cycles: Column
    """Cycles that a decoder (reads) or encoder (writes) lane spends; 0 passes it by."""


@dataclass(frozen=True)
class Program:
    """The whole network as work."""

    rows: Rows
    extents: ExtentTable
    stages: tuple[StageWork, ...]
    n_images: int
    total_lines: int
    """Lines of DRAM that the tensors occupy."""


class RowWriter:
    """Collects rows while lowering; ``table`` freezes them."""

    def __init__(self) -> None:
        self._rows: list[dict[str, int]] = []
        self._first: list[NDArray[np.int64]] = []
        self._lines: list[NDArray[np.int64]] = []
        self._work: list[NDArray[np.int64]] = []
        self._n_extents = 0

    def add(self, **values: int) -> int:
        """Append one row; columns not named are ``NONE`` (references) or 0 (amounts)."""
        row = _BLANK | values
        if len(row) > len(_BLANK):
            raise TypeError(f"unknown columns {sorted(row.keys() - _BLANK.keys())}")
        self._rows.append(row)
        return len(self._rows) - 1

    def add_extents(
        self, first_line: Column, n_lines: Column, work_cycles: Column
    ) -> tuple[int, int]:
        """Append extents; returns their range."""
        start = self._n_extents
        self._first.append(first_line)
        self._lines.append(n_lines)
        self._work.append(work_cycles)
        self._n_extents += len(first_line)
        return start, self._n_extents

    def add_to(self, row: int, column: str, amount: int) -> None:
        """Add to one cell of a row that is already written (a release becomes known later)."""
        self._rows[row][column] += amount

    def table(self) -> tuple[Rows, ExtentTable]:
        """The finished tables."""
        rows = Rows(**{n: np.array([row[n] for row in self._rows], np.int64) for n in _BLANK})
        parts = (self._first, self._lines, self._work)
        first, lines, work = (np.concatenate(p) if p else np.zeros(0, np.int64) for p in parts)
        return rows, ExtentTable(first, lines, work)


_REFERENCES = {"requester", "after", "index", "needs_ifmap", "needs_weight", "needs_shortcut"}
_BLANK = {f.name: NONE if f.name in _REFERENCES else 0 for f in fields(Rows)}
