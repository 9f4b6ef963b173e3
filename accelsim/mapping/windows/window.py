"""Windows of feature maps: boxes of channels, rows and columns, and what a fetch adds.

All functions are pure, and work on many windows at once. Channels count from the first channel
of whatever the window lies on: a stored map, or all parts of a layer's input side by side.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Block: TypeAlias = tuple[int, int, int]
"""(channels, rows, cols) of one compressed block."""
Windows: TypeAlias = NDArray[np.int64]
"""[n, 6]: channels, rows and columns of each, as [start, stop). Empty when one of them is."""


def n_values(windows: Windows) -> Ints:
    """[n] values of each window.

    >>> n_values(np.array([[0, 2, 3, 5, 0, 7], [0, 2, 5, 3, 0, 7]])).tolist()
    [28, 0]
    """
    sides = np.maximum(windows[:, 1::2] - windows[:, ::2], 0)
    found: Ints = sides[:, 0] * sides[:, 1] * sides[:, 2]
    return found


def inside(windows: Windows, first_channel: int, extents: tuple[int, int, int]) -> Windows:
    """What of each window lies on a map of ``extents`` whose channels begin at
    ``first_channel``; counted from the map's first. Empty ones are apart.

    >>> inside(np.array([[2, 6, 6, 9, 0, 8]]), 4, (8, 8, 8)).tolist()
    [[0, 2, 6, 8, 0, 8]]
    """
    found = windows.copy()
    found[:, :2] -= first_channel
    np.maximum(found[:, ::2], 0, out=found[:, ::2])
    np.minimum(found[:, 1::2], extents, out=found[:, 1::2])
    return found


def aligned(windows: Windows, block: Block | None, extents: tuple[int, int, int]) -> Windows:
    """The smallest union of blocks around each window, on a map of ``extents``.

    Without blocks (linear maps) the windows themselves.

    >>> aligned(np.array([[0, 3, 5, 6, 0, 13]]), (8, 4, 4), (16, 13, 13)).tolist()
    [[0, 8, 4, 8, 0, 13]]
    """
    if block is None:
        return windows
    found = np.empty_like(windows)
    found[:, ::2] = windows[:, ::2] // block * block
    found[:, 1::2] = np.minimum(-(-windows[:, 1::2] // block) * block, extents)
    empty = n_values(windows) == 0
    found[empty] = windows[empty]
    return found


def new_parts(windows: Windows, retained: Windows) -> Windows:
    """What of each window is not in the buffer, which still holds ``retained`` [n, 6]; an empty
    one stands for nothing.

    Only rows are kept, from a window of the same channels and columns that lay higher.

    >>> new_parts(np.array([[0, 8, 4, 10, 0, 9]]), np.array([[0, 8, 0, 6, 0, 9]]))
    array([[ 0,  8,  6, 10,  0,  9]])
    """
    same = (windows == retained)[:, [0, 1, 4, 5]].all(axis=1)
    kept = same & (retained[:, 2] <= windows[:, 2]) & (n_values(retained) > 0)
    found = windows.copy()
    first = np.minimum(np.maximum(windows[:, 2], retained[:, 3]), windows[:, 3])
    found[:, 2] = np.where(kept, first, windows[:, 2])
    return found
