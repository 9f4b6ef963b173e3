"""Collects rows and their edges while a network is lowered."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from accelsim.program.table import (
    NONE,
    Amounts,
    Column,
    ExtentTable,
    Moment,
    Needs,
    Program,
    Rows,
)
from accelsim.program.units import Pool, Unit
from accelsim.program.work import StageWork

Each: TypeAlias = int | Column
"""One number for all, or a column."""


class ProgramWriter:
    """Rows in order, many at a time; edges of any rows so far, in any order.

    >>> from accelsim.program.table import Kind
    >>> writer = ProgramWriter()
    >>> writer.add(np.array([Kind.COMPUTE, Kind.COMPUTE]), np.array([0, 1]), cycles=5)
    0
    >>> writer.need(np.array([1]), np.array([0]))
    >>> writer.program((Unit("a", 0, "x", "y"),) * 2, (), (), 1, 0).needs.first.tolist()
    [0, 0, 1]
    """

    def __init__(self) -> None:
        self.n_rows = 0
        self._rows = [np.zeros((5, 0), np.int64)]
        self._needs = [np.zeros((4, 0), np.int64)]
        self._takes = [np.zeros((3, 0), np.int64)]
        self._gives = [np.zeros((3, 0), np.int64)]
        self._moved: list[tuple[Column, Column]] = []
        self._extents = [np.zeros((3, 0), np.int64)]
        self._n_extents = 0

    def add(
        self, kind: Column, unit: Each, *, stage: Each = 0, image: Each = 0, cycles: Each = 0
    ) -> int:
        """Append rows [n] that move nothing so far; returns the number of the first."""
        first = self.n_rows
        self._rows.append(_table(len(kind), kind, unit, stage, image, cycles))
        self.n_rows += len(kind)
        return first

    def move(
        self, rows: Column, first: Column, first_line: Column, n_lines: Column, work_cycles: Each
    ) -> None:
        """Row ``rows[i]`` moves the extents [first[i], first[i + 1]) of these."""
        self._moved.append((rows, self._n_extents + first))
        self._extents.append(_table(len(first_line), first_line, n_lines, work_cycles))
        self._n_extents += len(first_line)

    def need(
        self, rows: Column, sources: Each, cause: int = NONE, moment: Moment = Moment.DONE
    ) -> None:
        """Each of ``rows`` waits for its one of ``sources``; ``NONE`` is nobody."""
        edges = _table(len(rows), rows, sources, moment, cause)
        self._needs.append(edges[:, edges[1] != NONE])

    def take(self, rows: Column, pool: Each, n_bytes: Each) -> None:
        """Rows wait for bytes of ``pool`` after all that they need; several calls add up."""
        self._takes.append(_table(len(rows), rows, pool, n_bytes))

    def give(self, rows: Column, pool: Each, n_bytes: Each) -> None:
        """Rows give bytes back when they are done; several calls add up."""
        self._gives.append(_table(len(rows), rows, pool, n_bytes))

    def program(
        self,
        units: tuple[Unit, ...],
        pools: tuple[Pool, ...],
        stages: tuple[StageWork, ...],
        n_images: int,
        total_lines: int,
    ) -> Program:
        """The finished tables."""
        kind, unit, stage, image, cycles = np.concatenate(self._rows, axis=1)
        first_extent, last_extent = np.zeros((2, self.n_rows), np.int64)
        for rows, first in self._moved:
            first_extent[rows], last_extent[rows] = first[:-1], first[1:]
        return Program(
            units=units,
            pools=pools,
            rows=Rows(kind, unit, stage, image, first_extent, last_extent, cycles),
            needs=_needs(self.n_rows, np.concatenate(self._needs, axis=1)),
            takes=_amounts(self.n_rows, len(pools), np.concatenate(self._takes, axis=1)),
            gives=_amounts(self.n_rows, len(pools), np.concatenate(self._gives, axis=1)),
            extents=ExtentTable(*np.concatenate(self._extents, axis=1)),
            stages=stages,
            n_images=n_images,
            total_lines=total_lines,
        )


def _table(n: int, *columns: Each) -> Column:
    found = np.empty((len(columns), n), np.int64)
    for row, column in zip(found, columns, strict=True):
        row[:] = column
    return found


def _starts(n_rows: int, rows: Column) -> Column:
    """[n_rows + 1] where the edges of each row begin among edges sorted by row."""
    return np.searchsorted(rows, np.arange(n_rows + 1)).astype(np.int64)


def _needs(n_rows: int, edges: Column) -> Needs:
    row, source, moment, cause = edges[:, np.argsort(edges[0], kind="stable")]
    return Needs(_starts(n_rows, row), source, moment, cause)


def _amounts(n_rows: int, n_pools: int, edges: Column) -> Amounts:
    """By row and pool, equal ones added up; nothing where nothing is taken or given."""
    row, pool, n_bytes = edges[:, edges[2] != 0]
    keys, place = np.unique(row * max(1, n_pools) + pool, return_inverse=True)
    total = np.zeros(len(keys), np.int64)
    np.add.at(total, place, n_bytes)
    rows, pools = np.divmod(keys, max(1, n_pools))
    return Amounts(_starts(n_rows, rows), pools, total)
