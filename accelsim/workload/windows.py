"""What a sliding window sees: padding, and the values under each of its positions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelsim.workload.layer import Window
from accelsim.workload.trace import Values


def pad(values: NDArray[Any], window: Window, fill: float) -> NDArray[Any]:
    """Maps [..., rows, cols] with the window's padding around them."""
    top, bottom, left, right = window.padding
    if not any(window.padding):
        return values
    around = ((0, 0),) * (values.ndim - 2) + ((top, bottom), (left, right))
    return np.pad(values, around, constant_values=fill)


def positions(
    padded: NDArray[Any], window: Window, out_size: tuple[int, int]
) -> list[NDArray[Any]]:
    """For each kernel position, row by row: what all output positions see there.

    The arrays are strided views of ``padded``, [..., out rows, out cols].

    >>> [seen.tolist() for seen in positions(np.array([[1, 2], [3, 4]]), Window((1, 2)), (2, 1))]
    [[[1], [3]], [[2], [4]]]
    """
    (sr, sc), (dr, dc) = window.stride, window.dilation
    rows, cols = out_size
    return [
        padded[
            ...,
            r * dr : r * dr + (rows - 1) * sr + 1 : sr,
            c * dc : c * dc + (cols - 1) * sc + 1 : sc,
        ]
        for r in range(window.kernel[0])
        for c in range(window.kernel[1])
    ]


def window_sums(values: Values, window: Window) -> tuple[Values, Values]:
    """Sums over windows of an integer map [..., rows, cols], and of how many values each; int64.

    Padding is neither summed nor counted. A window that lies wholly in the padding sees
    nothing: its sum is 0 and its count 1.
    """
    out_size = window.out_size(*values.shape[-2:])
    count = _sums(np.ones(values.shape[-2:], np.int64), window, out_size)
    return _sums(values, window, out_size), np.maximum(count, 1)


def _sums(values: Values, window: Window, out_size: tuple[int, int]) -> Values:
    total = np.zeros((*values.shape[:-2], *out_size), np.int64)
    for seen in positions(pad(values, window, 0), window, out_size):
        total += seen
    return total


def patches(
    padded: NDArray[Any], window: Window, out_size: tuple[int, int], max_values: int
) -> Iterator[tuple[slice, NDArray[Any]]]:
    """All that each output position sees, for one band of output rows after another.

    Yields the band and an array [..., channels, kernel positions, band rows * out cols],
    of at most ``max_values`` values unless one row has more.
    """
    rows, cols = out_size
    views = positions(padded, window, out_size)
    row_values = views[0][..., 0, :].size * len(views)
    band_rows = max(1, max_values // row_values)
    for start in range(0, rows, band_rows):
        band = slice(start, min(rows, start + band_rows))
        n_rows = band.stop - band.start
        seen = np.empty((*padded.shape[:-2], len(views), n_rows, cols), padded.dtype)
        for i, view in enumerate(views):
            seen[..., i, :, :] = view[..., band, :]
        yield band, seen.reshape(*seen.shape[:-2], n_rows * cols)
