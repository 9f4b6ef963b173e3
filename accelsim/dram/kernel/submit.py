"""A transfer into the rings of its requester.

Numbers of transfers and blocks count up; each lies in its ring at that number modulo the
ring's size, a power of two.
"""

from __future__ import annotations

import numpy as np

from accelsim.dram.front import PERIOD_FS, Block, Front, FrontState, Requester, Xfer, new_front
from accelsim.dram.kernel.by_address import front_at
from accelsim.dram.kernel.requester import turn_to_block
from accelsim.dram.state import NONE
from accelsim.jit import Ints, addresses, part, state_kernel


@part
def has_room(f: FrontState, r: int, n_blocks: int) -> bool:
    """True if the rings of requester ``r`` hold one more transfer of so many blocks."""
    requester, ring = f.requester, f.xfer.shape[1]
    oldest = requester[r, Requester.BLOCKS]
    if requester[r, Requester.RETIRED] < requester[r, Requester.TRANSFERS]:
        if requester[r, Requester.TRANSFERS] - requester[r, Requester.RETIRED] == ring:
            return False
        oldest = f.xfer[r, requester[r, Requester.RETIRED] & (ring - 1), Xfer.FIRST_BLOCK]
    # An empty block looks at the one before it, so one more than the unretired stay.
    return bool(requester[r, Requester.BLOCKS] + n_blocks - oldest < f.block.shape[1])


@state_kernel
def submit(
    front: Ints,  # addresses of a FrontState
    r: int,
    number: int,
    label: int,
    due: int,
    is_write: int,
    now_fs: int,
    first_line: Ints,  # [n_blocks]
    n_lines: Ints,  # [n_blocks]
    ready_fs: Ints,  # [n_blocks], or [0]: at once
    decode_fs: Ints,  # [n_blocks], or [0]: not decoded
) -> bool:
    """Append a transfer to requester ``r``; False, and nothing done, if its rings are too small."""
    f = front_at(front)
    # A transfer without blocks holds one block without lines.
    n = max(len(first_line), 1)
    if not has_room(f, r, n):
        return False
    requester, period = f.requester, f.fixed[PERIOD_FS]
    x, first_block = requester[r, Requester.TRANSFERS], requester[r, Requester.BLOCKS]
    decoded = len(decode_fs) > 0 and requester[r, Requester.LANES] > 0 and not is_write
    for k in range(n):
        i = (first_block + k) & (f.block.shape[1] - 1)
        some = k < len(first_line)
        f.block[r, i, Block.FIRST_LINE] = first_line[k] if some else 0
        f.block[r, i, Block.N_LINES] = n_lines[k] if some else 0
        f.block[r, i, Block.LINES_LEFT] = f.block[r, i, Block.N_LINES]
        f.front[Front.EMPTY_BLOCKS] += f.block[r, i, Block.N_LINES] == 0
        f.block[r, i, Block.READY] = -(-ready_fs[k] // period) if k < len(ready_fs) else 0
        f.block[r, i, Block.TRANSFER] = x
        f.block[r, i, Block.ARRIVED_FS] = NONE
        f.block[r, i, Block.SEQUENCE] = NONE
        if decoded:
            sequence = requester[r, Requester.DECODED]
            f.block[r, i, Block.DECODE_FS] = decode_fs[k]
            f.block[r, i, Block.SEQUENCE] = sequence
            f.stream[r, sequence & (f.stream.shape[1] - 1)] = first_block + k
            requester[r, Requester.DECODED] = sequence + 1
    i = x & (f.xfer.shape[1] - 1)
    f.xfer[r, i, Xfer.NUMBER] = number
    f.xfer[r, i, Xfer.IS_WRITE] = is_write
    f.xfer[r, i, Xfer.LABEL] = label
    f.xfer[r, i, Xfer.DUE] = due
    f.xfer[r, i, Xfer.SUBMITTED] = -(-now_fs // period)
    f.xfer[r, i, Xfer.FIRST_BLOCK] = first_block
    f.xfer[r, i, Xfer.BLOCKS_LEFT] = n
    f.xfer[r, i, Xfer.FIRST_FS] = NONE
    f.xfer[r, i, Xfer.ARRIVED_FS] = 0
    f.xfer[r, i, Xfer.DONE_FS] = 0
    f.xfer[r, i, Xfer.HELD] = 0
    requester[r, Requester.TRANSFERS] = x + 1
    requester[r, Requester.BLOCKS] = first_block + n
    if requester[r, Requester.SENT] == first_block:
        turn_to_block(f, r)
    return True


def warm_up() -> None:
    """Compile with the types of production."""
    front, one = new_front(1, 1, 1, 1, {}), np.ones(1, np.int64)
    submit(addresses(front), 0, 0, 0, 0, 0, 0, one, one, one, one)
