"""Which word each feature map is stored in: bits, sign, scale and zero point.

* A word that the network came with is kept as it is.
* A trained word is kept exactly: its scale is what training learned, not rounded.
* Other maps have ``map_bits`` (8), clipped at their extremes over the calibration images:
  unsigned where no negative value can occur (after ReLU and ReLU6), symmetric signed
  elsewhere. Their scales are rounded up to 12 significant bits: machines whose float
  arithmetic differs in the last place then still make the same integers.
* A concatenation, a maximum pooling and their inputs share one word, so that these layers
  only move integers, and a consumer has one scale for its input. Where parts were trained
  to different words (see ``equalise`` for when that remains), the common step is the
  largest of the trained ones, with as many bits as cover all parts.
* An average over the whole map keeps 8 more fraction bits than its input (less where a
  consumer's 32-bit accumulators would not hold them): it is the mean of many values.
  Other averages have ``map_bits``, or their input's if that is more.
* Class scores, which a last convolution without activation makes, have 16 bits: 8 would tie
  the best classes.
"""

from __future__ import annotations

import math
from collections.abc import Container, Mapping
from dataclasses import asdict, replace
from typing import Final

from accelsim.workload.graph import Edge, Graph
from accelsim.workload.layer import Add, Concat, Conv, Layer, Pool
from accelsim.workload.quantising.float_network import FloatNetwork, TrainedWord, Word
from accelsim.workload.quantising.input_map import InputForm, input_word

MAP_BITS: Final = 8
_SCORE_BITS: Final = 16
_MOST_BITS: Final = 16
_AVERAGE_EXTRA_BITS: Final = 8
_SCALE_BITS: Final = 12
_SUM_BITS: Final = 30  # of an accumulator; the bias may take as many


def rounded_up(scale: float) -> float:
    """The next scale with 12 significant bits.

    >>> rounded_up(0.1)
    0.100006103515625
    """
    mantissa, exponent = math.frexp(scale)
    return math.ldexp(math.ceil(math.ldexp(mantissa, _SCALE_BITS)), exponent - _SCALE_BITS)


def with_words(
    network: FloatNetwork,
    ranges: Mapping[str, tuple[float, float]],
    form: InputForm,
    map_bits: int = MAP_BITS,
) -> Graph:
    """The network's graph with a word for each edge.

    ``ranges`` are the (low, high) of each map over the calibration images. A trained clip
    takes the place of the six of a ReLU6.
    """
    graph = network.graph
    groups = sharing_groups(graph, network.given_words)
    unsigned = _unsigned(graph)
    words: dict[str, Edge] = {}
    for edge in _in_order(graph):
        if edge.name in words:
            continue
        group = groups[edge.name]
        producer = graph.producer.get(edge.name)
        if given := _given(network, group):
            word = replace(edge, **asdict(given))
        elif edge.name in graph.inputs and form != "normalised":
            word = input_word(network, form, edge)
        elif isinstance(producer, Pool) and producer.op == "avg" and producer.input not in group:
            word = _average(graph, producer, words[producer.input], map_bits)
        elif edge.name in graph.outputs and _is_score(producer) and len(group) == 1:
            word = _calibrated(edge, ranges[edge.name], _SCORE_BITS, signed=True)
        else:
            reach = min(ranges[n][0] for n in group), max(ranges[n][1] for n in group)
            signed = not group <= unsigned
            trained = {n: network.trained_words[n] for n in group if n in network.trained_words}
            own = {n for n in group if not _only_moves(graph, n)}
            if trained:
                is_whole = own == set(trained)
                word = _trained(edge, set(trained.values()), is_whole, reach, map_bits, signed)
            else:
                word = _calibrated(edge, reach, map_bits, signed)
        for name in group:
            shape = graph.edge[name]
            words[name] = replace(
                word, name=name, channels=shape.channels, rows=shape.rows, cols=shape.cols
            )
    layers = tuple(_with_trained_clip(x, network) for x in graph.layers)
    return replace(graph, layers=layers, edges=tuple(words[e.name] for e in graph.edges))


