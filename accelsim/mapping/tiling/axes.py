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


def products(
    stage: Stage, pairs: Sequence[tuple[int, int, Kernel]]
) -> tuple[tuple[Ints, Ints, Ints], Floats]:
    """Distinct (n, k, groups) of the passes at one place, each [n_products].

    And [n_pairs, n_products] how often each pair of channel extents has them.
    """
    groups, group_in, group_out = channel_groups(stage)
    found: dict[tuple[int, int, int], int] = {}
    entries: list[tuple[int, int, int]] = []
    sizes = {
        kernel: Counter((b - a) * (d - c) for (a, b), (c, d) in kernel_ranges(stage, kernel))
        for kernel in {kernel for _, _, kernel in pairs}
    }
    for number, (out, ins, kernel) in enumerate(pairs):
        if out <= group_out:
            times, size = groups, group_out
            tiles = [(n, 1, count) for n, count in _pieces(size, out)]
        else:
            times, size = 1, groups * group_out
            tiles = [(group_out, n // group_out, count) for n, count in _pieces(size, out)]
        for n, n_groups, n_tiles in tiles:
            for (ins_of_pass, n_passes), (size, n_sizes) in product(
                _pieces(group_in, ins), sizes[kernel].items()
            ):
                column = found.setdefault((n, ins_of_pass * size, n_groups), len(found))
                entries.append((number, column, times * n_tiles * n_passes * n_sizes))
    counts = np.zeros((len(pairs), len(found)))
    for number, column, count in entries:
        counts[number, column] += count
    n, k, n_groups = np.array(list(found), np.int64).T
    return (n, k, n_groups), counts


def _pieces(size: int, extent: int) -> list[tuple[int, int]]:
    """(extent, how often) when ``size`` is cut; the last piece may be smaller."""
    whole, rest = divmod(size, extent)
    return [(e, count) for e, count in ((extent, whole), (rest, 1)) if e and count]
