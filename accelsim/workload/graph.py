"""A network as layers in execution order, connected by edges, which are its feature maps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from accelsim.errors import TraceError
from accelsim.workload.layer import Add, Concat, Conv, Layer, Pool


@dataclass(frozen=True)
class Edge:
    """One feature map of one image, as stored integers.

    A stored integer q stands for ``(q - zero_point) * scale``.
    """

    name: str
    channels: int
    rows: int
    cols: int
    bits: int = 8
    signed: bool = False
    scale: float = 1.0
    zero_point: int = 0

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.channels, self.rows, self.cols

    @property
    def n_values(self) -> int:
        return self.channels * self.rows * self.cols

    @property
    def low(self) -> int:
        """The smallest integer of the declared word."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        """The largest integer of the declared word."""
        return (1 << (self.bits - 1)) - 1 if self.signed else (1 << self.bits) - 1

    @property
    def dtype(self) -> np.dtype[Any]:
        """The smallest numpy integer that holds the word (2 to 16 bits), little-endian."""
        return np.dtype(f"<{'i' if self.signed else 'u'}{1 if self.bits <= 8 else 2}")


@dataclass(frozen=True)
class Graph:
    """Layers in execution order. Every edge is an input or has exactly one producer.

    ``cut`` names the inputs and outputs at which the layers were cut out of a larger network:
    these are feature maps like any other, whereas other inputs are images and other outputs are
    logits.

    Raises ``TraceError`` if an edge is missing, used before it is produced, produced twice,
    or has a different shape than its layer computes.
    """

    layers: tuple[Layer, ...]
    edges: tuple[Edge, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    cut: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        known = set(self.inputs)
        for name in (*self.inputs, *self.outputs):
            self._demand(name in self.edge, name, "is named as input or output, but is not an edge")
        for name in self.cut:
            is_end = name in self.inputs or name in self.outputs
            self._demand(is_end, name, "is named as a cut, but is neither input nor output")
        for layer in self.layers:
            for name in layer.inputs:
                self._demand(name in known, layer.name, f"reads {name!r} before any layer makes it")
            self._demand(
                layer.output in self.edge, layer.name, f"makes an unknown edge {layer.output!r}"
            )
            self._demand(
                layer.output not in known, layer.name, f"makes {layer.output!r} a second time"
            )
            expected = output_shape(layer, [self.edge[n] for n in layer.inputs])
            found = self.edge[layer.output].shape
            self._demand(
                expected == found,
                layer.name,
                f"computes {expected} values, but its output {layer.output!r} has {found}",
            )
            known.add(layer.output)

    @cached_property
    def edge(self) -> dict[str, Edge]:
        """Edges by name."""
        return {e.name: e for e in self.edges}

    @cached_property
    def producer(self) -> dict[str, Layer]:
        """The layer that produces each edge; inputs have none."""
        return {layer.output: layer for layer in self.layers}

    @cached_property
    def consumers(self) -> dict[str, tuple[Layer, ...]]:
        """The layers that read each edge, in execution order."""
        found: dict[str, list[Layer]] = {e.name: [] for e in self.edges}
        for layer in self.layers:
            for name in dict.fromkeys(layer.inputs):
                found[name].append(layer)
        return {name: tuple(layers) for name, layers in found.items()}

    def macs(self, layer: Layer) -> int:
        """Multiply-accumulates of one layer for one image; a scale counts none."""
        if not isinstance(layer, Conv) or layer.scale is not None:
            return 0
        return self.edge[layer.output].n_values * layer.macs_per_output

    @staticmethod
    def _demand(condition: bool, where: str, problem: str) -> None:
        if not condition:
            raise TraceError(where, problem, "export the trace again; its graph contradicts itself")


def output_shape(layer: Layer, inputs: list[Edge]) -> tuple[int, int, int]:
    """(channels, rows, cols) that ``layer`` computes from edges of these shapes."""
    first = inputs[0]
    match layer:
        case Conv():
            Graph._demand(
                layer.in_channels == first.channels
                and layer.in_channels % layer.groups == 0
                and layer.out_channels % layer.groups == 0,
                layer.name,
                f"wants {layer.in_channels} channels in {layer.groups} groups, "
                f"its input {first.name!r} has {first.channels}",
            )
            return layer.out_channels, *layer.window.out_size(first.rows, first.cols)
        case Pool():
            return first.channels, *layer.window.out_size(first.rows, first.cols)
        case Add():
            Graph._demand(
                all(e.shape == first.shape for e in inputs),
                layer.name,
                "adds maps of unequal shapes",
            )
            return first.shape
        case Concat():
            Graph._demand(
                all((e.rows, e.cols) == (first.rows, first.cols) for e in inputs),
                layer.name,
                "stacks maps of unequal rows or columns",
            )
            return sum(e.channels for e in inputs), first.rows, first.cols
