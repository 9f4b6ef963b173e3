"""What a dataflow promises: cycles, buffer and register accesses of a matrix product.

A pass of a layer is a product of M output pixels x N output channels, each a sum over K
products. A dataflow says which two of these lie along the rows and columns of the array.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from accelsim.registry import Registry

Count = TypeVar("Count", int, NDArray[np.int64])
"""An integer, or an array of them: the planner prices thousands of tilings at once."""


@dataclass(frozen=True)
class PassCost:
    """Cycles, buffer accesses and register accesses (in values, not bytes) of one pass.

    Register accesses are reads and writes inside the PEs, of all PEs together. A value that
    is handed on from PE to PE is written and read once in each; one that stays is written
    when it is loaded and then only read; a psum is read and written back for each product,
    wherever it stays or moves.
    """

    cycles: int
    ifmap_reads: int
    weight_reads: int
    psum_reads: int
    """Partial sums read back from the ofmap buffer."""
    psum_writes: int
    """Partial or final sums written to the ofmap buffer."""
    ifmap_registers: int
    weight_registers: int
    psum_registers: int


class Dataflow(Protocol):
    """The cycles of ``accelsim`` arrays; formulas in each implementation's docstring."""

    name: str

    def cycles(
        self, m: Count, n: Count, k: Count, groups: Count, rows: int, cols: int, overlap: bool
    ) -> Count:
        """Cycles of one pass: ``groups`` products of m x n x k (all >= 1) after each other.

        Takes integers, or arrays that broadcast.
        """
        ...

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
        """One pass on an array of ``rows`` x ``cols``.

        ``overlap`` hides fill and drain behind the stream of the neighbouring fold.
        ``accumulate`` says that partial sums of an earlier pass are added.
        ``groups`` such products follow each other, fold after fold (grouped convolutions).
        """
        ...


def n_folds(size: Count, array_size: int) -> Count:
    """How often ``size`` must be folded to fit a side of the array: the quotient, rounded up.

    >>> n_folds(33, 32)
    2
    """
    folds: Count = -(-size // array_size)
    return folds


def larger(a: Any, b: Any) -> Any:
    """``max`` of two integers, or of arrays element by element.

    >>> larger(3, 5)
    5
    """
    return (a + b + abs(a - b)) // 2


DATAFLOWS: Registry[Dataflow] = Registry(
    "dataflow", "accelsim.mapping.dataflows", "DATAFLOW", "accelsim.dataflows"
)
