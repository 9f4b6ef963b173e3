"""From a checked ONNX model to a ``FloatNetwork``, for one fixed size of image."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from onnx import ModelProto, ValueInfoProto, numpy_helper

from accelsim.errors import UserError, nearest, shortened
from accelsim.workload.importers.onnx import quantised
from accelsim.workload.importers.onnx.lowering import CHANNELS_LAST, PLAIN, Held, Lowering, as_map
from accelsim.workload.importers.onnx.model_file import opset
from accelsim.workload.importers.onnx.node import Node
from accelsim.workload.importers.onnx.one_line import one_line
from accelsim.workload.importers.onnx.operators import is_lowered, lower
from accelsim.workload.importers.onnx.qoperators import plain_operators
from accelsim.workload.importers.onnx.values import Tensor, Values
from accelsim.workload.quantising.float_network import FloatNetwork
from accelsim.workload.quantising.fold import fold
from accelsim.workload.quantising.network import INPUT, float_network
from accelsim.workload.quantising.steps import Rounding, Steps

_MOST_NAME: Final = 150
_NAMED: Final = 6  # operators in one message
_CHANNELS_FIRST: Final = [0, 3, 1, 2]
_THROUGH: Final = ("Cast", "Identity", "QuantizeLinear", "DequantizeLinear")
_BY_VALUE: Final = ("Add", "Sub", "Mul", "Div")


@dataclass(frozen=True)
class OnnxInput:
    """The one input of a model."""

    name: str
    kind: int
    """One of ``onnx.TensorProto``'s."""
    shape: tuple[int | None, ...]
    """As the file declares it; None for what it leaves open."""
    channels_last: bool
    """[1, rows, cols, channels], which the network turns around first."""


@dataclass(frozen=True)
class Kept:
    """A tensor of the model that holds a map, its axes in some order."""

    tensor: str
    order: tuple[int, ...]
    is_integer: bool


@dataclass(frozen=True)
class Taken:
    """A network taken out of a model, and where the model holds its maps."""

    network: FloatNetwork
    outputs: dict[str, Kept]
    """By edge: the graph's outputs, in order."""
    stored: dict[str, Kept]
    """By edge: the integers of a map, in a model that came quantised."""


def model_input(model: ModelProto, file: str) -> OnnxInput:
    """What the model wants to see. Raises ``UserError`` unless it is one tensor."""
    constants = {t.name for t in model.graph.initializer}
    constants |= {t.values.name for t in model.graph.sparse_initializer}
    wanted = [i for i in model.graph.input if i.name not in constants]
    if len(wanted) != 1:
        names = ", ".join(shortened(i.name) for i in wanted[:_NAMED]) or "none"
        raise UserError(
            file, f"has {len(wanted)} inputs ({names})", "give a network that reads one image"
        )
    (found,) = wanted
    if not found.type.HasField("tensor_type") or not found.type.tensor_type.HasField("shape"):
        raise UserError(
            f"{file}, input {shortened(found.name)!r}",
            "has no shape",
            "export it with the shape of an image",
        )
    return OnnxInput(
        name=found.name,
        kind=int(found.type.tensor_type.elem_type),
        shape=_dims(found),
        channels_last=len(_dims(found)) == 4 and _is_turned(model, found.name),
    )


def onnx_network(
    model: ModelProto,
    file: str,
    shape: Sequence[int],
    *,
    name: str,
    source: str,
    input_mean: Sequence[float],
    input_std: Sequence[float],
    real_inputs: bool,
    output: str | None = None,
) -> Taken:
    """The network as layers, for one image of ``shape`` in the model's own order of axes.

    ``output`` names the tensor at which it ends. Raises ``UserError`` that names the node
    for an operator that no layer computes.
    """
    given = model_input(model, file)
    outputs = [output] if output else [o.name for o in model.graph.output]
    own = (Node(file, n, opset(model)) for n in model.graph.node if n.output)
    nodes = list(plain_operators(own))
    _demand_made(nodes, outputs, file)
    live = _live(nodes, outputs)
    order = CHANNELS_LAST if given.channels_last else PLAIN
    plain = as_map(shape)
    image = (plain[2], *plain[:2]) if given.channels_last else plain
    state = Lowering(
        Steps([image]), _start(model, given, shape, file), {given.name: Held(0, order)}
    )
    for i, node in enumerate(live):
        state.values.infer(node)
        if quantised.fold_constant(state, node) or state.values.fold(node):
            continue
        try:
            _lower(state, node)
        except UserError as error:
            problem = f"{error.problem}{_others(live[i + 1 :])}"
            raise UserError(error.where, problem, error.fix) from None
    for name_ in outputs:
        if name_ not in state.maps:
            raise UserError(file, f"makes {shortened(name_)!r} from no image", "give a network")
        state.net.outputs.append(state.maps[name_].map)
    fold(state.net)
    names = _names(state.net)
    network = float_network(
        state.net,
        names,
        name=name,
        source=source,
        input_mean=input_mean,
        input_std=input_std,
        real_inputs=real_inputs,
    )
    edges = {0: INPUT} | {s.output: n for s, n in zip(state.net.steps, names, strict=True)}

    def kept(tensors: Iterable[str]) -> dict[str, Kept]:
        held = {tensor: state.maps[tensor] for tensor in tensors}
        return {
            edges[final]: Kept(tensor, x.order, x.word is not None)
            for tensor, x in held.items()
            if (final := state.net.final(x.map)) in edges
            and state.values.types[tensor].n_values == math.prod(state.shape(final))
        }

    in_file = {name for n in model.graph.node for name in n.output}
    stored = [n for n, held in state.maps.items() if held.word is not None and n in in_file]
    return Taken(network, kept(outputs), kept(stored))


