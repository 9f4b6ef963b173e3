"""Bits of many fields at once: counting and transposing, a few instructions for 8 fields.

Both are the well-known tricks with one multiplication, as in Warren, "Hacker's Delight",
2nd edition 2012, sections 5-1 and 7-3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.jit import part


@part
def count_ones(field: int) -> int:
    """Ones in a field of up to 32 bits."""
    field -= (field >> 1) & 0x55555555
    field = (field & 0x33333333) + ((field >> 2) & 0x33333333)
    field = (field + (field >> 4)) & 0x0F0F0F0F
    return ((field * 0x01010101) >> 24) & 63


@part
def transpose(
    rows: NDArray[np.int64], n_rows: int, n_columns: int, columns: NDArray[np.int64]
) -> None:
    """``columns[c]`` becomes bit c of all rows, the first row leftmost, for up to 32 rows.

    Squares of 8 x 8 bits at once: a multiplication gathers a bit of each of 8 bytes.
    """
    for column in range(n_columns):
        columns[column] = 0
    for first in range(0, n_rows, 8):
        last = min(first + 8, n_rows)
        for shift in range(0, n_columns, 8):
            square = 0
            for row in range(first, last):
                square = (square << 8) | ((int(rows[row]) >> shift) & 255)
            for column in range(shift, min(shift + 8, n_columns)):
                lowest = (square >> (column - shift)) & 0x0101010101010101
                gathered = ((lowest * 0x0102040810204080) >> 56) & 255
                columns[column] = (int(columns[column]) << (last - first)) | gathered
