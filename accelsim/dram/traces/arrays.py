"""Requests to a memory, as three arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

LAST_CYCLE: Final = 1 << 44
"""Arrivals lie before it: hours of memory time, which take minutes to replay for its refreshes."""
EDGE_NS: Final = 0.5e-6
"""Half a femtosecond, the unit of time: a time this little after an edge counts as on it."""
ROUNDING: Final = 2.0**-50
"""Four times the relative rounding error of a product of two numbers and its factors."""


@dataclass(frozen=True)
class Requests:
    """Requests in order of arrival; each is one burst, at the address rounded down to it."""

    address: NDArray[np.int64]  # [n] bytes
    is_write: NDArray[np.int64]  # [n] 0 or 1
    arrival_cycle: NDArray[np.int64]  # [n] DRAM cycle, 0: as soon as accepted

    def __len__(self) -> int:
        return len(self.address)


def first_edge(t_ns: NDArray[np.float64], tCK_ns: float) -> NDArray[np.float64]:
    """[n] the first clock edge not before each time, as a whole number of clocks.

    Times are binary fractions, and 5/6 ns cannot be one: a time computed as k tCK counts as edge k,
    whatever its rounding error, and not as the edge after it.

    >>> first_edge(np.array([0.0, 10 / 12, 0.8334, 25.0, 25.000001]), 5 / 6).tolist()
    [0.0, 1.0, 2.0, 30.0, 31.0]
    """
    late = np.maximum(EDGE_NS, t_ns * ROUNDING)
    edge: NDArray[np.float64] = np.ceil((t_ns - late) / tCK_ns)
    return np.maximum(edge, 0.0)
