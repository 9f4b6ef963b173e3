"""How every format packs bits: the first bit of a stream is bit 7 of its first byte.

Fields are written most significant bit first, without gaps, and may cross bytes. The
kernels touch up to ``PADDING`` bytes beyond the last field, so buffers carry that many
spare bytes; this saves a bounds test per field. The caller still checks that a field
ends inside its block before using it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.jit import kernel

PADDING = 8
"""Spare bytes after the payload in a buffer that kernels read or write."""

MAX_FIELD_BITS = 32
"""Widest field that ``put`` and ``get`` take at once."""


@kernel
def put(payload: NDArray[np.uint8], at: int, field: int, width: int) -> int:
    """Write the low ``width`` bits (0 to 32) of ``field`` at bit ``at``; returns the next bit.

    Fields are written in rising order: the bytes behind this field are cleared.
    """
    first = at >> 3
    window = (field & ((1 << width) - 1)) << (40 - width - (at & 7))
    payload[first] |= (window >> 32) & 255
    # Only stores from here: reading bytes that the last field stored would wait for it.
    payload[first + 1] = (window >> 24) & 255
    payload[first + 2] = (window >> 16) & 255
    payload[first + 3] = (window >> 8) & 255
    payload[first + 4] = window & 255
    return at + width


@kernel
def get(payload: NDArray[np.uint8], at: int, width: int) -> int:
    """The field of ``width`` bits (0 to 32) at bit ``at``."""
    first = at >> 3
    window = 0
    for i in range(first, first + 5):
        window = (window << 8) | int(payload[i])
    return (window >> (40 - width - (at & 7))) & ((1 << width) - 1)


def warm_up() -> None:
    """Compile the kernels of this file with the types of production."""
    payload = np.zeros(PADDING, np.uint8)
    put(payload, 0, 1, 1)
    get(payload, 0, 1)
