"""Principal components of the channels of calibration maps, in fixed point.

Feature Map Transform Coding (Chmiel et al., IJCNN 2020): the eigenvectors of the
covariance of the channels of a pixel, greatest variance first.

Sums are exact integers, but eigenvectors are the library's. Three rules leave them no
choice beyond the last bit of an entry: equal variances (channels that are always zero,
fewer pixels than channels) are told apart by a variance that falls with the channel, at
most 2^-20 of the mean; entries are rounded to ``matrix_bits``; and the first largest
entry of each component is positive.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.codecs.transforms.channel_transform import VALUES_AT_ONCE, fixed_point
from accelsim.codecs.transforms.channel_vectors import Calibration

TIE_BREAK = 2.0**-20


def components(
    calibration: Calibration, signed: bool, matrix_bits: int
) -> tuple[NDArray[np.int64], int]:
    """(U^T [length, length] in units of 2^-F, F): row i is component i."""
    covariance = _covariance(calibration, signed)
    length = len(covariance)
    mean_variance = np.trace(covariance) / length or 1.0
    falling = np.arange(length, 0, -1) / length
    _, vectors = np.linalg.eigh(covariance + np.diag(TIE_BREAK * mean_variance * falling))
    matrix, fraction_bits = fixed_point(vectors.T[::-1], matrix_bits)
    largest = np.abs(matrix).argmax(axis=1)
    signs = np.sign(matrix[np.arange(length), largest])
    return matrix * signs[:, np.newaxis], fraction_bits


def _covariance(calibration: Calibration, signed: bool) -> NDArray[np.float64]:
    vectors, layout, mean = calibration
    products = np.zeros((layout.length, layout.length), np.int64)
    sums = np.zeros(layout.length, np.int64)
    numbers = vectors.view(np.int16) if signed else vectors
    for first in range(0, len(vectors), VALUES_AT_ONCE):
        centred = numbers[first : first + VALUES_AT_ONCE] - mean.astype(np.float64)
        # At most 2^16 products below 2^34 each: exact in float64.
        products += (centred.T @ centred).astype(np.int64)
        sums += centred.sum(axis=0).astype(np.int64)
    offsets = sums / max(1, len(vectors))  # the mean was rounded
    return products / max(1, len(vectors)) - np.outer(offsets, offsets)
