"""Energy at different process nodes: the law by which published figures are scaled."""

from __future__ import annotations

from typing import Final

NODE_EXPONENT: Final = 1.9
"""Energy scales as node^1.9 between 22 and 65 nm. This is an assumption for logic; CACTI gives
exponents of 1.7 to 1.9 for the periphery and cells of a 128 KiB macro over these nodes."""


def scaled(energy_pj: float, from_nm: float, to_nm: float) -> float:
    """An energy published at one process node, at another.

    >>> round(scaled(0.2, 45, 22), 4)
    0.0513
    """
    return energy_pj * float((to_nm / from_nm) ** NODE_EXPONENT)