def sharing_groups(graph: Graph, given: Container[str] = ()) -> dict[str, frozenset[str]]:
    """By edge: all edges whose integers mean the same, because layers only move them.

    Concatenations and maximum poolings join their inputs and outputs; so does an average
    whose result is concatenated, unless it is one of the ``given``, which have their own word.
    """
    group: dict[str, set[str]] = {e.name: {e.name} for e in graph.edges}

    def join(names: tuple[str, ...]) -> None:
        joined = set().union(*(group[n] for n in names))
        for name in joined:
            group[name] = joined

    for layer in graph.layers:
        if isinstance(layer, Concat) or (isinstance(layer, Pool) and layer.op == "max"):
            join((*layer.inputs, layer.output))
    stacked = [x.output for x in graph.layers if isinstance(x, Concat)]
    for layer in graph.layers:
        if not isinstance(layer, Pool) or layer.output in given:
            continue
        if any(n in group[layer.output] for n in stacked):
            join((layer.input, layer.output))
    return {name: frozenset(names) for name, names in group.items()}


def _given(network: FloatNetwork, group: frozenset[str]) -> Word | None:
    words = {network.given_words[n] for n in group if n in network.given_words}
    if len(words) > 1:
        raise AssertionError(f"{network.name}: {sorted(group)} came with several words")
    return next(iter(words), None)


def _in_order(graph: Graph) -> list[Edge]:
    return [graph.edge[n] for n in (*graph.inputs, *(x.output for x in graph.layers))]


def _unsigned(graph: Graph) -> frozenset[str]:
    """Edges that can hold no negative value."""
    found: set[str] = set()
    for layer in graph.layers:
        is_rectified = isinstance(layer, Conv | Add) and layer.activation != "none"
        if is_rectified or (not isinstance(layer, Conv) and found.issuperset(layer.inputs)):
            found.add(layer.output)
    return frozenset(found)


def _only_moves(graph: Graph, edge: str) -> bool:
    return isinstance(graph.producer.get(edge), Pool | Concat)


def _is_score(producer: Layer | None) -> bool:
    return isinstance(producer, Conv) and producer.activation == "none"


def _with_trained_clip(layer: Layer, network: FloatNetwork) -> Layer:
    if isinstance(layer, Conv | Add) and layer.output in network.trained_words:
        return replace(layer, activation="relu")
    return layer


def _calibrated(edge: Edge, reach: tuple[float, float], bits: int, signed: bool) -> Edge:
    steps = (1 << (bits - int(signed))) - 1
    # Any scale will do for a map that is all zero.
    largest = max(-reach[0] if signed else 0.0, reach[1]) or 1.0
    return replace(edge, bits=bits, signed=signed, scale=rounded_up(largest / steps))


def _trained(
    edge: Edge,
    trained: set[TrainedWord],
    is_whole: bool,
    reach: tuple[float, float],
    map_bits: int,
    signed: bool,
) -> Edge:
    """The word of a group; ``is_whole`` when each map that is computed was trained."""
    if is_whole and len(trained) == 1:
        (word,) = trained
        return replace(edge, bits=word.bits, signed=False, scale=word.scale)
    scale = max(word.scale for word in trained)
    # A trained reach is a whole number of its own steps, but for the last digits.
    n_steps = math.ceil(max(-reach[0], reach[1]) / scale - 1e-6)
    bits = max(2, n_steps.bit_length() + int(signed))
    if bits > max(map_bits, *(word.bits for word in trained)):
        return _calibrated(edge, reach, map_bits, signed)
    return replace(edge, bits=bits, signed=signed, scale=scale)


def _average(graph: Graph, layer: Pool, source: Edge, map_bits: int) -> Edge:
    out = graph.edge[layer.output]
    most = map_bits
    if out.rows == out.cols == 1:
        most = min(_MOST_BITS, source.bits + _AVERAGE_EXTRA_BITS)
        for consumer in graph.consumers[out.name]:
            if isinstance(consumer, Conv):
                largest_weight = 1 << (consumer.weight_bits - 1)
                products = (consumer.macs_per_output * largest_weight - 1).bit_length()
                most = min(most, _SUM_BITS - products + int(source.signed))
    extra = max(0, most - source.bits)
    return replace(
        source,
        bits=source.bits + extra,
        scale=source.scale / 2**extra,
        zero_point=source.zero_point << extra,
    )
