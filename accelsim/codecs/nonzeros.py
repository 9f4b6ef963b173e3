"""Counting the non-zero values of each block."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelsim.jit import kernel


@kernel
def _count(
    values: NDArray[np.unsignedinteger[Any]], offsets: NDArray[np.int64], counts: NDArray[np.int64]
) -> None:
    for block in range(len(counts)):
        n_nonzeros = 0
        for i in range(offsets[block], offsets[block + 1]):
            n_nonzeros += values[i] != 0
        counts[block] = n_nonzeros


def count_nonzeros(
    values: NDArray[np.integer[Any]], offsets: NDArray[np.int64]
) -> NDArray[np.int64]:
    """[n_blocks] values other than zero in ``values[offsets[i]:offsets[i + 1]]``.

    >>> count_nonzeros(np.array([0, -7, 0]), np.array([0, 2, 3]))
    array([1, 0])
    """
    # As unsigned integers of the same width, so that a kernel has one type per width.
    flat = np.require(values, requirements=["C", "W"]).view(f"u{values.itemsize}")
    counts = np.empty(len(offsets) - 1, np.int64)
    _count(flat, np.require(offsets, np.int64, ["C", "W"]), counts)
    return counts


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    for dtype in (np.uint8, np.uint16):
        count_nonzeros(np.zeros(1, dtype), np.array([0, 1], np.int64))
