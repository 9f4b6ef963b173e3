"""The network of a SCALE-Sim topology, with the true shapes of its layers.

A topology lists layers without saying what each reads. A row whose ifmap is what the row
above makes, or that map with the padding that its own filter explains, reads that map; any
other row reads an input of its own. Files leave out pooling and joins, so a network falls
into pieces there. All ends of the pieces are cuts: maps of a larger network, coded like any
other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from accelsim.workload.graph import Edge, Graph
from accelsim.workload.importers.scalesim import TopologyRow
from accelsim.workload.layer import Conv, Window


def topology_graph(rows: Sequence[TopologyRow]) -> Graph:
    """The layers with their true (rounded down) output sizes, chained where shapes fit.

    Every layer computes what its row says; padding only restores the ifmap that the row
    names. A product of matrices becomes a 1 x 1 convolution over M positions, a ``DP`` row
    a depthwise convolution. Names that occur several times are numbered.
    """
    layers: list[Conv] = []
    edges: list[Edge] = []
    inputs: list[str] = []
    above: Edge | None = None
    for name, row in zip(_names(rows), rows, strict=True):
        ifmap, window = _ifmap(row, f"{name}/input")
        padding = None if above is None else _padding(above, ifmap, window.kernel)
        if above is None or padding is None:
            edges.append(ifmap)
            inputs.append(ifmap.name)
            above, padding = ifmap, (0, 0, 0, 0)
        window = Window(window.kernel, window.stride, padding)
        is_depthwise = row.is_depthwise
        layers.append(
            Conv(
                *(name, above.name, name, above.channels),
                out_channels=row.filters * (above.channels if is_depthwise else 1),
                window=window,
                groups=above.channels if is_depthwise else 1,
                activation="relu",
            )
        )
        out_size = window.out_size(above.rows, above.cols)
        above = Edge(name, layers[-1].out_channels, *out_size)
        edges.append(above)
    read = {layer.input for layer in layers}
    outputs = tuple(layer.output for layer in layers if layer.output not in read)
    return Graph(
        layers=tuple(layers),
        edges=tuple(edges),
        inputs=tuple(inputs),
        outputs=outputs,
        cut=(*inputs, *outputs),
    )


def _names(rows: Sequence[TopologyRow]) -> list[str]:
    seen: Counter[str] = Counter()
    names = []
    for row in rows:
        seen[row.name] += 1
        names.append(row.name if seen[row.name] == 1 else f"{row.name} #{seen[row.name]}")
    return names


def _ifmap(row: TopologyRow, name: str) -> tuple[Edge, Window]:
    # SCALE-Sim writes an M x K matrix as one channel whose filters cover a whole row.
    is_product = row.channels == row.filter_rows == 1 < row.filter_cols == row.ifmap_cols
    if is_product and row.stride == (1, 1) and not row.is_depthwise:
        return Edge(name, row.filter_cols, row.ifmap_rows, 1), Window((1, 1))
    window = Window((row.filter_rows, row.filter_cols), row.stride)
    return Edge(name, row.channels, row.ifmap_rows, row.ifmap_cols), window


def _padding(made: Edge, ifmap: Edge, kernel: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """The padding (top, bottom, left, right) with which ``made`` is ``ifmap``, or None."""
    rows, cols = ifmap.rows - made.rows, ifmap.cols - made.cols
    fits = 0 <= rows < kernel[0] and 0 <= cols < kernel[1]
    if made.channels != ifmap.channels or not fits:
        return None
    return rows // 2, rows - rows // 2, cols // 2, cols - cols // 2
