"""The passes of a stage one after another, and what they bring from one stored map."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from accelsim.jit import kernel
from accelsim.mapping.windows.window import Block

Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]


@kernel
def walk_passes(
    first_part: Ints,
    n_parts: Ints,
    reads: Ints,
    reads_first: Bools,
    n_rows: int,
    n_cols: int,
    weights_outer: bool,
    ifmap_resident: bool,
    weights_resident: bool,
    part: Ints,
    row: Ints,
    col: Ints,
    loads_ifmap: Bools,
    retained: Ints,
    loads_weights: Bools,
) -> None:
    """Fill the columns from ``part`` on [n_passes] with the passes in execution order.

    The first four are columns of ``TileParts``; places lie in ``n_rows`` and ``n_cols``. The
    ifmap buffer holds the window of the pass before, or all so far; so does the weight buffer.
    ``retained`` is the pass whose rows are used again, -1 for none.
    """
    n_tiles, n_places, i, place_before = len(first_part), n_rows * n_cols, 0, -1
    for step in range(n_tiles * n_places):
        tile, place = step // n_places, step % n_places
        if not weights_outer:
            place, tile = step // n_tiles, step % n_tiles
        # The same part one place before, where all are kept.
        distance = n_parts[tile] if weights_outer else len(reads)
        for p in range(first_part[tile], first_part[tile] + n_parts[tile]):
            part[i], row[i], col[i], retained[i] = p, place % n_rows, place // n_rows, -1
            if ifmap_resident:
                loads_ifmap[i] = reads_first[p]
                if reads_first[p] and row[i] > 0:
                    retained[i] = i - distance
            else:
                is_same = i > 0 and reads[part[i - 1]] == reads[p]
                loads_ifmap[i] = not (is_same and place == place_before)
                if is_same and place == place_before + 1 and row[i] > 0:
                    retained[i] = i - 1
            if weights_resident:
                loads_weights[i] = place == 0
            else:
                loads_weights[i] = i == 0 or part[i - 1] != p
            i, place_before = i + 1, place


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
    first, number, flag = np.zeros(1, np.int64), np.ones(1, np.int64), np.ones(1, bool)
    columns = number.copy(), number.copy(), number.copy(), flag.copy(), number.copy(), flag.copy()
    walk_passes(first, number, first, flag, 1, 1, True, False, False, *columns)
    bring(window, window, 0, one, one, window.copy(), window.copy(), np.ones(1, np.int64))
