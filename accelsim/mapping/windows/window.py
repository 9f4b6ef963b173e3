"""Windows of feature maps: boxes of channels, rows and columns, many at once.

Channels count from the first channel of whatever the windows lie on: a stored map, or all parts of
a layer's input side by side.
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
