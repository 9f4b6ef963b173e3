"""Which calls of a traced network are ReLUs, from 0 and up to a ceiling or without end.

Those that the exporter takes for an activation (``capturing.elementwise``), and Hardtanh with
any ceiling: modules, functions and methods, those that work in place among them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import fx, nn
from torch.nn import functional

_RELU: Final = {functional.relu, torch.relu, torch.relu_, "relu", "relu_"}
_RELU6: Final = {functional.relu6}
_HARDTANH: Final = {functional.hardtanh, functional.hardtanh_}
_CLAMP: Final = {
    *(torch.clamp, torch.clamp_, torch.clip, torch.clip_),
    *("clamp", "clamp_", "clip", "clip_"),
}
_CLAMP_MIN: Final = {torch.clamp_min, torch.clamp_min_, "clamp_min", "clamp_min_"}


@dataclass(frozen=True)
class Relu:
    """``min(max(source, 0), ceiling)``, or without a ceiling."""

    node: fx.Node
    source: fx.Node
    ceiling: float | None


def relus(graph: fx.GraphModule) -> list[Relu]:
    """All ReLUs of a graph, in the order of its calls."""
    found = []
    for node in graph.graph.nodes:
        limits = _limits(graph, node)
        source = _argument(node, 0, ("input", "self"), None)
        if limits is not None and limits[0] == 0 and isinstance(source, fx.Node):
            top = None if limits[1] is None else float(limits[1])
            found.append(Relu(node, source, None if top == math.inf else top))
    return found


def _limits(graph: fx.GraphModule, node: fx.Node) -> tuple[Any, Any] | None:
    """The lowest and highest value that a call lets through, None for no limit."""
    if node.op == "call_module":
        module = graph.get_submodule(str(node.target))
        if isinstance(module, nn.Hardtanh):  # nn.ReLU6 is one
            return module.min_val, module.max_val
        return (0, None) if isinstance(module, nn.ReLU) else None
    if node.op not in ("call_function", "call_method") or "out" in node.kwargs:
        return None
    target = node.target
    if target in _RELU:
        return 0, None
    if target in _RELU6:
        return 0, 6
    if target in _HARDTANH:
        return _number(node, 1, "min_val", -1.0), _number(node, 2, "max_val", 1.0)
    if target in _CLAMP:
        return _number(node, 1, "min", None), _number(node, 2, "max", None)
    return (_number(node, 1, "min", None), None) if target in _CLAMP_MIN else None


def _number(node: fx.Node, place: int, name: str, default: Any) -> Any:
    """An argument that is a plain number; NaN, which no comparison holds for, if it is none."""
    value = _argument(node, place, (name,), default)
    return value if value is None or isinstance(value, int | float) else math.nan


def _argument(node: fx.Node, place: int, names: tuple[str, ...], default: Any) -> Any:
    if len(node.args) > place:
        return node.args[place]
    return next((node.kwargs[name] for name in names if name in node.kwargs), default)
