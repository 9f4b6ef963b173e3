"""Processing images a few at a time, and joining the ranges of their maps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from numpy.typing import NDArray

from accelsim.workload.graph import Graph
from accelsim.workload.quantising.float_network import FloatNetwork

Ranges: TypeAlias = dict[str, tuple[float, float]]
"""By edge: the smallest and largest value."""
MapRanges: TypeAlias = Callable[[FloatNetwork, NDArray[Any]], Ranges]
"""The ranges of all maps of a network over images [n, channels, rows, cols]."""
_VALUES_AT_ONCE: Final = 1 << 21  # of all maps of a batch: what stays near the processor


def batches(graph: Graph, images: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """``images`` a few at a time, so that the maps of a batch take bounded memory."""
    n = max(1, _VALUES_AT_ONCE // sum(e.n_values for e in graph.edges))
    for start in range(0, len(images), n):
        yield images[start : start + n]


def joined(parts: Iterable[Mapping[str, tuple[float, float]]]) -> Ranges:
    """The ranges over several batches of images.

    >>> joined([{"x": (0.0, 2.0)}, {"x": (-1.0, 1.0)}])
    {'x': (-1.0, 2.0)}
    """
    found: Ranges = {}
    for part in parts:
        for name, (low, high) in part.items():
            before = found.get(name, (low, high))
            found[name] = min(low, before[0]), max(high, before[1])
    return found
