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
from accelsim.training.capturing.source_line import module_path, module_stack, traced_statement

_WRAPPED: Final = "network"
"""The one child of a module that only adds something to a network of the user's."""


def layer_names(module: nn.Module, nodes: Iterable[fx.Node], taken: str) -> list[str]:
    """A name for the layer that each node became, in order; none is ``taken``."""
    nodes = list(nodes)
    layers_of_call = Counter(_call(node) for node in nodes)
    names: list[str] = []
    used = {taken}
    for node in nodes:
        name = _name(module, node, layers_of_call[_call(node)] == 1)
        unique, n = name, 2
        while unique in used:
            unique, n = f"{name}_{n}", n + 1
        used.add(unique)
        names.append(unique)
    return names


def _name(module: nn.Module, node: fx.Node, is_only_layer: bool) -> str:
    path = module_path(node)
    children = {name for name, _ in module.get_submodule(path).named_children()}
    if not path or children - {"parametrizations"} or not is_only_layer:
        path = ".".join(filter(None, (_traced_caller(module, path, node), name_of(node))))
    if [name for name, _ in module.named_children()] == [_WRAPPED]:
        path = path.removeprefix(f"{_WRAPPED}.")
    return path.replace(".", "/")


def _call(node: fx.Node) -> str:
    stack = module_stack(node)
    return stack[-1][0] if stack else ""


def _traced_caller(module: nn.Module, path: str, node: fx.Node) -> str:
    """The module that called a function; in code traced by ``torch.fx`` as it was before.

    A traced module runs the functions of all modules in it as its own, but remembers.
    """
    made = re.match(r"(\w+) = ", traced_statement(node))
    if made is None:
        return path
    for outer, traced in module.named_modules():
        if isinstance(traced, fx.GraphModule) and f"{outer}.".startswith(path):
            for original in traced.graph.nodes:
                stack = list((original.meta.get("nn_module_stack") or {}).values())
                if original.name == made[1] and stack:
                    return ".".join(filter(None, (outer, str(stack[-1][0]))))
    return path
