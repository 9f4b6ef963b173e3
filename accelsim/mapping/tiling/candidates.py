"""The candidate tilings of the planner, for each axis separately.

They depend on the stage, the array and the blocks, never on the buffers: a larger buffer
admits everything that a smaller one does. An output tile is a union of compressed blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm

from accelsim.mapping.stages.stage import Stage
from accelsim.mapping.tiling.tiles import Kernel, channel_groups, kernel_of
from accelsim.mapping.windows.window import Block
from accelsim.units import ceil_div
from accelsim.workload.layer import Conv

SMALL_KERNEL = 49
"""Kernels of up to 7 x 7 positions are not cut: their input channels are."""


def even_cuts(size: int, unit: int) -> list[int]:
    """For every number of tiles, the smallest extent that gives it, a multiple of ``unit``.

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


def kernel_extents(stage: Stage, block: Block) -> list[Kernel]:
    """Kernel rows and columns of a pass: all, and parts of a large kernel.

    Whole rows first, then columns of one row: as small as a pass can be. In whole blocks where
    they can be: a fully connected layer reads each block once.
    """
    rows, cols = whole = kernel_of(stage)
    if not isinstance(stage.layer, Conv) or rows * cols <= SMALL_KERNEL:
        return [whole]
    _, block_rows, block_cols = block
    low, narrow = min(block_rows, rows), min(block_cols, cols)
    found = [(n, cols) for n in _small_and_whole(rows, block_rows)]
    found += [(low if n >= narrow else 1, n) for n in _small_and_whole(cols, block_cols)]
    return list(dict.fromkeys([whole, *found]))


def channel_extents(
    stage: Stage,
    out_unit: int,
    whole_blocks: bool,
    in_unit: int,
    array_cols: int,
    kernels: Sequence[Kernel],
) -> list[tuple[int, int, Kernel]]:
    """(output channels of a tile, input channels of a pass in one group, kernel positions of a
    pass) that fit together.

    ``out_unit`` and ``in_unit`` are the channels of a block, or of a group of a linear map.
    Tiles of blocks (``whole_blocks``) are unions of them. Tiles of linear maps may cut a
    group, for small buffers. Output channels fill the columns of the array where they can.
    Of the kernel, parts are taken where input channels cannot be cut in units any more; the
    first of ``kernels`` is the whole.
    """
    groups, group_in, group_out = channel_groups(stage)
    total = stage.output.channels
    least = out_unit if whole_blocks else 1
    whole, few = kernels[0], min(group_in, in_unit)
    cuts = [(k, whole) for k in _small_and_whole(group_in, in_unit)]
    cuts += [(few, kernel) for kernel in kernels[1:]]
    if groups == 1:
        unit = lcm(out_unit, array_cols)
        smaller = {n for n in _doublings(least, unit) if n < total}
        found = {*smaller, *even_cuts(total, unit), *even_cuts(total, lcm(least, array_cols))}
        return [(n, *cut) for n in sorted(found) for cut in cuts]
    inside = [
        n
        for n in _small_and_whole(group_out, least)
        if n < group_out and group_out % n == 0 and n % least == 0
    ]
    if group_out % least == 0:
        inside.append(group_out)
    unit = lcm(group_out, out_unit)
    smaller = {n for n in _doublings(lcm(group_out, least), unit) if n < total}
    several = sorted(n for n in {*smaller, *even_cuts(total, unit)} if n > group_out)
    return [(n, *cut) for n in inside for cut in cuts] + [(n, group_in, whole) for n in several]


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
