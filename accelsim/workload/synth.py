"""Random maps with given density and entropy, for networks known only by their shapes.

Values are independent. A value is zero with probability ``1 - density``; a non-zero value
is k = 1 ... 2**bits - 1 with probability proportional to ``ratio**(k - 1)``: a truncated
geometric distribution, similar to the output of a ReLU. With ``h`` the binary entropy and K
the number of non-zero values, the entropy per value is

    H = h(density) + density * H(geometric),   0 <= H(geometric) <= log2(K),

rising with ``ratio`` from 0 (only the value 1) to 1 (uniform); ``ratio`` is solved for the
wanted H. Not modelled: the similarity of neighbouring values in real maps, which spatial codecs
exploit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accelsim.errors import UserError
from accelsim.workload.graph import Edge, Graph
from accelsim.workload.trace import Values
from accelsim.workload.trace_document import MAX_MAP_VALUES
from accelsim.workload.trace_writer import stored_edges, write_trace

_MAX_TRACE_VALUES: Final = 1 << 32
"""Values of a whole trace, all images: 4 GiB of bytes before compression."""
_SLICE_VALUES: Final = 1 << 20
"""Values that are drawn at once: their random numbers need 8 bytes each."""


def synthesise(
    path: str | Path,
    graph: Graph,
    density: float,
    entropy_bits: float,
    seed: int,
    *,
    bits: int = 8,
    n_images: int = 1,
    name: str = "synthetic",
    warnings: Sequence[str] = (),
) -> None:
    """Write a trace whose stored maps are random unsigned words of ``bits`` bits.

    ``entropy_bits`` is the zeroth-order entropy per value. The same arguments give the
    same file. Raises ``UserError`` when density and entropy contradict each other, or a map
    or the trace would be larger than what is read. One map is in memory at a time.
    """
    if not 2 <= bits <= 16:
        raise UserError("bits", f"is {bits}", "words have 2 to 16 bits")
    if n_images < 1 or seed < 0:
        raise UserError("synth", "needs at least one image and a seed of 0 or more", "correct it")
    _demand_possible_sizes(graph, n_images)
    cumulative = np.cumsum(probabilities(density, entropy_bits, bits))
    edges = tuple(replace(e, bits=bits, signed=False, scale=1.0, zero_point=0) for e in graph.edges)
    graph = replace(graph, edges=edges)
    write_trace(
        path,
        name=name,
        graph=graph,
        n_images=n_images,
        images=_images(graph, cumulative, seed, n_images),
        provenance={
            "tool": "accelsim trace synth",
            "distribution": f"zero-inflated geometric, density {density}, "
            f"entropy {entropy_bits} bits, seed {seed}",
        },
        warnings=warnings,
    )


def probabilities(density: float, entropy_bits: float, bits: int) -> NDArray[np.float64]:
    """[2**bits] probability of each word. Raises ``UserError`` for an impossible pair.

    >>> probabilities(0.5, 1.0, 2)
    array([0.5, 0.5, 0. , 0. ])
    """
    if not 0.0 <= density <= 1.0:
        raise UserError("density", f"is {density}", "it is the share of non-zeros, 0 to 1")
    n_nonzero = (1 << bits) - 1
    lowest = entropy(np.array([1.0 - density, density]))
    highest = lowest + density * float(np.log2(n_nonzero))
    tolerance = 1e-9
    if not lowest - tolerance <= entropy_bits <= highest + tolerance:
        raise UserError(
            "entropy",
            f"{entropy_bits} bits per value is impossible at density {density} and {bits} bits",
            f"choose between {lowest:.4f} and {highest:.4f} bits",
        )
    low, high = 0.0, 1.0
    for _ in range(60):
        ratio = (low + high) / 2
        if entropy(_mixture(density, ratio, n_nonzero)) < entropy_bits:
            low = ratio
        else:
            high = ratio
    # At the lowest entropy the ratio is zero itself, which bisection only approaches.
    exact = 0.0 if entropy_bits <= lowest + tolerance else high
    return _mixture(density, exact, n_nonzero)


def entropy(shares: NDArray[Any]) -> float:
    """Zeroth-order entropy in bits of counts or probabilities of any total.

    >>> entropy(np.array([2, 1, 1]))
    1.5
    """
    positive = shares[shares > 0].astype(np.float64)
    if not positive.size:
        return 0.0
    p = positive / positive.sum()
    return abs(float(-(p * np.log2(p)).sum()))


def _mixture(density: float, ratio: float, n_nonzero: int) -> NDArray[np.float64]:
    geometric = np.power(ratio, np.arange(n_nonzero, dtype=np.float64))
    return np.concatenate([[1.0 - density], density * geometric / geometric.sum()])


def _demand_possible_sizes(graph: Graph, n_images: int) -> None:
    """Checked before anything is drawn, because a short topology can name maps of any size."""
    largest = max(graph.edges, key=lambda edge: edge.n_values)
    if largest.n_values > MAX_MAP_VALUES:
        raise UserError(
            f"map {largest.name!r}",
            f"has {' x '.join(map(str, largest.shape))} = {largest.n_values} values",
            f"a trace holds maps of up to {MAX_MAP_VALUES}: correct the row, or cut the layer",
        )
    n_values = n_images * sum(graph.edge[name].n_values for name in stored_edges(graph))
    if n_values > _MAX_TRACE_VALUES:
        raise UserError(
            "synth",
            f"{n_images} images of {len(graph.layers)} layers are {n_values} values",
            f"at most {_MAX_TRACE_VALUES} are drawn: ask for fewer images, or split the topology",
        )


def _images(
    graph: Graph, cumulative: NDArray[np.float64], seed: int, n_images: int
) -> Iterator[Mapping[str, Values]]:
    for image in range(n_images):
        yield _RandomMaps(graph, cumulative, seed, image)


class _RandomMaps(Mapping[str, Values]):
    """The stored maps of one image, each drawn when it is asked for."""

    def __init__(
        self, graph: Graph, cumulative: NDArray[np.float64], seed: int, image: int
    ) -> None:
        stored = set(stored_edges(graph))
        self._edges: dict[str, tuple[int, Edge]] = {
            edge.name: (index, edge)
            for index, edge in enumerate(graph.edges)
            if edge.name in stored
        }
        self._cumulative, self._seed, self._image = cumulative, seed, image

    def __getitem__(self, name: str) -> Values:
        index, edge = self._edges[name]
        random = np.random.default_rng([self._seed, self._image, index])
        words = np.empty(edge.n_values, edge.dtype)
        for start in range(0, edge.n_values, _SLICE_VALUES):
            drawn = words[start : start + _SLICE_VALUES]
            # Rounding may leave the last sum a little below one.
            drawn[:] = np.searchsorted(
                self._cumulative[:-1], random.random(drawn.size), side="right"
            )
        return words.reshape(edge.shape)

    def __iter__(self) -> Iterator[str]:
        return iter(self._edges)

    def __len__(self) -> int:
        return len(self._edges)
