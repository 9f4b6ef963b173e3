"""The passes that a tiling makes of a stage, in the order in which the machine runs them.

A pass is the work on one output tile with one range of input channels: a matrix product
of m pixels, n output channels and k products, once for each group. Over a stage every
multiply-accumulate happens once and every output value is finished once.

The loops, outermost first: output channels and places (``weights_outer``) or the other
way round; then input channels. Places go down the rows of one column of tiles before the
next column begins, so that halo rows can stay in the buffer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

from accelsim.mapping.spans import col_spans, row_spans
from accelsim.mapping.stage import Stage, StoredMap, Tiling
from accelsim.mapping.window import Block, Window3, align, intersection, new_part
from accelsim.units import ceil_div
from accelsim.workload.layer import Conv


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
    k: int
    """Products of one output value in this pass; 0 on the vector unit."""
    window: Window3
    """Input values that it reads; channels of the layer's whole input."""
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
    def computed(self) -> Window3:
        """Values that the layer computes, before fused pooling: what the drain path adds to."""
        return Window3(self.output.c0, self.output.c1, *self.conv_rows, *self.conv_cols)

    @property
    def macs(self) -> int:
        return self.m * self.n * self.k * self.groups

    @property
    def n_weights(self) -> int:
        return self.n * self.k * self.groups


@dataclass(frozen=True, slots=True)
class Fetch:
    """What a pass brings from one stored map; windows count from the map's first channel."""

    stored: StoredMap
    needed: Window3
    """Values that become available to the array; may be empty."""
    fetched: Window3
    """Values that cross the DRAM bus: ``needed`` and the rest of its blocks."""


@dataclass(frozen=True, slots=True)
class ChannelTile:
    """Output channels of one tile, and the input channels of its passes."""

    start: int
    stop: int
    groups: int
    in_ranges: tuple[tuple[int, int], ...]


def channel_groups(stage: Stage) -> tuple[int, int, int]:
    """(groups, input channels of each, output channels of each).

    Poolings and sums work channel by channel: a group for each.
    """
    layer = stage.layer
    if isinstance(layer, Conv):
        return (
            layer.groups,
            layer.in_channels // layer.groups,
            layer.out_channels // layer.groups,
        )
    return stage.output.channels, 1, 1


def channel_tiles(stage: Stage, out_channels: int, in_channels: int) -> tuple[ChannelTile, ...]:
    """The tiles along the channels.

    A tile covers whole groups, or lies inside one; only then can its input channels be
    split into several passes.
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

    >>> from accelsim.mapping.stages import stages
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
        for i, (i0, i1) in enumerate(tile.in_ranges):
            window = Window3(i0, i1, *row.read, *col.read)
            loads, retained = ifmap.bring(window, r, q)
            yield Pass(
                output=Window3(tile.start, tile.stop, *row.stored, *col.stored),
                conv_rows=row.computed,
                conv_cols=col.computed,
                groups=tile.groups,
                n=(tile.stop - tile.start) // tile.groups,
                k=(i1 - i0) // tile.groups * _kernel_size(stage),
                window=window,
                loads_ifmap=loads,
                retained=retained,
                loads_weights=isinstance(stage.layer, Conv) and weights.bring(tile.start, i0),
                first=i == 0,
                last=i == len(tile.in_ranges) - 1,
            )


def fetches(
    stage: Stage, step: Pass, block_of: Callable[[StoredMap], Block | None]
) -> tuple[Fetch, ...]:
    """What ``step`` brings from each part of each input; nothing when it loads no ifmap.

    ``block_of`` gives the block of a compressed map, None for linear maps.
    """
    if not step.loads_ifmap:
        return ()
    found: list[Fetch] = []
    for parts in stage.inputs:
        found += _of_parts(parts, step.window, step.retained, block_of)
    return tuple(found)


def shortcut_fetches(
    stage: Stage, step: Pass, block_of: Callable[[StoredMap], Block | None]
) -> tuple[Fetch, ...]:
    """What the drain path adds when ``step`` finishes its tile: of the shortcut the tile itself.

    Nothing is kept from tile to tile: a block that two tiles share is fetched for both.
    """
    if not (step.last and stage.shortcut):
        return ()
    return tuple(_of_parts(stage.shortcut, step.computed, None, block_of))


def _of_parts(
    parts: tuple[StoredMap, ...],
    window: Window3,
    retained: Window3 | None,
    block_of: Callable[[StoredMap], Block | None],
) -> list[Fetch]:
    """What a window of one map brings from each of its parts."""
    found, offset = [], 0
    for part in parts:
        extents = (part.channels, part.rows, part.cols)
        inside = _on_part(window, part, offset)
        held = retained and _on_part(retained, part, offset)
        offset += part.channels
        if not inside.n_values:
            continue
        block = block_of(part)
        needed = new_part(inside, held)
        fetched = new_part(align(inside, block, extents), held and align(held, block, extents))
        if needed.n_values or fetched.n_values:
            found.append(Fetch(part, needed, fetched))
    return found


def _on_part(window: Window3, part: StoredMap, offset: int) -> Window3:
    shifted = window._replace(c0=window.c0 - offset, c1=window.c1 - offset)
    return intersection(shifted, Window3(0, part.channels, 0, part.rows, 0, part.cols))


def _kernel_size(stage: Stage) -> int:
    if not isinstance(stage.layer, Conv):
        return 0
    rows, cols = stage.layer.window.kernel
    return rows * cols


class _IfmapBuffer:
    """Which windows are in the buffer: the last one, or all so far when the map is resident."""

    def __init__(self, resident: bool) -> None:
        self._resident = resident
        self._held: dict[tuple[int, int], tuple[int, int, Window3]] = {}
        self._seen: set[tuple[int, int, int]] = set()

    def bring(self, window: Window3, r: int, q: int) -> tuple[bool, Window3 | None]:
        """Whether the window at place (r, q) must be loaded, and what it can build on."""
        channels, key = (window.c0, window.c1), (window.c0, r, q)
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

    def bring(self, out_start: int, in_start: int) -> bool:
        key = (out_start, in_start)
        if key in self._seen:
            return False
        if not self._resident:
            self._seen.clear()
        self._seen.add(key)
        return True
