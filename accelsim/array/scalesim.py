"""Compute cycles as SCALE-Sim v3 reports them, for comparisons.

Its folds are strictly serial, edge folds cost as much as full ones, and its report counts
from zero: "Total Cycles" is the number of the last cycle (its issue #125), one less than
the product of folds and cycles per fold.
"""

from __future__ import annotations

from accelsim.array.dataflow import ConvPass, Dataflow, Grid


def scalesim_total_cycles(dataflow: Dataflow, m: int, n: int, k: int, rows: int, cols: int) -> int:
    """ "Total Cycles" of SCALE-Sim's COMPUTE_REPORT without stalls.

    m: output pixels, by its shapes (rounded up); n: filters; k: products of one output.

    >>> from accelsim.array.dataflow import DATAFLOWS
    >>> scalesim_total_cycles(DATAFLOWS["output_stationary"], 64, 512, 256, 32, 32)
    10175
    """
    array = Grid(rows, cols, fold_overlap=False)
    work = ConvPass(m, 1, n, k, 1, 1, groups=1, accumulate=0, stride=(1, 1), dilation=(1, 1))
    return dataflow.cost(work, array).cycles - 1