def _lower(state: Lowering, node: Node) -> None:
    made = state.values.types[node.outputs[0]]
    if is_lowered(node.operator) and not made.may_be_map:
        raise node.refused(
            f"makes a map of {made.type_name}", "let maps be float32, or quantised integers"
        )
    lower(state, node)


def _start(model: ModelProto, given: OnnxInput, shape: Sequence[int], file: str) -> Values:
    values = Values()
    for tensor in model.graph.initializer:
        try:
            values.constants[tensor.name] = numpy_helper.to_array(tensor)
        except Exception as error:  # whatever damage makes the library raise
            where = f"{file}, tensor {shortened(tensor.name)!r}"
            raise UserError(where, f"is damaged ({one_line(error)})", "export it again") from None
        known = values.constants[tensor.name]
        values.types[tensor.name] = Tensor(tensor.data_type, known.shape)
    if model.graph.sparse_initializer:
        raise UserError(file, "has sparse constants", "export it with dense ones")
    values.types[given.name] = Tensor(given.kind, tuple(shape))
    return values


def _live(nodes: list[Node], outputs: Iterable[str]) -> list[Node]:
    """The nodes that lead to ``outputs``, in their order."""
    wanted = set(outputs)
    found = []
    for node in reversed(nodes):
        if wanted.intersection(node.outputs):
            found.append(node)
            wanted.update(node.inputs)
    return found[::-1]


def _demand_made(nodes: list[Node], outputs: list[str], file: str) -> None:
    made = {name for node in nodes for name in node.outputs if name}
    for name in outputs:
        if name not in made:
            raise UserError(
                file,
                f"no operator makes {shortened(name)!r}.{nearest(name, made)}",
                "name a tensor of the graph as --output",
            )


def _others(nodes: Iterable[Node]) -> str:
    """The other operators that no layer computes, named."""
    found = [n for n in nodes if not is_lowered(n.operator) and n.operator != "Constant"]
    if not found:
        return ""
    named = [f"{shortened(n.name)!r} ({shortened(n.operator)})" for n in found[:_NAMED]]
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return f", nor perhaps {', '.join(named)}{more}"


def _names(net: Steps) -> list[str]:
    """A name for each layer, from its node; none is that of the input."""
    names: list[str] = []
    used = {INPUT}
    for step in net.steps:
        assert isinstance(step.origin, Node)
        name = _legal(step.origin.name) or step.origin.operator
        if isinstance(step, Rounding):
            name = f"{name}/rounded"
        unique, n = name, 2
        while unique in used:
            unique, n = f"{name}_{n}", n + 1
        used.add(unique)
        names.append(unique)
    return names


def _legal(name: str) -> str:
    """As a trace may hold it: no ``|``, control characters, or dots and slashes in front.

    >>> _legal("/features/0/Conv")
    'features/0/Conv'
    """
    return re.sub(r"[|\x00-\x1f\x7f]", "_", name).lstrip("./")[:_MOST_NAME]


def _dims(info: ValueInfoProto) -> tuple[int | None, ...]:
    dims = info.type.tensor_type.shape.dim
    return tuple(d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else None for d in dims)


def _is_turned(model: ModelProto, name: str) -> bool:
    """Whether the network turns its input to channels first before it does anything else."""
    for node in (Node("", proto, 0) for proto in model.graph.node):
        if name not in node.inputs:
            continue
        if node.operator == "Transpose":
            return bool(node.attribute("perm") == _CHANNELS_FIRST)
        if node.operator in (*_THROUGH, *_BY_VALUE):
            name = node.outputs[0]
        else:
            return False
    return False
