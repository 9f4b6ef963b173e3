"""The passes of a stage, walked one by one: to be read beside ``accelsim.mapping.tiling.passes``,
which makes all at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np

from accelsim.array.dataflow import ConvPass
from accelsim.mapping.stages.stage import Stage, Tiling
from accelsim.mapping.tiling.spans import Axis, Spans, col_axis, read_pieces, row_axis, spans
from accelsim.mapping.tiling.tiles import Kernel, Ranges, channel_groups, kernel_ranges
from accelsim.units import ceil_div
from accelsim.workload.layer import Conv
from tests.mapping.walked_windows import Window3


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass, and what it changes in the buffers."""

    output: Window3
    """Values of the stored map that the tile makes (after fused pooling)."""
    conv_rows: tuple[int, int]
    """Rows [start, stop) that the layer computes in this pass, before fused pooling."""
    conv_cols: tuple[int, int]
    groups: int
    """Products of this pass; for poolings and sums, the channels."""
    n: int
    """Output channels of each group."""
    kernel: Kernel
    """Kernel rows and columns; (0, 0) on the vector unit, which has no products."""
    part: int
    """Which part of its tile's products it adds: a range of input channels and of kernel
    positions. Parts of one number use the same weights."""
    window: Window3
    """Input values that it reads; channels of the layer's whole input."""
    pieces: tuple[Ranges, Ranges]
    """Rows and columns of the window: one range each, or several with values between them that
    other kernel positions read."""
    loads_ifmap: bool
    """False: the window is in the buffer already."""
    retained: Window3 | None
    """An earlier window that is still in the buffer, of which rows are used again."""
    loads_weights: bool
    first: bool
    """Starts its output tile: no partial sums are added."""
    last: bool
    """Finishes its output tile."""

    @property
    def m(self) -> int:
        """Pixels that the layer computes."""
        return (self.conv_rows[1] - self.conv_rows[0]) * (self.conv_cols[1] - self.conv_cols[0])

    @property
    def in_channels(self) -> int:
        """Input channels of each group."""
        return (self.window.c1 - self.window.c0) // self.groups

    @property
    def k(self) -> int:
        """Products of one output value in this pass."""
        return self.in_channels * self.kernel[0] * self.kernel[1]

    @property
    def computed(self) -> Window3:
        """Values that the layer computes, before fused pooling: what the drain path adds to."""
        return Window3(self.output.c0, self.output.c1, *self.conv_rows, *self.conv_cols)

    @property
    def macs(self) -> int:
        return self.m * self.n * self.k * self.groups

    @property
    def n_weights(self) -> int:
        return self.n * self.k * self.groups

    def of(self, layer: Conv) -> ConvPass[int]:
        """What the array makes in this pass of ``layer``."""
        return ConvPass(
            rows=self.conv_rows[1] - self.conv_rows[0],
            cols=self.conv_cols[1] - self.conv_cols[0],
            out_channels=self.n,
            in_channels=self.in_channels,
            kernel_rows=self.kernel[0],
            kernel_cols=self.kernel[1],
            groups=self.groups,
            accumulate=int(not self.first),
            stride=layer.window.stride,
            dilation=layer.window.dilation,
        )


@dataclass(frozen=True, slots=True)
class ChannelTile:
    """Output channels of one tile, and the input channels of its passes."""

    start: int
    stop: int
    groups: int
    in_ranges: tuple[tuple[int, int], ...]


class Span(NamedTuple):
    """One tile along one axis; each range is [start, stop)."""

    stored: tuple[int, int]
    computed: tuple[int, int]
    read: tuple[int, int]


def channel_tiles(stage: Stage, out_channels: int, in_channels: int) -> tuple[ChannelTile, ...]:
    """The tiles along the channels.

    A tile covers whole groups, or lies inside one; only then can its products be split
    into several passes.
    """
    _, group_in, group_out = channel_groups(stage)
    total = stage.output.channels
    tiles = []
    for start in range(0, total, out_channels):
        stop = min(total, start + out_channels)
        first, last = start // group_out, ceil_div(stop, group_out)
        if last - first == 1:
            steps = range(first * group_in, last * group_in, in_channels)
            ranges = tuple((i, min(i + in_channels, last * group_in)) for i in steps)
        elif start % group_out or (stop % group_out and stop != total):
            raise ValueError(f"{stage.name}: channels [{start}, {stop}) cut a group in two")
        else:
            ranges = ((first * group_in, last * group_in),)
        tiles.append(ChannelTile(start, stop, last - first, ranges))
    return tuple(tiles)


