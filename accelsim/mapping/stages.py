"""From the layers of a graph to the stages of a machine.

Concatenations vanish: the parts of a stacked map stay where their producers put them, and
its consumers read a list of parts. A pooling joins the convolution that feeds it when
nobody else reads the map between them: the values are pooled on their way out and the
unpooled map never exists. This also works through concatenations that only the pooling
reads: then every convolution pools its own channels.
"""

from __future__ import annotations

from collections.abc import Iterable

from accelsim.mapping.stage import Stage, StoredMap
from accelsim.workload.graph import Edge, Graph
from accelsim.workload.layer import Concat, Conv, Layer, Pool

Parts = tuple[StoredMap, ...]


def stages(graph: Graph, unfused: frozenset[str] = frozenset()) -> tuple[Stage, ...]:
    """The stages of ``graph`` in execution order.

    ``unfused`` names poolings that shall run on the vector unit although they could join
    their producer. Poolings behind an addition or a network input always do.
    """
    drains = _fused_pools(graph, unfused)
    fused = {pool.name for pool, _ in drains.values()}
    parts: dict[str, Parts] = {n: (_whole(graph.edge[n]),) for n in graph.inputs}
    result: list[Stage] = []
    for layer in graph.layers:
        if isinstance(layer, Concat):
            # Below a fused pooling the parts are never stored.
            if all(n in parts for n in layer.inputs):
                parts[layer.output] = tuple(p for n in layer.inputs for p in parts[n])
            continue
        if layer.name in fused:
            continue
        pool, output = drains.get(layer.name, (None, _whole(graph.edge[layer.output])))
        computed = graph.edge[layer.output]
        result.append(
            Stage(
                layer=layer,
                fused_pool=pool,
                inputs=tuple(parts[n] for n in layer.inputs),
                conv_size=(computed.rows, computed.cols),
                output=output,
            )
        )
        made = (*parts.get(output.edge, ()), output)
        parts[output.edge] = tuple(sorted(made, key=lambda part: part.channel_start))
    return tuple(result)


def stored_maps(stages: Iterable[Stage]) -> tuple[StoredMap, ...]:
    """Every map that lies in DRAM: network inputs first, then outputs as they are produced.

    The values of each are channels [channel_start, channel_stop) of its edge of the trace.
    """
    stages = tuple(stages)
    outputs = [s.output for s in stages]
    read = [part for s in stages for parts in s.inputs for part in parts]
    network_inputs = [m for m in dict.fromkeys(read) if m not in outputs]
    return (*network_inputs, *outputs)


def _whole(edge: Edge) -> StoredMap:
    return StoredMap(edge.name, 0, edge.channels, edge.rows, edge.cols, edge.bits, edge.signed)


def _fused_pools(graph: Graph, unfused: frozenset[str]) -> dict[str, tuple[Pool, StoredMap]]:
    """By convolution: the pooling in its drain path, and the part of the pooled map it makes."""
    found: dict[str, tuple[Pool, StoredMap]] = {}
    for pool in graph.layers:
        if not isinstance(pool, Pool) or pool.name in unfused:
            continue
        edge, start = graph.edge[pool.output], 0
        for conv in _private_producers(graph, pool.input):
            stop = start + conv.out_channels
            part = StoredMap(edge.name, start, stop, edge.rows, edge.cols, edge.bits, edge.signed)
            found[conv.name] = (pool, part)
            start = stop
    return found


def _private_producers(graph: Graph, edge: str) -> tuple[Conv, ...]:
    """The convolutions that make ``edge`` for one consumer alone; empty if others have a part."""
    if len(graph.consumers[edge]) != 1 or edge in graph.outputs:
        return ()
    producer: Layer | None = graph.producer.get(edge)
    match producer:
        case Conv():
            return (producer,)
        case Concat() if len(set(producer.inputs)) == len(producer.inputs):
            parts = [_private_producers(graph, n) for n in producer.inputs]
            return tuple(conv for part in parts for conv in part) if all(parts) else ()
        case _:
            return ()
