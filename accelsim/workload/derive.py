"""Maps that need not be stored, because integers of stored maps give them exactly.

* Concatenation: the parts share one word, scale and zero point.
* Maximum pooling: monotone, so it commutes with quantisation. Padding is never the maximum.
* Average pooling: the exact mean of the integers inside the map (padding is neither
  summed nor counted), rounded to nearest, ties towards plus infinity. It may keep
  ``extra = bits_out - bits_in`` fraction bits, when ``scale_out == scale_in / 2**extra``
  and ``zero_point_out == zero_point_in * 2**extra``: then it is the mean times 2**extra.

All other outputs of layers (convolutions, sums) must be stored.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from accelsim.workload.graph import Edge, Graph
from accelsim.workload.layer import Concat, Layer, Pool, Window
from accelsim.workload.trace import Values
from accelsim.workload.windows import pad, positions, window_sums


def is_derivable(graph: Graph, edge: str) -> bool:
    """True if the map follows from the inputs of its producer by the rules above."""
    layer = graph.producer.get(edge)
    if not isinstance(layer, Pool | Concat):
        return False
    out = graph.edge[edge]
    parts = [graph.edge[n] for n in layer.inputs]
    if isinstance(layer, Pool) and layer.op == "avg":
        return _is_average_of(parts[0], out)
    return all(_quantisation(p) == _quantisation(out) for p in parts)


def derive(graph: Graph, edge: str, stored: Callable[[str], Values | None]) -> Values:
    """The map ``edge`` of one image, [channels, rows, cols], computed from stored maps.

    ``stored(name)`` returns a stored map, or None if the file has none; ``edge`` and
    every map that it depends on and that is not stored must be derivable.
    """
    found: dict[str, Values] = {}
    waiting = [edge]
    while waiting:
        name = waiting[-1]
        if name in found:
            waiting.pop()
            continue
        values = stored(name)
        if values is None:
            layer = graph.producer[name]
            if missing := [n for n in layer.inputs if n not in found]:
                waiting += missing
                continue
            values = derived_map(graph, layer, [found[n] for n in layer.inputs])
        found[name] = values
        waiting.pop()
    return found[edge]


def derived_map(graph: Graph, layer: Layer, parts: list[Values]) -> Values:
    """The output map of one derivable layer from its input maps, [..., channels, rows, cols]."""
    out = graph.edge[layer.output]
    if isinstance(layer, Concat):
        return np.concatenate(parts, axis=-3).astype(out.dtype, copy=False)
    assert isinstance(layer, Pool)
    if layer.op == "max":
        return max_pool(parts[0], layer.window)
    extra_bits = out.bits - graph.edge[layer.input].bits
    return average_pool(parts[0], layer.window, extra_bits).astype(out.dtype)


def max_pool(values: Values, window: Window) -> Values:
    """Maximum over windows of an integer map [..., rows, cols]; same dtype.

    >>> max_pool(np.array([[[1, 5], [7, 2]]], np.uint8), Window((2, 2)))
    array([[[7]]], dtype=uint8)
    """
    out_size = window.out_size(*values.shape[-2:])
    padded = pad(values, window, np.iinfo(values.dtype).min)
    first, *others = positions(padded, window, out_size)
    result = first.copy()
    for seen in others:
        np.maximum(result, seen, out=result)
    return result


def average_pool(values: Values, window: Window, extra_bits: int = 0) -> Values:
    """Mean over windows of an integer map, times ``2**extra_bits``; int64.

    Rounded to nearest, ties towards plus infinity; padding is left out of sum and count.

    >>> average_pool(np.array([[[1, 2], [3, 4]]], np.uint8), Window((2, 2)))
    array([[[3]]])
    """
    total, count = window_sums(values, window)
    mean: Values = (2 * (total << extra_bits) + count) // (2 * count)
    return mean


def _is_average_of(source: Edge, out: Edge) -> bool:
    extra_bits = out.bits - source.bits
    return (
        extra_bits >= 0
        and source.signed == out.signed
        and out.scale * 2**extra_bits == source.scale
        and source.zero_point << extra_bits == out.zero_point
    )


def _quantisation(edge: Edge) -> tuple[int, bool, float, int]:
    return edge.bits, edge.signed, edge.scale, edge.zero_point
