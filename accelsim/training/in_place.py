"""Which nodes see a tensor that a ReLU changes in place.

``y = relu_(x)`` changes ``x`` for every later reader of ``x``. A quantiser that replaces it creates
a new tensor, so those readers are redirected to it. Which tensors share memory with ``x`` under
another name follows from torch's schemas of its operators; a later reader of such a tensor (a view
of ``x``, say) cannot be redirected, and the network is refused.
"""

from __future__ import annotations

from collections.abc import Container
from operator import getitem
from typing import Any, Final, Literal

import torch
from torch import fx, nn
from torch.nn import functional

from accelsim.errors import UserError
from accelsim.training.tracing import IN_PLACE

Sharing = Literal["none", "whole", "part"]
"""How the result of a call shares memory with its arguments: not at all, as the same tensor, or
possibly (a view, a copy only if needed, an unknown call)."""

_NEW_MODULES: Final = (
    nn.modules.conv._ConvNd,
    nn.modules.batchnorm._NormBase,
    nn.modules.pooling._MaxPoolNd,
    nn.modules.pooling._AvgPoolNd,
    nn.modules.pooling._AdaptiveAvgPoolNd,
    nn.modules.pooling._AdaptiveMaxPoolNd,
    nn.Linear,
)
_ACTIVATIONS: Final = "torch.nn.modules.activation"
_NO_MEMORY: Final = ("shape", "ndim", "dtype", "device")
_MAY_RETURN_THEIR_ARGUMENT: Final = ("dropout", "type_as", "broadcast", "atleast", "meshgrid")
"""Functions that may return their argument although their schemas do not say so."""
_INPLACE_ARGUMENT: Final[dict[Any, int]] = {
    functional.relu: 1,
    functional.relu6: 1,
    functional.hardtanh: 3,
}
_NAMES: Final[dict[Any, str]] = {
    value: name for name, value in vars(functional).items() if callable(value)
}
"""Of ``torch.nn.functional``: some functions there have the name of their dispatcher."""


def changes_in_place(graph: fx.GraphModule, node: fx.Node) -> bool:
    """Whether a ReLU (see ``relus``) writes into its argument."""
    if node.op == "call_module":
        return bool(getattr(graph.get_submodule(str(node.target)), "inplace", False))
    if node.op == "call_method":
        return str(node.target).endswith("_")
    place = _INPLACE_ARGUMENT.get(node.target)
    in_args = place is not None and len(node.args) > place and bool(node.args[place])
    return in_args or bool(node.kwargs.get("inplace")) or _schema_sharing(node) == "whole"


def may_write(graph: fx.GraphModule, node: fx.Node) -> bool:
    """Whether a call may change its arguments, as far as is known."""
    return _sharing(graph, node) != "none"


def show_to_later_readers(graph: fx.GraphModule, node: fx.Node, source: fx.Node) -> None:
    """Let everything that reads ``source`` after ``node`` changed it read ``node`` instead.

    Raises ``UserError`` that names ``node`` if it is read under another name.
    """
    places = {each: i for i, each in enumerate(graph.graph.nodes)}
    before = {each: place for each, place in places.items() if place < places[node]}
    whole = _sharing_with(graph, source, before, ("whole",))
    for each in sorted(
        _sharing_with(graph, source, before, ("whole", "part")), key=lambda n: places[n]
    ):
        later = [user for user in each.users if places[user] > places[node]]
        if each.op == "get_attr" or (later and each not in whole):
            raise UserError(
                type(graph).__name__,
                f"the ReLU {node.name} changes {source.name} in place, which is seen again as "
                f"{each.name}",
                "let this ReLU make a new tensor (relu instead of relu_, inplace=False)",
            )
        for user in later:
            user.replace_input_with(each, node)


def _sharing_with(
    graph: fx.GraphModule, start: fx.Node, within: Container[fx.Node], kinds: tuple[Sharing, ...]
) -> set[fx.Node]:
    """The nodes ``within`` that share memory with ``start``, itself included."""

    def shared(node: fx.Node) -> list[fx.Node]:
        """The arguments whose memory the result of ``node`` may have."""
        sharing = _sharing(graph, node)
        inputs = node.all_input_nodes
        return [] if sharing not in kinds else inputs[:1] if sharing == "whole" else inputs

    found, waiting = set[fx.Node](), [start]
    while waiting:
        node = waiting.pop()
        if node in within and node not in found:
            found.add(node)
            waiting += shared(node)
            waiting += [user for user in node.users if node in shared(user)]
    return found


def _sharing(graph: fx.GraphModule, node: fx.Node) -> Sharing:
    if node.op in ("placeholder", "get_attr", "output"):
        return "none"
    if node.op == "call_module":
        module = graph.get_submodule(str(node.target))
        if isinstance(module, nn.Identity):
            return "whole"
        if type(module).__module__ == _ACTIVATIONS:
            return "whole" if getattr(module, "inplace", False) else "none"
        return "none" if isinstance(module, _NEW_MODULES) else "part"
    if node.target in IN_PLACE:
        return "whole"
    if node.target is getattr and node.args[1] in _NO_MEMORY:
        return "none"
    if getattr(node.target, "__module__", "") == "_operator" and node.target is not getitem:
        return "none"
    if node.kwargs.get("inplace") or "out" in node.kwargs:
        return "part"
    return _schema_sharing(node)


def _schema_sharing(node: fx.Node) -> Sharing:
    """By the schema of the operator of this name: ``a`` is shared, ``a!`` is written into."""
    target: Any = node.target
    known = target if isinstance(target, str) else _NAMES.get(target)
    name = str(known or getattr(target, "__name__", ""))
    packet = getattr(torch.ops.aten, name, None)
    if packet is None or any(each in name for each in _MAY_RETURN_THEIR_ARGUMENT):
        return "part"
    schemas = [getattr(packet, overload)._schema for overload in packet.overloads()]
    shared = {
        "whole" if each.alias_info.is_write else "part"
        for schema in schemas
        if not any(argument.is_out for argument in schema.arguments)
        for each in schema.returns
        if each.alias_info is not None
    }
    return "none" if not shared else "whole" if shared == {"whole"} else "part"
