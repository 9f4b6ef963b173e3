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

Zeros, ``gate``: a zero input is handed on as a flag, a zero weight stays outside its register,
and a weight is only read for a product that is made. Sums run down the columns all the same.
Cycles and buffer accesses are those of the dense array, zeros included.

Zeros, ``skip``, of inputs alone: the sums of a pixel pass all rows of a column in lockstep, so a
pixel can be passed over in a fold only if all r of its inputs there are zero. Then its sums need
not move, and stay in the ofmap buffer. The first fold along K of a first pass takes all pixels,
because sums start in it. With T_f pixels in fold f, at least one::

    serial      cycles = sum over all folds of T_f + 2R + C - 2
    overlapped  cycles = r_0 + sum over all folds but the first of max(T_(f-1), r_f)
                         + T of the last + R + C - 2

Buffers keep a flag for each value, so that zero inputs are not read; the sums of T_f pixels are
read and written in fold f. Zeros among the inputs of other pixels are gated.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from accelsim.array.dataflow import ConvPass, PassCost, PeGrid, larger, n_folds
from accelsim.array.matrix_dataflow import MatrixDataflow, Product, product_of
from accelsim.array.nonzeros import Ints, Nonzeros
from accelsim.units import Count


class WeightStationary(MatrixDataflow):
    """See the module's text.

    >>> from accelsim.array.dataflow import Grid
    >>> array = Grid(32, 32, fold_overlap=False)
    >>> DATAFLOW.product_cost(Product(m=64, n=512, k=256, groups=1, accumulate=0), array).cycles
    20224
    """

    name = "weight_stationary"
    skips = frozenset({"ifmap"})

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

    def cost_of(
        self, work: ConvPass[int], nonzeros: Nonzeros, array: PeGrid, skip: bool
    ) -> PassCost[int]:
        """See ``ZeroDataflow``."""
        return self.product_cost_of(product_of(work), nonzeros, array, skip)

    def product_cost_of(
        self, product: Product[int], nonzeros: Nonzeros, array: PeGrid, skip: bool
    ) -> PassCost[int]:
        """The same for a product."""
        dense = self.product_cost(product, array)
        made, macs = nonzeros.products, dense.macs
        gated = replace(
            dense,
            ifmap_registers=2 * nonzeros.of_ifmap,
            weight_registers=nonzeros.weights.total + made,
            skipped_macs=macs - made,
            ifmap_rests=macs - nonzeros.of_ifmap,
            weight_rests=macs - made,
        )
        if not skip:
            return gated
        passing = _pixels_passing(product, nonzeros, array.rows)
        used = np.minimum(array.rows, product.k - np.arange(0, product.k, array.rows))
        in_array = int((passing * used).sum()) * product.n
        sums = int(passing.sum()) * product.n
        unread = 0 if product.accumulate else int(passing[:, 0].sum()) * product.n
        return replace(
            gated,
            cycles=_cycles_of(passing, used, n_folds(product.n, array.cols), array),
            ifmap_reads=nonzeros.ifmap.total * n_folds(product.n, array.cols),
            psum_reads=sums - unread,
            psum_writes=sums,
            psum_registers=2 * in_array,
            psum_rests=macs - in_array,
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


def _pixels_passing(product: Product[int], nonzeros: Nonzeros, rows: int) -> Ints:
    """[groups, folds along K] pixels that are not passed over."""
    folds = np.arange(0, product.k, rows)
    found: Ints = np.logical_or.reduceat(nonzeros.ifmap.table, folds, axis=2).sum(axis=1)
    if not product.accumulate:
        found[:, 0] = product.m
    return np.maximum(1, found)


def _cycles_of(passing: Ints, used: Ints, col_folds: int, array: PeGrid) -> int:
    rows, cols = array.rows, array.cols
    times = np.repeat(passing[:, None, :], col_folds, axis=1)
    if not array.fold_overlap:
        return int(times.sum()) + times.size * (2 * rows + cols - 2)
    loads = np.broadcast_to(used, times.shape).ravel()
    times = times.ravel()
    between = np.maximum(times[:-1], loads[1:])
    return int(loads[0] + between.sum() + times[-1]) + rows + cols - 2


DATAFLOW = WeightStationary()
