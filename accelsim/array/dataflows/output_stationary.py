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

Zeros, ``gate``: a zero is handed on as a flag, so it neither enters nor leaves registers, and the
sum of a PE that has one stays as it is. The other operand is handed on all the same, because
the next PE may need it. Cycles and buffer accesses are those of the dense array, zeros included.

Zeros, ``skip``: each row walks the non-zeros of its pixel (or each column those of its filter; of
both: each PE what its pixel and its filter share), in the order of k, and all PEs of a row wait
for the same stream. The streams of a fold start one behind the other as in the dense array, and
no row begins the next fold before the slowest has finished. So fold f takes the products of its
busiest PE, but at least one cycle: T_f. Its sums may again reach the shadow registers only behind
the r of the fold before, now T_f after its start::

    serial      cycles = sum over all folds of T_f + R + C - 2
    overlapped  cycles = T_0 + sum over all folds but the first of max(T_f, r_(f-1)) + R + C - 2

Buffers keep a flag for each value, so that only non-zeros of what is skipped are read and
handed on. An operand that is not skipped runs past the PEs as in the dense array, each value
once; it must come K / T_f times as fast, and wait in the PEs for their turn. Ports and space for
that are not modelled, nor are the flags. ``skip`` differs from ``gate`` in time and buffer reads
alone.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from accelsim.array.dataflow import ConvPass, PassCost, PeGrid, larger, n_folds
from accelsim.array.matrix_dataflow import MatrixDataflow, Product, product_of
from accelsim.array.nonzeros import Ints, Nonzeros
from accelsim.units import Count


class OutputStationary(MatrixDataflow):
    """See the module's text.

    >>> from accelsim.array.dataflow import Grid
    >>> array = Grid(32, 32, fold_overlap=False)
    >>> DATAFLOW.product_cost(Product(m=64, n=512, k=256, groups=1, accumulate=0), array).cycles
    10176
    """

    name = "output_stationary"
    skips = frozenset({"ifmap", "weight", "both"})

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

    def cost_of(
        self, work: ConvPass[int], nonzeros: Nonzeros, array: PeGrid, skip: bool
    ) -> PassCost[int]:
        """See ``ZeroDataflow``."""
        dense = self.product_cost(product_of(work), array)
        made, macs = nonzeros.products, dense.macs
        gated = replace(
            dense,
            ifmap_registers=2 * nonzeros.of_ifmap,
            weight_registers=2 * nonzeros.of_weights,
            psum_registers=2 * made,
            skipped_macs=macs - made,
            ifmap_rests=macs - nonzeros.of_ifmap,
            weight_rests=macs - nonzeros.of_weights,
            psum_rests=macs - made,
        )
        if not skip:
            return gated
        ifmap, weights = nonzeros.ifmap, nonzeros.weights
        return replace(
            gated,
            cycles=_cycles_of(nonzeros, array),
            ifmap_reads=ifmap.total * n_folds(weights.n_lines, array.cols),
            weight_reads=weights.total * n_folds(ifmap.n_lines, array.rows),
            ifmap_rests=macs - made,  # a product that is not made has no cycle
            weight_rests=macs - made,
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


def _cycles_of(nonzeros: Nonzeros, array: PeGrid) -> int:
    m, n = nonzeros.ifmap.n_lines, nonzeros.weights.n_lines
    first_row, first_col = np.arange(0, m, array.rows), np.arange(0, n, array.cols)
    slowest = nonzeros.matches
    for axis, first in ((1, first_row), (2, first_col)):
        if slowest.shape[axis] > 1:
            slowest = np.maximum.reduceat(slowest, first, axis)
    shape = len(slowest), len(first_row), len(first_col)
    times: Ints = np.broadcast_to(np.maximum(1, slowest), shape)
    drained = array.rows + array.cols - 2
    if not array.fold_overlap:
        return int(times.sum()) + times.size * drained
    in_order = times.transpose(0, 2, 1)
    used = np.broadcast_to(np.minimum(array.rows, m - first_row), in_order.shape).ravel()
    in_order = in_order.ravel()
    return int(in_order[0] + np.maximum(in_order[1:], used[:-1]).sum()) + drained


DATAFLOW = OutputStationary()
