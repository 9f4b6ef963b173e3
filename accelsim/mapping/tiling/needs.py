"""Buffer space that all cuts of a stage need, in bytes, including double buffering.

Every value takes whole bytes in a buffer; partial sums are as wide as the array makes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelsim.array.dataflow import DATAFLOWS, ConvPass
from accelsim.hardware.chip import PeArray
from accelsim.mapping.stages.stage import Stage, StoredMap
from accelsim.mapping.tiling.axes import Reads
from accelsim.mapping.tiling.candidates import pooling_overlaps
from accelsim.mapping.tiling.cuts import StageCuts, per_pair
from accelsim.mapping.tiling.tiles import channel_groups, kernel_of
from accelsim.mapping.windows.occurrences import Floats, Ints
from accelsim.units import Count, bits_to_bytes
from accelsim.workload.layer import Conv


def keeps_psums(
    stage: Stage,
    array: PeArray,
    out_channels: Count,
    in_channels: Count,
    kernel: tuple[Count, Count],
    computed: tuple[Count, Count],
) -> Any:
    """Whether partial sums of a convolution wait in the ofmap buffer: several passes add to
    them, or the dataflow reads them back within a pass.

    Of the largest pass of a tiling: its output channels (of all groups), input channels (of
    one), kernel positions, and the rows and columns that it computes. Integers or arrays.
    """
    layer = stage.layer
    assert isinstance(layer, Conv)
    _, _, group_out = channel_groups(stage)
    largest: ConvPass[Any] = ConvPass(
        *computed,
        np.minimum(out_channels, group_out),
        in_channels,
        *kernel,
        np.maximum(1, out_channels // group_out),
        0,
        layer.window.stride,
        layer.window.dilation,
    )
    is_split = in_channels * kernel[0] * kernel[1] < layer.macs_per_output
    return is_split | DATAFLOWS[array.dataflow].keeps_psums(largest, array)


class BufferNeeds:
    """Space that each cut needs in each buffer."""

    def __init__(self, cuts: StageCuts, array: PeArray) -> None:
        self._cuts, self._array = cuts, array

    def ifmap_bytes(self, order: str, resident: bool) -> Floats:
        """Windows of the input, and tiles of the shortcut if the drain path adds one."""
        windows = self.window_bytes(order, resident)
        return windows + self.shortcut_bytes if self._cuts.stage.shortcut else windows

    def window_bytes(self, order: str, resident: bool) -> Floats:
        """A window and what the next one adds; the whole map when it is resident."""
        cuts, c = self._cuts, self._cuts.channels
        widest, together = (n[c.range_set] for n in self._range_bytes)
        if resident:
            whole = per_pair(together) * cuts.parts[0].rows * cuts.parts[0].cols
            # Halo columns of a neighbour, or what kernel positions share, would come twice.
            again = (cuts.cols.n_tiles > 1) | per_pair(self._in_kernel_parts)
            return np.where(again, np.inf, whole)
        rows, cols_read = self._largest_reads
        window, down, around = (rows[:, i, :, None] for i in range(3))
        cols = cols_read[:, None, :]
        split, alternates = per_pair(c.n_in_passes > 1), per_pair(c.alternates)
        jumps = cuts.cols.n_tiles[None, None, :] > 1
        if order == "weights_outer":
            jumps = jumps | per_pair(c.revisits > 1) | alternates
            replaced = split
        else:
            replaced = split | alternates
        moving = np.where(jumps, np.maximum(down, around), down)
        moving = np.where(replaced, 2 * window, moving)
        alone = (cuts.n_places == 1) & ~alternates & ~split
        return per_pair(widest) * np.where(alone, window, moving) * cols.astype(np.float64)

    @cached_property
    def shortcut_bytes(self) -> Floats:
        """Two tiles of the map that the drain path adds; one if there is but one."""
        cuts, tiles = self._cuts, self._cuts.out_tiles
        pixel = self._pixel_bytes(cuts.stage.shortcut, cuts.shortcut_channels)
        first = np.flatnonzero(np.diff(tiles.channels.candidate, prepend=-1))
        widest = np.maximum.reduceat(pixel, first)[tiles.extent_of_pair]
        rows = self._coarsest(cuts.stage.shortcut, cuts.shortcut_row_reads, 1)[0]
        cols = self._coarsest(cuts.stage.shortcut, cuts.shortcut_col_reads, 2)[0]
        one = per_pair(widest) * (rows[:, None] * cols).astype(np.float64)
        return np.where(per_pair(cuts.channels.n_out_tiles) * cuts.n_places > 1, 2 * one, one)

    def weight_bytes(self, resident: bool) -> Floats:
        """Two tiles, or the whole weights twice: the next stage's come meanwhile."""
        layer = self._cuts.stage.layer
        if resident and isinstance(layer, Conv):
            whole = bits_to_bytes(layer.n_weights * layer.weight_bits)
            return np.full((1, 1, 1), 2.0 * whole)
        return 2 * self.weight_tile_bytes

    def ofmap_bytes(self, order: str) -> Floats:
        """Two tiles, of a map that stays on the chip one, and the line buffer."""
        n_tiles = 1 if self._cuts.sizes.is_kept(self._cuts.stage.output) else 2
        return n_tiles * self.ofmap_tile_bytes + self.line_buffer_bytes(order)

    @cached_property
    def weight_tile_bytes(self) -> Floats:
        """Weights of the largest pass, decoded."""
        layer, c = self._cuts.stage.layer, self._cuts.channels
        if not isinstance(layer, Conv):
            return np.zeros((1, 1, 1))
        kernel_rows, kernel_cols = self._kernel
        n_weights = per_pair(c.out_channels * c.in_channels) * kernel_rows * kernel_cols
        return (-(-n_weights * layer.weight_bits // 8)).astype(np.float64)

    @cached_property
    def ofmap_tile_bytes(self) -> Floats:
        """Psums where partial sums wait in the buffer, otherwise stored values, of a tile; those
        of a map that stays on the chip are made where they lie."""
        cuts = self._cuts
        channels = per_pair(cuts.channels.out_channels).astype(np.float64)
        is_kept = cuts.sizes.is_kept(cuts.stage.output)
        value_bytes = 0 if is_kept else bits_to_bytes(cuts.stage.output.bits)
        stored = cuts.rows.largest_stored[:, None] * cuts.cols.largest_stored * value_bytes
        if not isinstance(cuts.stage.layer, Conv):
            return channels * stored
        psum_bytes = bits_to_bytes(self._array.psum_bits)
        rows, cols = computed = cuts.rows.largest_computed[:, None], cuts.cols.largest_computed
        keeps = keeps_psums(
            cuts.stage,
            self._array,
            per_pair(cuts.channels.out_channels),
            per_pair(cuts.channels.in_channels),
            self._kernel,
            computed,
        )
        return channels * np.where(keeps, rows * cols * psum_bytes, stored)

    def line_buffer_bytes(self, order: str) -> Floats:
        """Rows of overlapping pooling windows, kept from one row of tiles to the next."""
        stage, channels = self._cuts.stage, self._cuts.channels.out_channels
        if stage.fused_pool is None or not pooling_overlaps(stage):
            return np.zeros((1, 1, 1))
        window = stage.fused_pool.window
        n_rows = max(0, window.extent[0] - window.stride[0])
        row_bytes = n_rows * stage.conv_size[1] * bits_to_bytes(stage.output.bits)
        if order == "ifmap_outer":  # every channel comes back at the next place
            channels = np.full_like(channels, stage.output.channels)
        several = self._cuts.rows.n_tiles[None, :, None] > 1
        return np.where(several, per_pair(channels) * float(row_bytes), 0.0)

    @cached_property
    def _kernel(self) -> tuple[Ints, Ints]:
        """Kernel rows and columns of a pass, for each pair of channel extents."""
        c = self._cuts.channels
        rows, cols = np.array(c.kernels)[c.kernel_of_pair].T
        return per_pair(rows), per_pair(cols)

    @property
    def _in_kernel_parts(self) -> NDArray[np.bool_]:
        """[n_channel_pairs] whether passes take parts of the kernel."""
        c, whole = self._cuts.channels, kernel_of(self._cuts.stage)
        parts: NDArray[np.bool_] = np.array([k != whole for k in c.kernels])[c.kernel_of_pair]
        return parts

    @cached_property
    def _largest_reads(self) -> tuple[Ints, Ints]:
        """[n_channel_pairs, 3, n_row_cuts] rows: the largest window; with what the next adds;
        the last with the first. [n_channel_pairs, n_col_cuts] columns of the largest."""
        cuts, c = self._cuts, self._cuts.channels
        rows, cols = [], []
        for kernel in c.kernels:
            of_rows, of_cols = (partial(r, kernel=kernel) for r in (cuts.row_reads, cuts.col_reads))
            rows.append(np.stack(self._coarsest(cuts.parts, of_rows, 1)))
            cols.append(self._coarsest(cuts.parts, of_cols, 2)[0])
        return np.stack(rows)[c.kernel_of_pair], np.stack(cols)[c.kernel_of_pair]

    @cached_property
    def _range_bytes(self) -> tuple[Ints, Ints]:
        """[n_sets] bytes of one pixel, over all parts: of the widest range, and of all ranges."""
        c = self._cuts.channels
        total = self._pixel_bytes(self._cuts.parts, self._cuts.part_channels)
        first = np.flatnonzero(np.diff(c.ranges.candidate, prepend=-1))
        return np.maximum.reduceat(total, first), np.add.reduceat(total, first)

    def _pixel_bytes(self, parts: Iterable[StoredMap], channels: Iterable[Ints]) -> Ints:
        """[n_ranges] bytes of one pixel of all ``parts`` with these channels [n_ranges]; maps
        that stay on the chip are read where they lie."""
        is_kept = self._cuts.sizes.is_kept
        of_parts = [
            n * (0 if is_kept(p) else bits_to_bytes(p.bits))
            for p, n in zip(parts, channels, strict=True)
        ]
        total: Ints = np.sum(of_parts, axis=0)
        return total

    def _coarsest(
        self, parts: Iterable[StoredMap], reads: Callable[[int], Reads], axis: int
    ) -> tuple[Ints, Ints, Ints]:
        """The largest window; with what the next adds; the last with the first.

        Parts with unequal blocks count with the largest of each.
        """
        blocks = {(b[axis] if b else 1) for b in map(self._cuts.block, parts)}
        found = [reads(b)[2:] for b in sorted(blocks)]
        window, down, around = (np.maximum.reduce(n) for n in zip(*found, strict=True))
        return window, down, around
