"""Which operands of a convolution are zero: those of a trace, as the passes of a stage see them.

A value is zero where its integer is the zero point of its map, and so is padding: both add
nothing to a sum. Weights are symmetric; those that the trace does not hold are assumed dense.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from accelsim.array.nonzeros import Bools, Ints, Operand, dense, operand_of
from accelsim.codecs.weight_tiles import Range, WeightTile
from accelsim.hardware.chip import PeArray
from accelsim.mapping.measuring.summed_area import Ends, SummedArea
from accelsim.workload.layer import Conv, Window
from accelsim.workload.trace import Trace
from accelsim.workload.windows import pad


@dataclass(frozen=True, eq=False)
class ConvOperands:
    """What of one convolution is not zero, for one image. None: zeros do not count as such."""

    window: Window
    ifmap: Bools | None
    """[channels, rows, cols] of the layer's whole input."""
    weights: Bools | None
    """[out_channels, in_channels / groups, rows, cols]."""

    def of_ifmap(
        self, channels: Range, groups: int, rows: Range, cols: Range, part: WeightTile
    ) -> Operand:
        """The windows of output pixels ``rows`` x ``cols`` over ``channels`` of ``groups``, at the
        kernel positions of ``part``."""
        first = np.arange(*channels, (channels[1] - channels[0]) // groups)
        kernel = part.kernel_rows, part.kernel_cols
        pixels = np.arange(*rows), np.arange(*cols)
        size = [stop - start for start, stop in kernel]
        depth = (channels[1] - channels[0]) // groups
        k = depth * size[0] * size[1]
        if self.ifmap is None:
            return dense(groups, len(pixels[0]) * len(pixels[1]), k)
        counts = np.zeros((groups, len(pixels[0]), len(pixels[1])), np.int64)
        pieces = [self._pieces(axis, pixels[axis], kernel[axis]) for axis in (0, 1)]
        for seen_rows in pieces[0]:
            for seen_cols in pieces[1]:
                counts += self._area.counts((first, first + depth), seen_rows, seen_cols)

        def table() -> Bools:
            places = [
                self._at(axis, pixels[axis][:, None], np.arange(*kernel[axis])) for axis in (0, 1)
            ]
            seen = self._padded[channels[0] : channels[1]]
            seen = seen[:, places[0][:, :, None, None], places[1]]
            # [channels, pixel rows, kernel rows, pixel columns, kernel columns]
            seen = seen.reshape(groups, depth, *seen.shape[1:]).transpose(0, 2, 4, 1, 3, 5)
            return seen.reshape(groups, -1, k)

        return Operand(k, counts.reshape(groups, -1), table)

    def of_weights(self, part: WeightTile, groups: int) -> Operand:
        """The filters of a tile of weights."""
        sides = [stop - start for start, stop in part]
        n_filters, k = sides[0] // groups, sides[1] * sides[2] * sides[3]
        if self.weights is None:
            return dense(groups, n_filters, k)
        box = self.weights[tuple(slice(*side) for side in part)]
        return operand_of(box.reshape(groups, n_filters, k))

    @cached_property
    def _area(self) -> SummedArea:
        assert self.ifmap is not None
        return SummedArea(self.ifmap)

    @cached_property
    def _padded(self) -> Bools:
        assert self.ifmap is not None
        return pad(self.ifmap, self.window, False)

    def _at(self, axis: int, pixel: Ints, position: Ints) -> Ints:
        """Rows (or columns) of the padded map under kernel positions of output pixels."""
        window = self.window
        found: Ints = pixel * window.stride[axis] + position * window.dilation[axis]
        return found

    def _pieces(self, axis: int, pixel: Ints, positions: Range) -> list[Ends]:
        """Ranges of the map that together are what pixels see: one, or, where kernel positions
        lie apart, one for each."""
        first, stop = positions
        whole = [(first, stop)]
        apart = [(i, i + 1) for i in range(first, stop)]
        before = self.window.padding[2 * axis]
        starts = [
            (self._at(axis, pixel, np.array(a)) - before, b - a)
            for a, b in (whole if self.window.dilation[axis] == 1 else apart)
        ]
        return [(start, start + length) for start, length in starts]


class Operands(Protocol):
    """Those of every convolution, by image."""

    def of(self, layer: Conv, image: int) -> ConvOperands: ...


class TraceOperands:
    """The operands of every convolution of a trace, read when they are asked for."""

    def __init__(self, trace: Trace, array: PeArray) -> None:
        """``array.zeros_of`` says which operands are looked at."""
        self._trace, self._of = trace, array.zeros_of

    def of(self, layer: Conv, image: int) -> ConvOperands:
        """Those of one image. Raises ``TraceError`` for broken tensors."""
        ifmap = weights = None
        if self._of in ("ifmap", "both"):
            zero = self._trace.graph.edge[layer.input].zero_point
            ifmap = self._trace.values(layer.input, image) != zero
        if self._of in ("weight", "both"):
            held = self._trace.weights(layer.name)
            weights = None if held is None else held != 0
        return ConvOperands(layer.window, ifmap, weights)


def operands_of(trace: Trace, array: PeArray) -> TraceOperands | None:
    """What an array that leaves out products of zeros looks at; None for one that does not."""
    return TraceOperands(trace, array) if array.zeros != "none" else None
