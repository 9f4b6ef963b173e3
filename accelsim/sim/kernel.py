"""The encoder's recurrence, block by block: which lane, when done."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accelsim.jit import kernel

Ints = NDArray[np.int64]


@kernel
def encode_blocks(
    work_cycles: Ints, start_cycle: int, first_lane: int, lane_free: Ints, done: Ints
) -> int:
    """Fill ``done`` [n_blocks] with the cycle at which each block may leave the encoder.

    Block i goes to lane ``(first_lane + i) % n_lanes`` and starts when that lane is free,
    not before ``start_cycle``. Blocks leave in order: ``done`` never falls. ``lane_free``
    [n_lanes] is carried from tile to tile. Returns the lane of the next block.
    """
    n_lanes = len(lane_free)
    lane = first_lane
    latest = start_cycle
    for i in range(len(work_cycles)):
        begin = max(lane_free[lane], start_cycle)
        lane_free[lane] = begin + work_cycles[i]
        latest = max(latest, lane_free[lane])
        done[i] = latest
        lane += 1
        if lane == n_lanes:
            lane = 0
    return lane


def warm_up() -> None:
    """Compile with the types of production."""
    one = np.ones(1, np.int64)
    encode_blocks(one, 0, 0, one.copy(), one.copy())
