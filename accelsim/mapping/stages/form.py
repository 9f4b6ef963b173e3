"""From the layers of a graph to the stages of a machine.

Concatenations need no work: the parts of a stacked map stay where their producers put them, and
its consumers read a list of parts. A pooling is fused with the convolution that feeds it if
nothing else reads the map between them: the values are pooled on their way out and the
unpooled map never exists. This also works through concatenations that only the pooling
reads: then every convolution pools its own channels.

An addition of two maps is fused with the convolution that produces the later of them, under the
same condition; the other map, the shortcut, has been stored by then and is read as the sums leave.
A pooling is fused after such an addition as it is after a convolution.

A scale (batch normalisation that could not be folded into a convolution) is done in the drain path
of the convolution or addition before it if nothing else reads their output. Otherwise it is done in
the read path of the convolution or pooling after it if nothing else reads the scaled map: that map
is never stored, its reader reads the map before the scale and scales the values.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeGuard

from accelsim.mapping.stages.stage import Stage, StoredMap
from accelsim.units import bits_to_bytes
from accelsim.workload.graph import Edge, Graph
from accelsim.workload.layer import Add, Concat, Conv, Layer, Pool, Scale

Parts = tuple[StoredMap, ...]


def stages(graph: Graph, unfused: frozenset[str] = frozenset()) -> tuple[Stage, ...]:
    """The stages of ``graph`` in execution order.

    ``unfused`` names poolings, additions and scales that shall run on the vector unit although
    they could be fused. Poolings after another pooling, after an unfused addition, or after a
    network input always run there.
    """
    hosts = _hosts(graph, unfused)
    drained = [x for x in graph.layers if x.name in hosts]
    adds = {hosts[x.name].name: x for x in drained if isinstance(x, Add)}
    scales = {hosts[x.name].name: x.scale for x in drained if isinstance(x, Conv)}
    pools = _fused_pools(graph, unfused, hosts)
    fused = {*hosts, *(pool.name for pool, _ in pools.values())}
    parts: dict[str, Parts] = {n: (_whole(graph.edge[n]),) for n in graph.inputs}
    on_read: dict[str, Scale] = {}
    result: list[Stage] = []
    for layer in graph.layers:
        if isinstance(layer, Concat):
            # The input of a fused layer is never stored.
            if all(n in parts for n in layer.inputs):
                parts[layer.output] = tuple(p for n in layer.inputs for p in parts[n])
            continue
        if layer.name in fused:
            continue
        scale = layer.scale if isinstance(layer, Conv) else None
        if scale and scale.name not in unfused and _scales_on_read(graph, scale, parts):
            on_read[scale.output], parts[scale.output] = scale, parts[scale.input]
            continue
        add, computed = adds.get(layer.name), graph.edge[layer.output]
        last = scales.get(layer.name) or add
        made_edge = graph.edge[last.output] if last else computed
        pool, output = pools.get(layer.name, (None, _whole(made_edge)))
        shortcut = [n for n in add.inputs if n != layer.output] if add else []
        result.append(
            Stage(
                layer=scale or layer,
                fused_pool=pool,
                inputs=tuple(parts[n] for n in layer.inputs),
                conv_size=(computed.rows, computed.cols),
                output=output,
                fused_add=add,
                shortcut=tuple(p for n in shortcut for p in parts[n]),
                fused_scale=scales.get(layer.name),
                read_scale=on_read.get(layer.inputs[0]),
                scaled_bits=graph.edge[layer.inputs[0]].bits if layer.inputs[0] in on_read else 0,
            )
        )
        made = (*parts.get(output.edge, ()), output)
        parts[output.edge] = tuple(sorted(made, key=lambda part: part.channel_start))
    return tuple(result)


def stored_maps(stages: Iterable[Stage]) -> tuple[StoredMap, ...]:
    """Every map that is stored in DRAM: network inputs first, then outputs as they are produced.

    The values of each are channels [channel_start, channel_stop) of its edge of the trace.
    """
    stages = tuple(stages)
    outputs = [s.output for s in stages]
    read = [part for s in stages for part in s.reads]
    network_inputs = [m for m in dict.fromkeys(read) if m not in outputs]
    return (*network_inputs, *outputs)


def storable_maps(graph: Graph) -> tuple[StoredMap, ...]:
    """Every map that is stored in DRAM for some choice of ``unfused``: network inputs, the output
    of each layer, and the parts of a pooled map that its producers each make."""
    made = [x.output for x in graph.layers if not isinstance(x, Concat)]
    pools = _fused_pools(graph, frozenset(), _hosts(graph, frozenset()))
    whole = [_whole(graph.edge[name]) for name in (*graph.inputs, *made)]
    return tuple(dict.fromkeys((*whole, *(part for _, part in pools.values()))))


def _whole(edge: Edge) -> StoredMap:
    return StoredMap(edge.name, 0, edge.channels, edge.rows, edge.cols, edge.bits, edge.signed)


def _hosts(graph: Graph, unfused: frozenset[str]) -> dict[str, Conv]:
    """By addition or scale: the convolution in whose drain path it is done.

    The convolution produces the later of the two operands, so that the other one is stored by then.
    """
    position = {layer.output: number for number, layer in enumerate(graph.layers)}
    found: dict[str, Conv] = {}
    for layer in graph.layers:
        if layer.name in unfused:
            continue
        if isinstance(layer, Add) and len(layer.inputs) == 2 and len(set(layer.inputs)) == 2:
            later = max(layer.inputs, key=lambda edge: position.get(edge, -1))
            conv = graph.producer.get(later)
        elif isinstance(layer, Conv) and layer.scale:
            later = layer.input
            conv = graph.producer.get(later)
            conv = found.get(conv.name) if isinstance(conv, Add) else conv
        else:
            continue
        if _on_array(conv) and _is_private(graph, later):
            found[layer.name] = conv
    return found


def _scales_on_read(graph: Graph, scale: Scale, parts: dict[str, Parts]) -> bool:
    """Whether the only reader of a scaled map can scale the values that it reads.

    It must read one map only, and hold the values of either map in as many bytes.
    """
    if not _is_private(graph, scale.output):
        return False
    (reader,) = graph.consumers[scale.output]
    if not (_on_array(reader) or isinstance(reader, Pool)):
        return False
    value_bytes = bits_to_bytes(graph.edge[scale.output].bits)
    return all(bits_to_bytes(part.bits) == value_bytes for part in parts[scale.input])


def _on_array(layer: Layer | None) -> TypeGuard[Conv]:
    return isinstance(layer, Conv) and layer.scale is None


def _fused_pools(
    graph: Graph, unfused: frozenset[str], hosts: dict[str, Conv]
) -> dict[str, tuple[Pool, StoredMap]]:
    """By convolution: the pooling in its drain path, and the part of the pooled map it makes."""
    found: dict[str, tuple[Pool, StoredMap]] = {}
    for pool in graph.layers:
        if not isinstance(pool, Pool) or pool.name in unfused:
            continue
        edge, start = graph.edge[pool.output], 0
        for conv in _private_producers(graph, pool.input, hosts):
            stop = start + conv.out_channels
            part = StoredMap(edge.name, start, stop, edge.rows, edge.cols, edge.bits, edge.signed)
            found[conv.name] = (pool, part)
            start = stop
    return found


def _is_private(graph: Graph, edge: str) -> bool:
    """Whether only one layer reads ``edge``, so that it need not be stored."""
    return len(graph.consumers[edge]) == 1 and edge not in graph.outputs


def _private_producers(graph: Graph, edge: str, hosts: dict[str, Conv]) -> tuple[Conv, ...]:
    """The convolutions that produce ``edge`` for a single consumer; empty if others read it."""
    if not _is_private(graph, edge):
        return ()
    producer: Layer | None = graph.producer.get(edge)
    match producer:
        case Add() | Conv() if producer.name in hosts:
            return (hosts[producer.name],)
        case Conv() if _on_array(producer):
            return (producer,)
        case Concat() if len(set(producer.inputs)) == len(producer.inputs):
            parts = [_private_producers(graph, n, hosts) for n in producer.inputs]
            return tuple(conv for part in parts for conv in part) if all(parts) else ()
        case _:
            return ()
