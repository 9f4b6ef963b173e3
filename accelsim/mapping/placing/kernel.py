"""Windows of maps as lines and blocks, window after window: the loops of the layouts.

Windows are [n, 6]: channels, rows and columns, each [start, stop); one without values touches
nothing. Lists of all windows lie behind one another; ``first`` [n + 1] says where those of each
window begin. A kernel that makes such a list is called twice: a list without room is only
counted.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from accelsim.jit import kernel
from accelsim.mapping.windows.window import Block

Ints: TypeAlias = NDArray[np.int64]


@kernel
def list_runs(
    windows: Ints,
    first_part: Ints,
    origin: Ints,
    depth: Ints,
    start: Ints,
    stop: Ints,
    cols: int,
    bits: int,
    line_bits: int,
    first: Ints,
    first_line: Ints,
    n_lines: Ints,
) -> None:
    """Runs of lines of windows of a map without blocks; each line of a window is in one run.

    The parts of window w are [first_part[w], first_part[w + 1]); their columns are those of
    ``Arrangement.parts``. ``cols`` and ``bits`` are the map's.
    """
    n, room = 0, len(first_line)
    for w in range(len(windows)):
        first[w] = n
        r0, r1, q0, q1 = windows[w, 2], windows[w, 3], windows[w, 4], windows[w, 5]
        if r1 <= r0 or q1 <= q0:
            continue
        end = 0  # one past the last line so far: runs are in rising order
        for p in range(first_part[w], first_part[w + 1]):
            # Values lie together over all rows, over the columns of a row, or in a pixel.
            n_rows, n_cols, length = r1 - r0, q1 - q0, stop[p] - start[p]
            if length == depth[p]:
                length, n_cols = n_cols * depth[p], 1
                if q1 - q0 == cols:
                    length, n_rows = n_rows * length, 1
            for r in range(r0, r0 + n_rows):
                for q in range(q0, q0 + n_cols):
                    value = origin[p] + (r * cols + q) * depth[p] + start[p]
                    begin = max(value * bits // line_bits, end)
                    until = -(-(value + length) * bits // line_bits)
                    if until > begin:
                        if n < room:
                            first_line[n], n_lines[n] = begin, until - begin
                        n, end = n + 1, until
    first[len(windows)] = n


@kernel
def list_blocks(windows: Ints, block: Block, grid: Block, first: Ints, number: Ints) -> None:
    """Numbers of the blocks that each window touches, rising. ``grid``: blocks along each axis."""
    n, room = 0, len(number)
    for w in range(len(windows)):
        first[w] = n
        c0, c1, r0 = windows[w, 0], windows[w, 1], windows[w, 2]
        r1, q0, q1 = windows[w, 3], windows[w, 4], windows[w, 5]
        if c1 <= c0 or r1 <= r0 or q1 <= q0:
            continue
        for c in range(c0 // block[0], (c1 - 1) // block[0] + 1):
            for r in range(r0 // block[1], (r1 - 1) // block[1] + 1):
                for q in range(q0 // block[2], (q1 - 1) // block[2] + 1):
                    if n < room:
                        number[n] = (c * grid[1] + r) * grid[2] + q
                    n += 1
    first[len(windows)] = n


@kernel
def add_up(first: Ints, number: Ints, of_block: Ints, sums: Ints) -> None:
    """Fill ``sums`` [n_columns, n] with what the blocks of each window have in ``of_block``
    [n_blocks, n_columns]."""
    for w in range(sums.shape[1]):
        for column in range(len(sums)):
            sums[column, w] = 0
        for i in range(first[w], first[w + 1]):
            for column in range(len(sums)):
                sums[column, w] += of_block[number[i], column]


@kernel
def share_bytes(
    windows: Ints, block: Block, grid: Block, n_bytes: Ints, n_values: Ints, share: Ints
) -> None:
    """Fill ``share`` [n] with the bytes of each window's values: of a block in part, its share.

    Shares are rounded so that windows that follow each other down the rows add up to the whole
    block. ``n_bytes`` and ``n_values`` are [n_blocks].
    """
    for w in range(len(windows)):
        share[w] = 0
        c0, c1, r0 = windows[w, 0], windows[w, 1], windows[w, 2]
        r1, q0, q1 = windows[w, 3], windows[w, 4], windows[w, 5]
        if c1 <= c0 or r1 <= r0 or q1 <= q0:
            continue
        for c in range(c0 // block[0], (c1 - 1) // block[0] + 1):
            channels = min(c1, (c + 1) * block[0]) - max(c0, c * block[0])
            for r in range(r0 // block[1], (r1 - 1) // block[1] + 1):
                above = max(r0 - r * block[1], 0)
                below = min(r1 - r * block[1], block[1])
                for q in range(q0 // block[2], (q1 - 1) // block[2] + 1):
                    across = channels * (min(q1, (q + 1) * block[2]) - max(q0, q * block[2]))
                    b = (c * grid[1] + r) * grid[2] + q
                    share[w] += n_bytes[b] * (across * below) // n_values[b]
                    share[w] -= n_bytes[b] * (across * above) // n_values[b]


@kernel
def list_entries(
    first: Ints,
    number: Ints,
    entry_bits: int,
    line_bits: int,
    first_entry: Ints,
    line: Ints,
) -> None:
    """Lines of the block table, counted from its start, that hold entries of each window's
    blocks, rising. ``first_entry`` is the ``first`` of this list."""
    n, room = 0, len(line)
    for w in range(len(first) - 1):
        first_entry[w] = n
        end = 0
        for i in range(first[w], first[w + 1]):
            begin = number[i] * entry_bits
            for at in range(
                max(begin // line_bits, end), (begin + entry_bits - 1) // line_bits + 1
            ):
                if n < room:
                    line[n] = at
                n, end = n + 1, at + 1
    first_entry[len(first) - 1] = n


@kernel
def mark_writers(tiles: Ints, first: int, channels: int, cols: int, writer: Ints) -> None:
    """Note in ``writer`` [n_groups, n_rows, n_col_groups], groups of ``channels`` and ``cols``,
    the last of ``tiles`` [n, 6], numbered from ``first`` on, that touches each cell."""
    for w in range(len(tiles)):
        for c in range(tiles[w, 0] // channels, (tiles[w, 1] - 1) // channels + 1):
            for r in range(tiles[w, 2], tiles[w, 3]):
                for q in range(tiles[w, 4] // cols, (tiles[w, 5] - 1) // cols + 1):
                    writer[c, r, q] = first + w


@kernel
def find_last_writers(
    windows: Ints, channels: int, cols: int, writer: Ints, none: int, last: Ints
) -> None:
    """Fill ``last`` [n] with the largest ``writer`` of each window's cells; ``none`` without."""
    for w in range(len(windows)):
        latest = none
        for c in range(windows[w, 0] // channels, (windows[w, 1] - 1) // channels + 1):
            for r in range(windows[w, 2], windows[w, 3]):
                for q in range(windows[w, 4] // cols, (windows[w, 5] - 1) // cols + 1):
                    latest = max(latest, writer[c, r, q])
        last[w] = latest


@kernel
def look_up(
    lines: Ints, entries: Ints, capacity: int, held: Ints, filled: Ints, missed: NDArray[np.bool_]
) -> None:
    """Fill ``missed`` [n]: whether each of ``lines`` must be fetched, when the least recently
    used are forgotten.

    ``entries`` [n] is the room that each line takes of ``capacity``. The cache's state is
    ``held`` [2, more than capacity], lines and their room, least recently used first, and
    ``filled`` [2], how many lines and how much room.
    """
    n, used = filled[0], filled[1]
    for i in range(len(lines)):
        at = n - 1
        while at >= 0 and held[0, at] != lines[i]:
            at -= 1
        missed[i] = at < 0
        gone, room = 0, entries[i]
        if at >= 0:
            room = held[1, at]
            for j in range(at + 1, n):
                held[0, j - 1], held[1, j - 1] = held[0, j], held[1, j]
            n -= 1
        else:
            used += room
        held[0, n], held[1, n] = lines[i], room
        n += 1
        while used > capacity:
            used -= held[1, gone]
            gone += 1
        if gone:
            n -= gone
            for j in range(n):
                held[0, j], held[1, j] = held[0, j + gone], held[1, j + gone]
    filled[0], filled[1] = n, used


def warm_up() -> None:
    """Compile with the types of production."""
    window, one, two = np.array([[0, 1, 0, 1, 0, 1]]), np.ones(1, np.int64), np.arange(2)
    first, sums, unit = two.copy(), np.zeros((1, 1), np.int64), (1, 1, 1)
    list_runs(window, two, one, one, one, one, 1, 8, 8, first, one.copy(), one.copy())
    list_blocks(window, unit, unit, first, one.copy())
    add_up(two, np.zeros(1, np.int64), sums, sums.copy())
    share_bytes(window, unit, unit, one, one, one.copy())
    list_entries(two, np.zeros(1, np.int64), 1, 8, first, one.copy())
    writer = np.zeros(unit, np.int64)
    mark_writers(window, 0, 1, 1, writer)
    find_last_writers(window, 1, 1, writer, -1, one.copy())
    look_up(one, one, 1, np.zeros((2, 2), np.int64), np.zeros(2, np.int64), np.zeros(1, bool))
