"""The passes that a tiling makes of a stage, in the order in which the machine runs them.

A pass is the work on one output tile with one range of input channels and of kernel positions.
Over a stage every multiply-accumulate happens once and every output value is finished once.

The loops, outermost first: output channels and places (``weights_outer``) or the other
way round; then input channels and kernel positions. Places go down the rows of one column of
tiles before the next column begins, so that halo rows can stay in the buffer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from accelsim.array.dataflow import ConvPass
from accelsim.mapping.stages.stage import Stage, Tiling
from accelsim.mapping.tiling.kernel import walk_passes
from accelsim.mapping.tiling.spans import Axis, Spans, col_axis, read_pieces, row_axis, spans
from accelsim.mapping.tiling.tiles import Ranges, TileParts, kernel_sides, tile_parts
from accelsim.mapping.windows.window import Ints, Windows
from accelsim.workload.layer import Conv

Bools: TypeAlias = NDArray[np.bool_]
NONE: Final = -1


@dataclass(frozen=True, eq=False)
class Pieces:
    """Rows (or columns) that are read, for each of several keys: one range, or several with
    values between them that others read. Key k has ``ends[first[k] : first[k] + n_each[k]]``."""

    first: Ints  # [n_keys]
    n_each: Ints  # [n_keys]
    ends: Ints  # [n_pieces, 2], [start, stop), rising in each key

    @cached_property
    def are_whole(self) -> bool:
        """Whether there is one range for each key."""
        return len(self.ends) == len(self.first)

    @cached_property
    def hull(self) -> tuple[Ints, Ints]:
        """[n_keys] the first start and the last stop."""
        return self.ends[self.first, 0], self.ends[self.first + self.n_each - 1, 1]

    def joined(self, block: int) -> Pieces:
        """Pieces with less than a block between them are read as one (as ``read_pieces`` says)."""
        if self.are_whole:
            return self
        second = np.minimum(self.first + 1, len(self.ends) - 1)
        near = self.ends[second, 0] - self.ends[self.first, 1] < block
        single = (self.n_each == 1) | near
        n_each = np.where(single, 1, self.n_each)
        first = np.cumsum(n_each) - n_each
        ends = self.ends[np.repeat(self.first - first, n_each) + np.arange(n_each.sum())]
        ends[first[single]] = np.stack(self.hull, axis=1)[single]
        return Pieces(first, n_each, ends)


@dataclass(frozen=True, eq=False)
class Passes:
    """The passes of a stage, and what each changes in the buffers. Columns are [n_passes].

    >>> from accelsim.mapping.stages.form import stages
    >>> from accelsim.workload.graph import Edge, Graph
    >>> from accelsim.workload.layer import Window
    >>> conv = Conv("conv", "x", "y", 4, 8, Window((3, 3), padding=(1, 1, 1, 1)))
    >>> graph = Graph((conv,), (Edge("x", 4, 6, 6), Edge("y", 8, 6, 6)), ("x",), ("y",))
    >>> tiling = Tiling(8, 3, 6, 4, "weights_outer", False, False, 0, 0, 0, 0)
    >>> found = passes(stages(graph)[0], tiling)
    >>> found.computed[:, 2:4].tolist(), found.window[:, 2:4].tolist()
    ([[0, 3], [3, 6]], [[0, 4], [2, 6]])
    >>> found.loads_weights.tolist(), found.retained.tolist()
    ([True, False], [-1, 0])
    """

    parts: TileParts
    part: Ints
    """Which of ``parts`` it adds: those of one number use the same weights. Numbers rise in the
    order of first use."""
    output: Windows
    """Values of the stored map that the tile makes (after fused pooling)."""
    computed: Windows
    """Values that the layer computes, before fused pooling: what the drain path adds to."""
    window: Windows
    """Input values that it reads; channels of the layer's whole input."""
    row_pieces: Pieces
    col_pieces: Pieces
    """What of the window is read: all, or ranges with values between them that other kernel
    positions read."""
    row_key: Ints
    col_key: Ints
    """The keys of its pieces."""
    loads_ifmap: Bools
    """False: the window is in the buffer already."""
    retained: Ints
    """The pass whose window is still in the buffer, of which rows are used again; ``NONE``."""
    loads_weights: Bools
    first: Bools
    """Starts its output tile: no partial sums are added."""
    last: Bools
    """Finishes its output tile."""

    @property
    def n_passes(self) -> int:
        return len(self.part)

    def of(self, layer: Conv) -> ConvPass[Ints]:
        """What the array makes in each pass of ``layer``."""
        parts, sides = self.parts, self.computed[:, 1::2] - self.computed[:, ::2]
        return ConvPass(
            rows=sides[:, 1],
            cols=sides[:, 2],
            out_channels=parts.out_per_group[self.part],
            in_channels=parts.in_per_group[self.part],
            kernel_rows=parts.kernel[self.part, 0],
            kernel_cols=parts.kernel[self.part, 1],
            groups=parts.groups[self.part],
            accumulate=(~self.first).astype(np.int64),
            stride=layer.window.stride,
            dilation=layer.window.dilation,
        )


