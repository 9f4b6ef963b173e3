"""Which operands of one pass are not zero: what a dataflow that leaves products out is told.

An operand of a pass is a table of lines: a line for each pixel, of the inputs in its window, or
a line for each filter, of its weights. Every line of either has the same k places, in the order
of a filter's weights (input channel, kernel row, kernel column), and a pixel and a filter make
one product at each place. Padding is zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Operand:
    """One operand. Where its zeros do not count as such (``is_dense``), none of it is zero."""

    k: int
    """Places of a line."""
    counts: Ints
    """[groups, n_lines] of the k places those that are not zero."""
    made: Callable[[], Bools] | None
    """Makes the table; None: dense."""

    @property
    def is_dense(self) -> bool:
        return self.made is None

    @property
    def n_lines(self) -> int:
        """Of each group."""
        return int(self.counts.shape[1])

    @property
    def total(self) -> int:
        """Places that are not zero, of all lines and groups."""
        return int(self.counts.sum())

    @cached_property
    def table(self) -> Bools:
        """[groups, n_lines, k] whether each place is not zero."""
        if self.made is None:
            return np.broadcast_to(True, (*self.counts.shape, self.k))
        return self.made()


def dense(groups: int, n_lines: int, k: int) -> Operand:
    """An operand whose zeros are values like others."""
    return Operand(k, np.full((groups, n_lines), k, np.int64), None)


def operand_of(table: Bools) -> Operand:
    """An operand by its table [groups, n_lines, k]."""
    return Operand(table.shape[2], table.sum(axis=2, dtype=np.int64), lambda: table)


@dataclass(frozen=True, eq=False)
class Nonzeros:
    """The operands of one pass.

    >>> one_pixel = operand_of(np.array([[[True, False, True]]]))
    >>> found = Nonzeros(one_pixel, dense(groups=1, n_lines=4, k=3))
    >>> found.of_ifmap, found.of_weights, found.products
    (8, 12, 8)
    """

    ifmap: Operand
    """Lines are pixels, row by row."""
    weights: Operand
    """Lines are filters."""

    @property
    def transposed(self) -> Nonzeros:
        """With pixels and filters exchanged."""
        return Nonzeros(self.weights, self.ifmap)

    @property
    def of_ifmap(self) -> int:
        """Products whose input value is not zero."""
        return self.ifmap.total * self.weights.n_lines

    @property
    def of_weights(self) -> int:
        """Products whose weight is not zero."""
        return self.weights.total * self.ifmap.n_lines

    @cached_property
    def products(self) -> int:
        """Products of which neither operand is zero."""
        if self.ifmap.is_dense:
            return self.of_weights
        if self.weights.is_dense:
            return self.of_ifmap
        by_place: list[Any] = [
            operand.table.sum(axis=1, dtype=np.int64) for operand in (self.ifmap, self.weights)
        ]
        return int((by_place[0] * by_place[1]).sum())

    @property
    def matches(self) -> Ints:
        """[groups, pixels, filters] products that each pair makes of which neither is zero.

        Where one operand is dense, that axis has length 1 and stands for all of its lines.
        """
        if self.weights.is_dense:
            return self.ifmap.counts[:, :, None]
        if self.ifmap.is_dense:
            return self.weights.counts[:, None, :]
        # Sums of ones are exact in float32 up to 2^24, and a product of matrices is fast.
        ifmap, weights = (x.table.astype(np.float32) for x in (self.ifmap, self.weights))
        found: Ints = (ifmap @ weights.transpose(0, 2, 1)).astype(np.int64)
        return found
