"""Values stored without gaps in DRAM, and the lines that windows of them touch.

Values are ordered by groups of channels, then rows, columns, and the channels of the group
innermost. ``Arrangement.parts`` gives their places: the layout of raw maps uses it to list lines,
the planner to count them. A window costs the distinct lines of its values, because a line
that it touches twice is moved once.

Counting. In one group, the pixels of a window follow each other at rising addresses, so a
pixel adds the lines beyond the last line of the previous pixel: the lines of a window are
those of its first pixel and what every other pixel adds. Along a row that repeats with a
period of line / gcd(line, bits of a pixel) pixels, and from row to row with a period of
rows. So a few first pixels, rows and columns represent all others; only lines shared by the last
pixel of one group and the first of the next are counted separately.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import NamedTuple

import numpy as np

from accelsim.mapping.windows.occurrences import Floats, Ints, weighted_sum
from accelsim.mapping.windows.ranges import Ranges, table


class Parts(NamedTuple):
    """Ranges of channels, cut at the borders of groups. All [n_parts]."""

    range: Ints
    """Number of the range that the part belongs to; rising."""
    group: Ints
    origin: Ints
    """Position of the group's first value in the map."""
    depth: Ints
    """Channels of the group: values from one pixel to the next."""
    start: Ints
    """[start, stop) are the part's channels in the group."""
    stop: Ints


@dataclass(frozen=True)
class Arrangement:
    """Values of ``bits`` bits each; ``group`` channels lie side by side."""

    channels: int
    rows: int
    cols: int
    bits: int
    group: int

    @property
    def n_values(self) -> int:
        return self.channels * self.rows * self.cols

    @property
    def depth(self) -> int:
        """Channels of a group; the last may have less. The channels of one pixel need none."""
        return self.channels if self.rows * self.cols == 1 else min(self.group, self.channels)

    def parts(self, start: Ints, stop: Ints) -> Parts:
        """Where the channels [start, stop) [n_ranges] of a pixel lie. Empty ranges have none.

        >>> found = Arrangement(40, 2, 2, 8, 16).parts(np.array([12]), np.array([40]))
        >>> [n.tolist() for n in (found.origin, found.depth, found.start, found.stop)]
        [[0, 64, 128], [16, 16, 8], [12, 0, 0], [16, 16, 8]]
        """
        depth = self.depth
        first, end = start // depth, np.where(stop > start, -(-stop // depth), start // depth)
        which = np.repeat(np.arange(len(start)), end - first)
        group = np.arange(len(which)) - np.repeat(np.cumsum(end - first) - end, end - first)
        base = group * depth
        return Parts(
            range=which,
            group=group,
            origin=base * self.rows * self.cols,
            depth=np.minimum(depth, self.channels - base),
            start=np.maximum(start[which] - base, 0),
            stop=np.minimum(stop[which] - base, depth),
        )


