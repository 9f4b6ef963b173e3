"""One trained word for all parts of a concatenation, without changing the network.

Each ReLU of compression-aware training has a step of its own, but a convolution after a
concatenation has one scale for its whole input. A ReLU is homogeneous, ``relu(f x) = f
relu(x)``: so the convolution that produces a part is multiplied by ``f``, and the weights that
read the part are divided by it (cross-layer equalisation: Nagel et al., "Data-Free
Quantization Through Weight Equalization and Bias Correction", ICCV 2019). If ``f`` is the
ratio of the steps, all parts have the largest step, and every stored integer is the one that was
trained.

Concatenations whose parts differ in bits, are not all trained convolutions, or are read by
a sum or the outside are left as they are.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from accelsim.workload.graph import Graph
from accelsim.workload.layer import Concat, Conv, Layer, Pool
from accelsim.workload.quantising.float_network import FloatNetwork, TrainedWord
from accelsim.workload.quantising.words import sharing_groups


def equalised(network: FloatNetwork) -> FloatNetwork:
    """The same function with other weights; parts of a concatenation have one trained word."""
    graph = network.graph
    common: dict[str, TrainedWord] = {}
    for group in set(sharing_groups(graph).values()):
        common |= _common_word(network, group)
    factors = {n: np.ones(graph.edge[n].channels) for n in graph.inputs}
    weights, biases = dict(network.weights), dict(network.biases)
    for layer in graph.layers:
        factors[layer.output] = _factors(network, layer, factors, common)
        if isinstance(layer, Conv):
            out, read = factors[layer.output], factors[layer.input]
            per_group = read.reshape(layer.groups, -1)
            seen = np.repeat(per_group, layer.out_channels // layer.groups, axis=0)
            scaled = weights[layer.name] * (out[:, None] / seen)[:, :, None, None]
            weights[layer.name] = scaled.astype(np.float32)
            biases[layer.name] = (biases[layer.name] * out).astype(biases[layer.name].dtype)
    words = network.trained_words | common
    return replace(network, weights=weights, biases=biases, trained_words=words)


def _common_word(network: FloatNetwork, group: frozenset[str]) -> dict[str, TrainedWord]:
    """The word for each trained part of ``group``; empty if nothing needs to be done."""
    trained = {n: network.trained_words[n] for n in group if n in network.trained_words}
    words = set(trained.values())
    if len(words) < 2 or len({w.bits for w in words}) > 1:
        return {}
    if not all(_may_be_scaled(network.graph, n, trained) for n in group):
        return {}
    largest = max(words, key=lambda word: word.scale)
    return dict.fromkeys(trained, largest)


def _may_be_scaled(graph: Graph, edge: str, trained: dict[str, TrainedWord]) -> bool:
    producer = graph.producer.get(edge)
    made_well = (
        isinstance(producer, Conv) if edge in trained else isinstance(producer, Concat | Pool)
    )
    return made_well and _is_read_by_weights(graph, edge)


def _is_read_by_weights(graph: Graph, edge: str) -> bool:
    """True when every path from the edge ends in a convolution, through moves and averages."""
    return edge not in graph.outputs and all(
        isinstance(x, Conv)
        or (isinstance(x, Pool | Concat) and _is_read_by_weights(graph, x.output))
        for x in graph.consumers[edge]
    )


def _factors(
    network: FloatNetwork,
    layer: Layer,
    factors: dict[str, NDArray[np.float64]],
    common: dict[str, TrainedWord],
) -> NDArray[np.float64]:
    """[channels] the factors by which the output values of a layer are multiplied."""
    if isinstance(layer, Pool):
        return factors[layer.input]
    if isinstance(layer, Concat):
        return np.concatenate([factors[n] for n in layer.inputs])
    factor = 1.0
    if layer.output in common:
        factor = common[layer.output].scale / network.trained_words[layer.output].scale
    return np.full(network.graph.edge[layer.output].channels, factor)
