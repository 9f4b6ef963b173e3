"""Edges of a program as columns, for checks of all rows at once."""

import numpy as np
from numpy.typing import NDArray

from accelsim.program.table import NONE, Moment, Program


def edges(program: Program) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """[n] the row that waits, the one that it waits for, and for which moment of it."""
    needs = program.needs
    row = np.repeat(np.arange(program.rows.n_rows), np.diff(needs.first))
    return row, needs.source, needs.moment


def last_needed(program: Program, unit: int) -> NDArray[np.int64]:
    """[n_rows] the last row of a unit whose end each row waits for, or ``NONE``."""
    row, source, moment = edges(program)
    mine = (program.rows.unit[source] == unit) & (moment == Moment.DONE)
    found = np.full(program.rows.n_rows, NONE)
    np.maximum.at(found, row[mine], source[mine])
    return found
