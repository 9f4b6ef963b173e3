"""Input stationary: K along the rows, pixels along the columns, time is output channels.

Weight stationary with the two operands exchanged (the transposed product): each PE keeps
one input value, N filters stream past. So with F = ceil(K/R) * ceil(M/C)::

    serial      cycles = F * (N + 2R + C - 2)
    overlapped  cycles = r_0 + sum over all folds but the first of max(N, r_f) + N + R + C - 2

See ``weight_stationary`` for the derivation, and for what becomes of zeros: here it is those of
weights that ``skip`` passes over, a filter in a fold where all r of its weights are zero.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from accelsim.array.dataflow import ConvPass, PassCost, PeGrid
from accelsim.array.dataflows.weight_stationary import DATAFLOW as WEIGHT_STATIONARY
from accelsim.array.matrix_dataflow import MatrixDataflow, Product, product_of
from accelsim.array.nonzeros import Nonzeros
from accelsim.units import Count


class InputStationary(MatrixDataflow):
    """See the module's text.

    >>> from accelsim.array.dataflow import Grid
    >>> array = Grid(32, 32, fold_overlap=False)
    >>> DATAFLOW.product_cost(Product(m=64, n=512, k=256, groups=1, accumulate=0), array).cycles
    9696
    """

    name = "input_stationary"
    skips = frozenset({"weight"})

    def product_cost(self, product: Product[Count], array: PeGrid) -> PassCost[Count]:
        return _mirrored(WEIGHT_STATIONARY.product_cost(_transposed(product), array))

    def cost_of(
        self, work: ConvPass[int], nonzeros: Nonzeros, array: PeGrid, skip: bool
    ) -> PassCost[int]:
        """See ``ZeroDataflow``."""
        product = _transposed(product_of(work))
        cost = WEIGHT_STATIONARY.product_cost_of(product, nonzeros.transposed, array, skip)
        return _mirrored(cost)

    def splits_sums(self, k: Count, array: PeGrid) -> Any:
        return WEIGHT_STATIONARY.splits_sums(k, array)


def _transposed(product: Product[Count]) -> Product[Count]:
    return replace(product, m=product.n, n=product.m)


def _mirrored(cost: PassCost[Count]) -> PassCost[Count]:
    """With the counts of the two operands exchanged."""
    return replace(
        cost,
        ifmap_reads=cost.weight_reads,
        weight_reads=cost.ifmap_reads,
        ifmap_registers=cost.weight_registers,
        weight_registers=cost.ifmap_registers,
        ifmap_rests=cost.weight_rests,
        weight_rests=cost.ifmap_rests,
    )


DATAFLOW = InputStationary()
