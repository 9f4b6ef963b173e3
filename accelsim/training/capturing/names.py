"""Names for layers, from the modules that make them.

A module that makes one layer and has no modules inside gives it its path, with ``/`` for
``.``; else the layer is called by the module and the function that made it, such as
``blocks/0/add``. A second layer of one name gets ``_2``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from torch import fx, nn

from accelsim.training.capturing.operand import name_of
from accelsim.training.capturing.source_line import module_stack, traced_statement

_WRAPPED: Final = "network"
"""The one child of a module that only adds something to a network of the user's."""


def layer_names(module: nn.Module, nodes: Iterable[fx.Node], taken: str) -> list[str]:
    """A name for the layer that each node became, in order; none is ``taken``."""
    nodes = list(nodes)
    callers = [_caller(module, node) for node in nodes]
    n_layers = Counter(call for call, _ in callers)
    names: list[str] = []
    used = {taken}
    for node, (call, path) in zip(nodes, callers, strict=True):
        name = _plain(module, path)
        if not name or n_layers[call] > 1 or _has_children(module, path):
            name = "/".join(filter(None, (name, name_of(node))))
        unique, n = name, 2
        while unique in used:
            unique, n = f"{name}_{n}", n + 1
        used.add(unique)
        names.append(unique)
    return names


def _plain(module: nn.Module, path: str) -> str:
    if [name for name, _ in module.named_children()] == [_WRAPPED]:
        path = path.removeprefix(_WRAPPED).removeprefix(".")
    return path.replace(".", "/")


def _has_children(module: nn.Module, path: str) -> bool:
    try:
        children = module.get_submodule(path).named_children()
    except AttributeError:  # tracing removes modules that only call functions
        return False
    return any(name != "parametrizations" for name, _ in children)


def _caller(module: nn.Module, node: fx.Node) -> tuple[str, str]:
    """(call, path) of the innermost module that was running."""
    call, path = module_stack(node)[-1] if module_stack(node) else ("", "")
    # A module traced by torch.fx runs the functions of all modules in it, but remembers.
    made = re.match(r"(\w+) = ", traced_statement(node))
    for outer, traced in module.named_modules() if made else ():
        if isinstance(traced, fx.GraphModule) and f"{outer}.".startswith(path):
            for original in traced.graph.nodes:
                stack = list((original.meta.get("nn_module_stack") or {}).items())
                if made and original.name == made[1] and stack:
                    inner_call, (inner, _) = stack[-1]
                    return f"{outer}.{inner_call}", ".".join(filter(None, (outer, str(inner))))
    return call, path
