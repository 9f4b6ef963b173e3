"""A dataflow of an outside package: output stationary, with groups side by side.

Columns hold output channels of several groups at once, each fed with inputs of its own, so that a
depthwise convolution fills the array: F = ceil(M/R) * ceil(N G/C) folds of K cycles and their fill
and drain, instead of ceil(M/R) * ceil(N/C) * G. Inputs are read for each fold of a group's columns.
"""

from dataclasses import replace

from accelsim.array.dataflow import n_folds
from accelsim.array.dataflows.output_stationary import DATAFLOW as OUTPUT_STATIONARY
from accelsim.array.matrix_dataflow import MatrixDataflow


class SideBySide(MatrixDataflow):
    """See the module's text."""

    name = "side_by_side"

    def product_cost(self, product, array):
        n, groups = product.n * product.groups, product.groups
        together = OUTPUT_STATIONARY.product_cost(replace(product, n=n, groups=1), array)
        ifmap_reads = product.m * product.k * groups * n_folds(product.n, array.cols)
        return replace(together, ifmap_reads=ifmap_reads)

    def splits_sums(self, k, array):
        return False


DATAFLOW = SideBySide()
