"""The tilings that the planner weighs, for each axis on its own.

They depend on the stage, the array and the blocks, never on the buffers: a larger buffer
admits all that a smaller one does. An output tile is a union of compressed blocks.
"""

from __future__ import annotations

from math import lcm

from accelsim.mapping.stage import Stage
from accelsim.mapping.tiles import channel_groups
from accelsim.mapping.window import Block
from accelsim.units import ceil_div


def even_cuts(size: int, unit: int) -> list[int]:
    """For every number of tiles the smallest extent that gives it, a multiple of ``unit``.

    The last one is ``size`` itself, whole.

    >>> even_cuts(13, 1), even_cuts(13, 4)
    ([1, 2, 3, 4, 5, 7, 13], [4, 8, 13])
    """
    n = ceil_div(size, unit)
    cuts = {ceil_div(n, tiles) * unit for tiles in range(1, n + 1)}
    return sorted({min(c, size) for c in cuts})


def halvings(size: int, unit: int) -> list[int]:
    """``size``, and multiples of ``unit`` that cut it into 2, 4, 8, ... tiles.

    >>> halvings(13, 1), halvings(13, 4)
    ([1, 2, 4, 7, 13], [4, 8, 13])
    """
    cuts, n = {size}, ceil_div(size, unit)
    while n > 1:
        n = ceil_div(n, 2)
        cuts.add(n * unit)
    return sorted(cuts)


def row_extents(stage: Stage, block: Block | None) -> list[int]:
    """Stored rows of a tile."""
    return even_cuts(stage.output.rows, block[1] if block else 1)


def col_extents(stage: Stage, block: Block | None) -> list[int]:
    """Stored columns of a tile; whole rows when the drain path keeps rows for its pooling."""
    if pooling_overlaps(stage):
        return [stage.output.cols]
    return halvings(stage.output.cols, block[2] if block else 1)


def pooling_overlaps(stage: Stage) -> bool:
    """Whether windows of the fused pooling share rows or columns."""
    pool = stage.fused_pool
    return pool is not None and any(
        extent > stride
        for extent, stride in zip(pool.window.extent, pool.window.stride, strict=True)
    )


def channel_extents(
    stage: Stage, out_block: int, in_block: int, array_cols: int
) -> list[tuple[int, int]]:
    """(output channels of a tile, input channels of a pass in one group) that fit together.

    ``out_block`` and ``in_block`` are the channels of a block, 1 for linear maps. Output
    channels fill the columns of the array where they can.
    """
    groups, group_in, group_out = channel_groups(stage)
    total = stage.output.channels
    in_extents = _small_and_whole(group_in, in_block)
    if groups == 1:
        unit = lcm(out_block, array_cols)
        smaller = {n for n in _doublings(out_block, unit) if n < total}
        out_extents = sorted({*smaller, *even_cuts(total, unit)})
        return [(n, k) for n in out_extents for k in in_extents]
    inside = [
        n
        for n in _small_and_whole(group_out, out_block)
        if n < group_out and group_out % n == 0 and n % out_block == 0
    ]
    if group_out % out_block == 0:
        inside.append(group_out)
    several = [n for n in even_cuts(total, lcm(group_out, out_block)) if n > group_out]
    return [(n, k) for n in inside for k in in_extents] + [(n, group_in) for n in several]


def _doublings(start: int, stop: int) -> list[int]:
    """start, 2 start, 4 start, ... below ``stop``."""
    found = []
    while start < stop:
        found.append(start)
        start *= 2
    return found


def _small_and_whole(size: int, unit: int) -> list[int]:
    """Whole blocks where possible; parts of one only for the smallest buffers."""
    return sorted({*halvings(size, unit), *halvings(min(unit, size), 1)})
