"""Input stationary: K along the rows, pixels along the columns, time is output channels.

Weight stationary with the two operands exchanged (the transposed product): each PE keeps
one input value, N filters stream past. So with F = ceil(K/R) * ceil(M/C)::

    serial      cycles = F * (N + 2R + C - 2)
    overlapped  cycles = r_0 + sum over all folds but the first of max(N, r_f) + N + R + C - 2

See ``weight_stationary`` for the derivation.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from accelsim.array.dataflow import PassCost, PeGrid
from accelsim.array.dataflows.weight_stationary import DATAFLOW as WEIGHT_STATIONARY
from accelsim.array.matrix_dataflow import MatrixDataflow, Product
from accelsim.units import Count


class InputStationary(MatrixDataflow):
    """See the module's text.

    >>> from accelsim.array.dataflow import Grid
    >>> array = Grid(32, 32, fold_overlap=False)
    >>> DATAFLOW.product_cost(Product(m=64, n=512, k=256, groups=1, accumulate=0), array).cycles
    9696
    """

    name = "input_stationary"

    def product_cost(self, product: Product[Count], array: PeGrid) -> PassCost[Count]:
        transposed = replace(product, m=product.n, n=product.m)
        mirrored = WEIGHT_STATIONARY.product_cost(transposed, array)
        return replace(
            mirrored,
            ifmap_reads=mirrored.weight_reads,
            weight_reads=mirrored.ifmap_reads,
            ifmap_registers=mirrored.weight_registers,
            weight_registers=mirrored.ifmap_registers,
        )

    def splits_sums(self, k: Count, array: PeGrid) -> Any:
        return WEIGHT_STATIONARY.splits_sums(k, array)


DATAFLOW = InputStationary()
