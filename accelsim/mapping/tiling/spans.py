"""Tiles along one axis: the rows (or columns) they store, compute and read.

A fused pooling stores fewer rows than the convolution computes. Computed rows are divided
so that each is computed once: a tile ends where its last pooling window ends, the
next one continues from there, and the last takes the rows that no window needs. Rows that the next
tile's pooling windows need again are kept in the line buffer of the drain path.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from accelsim.mapping.stages.stage import Stage
from accelsim.workload.layer import Add, Scale, Window

Ints = NDArray[np.int64]


class Sliding(NamedTuple):
    """A sliding window along one axis; ``before`` is the padding in front."""

    extent: int
    stride: int
    before: int
    dilation: int = 1

    @property
    def positions(self) -> int:
        """Kernel rows (or columns)."""
        return (self.extent - 1) // self.dilation + 1


class Axis(NamedTuple):
    """Rows or columns of a stage: sizes of the three ranges and the windows between them."""

    n_stored: int
    n_computed: int
    n_read: int
    pool: Sliding
    layer: Sliding


@dataclass(frozen=True)
class Spans:
    """The tiles of several candidate extents, one after the other. Arrays are [n_tiles]."""

    candidate: Ints
    """Which of the extents the tile belongs to."""
    stored: tuple[Ints, Ints]
    computed: tuple[Ints, Ints]
    read: tuple[Ints, Ints]


def row_axis(stage: Stage) -> Axis:
    """The rows of a stage."""
    return _axis(stage, 0)


def col_axis(stage: Stage) -> Axis:
    """The columns of a stage."""
    return _axis(stage, 1)


def shortcut_axis(axis: Axis) -> Axis:
    """Seen from the shortcut of a fused addition: each tile reads what it computes."""
    return axis._replace(n_read=axis.n_computed, layer=Sliding(1, 1, 0))


def largest_computed(axis: Axis, extent: int) -> int:
    """Rows that the largest tile of ``extent`` stored rows computes."""
    start, stop = spans(axis, (extent,)).computed
    return int((stop - start).max())


@lru_cache(maxsize=1024)  # by the search, by the passes of what it chose, and for every image
def spans(axis: Axis, extents: tuple[int, ...]) -> Spans:
    """Tiles of each of ``extents``, from the start of the axis to its end.

    A tile whose windows need only rows that earlier tiles compute is merged with the previous one.

    >>> pool = Sliding(extent=3, stride=2, before=0)
    >>> conv = Sliding(extent=3, stride=1, before=1)
    >>> cut = spans(Axis(6, 13, 13, pool, conv), (3,))
    >>> [(int(a), int(b)) for a, b in zip(*cut.computed)]
    [(0, 7), (7, 13)]
    """
    starts = [np.arange(0, axis.n_stored, e, dtype=np.int64) for e in extents]
    cut = np.concatenate(starts)
    candidate = np.repeat(np.arange(len(extents)), [len(s) for s in starts])
    boundary = (cut - 1) * axis.pool.stride - axis.pool.before + axis.pool.extent
    boundary[cut == 0] = 0
    keep = (cut == 0) | ((boundary > 0) & (boundary < axis.n_computed))
    cut, candidate, boundary = cut[keep], candidate[keep], boundary[keep]
    ends = np.append(cut[1:] == 0, True)
    stored_stop = np.where(ends, axis.n_stored, np.append(cut[1:], 0))
    computed_stop = np.where(ends, axis.n_computed, np.append(boundary[1:], 0))
    computed = boundary, computed_stop
    _, *read = read_pieces(axis, computed, (0, axis.layer.positions), 1)
    return Spans(candidate, (cut, stored_stop), computed, (read[0], read[1]))


def position_ranges(positions: int, extent: int) -> tuple[tuple[int, int], ...]:
    """Kernel rows (or columns) of each pass, ``extent`` of them in one.

    >>> position_ranges(5, 2)
    ((0, 2), (2, 4), (4, 5))
    """
    starts = range(0, positions, extent)
    return tuple((first, min(first + extent, positions)) for first in starts)


def read_pieces(
    axis: Axis, computed: tuple[Ints, Ints], positions: tuple[int, int], block: int
) -> tuple[Ints, Ints, Ints]:
    """What the kernel positions [first, stop) of each tile's windows read: the tile, start and
    stop of every piece [n_pieces]. Positions in padding only read nothing.

    Where the stride passes over a whole block between two windows, they are pieces of their
    own; otherwise a tile reads one piece, with all in between.

    >>> patch = Axis(2, 2, 8, Sliding(1, 1, 0), Sliding(extent=4, stride=4, before=0))
    >>> tile = np.array([0]), np.array([2])
    >>> [n.tolist() for n in read_pieces(patch, tile, (1, 3), 1)]
    [[0, 0], [1, 5], [3, 7]]
    """
    layer, (start, stop) = axis.layer, computed
    offset = positions[0] * layer.dilation - layer.before
    extent = (positions[1] - 1 - positions[0]) * layer.dilation + 1
    tile = np.arange(len(start))
    first, last = start, stop - 1
    if positions != (0, layer.positions):
        # The windows of which these positions are not in padding.
        first = np.maximum(first, (-offset - extent) // layer.stride + 1)
        last = np.minimum(last, -(-(axis.n_read - offset) // layer.stride) - 1)
        if layer.stride - extent >= block:
            n_windows = np.maximum(last - first + 1, 0)
            before = np.repeat(np.cumsum(n_windows) - n_windows, n_windows)
            tile = np.repeat(tile, n_windows)
            first = last = first[tile] + np.arange(len(tile)) - before
    begin = np.maximum(0, first * layer.stride + offset)
    end = np.minimum(axis.n_read, last * layer.stride + offset + extent)
    nothing = end <= begin  # padding only
    begin[nothing] = end[nothing] = 0
    return tile, begin, end


def _axis(stage: Stage, i: int) -> Axis:
    output, part = stage.output, stage.inputs[0][0]
    pool = stage.fused_pool.window if stage.fused_pool else None
    layer = None if isinstance(stage.layer, Add | Scale) else stage.layer.window
    return Axis(
        n_stored=(output.rows, output.cols)[i],
        n_computed=stage.conv_size[i],
        n_read=(part.rows, part.cols)[i],
        pool=_sliding(pool, i),
        layer=_sliding(layer, i),
    )


def _sliding(window: Window | None, i: int) -> Sliding:
    if window is None:
        return Sliding(1, 1, 0)
    return Sliding(window.extent[i], window.stride[i], window.padding[2 * i], window.dilation[i])
