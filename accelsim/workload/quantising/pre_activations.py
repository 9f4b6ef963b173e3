"""Maps before their ReLU, as integers: the input of a transform codec placed before the ReLU.

Each layer with an activation gets a twin without one, reading the same inputs with the same
constants. Twins are quantised like every other map, to signed words with a calibrated
scale, and leave the graph before it is stored.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from accelsim.workload.graph import Edge
from accelsim.workload.layer import Add, Conv
from accelsim.workload.quantising.float_network import FloatNetwork
from accelsim.workload.quantising.quantise import QuantisedNetwork

_TWIN: Final = "/before its activation"


def with_twins(network: FloatNetwork) -> FloatNetwork:
    """The network with a twin for each layer that has an activation."""
    graph = network.graph
    layers, edges = list(graph.layers), list(graph.edges)
    weights, biases = dict(network.weights), dict(network.biases)
    scales = dict(network.weight_scales)
    for layer in graph.layers:
        if not isinstance(layer, Conv | Add) or layer.activation == "none":
            continue
        twin = layer.name + _TWIN
        layers.append(replace(layer, name=twin, output=twin, activation="none"))
        edges.append(replace(graph.edge[layer.output], name=twin))
        if isinstance(layer, Conv):
            weights[twin], biases[twin] = weights[layer.name], biases[layer.name]
            if layer.name in scales:
                scales[twin] = scales[layer.name]
    graph = replace(graph, layers=tuple(layers), edges=tuple(edges))
    return replace(network, graph=graph, weights=weights, biases=biases, weight_scales=scales)


def without_twins(quantised: QuantisedNetwork) -> QuantisedNetwork:
    """The quantised network as it is stored."""
    graph = quantised.graph
    kept = tuple(x for x in graph.layers if not x.name.endswith(_TWIN))
    edges = tuple(e for e in graph.edges if not e.name.endswith(_TWIN))
    arithmetic = {n: a for n, a in quantised.arithmetic.items() if not n.endswith(_TWIN)}
    return replace(quantised, graph=replace(graph, layers=kept, edges=edges), arithmetic=arithmetic)


def twin_edges(quantised: QuantisedNetwork) -> dict[str, Edge]:
    """By layer: the twin's output edge, named as in the graph with twins."""
    return {e.name.removesuffix(_TWIN): e for e in quantised.graph.edges if e.name.endswith(_TWIN)}
