"""A small network with one layer of each kind that is stored or derived."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from accelsim.workload.arithmetic import ConvArithmetic
from accelsim.workload.graph import Edge, Graph
from accelsim.workload.layer import Concat, Conv, Pool, Window
from accelsim.workload.trace import Values
from accelsim.workload.trace_writer import stored_edges, write_trace


@dataclass(frozen=True)
class SmallTrace:
    """What was written into ``path``."""

    path: Path
    graph: Graph
    images: list[dict[str, Values]]
    arithmetic: dict[str, ConvArithmetic]


def small_graph() -> Graph:
    pair = {"bits": 12, "signed": True, "scale": 0.25}
    layers = (
        Conv("a", "in", "a", 2, 3, Window((3, 3)), activation="relu"),
        Conv("b/c", "in", "b/c", 2, 1, Window((3, 3))),
        Concat("ab", ("a", "b/c"), "ab"),
        Pool("max", "ab", "max", Window((2, 2), (2, 2))),
        Pool("avg", "max", "avg", Window((3, 3)), "avg"),
    )
    edges = (
        Edge("in", 2, 8, 8, zero_point=7),
        Edge("a", 3, 6, 6, **pair),
        Edge("b/c", 1, 6, 6, **pair),
        Edge("ab", 4, 6, 6, **pair),
        Edge("max", 4, 3, 3, **pair),
        Edge("avg", 4, 1, 1, bits=14, signed=True, scale=0.25 / 4),
    )
    return Graph(layers, edges, ("in",), ("avg",))


@pytest.fixture
def write_small(tmp_path: Path) -> Callable[..., SmallTrace]:
    """Write a small trace; keyword arguments replace what ``write_trace`` is given."""

    def write(**changes: object) -> SmallTrace:
        rng = np.random.default_rng(0)
        graph = small_graph()
        images = [
            {
                name: rng.integers(e.low, e.high + 1, e.shape).astype(e.dtype)
                for name, e in graph.edge.items()
                if name in stored_edges(graph)
            }
            for _ in range(2)
        ]
        arithmetic = {
            "a": ConvArithmetic(
                weights=rng.integers(-128, 128, (3, 2, 3, 3)).astype(np.int8),
                weight_scale=np.array([0.5, 0.25, 0.125]),
                bias=np.array([1, -2, 3], np.int32),
                multiplier=np.array([1 << 20], np.int32),
                shift=24,
            )
        }
        given: dict[str, object] = {
            "name": "small",
            "graph": graph,
            "n_images": len(images),
            "images": images,
            "arithmetic": arithmetic,
            "provenance": {"tool": "test"},
            **changes,
        }
        path = tmp_path / "small.h5"
        write_trace(path, **given)  # type: ignore[arg-type]
        return SmallTrace(path, graph, images, arithmetic)

    return write
