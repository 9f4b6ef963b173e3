"""A module as a graph of calls that computes the same: ``torch.fx``, and what it loses.

fx records ``x += y`` as ``x + y``, though other names of ``x`` see the sum: here it stays in
place. And fx freezes what depends on ``self.training`` as it is at that moment
(``F.dropout(x, training=self.training)``): such a module is refused.
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable
from itertools import zip_longest
from typing import Any, Final

from torch import fx, nn

from accelsim.errors import UserError

IN_PLACE: Final = tuple(
    getattr(operator, f"i{name}")
    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or")
)
"""Augmented assignments; in the graph each is a call of its operator."""


def traced(module: nn.Module) -> fx.GraphModule:
    """A copy of ``module`` as a graph, for training and for inference.

    Raises ``UserError`` when its path depends on data, or differs in the two.

    >>> class Sum(nn.Module):
    ...     def forward(self, x):
    ...         x += x.relu()
    ...         return x
    >>> [node.name for node in traced(Sum()).graph.nodes]
    ['x', 'relu', 'iadd', 'output']
    """
    name = type(module).__name__
    in_training = _graph_of(copy.deepcopy(module).train(), name)
    found = _graph_of(copy.deepcopy(module).eval(), name)
    if (call := _difference(in_training.graph, found.graph)) is not None:
        raise UserError(
            name,
            f"computes something else in training than in inference (at {call})",
            "let modules such as nn.Dropout follow the mode, not forward()",
        )
    modes = {path: part.training for path, part in module.named_modules(remove_duplicate=False)}
    for path, part in found.named_modules():
        part.training = modes[path]
    return found


class _Tracer(fx.Tracer):
    def proxy(self, node: fx.Node) -> fx.Proxy:
        return _Proxy(node, self)


class _Proxy(fx.Proxy):
    """A value in the graph, whose augmented assignments are calls of their own."""


def _assigning(target: Callable[[Any, Any], Any]) -> Callable[[_Proxy, Any], fx.Proxy]:
    def assign(self: _Proxy, other: Any) -> fx.Proxy:
        made: fx.Proxy = self.tracer.create_proxy("call_function", target, (self, other), {})
        return made

    return assign


for _target in IN_PLACE:
    setattr(_Proxy, f"__{_target.__name__}__", _assigning(_target))


def _graph_of(module: nn.Module, name: str) -> fx.GraphModule:
    tracer = _Tracer()
    try:
        graph = tracer.trace(module)
        return fx.GraphModule(tracer.root, graph, name)
    except Exception as error:  # whatever the user's own code may raise
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(
            name,
            f"its ReLUs cannot be found, because its path depends on data ({reason})",
            "let forward() take the same path for all inputs, so that torch.fx can trace it",
        ) from None


def _difference(one: fx.Graph, other: fx.Graph) -> str | None:
    """The name of the first call in which two graphs differ."""
    for a, b in zip_longest(one.nodes, other.nodes):
        if a is None or b is None or a.format_node() != b.format_node():
            return str((b or a).name)
    return None
