"""What a dataflow promises: the cycles and buffer accesses of a matrix product on the array.

A pass of a layer is a product of M output pixels x N output channels, each a sum over K
products. A dataflow says which two of these lie along the rows and columns of the array.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from accelsim.registry import Registry


@dataclass(frozen=True)
class PassCost:
    """Cycles and buffer accesses (in values, not bytes) of one pass."""

    cycles: int
    ifmap_reads: int
    weight_reads: int
    psum_reads: int
    """Partial sums read back from the ofmap buffer."""
    psum_writes: int
    """Partial or final sums written to the ofmap buffer."""


class Dataflow(Protocol):
    """The cycles of ``accelsim`` arrays; formulas in each implementation's docstring."""

    name: str

    def cost(
        self, m: int, n: int, k: int, rows: int, cols: int, overlap: bool, accumulate: bool
    ) -> PassCost:
        """One pass on an array of ``rows`` x ``cols``.

        ``overlap`` hides fill and drain behind the stream of the neighbouring fold.
        ``accumulate`` says that partial sums of an earlier pass are added.
        """
        ...


DATAFLOWS: Registry[Dataflow] = Registry(
    "dataflow", "accelsim.mapping.dataflows", "DATAFLOW", "accelsim.dataflows"
)
