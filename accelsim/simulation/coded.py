"""Which maps of a network lie in DRAM as coded blocks."""

from __future__ import annotations

from collections.abc import Mapping

from accelsim.codecs.base import Word
from accelsim.codecs.measure import MapStats
from accelsim.codecs.named import takes
from accelsim.hardware.chip import Chip
from accelsim.mapping.stages.stage import StoredMap
from accelsim.workload.graph import Graph
from accelsim.workload.layer import Concat
from accelsim.workload.trace import Trace


def coded_maps(
    chip: Chip, trace: Trace, measured: Mapping[StoredMap, MapStats]
) -> frozenset[StoredMap]:
    """Which of the ``measured`` maps are stored in blocks; none if the layout is linear.

    Images and logits are not coded. Neither are maps of words that the codec does not take, or
    maps that are smaller than their own code table, such as the few wide values after a global
    average.
    """
    if chip.codec.layout == "linear":
        return frozenset()
    ends = ({*trace.graph.inputs} - {*trace.graph.cut}) | output_edges(trace.graph)
    return frozenset(
        stored
        for stored in measured
        if stored.edge not in ends
        and takes(chip.codec.name, Word(stored.bits, stored.signed))
        and measured[stored].table_bits < stored.n_values * stored.bits
    )


def output_edges(graph: Graph) -> set[str]:
    """The outputs of the network, and the parts of outputs that are concatenations.

    If the network was cut out of a larger one, its outputs are feature maps and not included.
    """
    found = set(graph.outputs) - set(graph.cut)
    for layer in reversed(graph.layers):
        if isinstance(layer, Concat) and layer.output in found:
            found.update(layer.inputs)
    return found
