"""Collects rows and their edges while a network is lowered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from accelsim.program.table import (
    NONE,
    Amounts,
    Column,
    ExtentTable,
    Kind,
    Moment,
    Needs,
    Program,
    Rows,
)
from accelsim.program.units import Pool, Unit
from accelsim.program.work import StageWork


class ProgramWriter:
    """Rows in order; edges of any row so far, in any order.

    >>> writer = ProgramWriter()
    >>> first = writer.add(Kind.COMPUTE, unit=0, cycles=5)
    >>> second = writer.add(Kind.COMPUTE, unit=1, cycles=5)
    >>> writer.need(second, first)
    >>> writer.program((Unit("a", 0, "x", "y"),) * 2, (), (), 1, 0).needs.first.tolist()
    [0, 0, 1]
    """

    def __init__(self) -> None:
        self._rows: list[tuple[int, ...]] = []
        self._needs: list[tuple[int, int, int, int]] = []
        self._takes: list[tuple[int, int, int]] = []
        self._gives: list[tuple[int, int, int]] = []
        self._extents: list[tuple[Column, Column, Column]] = []
        self._n_extents = 0

    def add(self, kind: Kind, unit: int, *, stage: int = 0, image: int = 0, cycles: int = 0) -> int:
        """Append one row that moves nothing; returns its number."""
        at = self._n_extents
        self._rows.append((kind, unit, stage, image, at, at, cycles))
        return len(self._rows) - 1

    def transfer(
        self,
        unit: int,
        extents: tuple[Column, Column, Column],
        *,
        stage: int = 0,
        image: int = 0,
    ) -> int:
        """Append one TRANSFER of extents: their first lines, lines and codec cycles."""
        first = self._n_extents
        self._extents.append(extents)
        self._n_extents += len(extents[0])
        self._rows.append((Kind.TRANSFER, unit, stage, image, first, self._n_extents, 0))
        return len(self._rows) - 1

    def need(self, row: int, source: int, cause: int = NONE, moment: Moment = Moment.DONE) -> None:
        """``row`` waits for ``source``; ``NONE`` is nobody."""
        if source != NONE:
            self._needs.append((row, source, moment, cause))

    def take(self, row: int, pool: int, n_bytes: int) -> None:
        """``row`` waits for bytes of ``pool`` after all that it needs; several calls add up."""
        if n_bytes:
            self._takes.append((row, pool, n_bytes))

    def give(self, row: int, pool: int, n_bytes: int) -> None:
        """``row`` gives bytes back when it is done; several calls add up."""
        if n_bytes:
            self._gives.append((row, pool, n_bytes))

    def program(
        self,
        units: tuple[Unit, ...],
        pools: tuple[Pool, ...],
        stages: tuple[StageWork, ...],
        n_images: int,
        total_lines: int,
    ) -> Program:
        """The finished tables."""
        n_rows = len(self._rows)
        first, lines, work = (_joined([e[i] for e in self._extents]) for i in range(3))
        return Program(
            units=units,
            pools=pools,
            rows=Rows(*_columns(self._rows, 7)),
            needs=_needs(n_rows, *_columns(self._needs, 4)),
            takes=_amounts(n_rows, len(pools), *_columns(self._takes, 3)),
            gives=_amounts(n_rows, len(pools), *_columns(self._gives, 3)),
            extents=ExtentTable(first, lines, work),
            stages=stages,
            n_images=n_images,
            total_lines=total_lines,
        )


_EMPTY: Final = np.zeros(0, np.int64)


def _columns(rows: Sequence[tuple[int, ...]], n: int) -> tuple[Column, ...]:
    return tuple(np.array(rows, np.int64).reshape(-1, n).T.copy())


def _joined(parts: list[Column]) -> Column:
    return np.concatenate(parts) if parts else _EMPTY


def _starts(n_rows: int, rows: Column) -> Column:
    """[n_rows + 1] where the edges of each row begin among edges sorted by row."""
    return np.searchsorted(rows, np.arange(n_rows + 1)).astype(np.int64)


def _needs(n_rows: int, row: Column, source: Column, moment: Column, cause: Column) -> Needs:
    order = np.argsort(row, kind="stable")
    return Needs(_starts(n_rows, row[order]), source[order], moment[order], cause[order])


def _amounts(n_rows: int, n_pools: int, row: Column, pool: Column, n_bytes: Column) -> Amounts:
    """By row and pool, equal ones added up."""
    keys, place = np.unique(row * max(1, n_pools) + pool, return_inverse=True)
    total = np.zeros(len(keys), np.int64)
    np.add.at(total, place, n_bytes)
    rows, pools = np.divmod(keys, max(1, n_pools))
    return Amounts(_starts(n_rows, rows), pools, total)
