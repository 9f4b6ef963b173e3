"""Functions that a model brings with it, put in the places where they are called.

Functions that call functions twice each grow without bound: how many operators they become
is counted before they are put in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from onnx import ModelProto, NodeProto
from onnx.inliner import inline_local_functions

from accelsim.errors import UserError
from accelsim.workload.importers.onnx.one_line import one_line

_MOST_NODES: Final = 100_000
_AGAIN: Final = "export the network again, without functions"
Key = tuple[str, str]


def inlined(model: ModelProto, where: str) -> ModelProto:
    """The model without functions. Raises ``UserError``, also for more operators than are read."""
    called = {(f.domain, f.name): _calls(f.node) for f in model.functions}
    sizes: dict[Key, int] = {}
    for function in model.functions:
        _measure((function.domain, function.name), called, sizes, where)
    n_nodes = _size(_calls(model.graph.node), sizes)
    if n_nodes > _MOST_NODES:
        raise UserError(where, f"has more than {_MOST_NODES} operators", _AGAIN)
    if not model.functions:
        return model
    try:
        return inline_local_functions(model)
    except Exception as error:  # of several kinds, from onnx
        problem = f"its functions cannot be resolved ({one_line(error)})"
        raise UserError(where, problem, _AGAIN) from None


def _measure(
    start: Key, called: dict[Key, Counter[Key]], sizes: dict[Key, int], where: str
) -> None:
    """Learn how many operators a function becomes, and all that it calls."""
    waiting, open_ = [start], set[Key]()
    while waiting:
        key = waiting[-1]
        ahead = [k for k in called[key] if k in called and k not in sizes]
        if key in sizes or not ahead:
            sizes[key] = min(_size(called[key], sizes), _MOST_NODES + 1)
            open_.discard(waiting.pop())
            continue
        open_.add(key)
        if any(k in open_ for k in ahead):
            raise UserError(where, f"its function {key[1]!r} calls itself", _AGAIN)
        waiting += ahead


def _size(calls: Counter[Key], sizes: dict[Key, int]) -> int:
    return sum(n * sizes.get(key, 1) for key, n in calls.items())


def _calls(nodes: Iterable[NodeProto]) -> Counter[Key]:
    """How often each operator or function occurs, also in graphs inside."""
    found: Counter[Key] = Counter()
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        found[node.domain, node.op_type] += 1
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                waiting += graph.node
    return found
