"""Run a quantised network on integers: what every stored map of an exported trace equals.

The interpreter walks any graph of convolutions, poolings and concatenations; it knows no
network. Sums of maps (residual connections) are recorded, but not replayed yet.
"""

from __future__ import annotations

from collections.abc import Mapping

from accelsim.errors import TraceError
from accelsim.workload.arithmetic import LayerArithmetic, convolve, requantise
from accelsim.workload.derive import derived_map, is_derivable
from accelsim.workload.graph import Graph
from accelsim.workload.layer import Conv, Layer
from accelsim.workload.trace import Values


def replay(
    graph: Graph, arithmetic: Mapping[str, LayerArithmetic], inputs: Mapping[str, Values]
) -> dict[str, Values]:
    """Every map of one image by edge name, from the maps of the graph's inputs.

    Raises ``TraceError`` for a layer without constants, or that is not replayed.
    """
    maps = dict(inputs)
    for layer in graph.layers:
        parts = [maps[name] for name in layer.inputs]
        maps[layer.output] = replay_layer(graph, layer, parts, arithmetic.get(layer.name))
    return maps


def replay_layer(
    graph: Graph, layer: Layer, parts: list[Values], parameters: LayerArithmetic | None
) -> Values:
    """The output map of one layer from its input maps, integer [channels, rows, cols]."""
    out = graph.edge[layer.output]
    if isinstance(layer, Conv) and parameters is not None:
        zero_point = graph.edge[layer.input].zero_point
        accumulators = convolve(layer, parts[0], zero_point, parameters)
        return requantise(accumulators, parameters, layer.activation, out)
    if is_derivable(graph, layer.output):
        return derived_map(graph, layer, parts)
    raise TraceError(
        layer.name, f"cannot replay this {layer.kind} layer", "it needs integer constants"
    )