def passes(stage: Stage, tiling: Tiling) -> Passes:
    """The passes of a stage in execution order.

    Raises ``ValueError`` when a tile cuts a group of channels.
    """
    parts = tile_parts(stage, tiling)
    axes = row_axis(stage), col_axis(stage)
    rows, cols = (
        spans(axis, (extent,))
        for axis, extent in zip(axes, (tiling.out_rows, tiling.out_cols), strict=True)
    )
    n_rows, n_cols = len(rows.candidate), len(cols.candidate)
    n = len(parts.reads) * n_rows * n_cols
    part, r, q, retained = np.empty((4, n), np.int64)
    loads_ifmap, loads_weights = np.empty((2, n), np.bool_)
    walk_passes(
        parts.first,
        parts.n_each,
        parts.reads,
        parts.reads_first,
        n_rows,
        n_cols,
        tiling.order == "weights_outer",
        tiling.ifmap_resident,
        tiling.weights_resident,
        *(part, r, q, loads_ifmap, retained, loads_weights),
    )
    ranges = kernel_sides(stage, tiling.kernel)
    row_pieces, col_pieces = map(_pieces, axes, (rows, cols), ranges)
    row_key = parts.positions[part, 0] * n_rows + r
    col_key = parts.positions[part, 1] * n_cols + q
    channels, read = parts.out_channels[part], parts.in_channels[part]
    return Passes(
        parts=parts,
        part=part,
        output=_boxes(channels, (rows.stored, r), (cols.stored, q)),
        computed=_boxes(channels, (rows.computed, r), (cols.computed, q)),
        window=_boxes(read, (row_pieces.hull, row_key), (col_pieces.hull, col_key)),
        row_pieces=row_pieces,
        col_pieces=col_pieces,
        row_key=row_key,
        col_key=col_key,
        loads_ifmap=loads_ifmap,
        retained=retained,
        loads_weights=loads_weights & isinstance(stage.layer, Conv),
        first=parts.is_first[part],
        last=parts.is_last[part],
    )


def _boxes(
    channels: Ints, rows: tuple[tuple[Ints, Ints], Ints], cols: tuple[tuple[Ints, Ints], Ints]
) -> Windows:
    """Of channels [n, 2], and of which [n] of some rows and columns."""
    found = np.empty((len(channels), 6), np.int64)
    found[:, :2] = channels
    for axis, ((start, stop), which) in ((2, rows), (4, cols)):
        found[:, axis], found[:, axis + 1] = start[which], stop[which]
    return found


def _pieces(axis: Axis, cut: Spans, ranges: Ranges) -> Pieces:
    """What each tile reads along one axis for each range of kernel positions, in pieces without
    values between them; one empty piece for padding only. Keys: tiles of the first range first."""
    n_tiles = len(cut.candidate)
    if len(ranges) == 1:  # all positions: windows have no values between them
        return Pieces(np.arange(n_tiles), np.ones(n_tiles, np.int64), np.stack(cut.read, axis=1))
    keys, ends = [], []
    for number, positions in enumerate(ranges):
        tile, start, stop = read_pieces(axis, cut.computed, positions, block=1)
        keys.append(number * n_tiles + tile[stop > start])
        ends.append(np.stack([start, stop], axis=1)[stop > start])
    n_each = np.bincount(np.concatenate(keys), minlength=len(ranges) * n_tiles)
    (padding,) = np.nonzero(n_each == 0)
    key = np.concatenate([*keys, padding])
    order = np.argsort(key, kind="stable")
    n_each[padding] = 1
    padded = np.concatenate([*ends, np.zeros((len(padding), 2), np.int64)])
    return Pieces(np.cumsum(n_each) - n_each, n_each, padded[order])
