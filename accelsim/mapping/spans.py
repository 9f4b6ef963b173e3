"""Tiles along one axis: the rows (or columns) they store, compute and read.

A fused pooling stores fewer rows than the convolution computes. Computed rows are shared
out so that each is computed once: a tile ends where its last pooling window ends, the
next one goes on from there, and the last takes what no window needs. Rows that the next
tile's pooling windows need again are kept in the line buffer of the drain path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from accelsim.mapping.stage import Stage
from accelsim.workload.layer import Add, Window

Ints = NDArray[np.int64]


class Span(NamedTuple):
    """One tile along one axis; each range is [start, stop)."""

    stored: tuple[int, int]
    computed: tuple[int, int]
    read: tuple[int, int]


class Sliding(NamedTuple):
    """A sliding window along one axis; ``before`` is the padding in front."""

    extent: int
    stride: int
    before: int


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


def row_spans(stage: Stage, extent: int) -> tuple[Span, ...]:
    """Tiles of ``extent`` stored rows, top to bottom."""
    return _listed(spans(row_axis(stage), [extent]))


def col_spans(stage: Stage, extent: int) -> tuple[Span, ...]:
    """Tiles of ``extent`` stored columns, left to right."""
    return _listed(spans(col_axis(stage), [extent]))


def spans(axis: Axis, extents: Sequence[int]) -> Spans:
    """Tiles of each of ``extents``, from the start of the axis to its end.

    A tile whose windows need nothing that the tiles before it did not compute already
    joins the one before.

    >>> pool = Sliding(extent=3, stride=2, before=0)
    >>> conv = Sliding(extent=3, stride=1, before=1)
    >>> cut = spans(Axis(6, 13, 13, pool, conv), [3])
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
    read_start = np.maximum(0, boundary * axis.layer.stride - axis.layer.before)
    read_stop = (computed_stop - 1) * axis.layer.stride - axis.layer.before + axis.layer.extent
    read_stop = np.minimum(axis.n_read, read_stop)
    nothing = read_stop <= read_start  # windows that see padding only
    read_start[nothing] = read_stop[nothing] = 0
    return Spans(candidate, (cut, stored_stop), (boundary, computed_stop), (read_start, read_stop))


def _axis(stage: Stage, i: int) -> Axis:
    output, part = stage.output, stage.inputs[0][0]
    pool = stage.fused_pool.window if stage.fused_pool else None
    layer = None if isinstance(stage.layer, Add) else stage.layer.window
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
    return Sliding(window.extent[i], window.stride[i], window.padding[2 * i])


def _listed(found: Spans) -> tuple[Span, ...]:
    columns = (*found.stored, *found.computed, *found.read)
    rows = zip(*(c.tolist() for c in columns), strict=True)
    return tuple(Span((a, b), (c, d), (e, f)) for a, b, c, d, e, f in rows)