def passes(stage: Stage, tiling: Tiling) -> Iterator[Pass]:
    """The passes of a stage in execution order.

    >>> from accelsim.mapping.stages.form import stages
    >>> from accelsim.workload.graph import Edge, Graph
    >>> from accelsim.workload.layer import Window
    >>> conv = Conv("conv", "x", "y", 4, 8, Window((3, 3), padding=(1, 1, 1, 1)))
    >>> graph = Graph((conv,), (Edge("x", 4, 6, 6), Edge("y", 8, 6, 6)), ("x",), ("y",))
    >>> tiling = Tiling(8, 3, 6, 4, "weights_outer", False, False, 0, 0, 0, 0)
    >>> for p in passes(stages(graph)[0], tiling):
    ...     p.conv_rows, (p.window.r0, p.window.r1), p.loads_weights
    ((0, 3), (0, 4), True)
    ((3, 6), (2, 6), False)
    """
    channels = channel_tiles(stage, tiling.out_channels, tiling.in_channels)
    rows, cols = row_spans(stage, tiling.out_rows), col_spans(stage, tiling.out_cols)
    positions = kernel_ranges(stage, tiling.kernel)
    rows_read = _pieces_read(row_axis(stage), rows, {p[0] for p in positions})
    cols_read = _pieces_read(col_axis(stage), cols, {p[1] for p in positions})
    places = [(r, q) for q in range(len(cols)) for r in range(len(rows))]
    steps: Iterator[tuple[ChannelTile, tuple[int, int]]]
    if tiling.order == "weights_outer":
        steps = product(channels, places)
    else:
        steps = ((tile, place) for place, tile in product(places, channels))
    ifmap = _IfmapBuffer(tiling.ifmap_resident)
    weights = _WeightBuffer(tiling.weights_resident)
    for tile, (r, q) in steps:
        row, col = rows[r], cols[q]
        parts = list(product(tile.in_ranges, positions))
        for i, ((i0, i1), kernel) in enumerate(parts):
            pieces = rows_read[r, kernel[0]], cols_read[q, kernel[1]]
            window = Window3(i0, i1, *(end for p in pieces for end in (p[0][0], p[-1][1])))
            loads, retained = ifmap.bring(window, kernel, r, q)
            yield Pass(
                output=Window3(tile.start, tile.stop, *row.stored, *col.stored),
                conv_rows=row.computed,
                conv_cols=col.computed,
                groups=tile.groups,
                n=(tile.stop - tile.start) // tile.groups,
                kernel=_kernel_size(stage, kernel),
                part=i,
                window=window,
                pieces=pieces,
                loads_ifmap=loads,
                retained=retained,
                loads_weights=isinstance(stage.layer, Conv) and weights.bring(tile.start, i),
                first=i == 0,
                last=i == len(parts) - 1,
            )


def _pieces_read(
    axis: Axis, tiles: Sequence[Span], passes: Collection[tuple[int, int]]
) -> dict[tuple[int, tuple[int, int]], Ranges]:
    """What each of ``tiles`` (by number) reads along one axis in each of ``passes`` (by kernel
    positions), in pieces without values between them; one empty piece for padding only."""
    start, stop = (np.array([tile.computed[end] for tile in tiles]) for end in (0, 1))
    keys = product(range(len(tiles)), passes)
    found: dict[tuple[int, tuple[int, int]], list[tuple[int, int]]] = {key: [] for key in keys}
    for positions in passes:
        pieces = read_pieces(axis, (start, stop), positions, block=1)
        for tile, first, last in zip(*(n.tolist() for n in pieces), strict=True):
            if last > first:
                found[tile, positions].append((first, last))
    return {key: tuple(pieces) or ((0, 0),) for key, pieces in found.items()}


def _kernel_size(stage: Stage, positions: Ranges) -> Kernel:
    if not isinstance(stage.layer, Conv):
        return 0, 0
    (r0, r1), (q0, q1) = positions
    return r1 - r0, q1 - q0


class _IfmapBuffer:
    """Which windows are in the buffer: the last one, or all so far when the map is resident."""

    def __init__(self, resident: bool) -> None:
        self._resident = resident
        self._held: dict[tuple[int, int, Ranges], tuple[int, int, Window3]] = {}
        self._seen: set[tuple[int, Ranges, int, int]] = set()

    def bring(
        self, window: Window3, positions: Ranges, r: int, q: int
    ) -> tuple[bool, Window3 | None]:
        """Whether the window at place (r, q) must be loaded, and what it can build on."""
        channels, key = (window.c0, window.c1, positions), (window.c0, positions, r, q)
        if key in self._seen:
            return False, None
        above = self._held.get(channels)
        if not self._resident:
            self._held.clear()
            self._seen.clear()
        self._held[channels] = (r, q, window)
        self._seen.add(key)
        if above is not None and above[:2] == (r - 1, q):
            return True, above[2]
        return True, None


class _WeightBuffer:
    """Which weight tiles are in the buffer: the last one, or all so far when resident."""

    def __init__(self, resident: bool) -> None:
        self._resident = resident
        self._seen: set[tuple[int, int]] = set()

    def bring(self, out_start: int, part: int) -> bool:
        key = (out_start, part)
        if key in self._seen:
            return False
        if not self._resident:
            self._seen.clear()
        self._seen.add(key)
        return True


def row_spans(stage: Stage, extent: int) -> tuple[Span, ...]:
    """Tiles of ``extent`` stored rows, top to bottom."""
    return _listed(spans(row_axis(stage), (extent,)))


def col_spans(stage: Stage, extent: int) -> tuple[Span, ...]:
    """Tiles of ``extent`` stored columns, left to right."""
    return _listed(spans(col_axis(stage), (extent,)))


def _listed(found: Spans) -> tuple[Span, ...]:
    columns = (*found.stored, *found.computed, *found.read)
    rows = zip(*(c.tolist() for c in columns), strict=True)
    return tuple(Span((a, b), (c, d), (e, f)) for a, b, c, d, e, f in rows)
