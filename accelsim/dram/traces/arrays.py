"""Requests to a memory, as three arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

LAST_CYCLE: Final = 1 << 44
"""Arrivals lie before it: hours of memory time, which take minutes to replay for its refreshes."""


@dataclass(frozen=True)
class Requests:
    """Requests in order of arrival; each is one burst, at the address rounded down to it."""

    address: NDArray[np.int64]  # [n] bytes
    is_write: NDArray[np.int64]  # [n] 0 or 1
    arrival_cycle: NDArray[np.int64]  # [n] DRAM cycle, 0: as soon as accepted

    def __len__(self) -> int:
        return len(self.address)
