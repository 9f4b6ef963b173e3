"""Weight stationary: K along the rows, output channels along the columns, time is pixels.

Each PE keeps one weight; M pixels stream from the left, partial sums run down the columns
and are added to the ofmap buffer at their foot. A fold is R products x C channels;
F = ceil(K/R) * ceil(N/C) folds, those along K first.

Serial (SCALE-Sim's model): R cycles load the weights through the columns, then the last
pixel leaves the far corner after M + R + C - 2 cycles::

    cycles = F * (M + 2R + C - 2)

Overlapped: a second weight register per PE is loaded while the first one is used::

    weights in  |r_0 of fold 0|r_1 of fold 1 |          |r_2 of fold 2
    PE (0, 0)                 |M pixels of fold 0       |M pixels of fold 1
    PE (1, 0)                  |M pixels of fold 0       |M pixels of fold 1

The load of a fold that uses r rows takes r cycles and may begin when its predecessor
begins to stream, because the wave frees the second registers in the order in which the
load fills them. So consecutive folds start max(M, r of the next) apart; the first load
is seen, and the last fold costs its whole way through the array::

    cycles = r_0 + sum over all folds but the first of max(M, r_f) + M + R + C - 2

Buffer accesses: every weight once; all inputs for each fold column; every fold along K
writes all sums of its columns and, but for the first, reads them back.

Register accesses: a weight is written as often as it comes from its buffer, and read for each
product; inputs and sums are handed on, written and read once for each product.
"""

from __future__ import annotations

from typing import Any

from accelsim.array.dataflow import PassCost, PeGrid, larger, n_folds
from accelsim.array.matrix_dataflow import MatrixDataflow, Product
from accelsim.units import Count


class WeightStationary(MatrixDataflow):
    """See the module's text.

    >>> from accelsim.array.dataflow import Grid
    >>> array = Grid(32, 32, fold_overlap=False)
    >>> DATAFLOW.product_cost(Product(m=64, n=512, k=256, groups=1, accumulate=0), array).cycles
    20224
    """

    name = "weight_stationary"

    def product_cost(self, product: Product[Count], array: PeGrid) -> PassCost[Count]:
        m, n, k, groups = product.m, product.n, product.k, product.groups
        row_folds, macs, sums = n_folds(k, array.rows), groups * m * n * k, groups * m * n
        weight_reads = groups * k * n
        return PassCost(
            cycles=_cycles(m, n, k, groups, array),
            macs=macs,
            ifmap_reads=groups * m * k * n_folds(n, array.cols),
            weight_reads=weight_reads,
            psum_reads=sums * (row_folds - 1 + product.accumulate),
            psum_writes=sums * row_folds,
            ifmap_registers=2 * macs,
            weight_registers=weight_reads + macs,
            psum_registers=2 * macs,
        )

    def splits_sums(self, k: Count, array: PeGrid) -> Any:
        return k > array.rows


def _cycles(m: Count, n: Count, k: Count, groups: Count, array: PeGrid) -> Count:
    rows, cols = array.rows, array.cols
    row_folds, col_folds = n_folds(k, rows), n_folds(n, cols)
    total: Count
    if not array.fold_overlap:
        total = groups * row_folds * col_folds * (m + 2 * rows + cols - 2)
        return total
    column = (row_folds - 1) * larger(m, rows) + larger(m, k - (row_folds - 1) * rows)
    first_load = k + rows - larger(k, rows)
    total = groups * col_folds * column - larger(m, first_load)
    total = total + first_load + m + rows + cols - 2
    return total


DATAFLOW = WeightStationary()
