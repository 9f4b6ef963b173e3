"""The candidate cuts of a stage, axis by axis, as arrays: what their tiles store and read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np

from accelsim.mapping.stages.stage import Stage
from accelsim.mapping.tiling.spans import Axis, Spans, position_ranges, read_pieces, spans
from accelsim.mapping.tiling.tiles import Kernel, channel_groups, kernel_ranges
from accelsim.mapping.windows.occurrences import Floats, Ints, Occurrences, occurrences
from accelsim.mapping.windows.ranges import Ranges


class Reads(NamedTuple):
    """Rows (or columns) that the tiles of each candidate read, in whole blocks."""

    whole: Ranges
    """Of every tile, its window."""
    new: Ranges
    """Of every tile, what its window adds to that of the tile before."""
    largest: Ints  # [n_candidates] the largest window
    largest_with_next: Ints  # [n_candidates] a window and what the next one adds
    last_with_first: Ints  # [n_candidates] the last window and the first


@dataclass(frozen=True)
class PlaceAxis:
    """Candidate cuts of the rows or of the columns. Arrays are [n_candidates]."""

    n_tiles: Ints
    stored: Ranges
    computed: Occurrences
    largest_stored: Ints
    largest_computed: Ints
    cut: Spans


@lru_cache(maxsize=512)  # the layers of a network share few shapes
def place_axis(axis: Axis, extents: tuple[int, ...]) -> PlaceAxis:
    """Cut ``axis`` into tiles of each of ``extents``."""
    cut, n = spans(axis, extents), len(extents)
    first = np.flatnonzero(np.diff(cut.candidate, prepend=-1))
    stored, computed = (b - a for a, b in (cut.stored, cut.computed))
    return PlaceAxis(
        n_tiles=np.bincount(cut.candidate, minlength=n),
        stored=Ranges(cut.candidate, *cut.stored, n),
        computed=occurrences(cut.candidate, computed, n),
        largest_stored=np.maximum.reduceat(stored, first),
        largest_computed=np.maximum.reduceat(computed, first),
        cut=cut,
    )


@lru_cache(maxsize=512)
def reads(axis: Axis, extents: tuple[int, ...], block: int, positions: int | None = None) -> Reads:
    """What the tiles of ``place_axis`` read, aligned to blocks of ``block`` rows.

    With ``positions`` kernel rows to a pass; None takes all of them.
    """
    cut, n = place_axis(axis, extents).cut, len(extents)
    if positions is not None and positions < axis.layer.positions:
        return _reads_of_passes(axis, cut, n, block, positions)
    candidate, (start, stop) = cut.candidate, cut.read
    start, stop = _aligned(start, stop, block, axis.n_read)
    first = np.flatnonzero(np.diff(candidate, prepend=-1))
    held = np.append(0, stop[:-1])
    held[first] = 0
    whole = stop - start
    new = np.maximum(0, stop - np.maximum(start, held))
    following = np.append(new[1:], 0)
    last = np.append(first[1:], len(candidate)) - 1
    following[last] = 0
    return Reads(
        whole=Ranges(candidate, start, stop, n),
        new=Ranges(candidate, stop - new, stop, n),
        largest=np.maximum.reduceat(whole, first),
        largest_with_next=np.maximum.reduceat(whole + following, first),
        last_with_first=whole[last] + whole[first],
    )


def _reads_of_passes(axis: Axis, cut: Spans, n: int, block: int, positions: int) -> Reads:
    """Every pass reads its kernel rows of each window; nothing is kept for the next."""
    passes = position_ranges(axis.layer.positions, positions)
    n_tiles = len(cut.candidate)
    window, start, stop = [], [], []
    for number, which in enumerate(passes):
        tile, first, end = read_pieces(axis, cut.computed, which, block)
        first, end = _aligned(first, end, block, axis.n_read)
        window.append(number * n_tiles + tile)
        start.append(first)
        stop.append(end)
    rows, begin, end = map(np.concatenate, (window, start, stop))
    tile = rows % n_tiles
    whole = Ranges(cut.candidate[tile], begin, end, n)
    size = np.bincount(rows, end - begin, len(passes) * n_tiles).astype(np.int64)
    largest = np.zeros(n, np.int64)
    np.maximum.at(largest, np.tile(cut.candidate, len(passes)), size)
    return Reads(whole, whole, largest, 2 * largest, 2 * largest)


def _aligned(start: Ints, stop: Ints, block: int, size: int) -> tuple[Ints, Ints]:
    return start // block * block, np.minimum(-(-stop // block) * block, size)


@dataclass(frozen=True)
class ChannelAxis:
    """Candidate cuts of the products: triples of output tile, input pass and kernel positions.

    Arrays are [n_pairs]. Many pairs read the same ranges of input channels; these are
    listed once, in sets.
    """

    out_channels: Ints
    in_channels: Ints
    kernels: tuple[Kernel, ...]
    """Distinct kernel rows and columns of a pass."""
    kernel_of_pair: Ints
    n_out_tiles: Ints
    n_in_passes: Ints
    revisits: Ints
    """Output tiles that read the same input channels."""
    alternates: np.ndarray[tuple[int], np.dtype[np.bool_]]
    """Whether other output tiles read other input channels."""
    range_set: Ints
    """Which set of ranges the pair reads."""
    ranges: Ranges
    """The ranges of input channels; candidates are the sets."""

    def pairs(self) -> list[tuple[int, int, Kernel]]:
        """The candidates, as they were given."""
        kernels = [self.kernels[number] for number in self.kernel_of_pair]
        return list(
            zip(self.out_channels.tolist(), self.in_channels.tolist(), kernels, strict=True)
        )


def channel_axis(stage: Stage, pairs: Sequence[tuple[int, int, Kernel]]) -> ChannelAxis:
    """The channel cuts of ``stage``; see ``candidates.channel_extents`` for legal pairs."""
    groups, group_in, group_out = channel_groups(stage)
    total = stage.output.channels
    out, ins = (np.array([pair[i] for pair in pairs], np.int64) for i in (0, 1))
    kernels = tuple(dict.fromkeys(pair[2] for pair in pairs))
    kernel_of_pair = np.array([kernels.index(pair[2]) for pair in pairs], np.int64)
    n_positions = np.array([len(kernel_ranges(stage, kernel)) for kernel in kernels])
    inside = out <= group_out
    tiles_of_group = -(-group_out // out)
    n_out_tiles = np.where(inside, groups * tiles_of_group, -(-total // out))
    # Ranges of input channels: equal passes in every group, or one for several groups.
    # No pass inside a group is as wide as a range over several.
    widths = np.where(inside, ins, out // group_out * group_in)
    distinct, range_set = np.unique(widths, return_inverse=True)
    starts, stops, sets = [], [], []
    for number, width in enumerate(distinct.tolist()):
        if width <= group_in:
            within = np.arange(0, group_in, width, dtype=np.int64)
            start = (np.arange(groups)[:, None] * group_in + within).ravel()
            stop = np.minimum(start + width, (start // group_in + 1) * group_in)
        else:
            start = np.arange(0, groups * group_in, width, dtype=np.int64)
            stop = np.minimum(start + width, groups * group_in)
        starts.append(start)
        stops.append(stop)
        sets.append(np.full(len(start), number))
    return ChannelAxis(
        out_channels=out,
        in_channels=ins,
        kernels=kernels,
        kernel_of_pair=kernel_of_pair,
        n_out_tiles=n_out_tiles,
        n_in_passes=-(-group_in // ins) * n_positions[kernel_of_pair],
        revisits=np.where(inside, tiles_of_group, 1),
        alternates=(groups > 1) & (inside | (n_out_tiles > 1)),
        range_set=range_set,
        ranges=Ranges(
            candidate=np.concatenate(sets),
            start=np.concatenate(starts),
            stop=np.concatenate(stops),
            n_candidates=len(distinct),
        ),
    )


class PassSizes(NamedTuple):
    """Distinct passes at one place, and how often each pair of channel extents makes them.

    Arrays are [n_passes]; what they hold is told in ``ConvPass``.
    """

    out_channels: Ints
    in_channels: Ints
    kernel_rows: Ints
    kernel_cols: Ints
    groups: Ints
    accumulate: Ints
    counts: Floats  # [n_pairs, n_passes]

    @property
    def n_weights(self) -> Ints:
        kernel_size = self.kernel_rows * self.kernel_cols
        return self.out_channels * self.in_channels * kernel_size * self.groups


def pass_sizes(stage: Stage, pairs: Sequence[tuple[int, int, Kernel]]) -> PassSizes:
    """The passes that ``stage`` makes at one place of its output, for all ``pairs``."""
    groups, group_in, group_out = channel_groups(stage)
    parts = {cut: _parts(stage, group_in, *cut) for cut in {pair[1:] for pair in pairs}}
    found: dict[tuple[int, ...], int] = {}
    entries: list[tuple[int, int, int]] = []
    for number, (out, ins, kernel) in enumerate(pairs):
        times, size = (groups, group_out) if out <= group_out else (1, groups * group_out)
        for channels, n_tiles in _pieces(size, out):
            of_tile = min(channels, group_out), max(1, channels // group_out)
            for part, n_passes in parts[ins, kernel]:
                column = found.setdefault((*of_tile, *part), len(found))
                entries.append((number, column, times * n_tiles * n_passes))
    counts = np.zeros((len(pairs), len(found)))
    for number, column, count in entries:
        counts[number, column] += count
    out_channels, n_groups, *of_part = np.array(list(found), np.int64).T
    in_channels, kernel_rows, kernel_cols, accumulate = of_part
    return PassSizes(
        out_channels, in_channels, kernel_rows, kernel_cols, n_groups, accumulate, counts
    )


def _parts(
    stage: Stage, group_in: int, in_channels: int, kernel: Kernel
) -> list[tuple[tuple[int, int, int, int], int]]:
    """(input channels, kernel rows, kernel columns, accumulate) of a tile's passes, and how often.

    The first pass alone adds to no earlier sums.
    """
    sizes = Counter((b - a, d - c) for (a, b), (c, d) in kernel_ranges(stage, kernel))
    cuts = product(_pieces(group_in, in_channels), sizes.items())
    (first, count), *others = (
        ((channels, *size), n_channels * n_sizes)
        for (channels, n_channels), (size, n_sizes) in cuts
    )
    later = [((*part, 1), n) for part, n in ((first, count - 1), *others) if n]
    return [((*first, 0), 1), *later]


def _pieces(size: int, extent: int) -> list[tuple[int, int]]:
    """(extent, how often) when ``size`` is cut; the last piece may be smaller."""
    whole, rest = divmod(size, extent)
    return [(e, count) for e, count in ((extent, whole), (rest, 1)) if e and count]
