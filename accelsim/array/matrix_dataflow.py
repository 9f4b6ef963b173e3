"""The base of dataflows that see a convolution as a matrix product.

M output pixels x N output channels, each a sum over K products; a grouped convolution is as
many such products after each other, fold after fold. Kernel, stride and dilation are lost in
K: each input value comes as often as windows hold it. A dataflow says which two of M, N and
K lie along the rows and columns of the array.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Generic

from accelsim.array.dataflow import ConvPass, PassCost, PeGrid
from accelsim.units import Count


@dataclass(frozen=True, slots=True)
class Product(Generic[Count]):
    """``groups`` products of m x n x k after each other, added to sums where ``accumulate``."""

    m: Count
    n: Count
    k: Count
    groups: Count
    accumulate: Count


def product_of(work: ConvPass[Count]) -> Product[Count]:
    """A pass as products."""
    m, k = work.rows * work.cols, work.in_channels * work.kernel_rows * work.kernel_cols
    return Product(m, work.out_channels, k, work.groups, work.accumulate)


class MatrixDataflow(ABC):
    """A dataflow of ``product_cost`` and ``splits_sums`` alone."""

    name: str

    def cost(self, work: ConvPass[Count], array: PeGrid) -> PassCost[Count]:
        """See ``Dataflow``."""
        return self.product_cost(product_of(work), array)

    def keeps_psums(self, work: ConvPass[Count], array: PeGrid) -> Any:
        """See ``Dataflow``."""
        return self.splits_sums(work.in_channels * work.kernel_rows * work.kernel_cols, array)

    @abstractmethod
    def product_cost(self, product: Product[Count], array: PeGrid) -> PassCost[Count]:
        """The cost of the product."""

    @abstractmethod
    def splits_sums(self, k: Count, array: PeGrid) -> Any:
        """Whether several folds add to one sum of k products, so that it waits between them."""