def line_counts(
    values: Arrangement, line_bits: int, channels: Ranges, rows: Ranges, cols: Ranges
) -> Floats:
    """[n_channel_cuts, n_row_cuts, n_col_cuts] lines of all windows of all these cuts."""
    if not all((r.stop > r.start).any() for r in (channels, rows, cols)):
        return np.zeros((channels.n_candidates, rows.n_candidates, cols.n_candidates))
    parts = values.parts(channels.start, channels.stop)
    first_bit = (parts.origin + parts.start) * values.bits
    side = int(parts.depth.max()) + 1
    key = (first_bit % line_bits * side + parts.depth) * side + parts.stop - parts.start
    kinds, which = np.unique(key, return_inverse=True)
    cells = channels.candidate[parts.range] * len(kinds) + which
    of_channels = table(cells, channels.n_candidates, len(kinds))
    pixels = _Pixels(
        first_bit=kinds // side // side,
        pitch_bits=kinds // side % side * values.bits,
        width_bits=kinds % side * values.bits,
        line_bits=line_bits,
    )
    period = min(values.rows, pixels.period // gcd(pixels.period, values.cols))
    of_rows = [
        _folded(touched(1, values.rows), period) for touched in (rows.started, rows.continued)
    ]
    start, stop, of_cols = cols.distinct
    lines = pixels.lines(values.cols, period, start, stop)
    found = weighted_sum(lines, of_channels, np.concatenate(of_rows, axis=1), of_cols)
    return found - _shared_by_groups(values, line_bits, channels, rows, cols)


class _Pixels(NamedTuple):
    """Pixels at equal distances, for several kinds of parts [n_kinds]."""

    first_bit: Ints
    pitch_bits: Ints
    width_bits: Ints
    line_bits: int

    @property
    def period(self) -> int:
        """Pixels after which lines repeat, for all kinds."""
        return self.line_bits // gcd(self.line_bits, *self.pitch_bits.tolist())

    def ends(self, pixel: Ints) -> tuple[Ints, Ints]:
        """First line and one past the last, of pixels that broadcast to [n_kinds, ...]."""
        shape = (-1, *(1,) * (pixel.ndim - 1))
        first, pitch, width = (n.reshape(shape) for n in self[:3])
        start = first + pixel * pitch
        return start // self.line_bits, -(-(start + width) // self.line_bits)

    def lines(self, n_cols: int, n_rows: int, start: Ints, stop: Ints) -> Floats:
        """[n_kinds, 2 n_rows, n_ranges] lines of a row of pixels with columns [start, stop):
        each row as the first of its window, then each as one below another."""
        period = self.period
        first, end = self.ends(np.arange(-1, period)[None])
        added = end[:, 1:] - np.maximum(first[:, 1:], end[:, :-1])
        sums = np.concatenate([np.zeros_like(added[:, :1]), np.cumsum(added, axis=1)], axis=1)

        def before(pixel: Ints) -> Ints:
            """What all pixels from 0 to ``pixel`` add, each to the one before."""
            whole: Ints = pixel // period * sums[:, -1:, None] + sums[:, pixel % period]
            return whole

        row = np.arange(n_rows)[:, None] * n_cols
        first, end = self.ends((row + start)[None])
        _, end_above = self.ends((row - n_cols + stop - 1)[None])
        alone = end - first + before(row + stop) - before(row + start + 1)
        below = alone - np.maximum(0, end_above - first)
        return np.concatenate([alone, below], axis=1).astype(np.float64)


def _shared_by_groups(
    values: Arrangement, line_bits: int, channels: Ranges, rows: Ranges, cols: Ranges
) -> Floats:
    """Lines with the end of one group and the start of the next, in windows with both."""
    depth, n_pixels = values.depth, values.rows * values.cols
    n_borders = -(-values.channels // depth) - 1
    if not n_borders:
        return np.zeros((1, 1, 1))
    r0, r1, of_rows = rows.distinct
    q0, q1, of_cols = cols.distinct
    first = r0[:, None] * values.cols + q0
    last = (r1[:, None] - 1) * values.cols + q1
    thinnest = values.channels - n_borders * depth
    near = (n_pixels - last + first) * thinnest * values.bits < line_bits
    row, col = np.nonzero(near)
    first, last = first[near][:, None], last[near][:, None]
    border = np.arange(1, n_borders + 1)
    begins = border * depth * n_pixels
    behind = np.minimum(depth, values.channels - border * depth)
    end = -(-(begins - (n_pixels - last) * depth) * values.bits // line_bits)
    shared = end > (begins + first * behind) * values.bits // line_bits  # [n_near, n_borders]
    of_borders = channels.continued(depth, n_borders + 1)[:, 1:] @ shared.T
    found: Floats = (of_borders[:, None, :] * of_rows[:, row]) @ of_cols[:, col].T
    return found


def _folded(counts: Floats, period: int) -> Floats:
    """Columns [n_candidates, n] added up modulo ``period``."""
    n_candidates, n = counts.shape
    padded = np.zeros((n_candidates, -(-n // period) * period))
    padded[:, :n] = counts
    folded: Floats = padded.reshape(n_candidates, -1, period).sum(axis=1)
    return folded
