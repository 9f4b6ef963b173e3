"""Output stationary: pixels along the rows, output channels along the columns, time is K.

Each PE keeps one partial sum while K operands stream past it, inputs from the left,
weights from the top. A fold is R pixels x C channels; F = ceil(M/R) * ceil(N/C) folds.

Serial (SCALE-Sim's model): PE (r, c) starts r + c cycles after PE (0, 0), so the far
corner ends K + R + C - 2 cycles after the fold began, and only then the next begins::

    cycles = F * (K + R + C - 2)

Overlapped: the next fold follows the wave of the present one through the array::

    PE (0, 0)   |K of fold 0|K of fold 1|
    PE (1, 0)    |K of fold 0|K of fold 1|
    column out                |r sums of fold 0 shifted down|

A finished sum moves into a shadow register; when the lowest used PE of a column has
finished, the r sums of that column shift out through its foot, one a cycle. Two bounds
separate the starts of consecutive folds: the PE is busy for K cycles, and the sums of the
next fold may reach the shadow registers only behind the r sums of this one. So fold f,
which uses r_f rows, costs max(K, r_f), and the last one its whole way through the array::

    cycles = sum over all folds but the last of max(K, r_f) + K + R + C - 2

Buffer accesses: each fold row reads all weights, each fold column all inputs. Sums leave
the PE once, finished for this pass; a later pass reads them back to add to them.

Register accesses: both operands of a product are handed on, written and read once each; its
sum is read and written in place.
"""

from __future__ import annotations

from accelsim.array.dataflow import PassCost, PeGrid, larger, n_folds
from accelsim.array.matrix_dataflow import MatrixDataflow, Product
from accelsim.units import Count


class OutputStationary(MatrixDataflow):
    """See the module's text.

    >>> from accelsim.array.dataflow import Grid
    >>> array = Grid(32, 32, fold_overlap=False)
    >>> DATAFLOW.product_cost(Product(m=64, n=512, k=256, groups=1, accumulate=0), array).cycles
    10176
    """

    name = "output_stationary"

    def product_cost(self, product: Product[Count], array: PeGrid) -> PassCost[Count]:
        m, n, k, groups = product.m, product.n, product.k, product.groups
        macs, sums = groups * m * n * k, groups * m * n
        return PassCost(
            cycles=_cycles(m, n, k, groups, array),
            macs=macs,
            ifmap_reads=groups * m * k * n_folds(n, array.cols),
            weight_reads=groups * k * n * n_folds(m, array.rows),
            psum_reads=sums * product.accumulate,
            psum_writes=sums,
            ifmap_registers=2 * macs,
            weight_registers=2 * macs,
            psum_registers=2 * macs,
        )

    def splits_sums(self, k: Count, array: PeGrid) -> bool:
        return False


def _cycles(m: Count, n: Count, k: Count, groups: Count, array: PeGrid) -> Count:
    rows, cols = array.rows, array.cols
    row_folds, col_folds = n_folds(m, rows), n_folds(n, cols)
    whole_fold = k + rows + cols - 2
    total: Count
    if not array.fold_overlap:
        total = groups * row_folds * col_folds * whole_fold
        return total
    last_period = larger(k, m - (row_folds - 1) * rows)
    column = (row_folds - 1) * larger(k, rows) + last_period
    total = groups * col_folds * column - last_period + whole_fold
    return total


DATAFLOW = OutputStationary()
