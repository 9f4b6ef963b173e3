"""Windows one at a time, to be read beside ``accelsim.mapping.windows.window``.

Channels count from the first channel of whatever the window lies
on: a stored map, or all parts of a layer's input side by side.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from accelsim.units import ceil_div

Block: TypeAlias = tuple[int, int, int]
"""(channels, rows, cols) of one compressed block."""


class Window3(NamedTuple):
    """Channels [c0, c1), rows [r0, r1), columns [q0, q1). Empty when a range is.

    >>> Window3(0, 2, 3, 5, 0, 7).n_values
    28
    """

    c0: int
    c1: int
    r0: int
    r1: int
    q0: int
    q1: int

    @property
    def extents(self) -> tuple[int, int, int]:
        """Channels, rows, columns; none is negative."""
        return max(0, self.c1 - self.c0), max(0, self.r1 - self.r0), max(0, self.q1 - self.q0)

    @property
    def n_values(self) -> int:
        channels, rows, cols = self.extents
        return channels * rows * cols


def intersection(a: Window3, b: Window3) -> Window3:
    """What two windows share; empty when they are apart.

    >>> intersection(Window3(0, 4, 0, 8, 0, 8), Window3(2, 6, 6, 9, 0, 8))
    Window3(c0=2, c1=4, r0=6, r1=8, q0=0, q1=8)
    """
    return Window3(
        max(a.c0, b.c0),
        min(a.c1, b.c1),
        max(a.r0, b.r0),
        min(a.r1, b.r1),
        max(a.q0, b.q0),
        min(a.q1, b.q1),
    )


def align(window: Window3, block: Block | None, extents: tuple[int, int, int]) -> Window3:
    """The smallest union of blocks around ``window``, on a map of ``extents``.

    Without blocks (linear maps) the window itself.

    >>> align(Window3(0, 3, 5, 6, 0, 13), (8, 4, 4), (16, 13, 13))
    Window3(c0=0, c1=8, r0=4, r1=8, q0=0, q1=13)
    """
    if block is None or not window.n_values:
        return window
    starts = [a // b * b for a, b in zip(window[::2], block, strict=True)]
    stops = [
        min(n, ceil_div(a, b) * b) for a, b, n in zip(window[1::2], block, extents, strict=True)
    ]
    return Window3(starts[0], stops[0], starts[1], stops[1], starts[2], stops[2])


def new_part(window: Window3, retained: Window3 | None) -> Window3:
    """What of ``window`` is not in the buffer, which still holds ``retained``.

    Only rows are kept, from a window of the same channels and columns that lay higher.

    >>> new_part(Window3(0, 8, 4, 10, 0, 9), Window3(0, 8, 0, 6, 0, 9))
    Window3(c0=0, c1=8, r0=6, r1=10, q0=0, q1=9)
    """
    if retained is None or not retained.n_values or retained.r0 > window.r0:
        return window
    if (retained.c0, retained.c1, retained.q0, retained.q1) != (
        window.c0,
        window.c1,
        window.q0,
        window.q1,
    ):
        return window
    first = min(max(window.r0, retained.r1), window.r1)
    return window._replace(r0=first)
