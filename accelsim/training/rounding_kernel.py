"""The two passes of ``straight_through`` over memory, compiled; knows arrays, not torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.jit import float_kernel, kernel


@kernel
def round_forward(
    x: NDArray[np.float32], out: NDArray[np.float32], reach: np.float32, top: np.float32
) -> None:
    """Clip and round every value of ``x`` into ``out``, both [n]."""
    up, down = top / reach, reach / top
    for i in range(x.size):
        out[i] = np.rint(min(max(x[i] * up, np.float32(0)), top)) * down


@float_kernel
def round_backward(
    x: NDArray[np.float32], gradient: NDArray[np.float32], reach: np.float32, top: np.float32
) -> np.float32:
    """Turn the gradient of the output, [n], into that of ``x``; return that of ``reach``."""
    up = top / reach
    total = np.float32(0)
    for i in range(x.size):
        z = x[i] * up
        level = min(max(z, np.float32(0)), top)
        share = np.float32(1) if z >= top else (np.rint(level) - level) / top
        total += gradient[i] * share
        if z <= np.float32(0) or z >= top:
            gradient[i] = np.float32(0)
    return total


def warm_up() -> None:
    """Compile the kernels for the types that training uses."""
    x, one = np.zeros(1, np.float32), np.float32(1)
    round_forward(x, x.copy(), one, one)
    round_backward(x, x.copy(), one, one)
