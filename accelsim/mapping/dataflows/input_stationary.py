"""Input stationary: K along the rows, pixels along the columns, time is output channels.

Weight stationary with the two operands exchanged (the transposed product): each PE keeps
one input value, N filters stream past. So with F = ceil(K/R) * ceil(M/C)::

    serial      cycles = F * (N + 2R + C - 2)
    overlapped  cycles = r_0 + sum over all folds but the first of max(N, r_f) + N + R + C - 2

See ``weight_stationary`` for the derivation.
"""

from __future__ import annotations

from accelsim.mapping.dataflow import Count, PassCost
from accelsim.mapping.dataflows.weight_stationary import DATAFLOW as WEIGHT_STATIONARY


class InputStationary:
    """See the module's text.

    >>> DATAFLOW.cost(m=64, n=512, k=256, rows=32, cols=32, overlap=False, accumulate=False).cycles
    9696
    """

    name = "input_stationary"

    def cycles(
        self, m: Count, n: Count, k: Count, groups: Count, rows: int, cols: int, overlap: bool
    ) -> Count:
        return WEIGHT_STATIONARY.cycles(n, m, k, groups, rows, cols, overlap)

    def cost(
        self,
        m: int,
        n: int,
        k: int,
        rows: int,
        cols: int,
        overlap: bool,
        accumulate: bool,
        groups: int = 1,
    ) -> PassCost:
        mirrored = WEIGHT_STATIONARY.cost(n, m, k, rows, cols, overlap, accumulate, groups)
        return PassCost(
            cycles=mirrored.cycles,
            ifmap_reads=mirrored.weight_reads,
            weight_reads=mirrored.ifmap_reads,
            psum_reads=mirrored.psum_reads,
            psum_writes=mirrored.psum_writes,
            ifmap_registers=mirrored.weight_registers,
            weight_registers=mirrored.ifmap_registers,
            psum_registers=mirrored.psum_registers,
        )


DATAFLOW = InputStationary()
