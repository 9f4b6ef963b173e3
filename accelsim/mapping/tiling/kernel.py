"""What passes bring from one stored map, window after window."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from accelsim.jit import kernel
from accelsim.mapping.windows.window import Block

Ints: TypeAlias = NDArray[np.int64]


@kernel
def bring(
    windows: Ints,
    retained: Ints,
    first_channel: int,
    extents: tuple[int, int, int],
    block: Block,
    needed: Ints,
    fetched: Ints,
    whole: Ints,
) -> None:
    """Of each of ``windows`` [n, 6] what a map of ``extents`` brings, whose channels begin at
    ``first_channel`` of what the windows count.

    Fills ``needed`` [n, 6] with the values that were not there, ``fetched`` [n, 6] with those
    that cross the bus, in whole blocks, and ``whole`` [n] with the number of values in these
    blocks, were nothing there. The buffer still holds ``retained`` [n, 6]; an empty one stands for
    nothing. Only rows are used again, of a window of the same channels and columns that lay
    higher. Windows that miss the map bring nothing: ``whole`` is 0.
    """
    for w in range(len(windows)):
        is_there, is_held, is_same, are_blocks_same = True, True, True, True
        held_first, held_end, held_block, held_blocks_end = 0, 0, 0, 0
        whole[w] = 1
        for axis in range(3):
            offset = first_channel if axis == 0 else 0
            size, side = extents[axis], block[axis]
            start = max(windows[w, 2 * axis] - offset, 0)
            stop = min(windows[w, 2 * axis + 1] - offset, size)
            first, end = start // side * side, min(-(-stop // side) * side, size)
            needed[w, 2 * axis], needed[w, 2 * axis + 1] = start, stop
            fetched[w, 2 * axis], fetched[w, 2 * axis + 1] = first, end
            is_there &= stop > start
            whole[w] *= end - first
            above = max(retained[w, 2 * axis] - offset, 0)
            below = min(retained[w, 2 * axis + 1] - offset, size)
            is_held &= below > above
            above_block, below_block = above // side * side, min(-(-below // side) * side, size)
            if axis == 1:
                held_first, held_end = above, below
                held_block, held_blocks_end = above_block, below_block
            else:
                is_same &= start == above and stop == below
                are_blocks_same &= first == above_block and end == below_block
        if not is_there:
            whole[w] = 0
        elif is_held:
            if is_same and held_first <= needed[w, 2]:
                needed[w, 2] = min(max(needed[w, 2], held_end), needed[w, 3])
            if are_blocks_same and held_block <= fetched[w, 2]:
                fetched[w, 2] = min(max(fetched[w, 2], held_blocks_end), fetched[w, 3])


def warm_up() -> None:
    """Compile with the types of production."""
    window, one = np.array([[0, 1, 0, 1, 0, 1]]), (1, 1, 1)
    bring(window, window, 0, one, one, window.copy(), window.copy(), np.ones(1, np.int64))
