"""Operators on quantised maps, such as QLinearConv, as operators between words.

Each becomes DequantizeLinear for what it reads, the operator on real numbers, and
QuantizeLinear for what it makes, all under its own name: so a network in either form is
taken apart in one way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from onnx import NodeProto, helper

from accelsim.workload.importers.onnx.node import Node

_MOST_INPUTS: Final = 9
_VERSION: Final = 13  # of DequantizeLinear with a scale for each channel
_OPERATORS: Final = {
    "QLinearConv": "Conv",
    "QLinearMatMul": "MatMul",
    "QGemm": "Gemm",
    "QLinearAdd": "Add",
    "QLinearConcat": "Concat",
    "QLinearGlobalAveragePool": "GlobalAveragePool",
    "QLinearAveragePool": "AveragePool",
}


def plain_operators(nodes: Iterable[Node]) -> Iterator[Node]:
    """The same network without operators on quantised maps. Raises ``UserError``."""
    for node in nodes:
        if node.operator in _OPERATORS:
            yield from _between_words(node)
        else:
            yield node


def _between_words(node: Node) -> Iterator[Node]:
    given = node.inputs
    operator = _OPERATORS[node.operator]
    padded = [*given, *[""] * _MOST_INPUTS]
    operands, result, bias = [padded[0:3], padded[3:6]], padded[6:8], ""
    match node.operator:
        case "QLinearConv" | "QLinearMatMul":
            bias = padded[8]
        case "QGemm":
            result, bias = padded[7:9], padded[6]
        case "QLinearAdd":
            pass
        case "QLinearConcat":
            operands = [given[i : i + 3] for i in range(2, len(given), 3)]
            result = padded[0:2]
        case _:
            operands, result = [padded[0:3]], padded[3:5]
    is_whole = all(len(o) > 1 and o[0] and o[1] for o in operands) and operands
    if not is_whole or not (result[0] or operator == "Gemm"):
        raise node.refused("lacks inputs", "export the model again")
    attributes = list(node.proto.attribute)
    if any(a.name == "channels_last" and a.i for a in attributes):
        raise node.refused("reads channels last", "export it with channels first")
    own = [a for a in attributes if a.name != "channels_last"]
    output = node.outputs[0]
    real = [f"{output}/operand{i}" for i in range(len(operands))]
    for i, (operand, name) in enumerate(zip(operands, real, strict=True)):
        # Weights have one scale for each output channel.
        turned = any(a.name == "transB" and a.i for a in attributes)
        axis = 0 if operator == "Conv" or turned else 1
        yield _new(node, "DequantizeLinear", operand, name, axis=axis if i == 1 else None)
    if bias:
        scale, read = f"{output}/bias_scale", f"{output}/bias"
        yield _new(node, "Mul", [operands[0][1], operands[1][1]], scale)
        yield _new(node, "DequantizeLinear", [bias, scale], read, axis=0)
        real.append(read)
    if not result[0]:
        yield _with(node, operator, real, output, own)
        return
    yield _with(node, operator, real, f"{output}/real", own)
    yield _new(node, "QuantizeLinear", [f"{output}/real", *result], output)


def _new(
    node: Node, operator: str, inputs: list[str], output: str, axis: int | None = None
) -> Node:
    made = helper.make_node(operator, inputs, [output], node.name, axis=axis)
    return Node(node.file, made, max(node.version, _VERSION))


def _with(
    node: Node, operator: str, inputs: list[str], output: str, attributes: list[object]
) -> Node:
    made = NodeProto(op_type=operator, input=inputs, output=[output], name=node.name)
    made.attribute.extend(attributes)
    return Node(node.file, made, node.version)
