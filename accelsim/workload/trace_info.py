"""Contents of a trace as plain rows, for ``accelsim trace info``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from accelsim.workload.graph import Edge
from accelsim.workload.layer import Conv
from accelsim.workload.synth import entropy
from accelsim.workload.trace import TraceFacts
from accelsim.workload.trace_file import TraceFile


@dataclass(frozen=True)
class EdgeRow:
    """One feature map, over all images of the trace."""

    name: str
    shape: tuple[int, int, int]
    """(channels, rows, cols) of one image."""
    bits: int
    signed: bool
    scale: float
    zero_point: int
    density: float
    """Fraction of non-zero values."""
    entropy_bits: float
    """Zeroth-order entropy, bits per value."""
    stored: bool
    """False for maps that are derived from stored ones."""
    stored_bytes: int
    """Bytes in the file, all images."""


@dataclass(frozen=True)
class LayerRow:
    """One layer, for one image."""

    name: str
    kind: str
    inputs: tuple[str, ...]
    output: str
    macs: int
    n_weights: int
    has_weights: bool
    """True when the file holds the weights themselves."""


@dataclass(frozen=True)
class TraceInfo:
    """Summary of a trace."""

    facts: TraceFacts
    edges: tuple[EdgeRow, ...]
    layers: tuple[LayerRow, ...]
    n_values: int
    """Values of all maps of one image, including derived ones."""
    macs: int
    n_weights: int
    file_bytes: int


def trace_info(trace: TraceFile) -> TraceInfo:
    """Facts, maps and layers of a trace. Reads every map once, one at a time."""
    graph = trace.graph
    layers = tuple(
        LayerRow(
            name=layer.name,
            kind=layer.kind,
            inputs=layer.inputs,
            output=layer.output,
            macs=graph.macs(layer),
            n_weights=layer.n_weights if isinstance(layer, Conv) else 0,
            has_weights=trace.has_weights(layer.name),
        )
        for layer in graph.layers
    )
    return TraceInfo(
        facts=trace.facts,
        edges=tuple(_edge_row(trace, edge) for edge in graph.edges),
        layers=layers,
        n_values=sum(e.n_values for e in graph.edges),
        macs=sum(x.macs for x in layers),
        n_weights=sum(x.n_weights for x in layers),
        file_bytes=trace.path.stat().st_size,
    )


def _edge_row(trace: TraceFile, edge: Edge) -> EdgeRow:
    counts = np.zeros(1 << edge.bits, np.int64)
    for image in range(trace.facts.n_images):
        words = trace.values(edge.name, image).astype(np.int64) - edge.low
        counts += np.bincount(words.ravel(), minlength=len(counts))
    return EdgeRow(
        name=edge.name,
        shape=edge.shape,
        bits=edge.bits,
        signed=edge.signed,
        scale=edge.scale,
        zero_point=edge.zero_point,
        density=1.0 - int(counts[-edge.low]) / int(counts.sum()),
        entropy_bits=entropy(counts),
        stored=trace.is_stored(edge.name),
        stored_bytes=trace.stored_bytes(edge.name),
    )
