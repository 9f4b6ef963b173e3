"""Run a quantised network in integers; every stored map of an exported trace equals its result.

The interpreter runs any graph of convolutions, sums, poolings and concatenations and does not
know any particular network. Maps may have a leading axis over images: a batch is faster, and
gives each image the same integers.
"""

from __future__ import annotations

from collections.abc import Mapping

from accelsim.errors import TraceError
from accelsim.workload.arithmetic import (
    AddArithmetic,
    ConvArithmetic,
    LayerArithmetic,
    PoolArithmetic,
    add,
    average,
    convolve,
    requantise,
)
from accelsim.workload.derive import derived_map, is_derivable
from accelsim.workload.graph import Graph
from accelsim.workload.layer import Add, Conv, Layer, Pool
from accelsim.workload.trace import Values


def replay(
    graph: Graph, arithmetic: Mapping[str, LayerArithmetic], inputs: Mapping[str, Values]
) -> dict[str, Values]:
    """Every map by edge name, [..., channels, rows, cols], computed from the input maps.

    Raises ``TraceError`` for a layer without constants, or that overflows.
    """
    maps = dict(inputs)
    for layer in graph.layers:
        parts = [maps[name] for name in layer.inputs]
        maps[layer.output] = replay_layer(graph, layer, parts, arithmetic.get(layer.name))
    return maps


def replay_layer(
    graph: Graph, layer: Layer, parts: list[Values], parameters: LayerArithmetic | None
) -> Values:
    """The output map of one layer from its input maps, integer [..., channels, rows, cols]."""
    out = graph.edge[layer.output]
    zero_points = [graph.edge[name].zero_point for name in layer.inputs]
    if isinstance(layer, Conv) and isinstance(parameters, ConvArithmetic):
        accumulators = convolve(layer, parts[0], zero_points[0], parameters)
        return requantise(accumulators, parameters, layer.activation, out)
    if isinstance(layer, Add) and isinstance(parameters, AddArithmetic):
        return add(parts, zero_points, parameters, layer.activation, out)
    if isinstance(layer, Pool) and isinstance(parameters, PoolArithmetic):
        return average(parts[0], zero_points[0], layer.window, parameters, out)
    if is_derivable(graph, layer.output):
        return derived_map(graph, layer, parts)
    raise TraceError(
        layer.name, f"cannot replay this {layer.kind} layer", "it needs integer constants"
    )
