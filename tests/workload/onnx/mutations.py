"""Damaged and twisted models: random bytes changed, or random fields of a valid model."""

import random

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto

OPERATORS = (
    *("Conv", "Gemm", "MatMul", "Add", "Mul", "Sub", "Div", "Relu", "Clip", "Concat", "Pad"),
    *("MaxPool", "AveragePool", "GlobalAveragePool", "ReduceMean", "Transpose", "Reshape"),
    *("Flatten", "Squeeze", "Unsqueeze", "Identity", "Cast", "BatchNormalization", "Sum"),
    *("QuantizeLinear", "DequantizeLinear", "Softmax", "Shape", "Constant", "If", "Loop", "Nope"),
    *("Resize", "ConstantOfShape", "Expand", "Tile", "Range", "QLinearConv", "OneHot", "Slice"),
)
NUMBERS = (-(1 << 62), -(1 << 31), -7, -1, 0, 1, 2, 3, 5, 1 << 16, 1 << 31, (1 << 63) - 1)


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, cut out, doubled, or the end cut off."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(changed))
        match chance.randrange(5):
            case 0:
                changed[place] ^= 1 << chance.randrange(8)
            case 1:
                changed[place] = chance.randrange(256)
            case 2:
                del changed[place : place + chance.randint(1, 40)]
            case 3:
                changed[place:place] = changed[place : place + chance.randint(1, 40)]
            case 4:
                del changed[place:]
        if not changed:
            break
    return bytes(changed)


def twisted(model: ModelProto, chance: random.Random) -> ModelProto:
    """Some fields of the graph changed."""
    made = ModelProto()
    made.CopyFrom(model)
    for _ in range(chance.randint(1, 3)):
        if not made.graph.node:
            break
        _twist(made, chance.choice(list(made.graph.node)), chance)
    return made


def _twist(made: ModelProto, node: NodeProto, chance: random.Random) -> None:
    names = [n for each in made.graph.node for n in (*each.input, *each.output)] or ["x"]
    match chance.randrange(9):
        case 0:
            node.op_type = chance.choice(OPERATORS)
        case 1 if node.input:
            node.input[chance.randrange(len(node.input))] = chance.choice(names)
        case 2:
            node.input.append(chance.choice([*names, ""]))
        case 3 if node.input:
            del node.input[chance.randrange(len(node.input))]
        case 4 if node.attribute:
            _attribute(chance.choice(list(node.attribute)), chance)
        case 5 if node.attribute:
            del node.attribute[chance.randrange(len(node.attribute))]
        case 6 if made.graph.initializer:
            _tensor(chance.choice(list(made.graph.initializer)), chance)
        case 7:
            node.output[0] = chance.choice(names)
        case 8:
            made.graph.node.remove(node)


def _attribute(attribute: object, chance: random.Random) -> None:
    if attribute.ints:  # type: ignore[attr-defined]
        place = chance.randrange(len(attribute.ints))  # type: ignore[attr-defined]
        attribute.ints[place] = chance.choice(NUMBERS)  # type: ignore[attr-defined]
    else:
        attribute.i = chance.choice(NUMBERS)  # type: ignore[attr-defined]
        attribute.f = chance.choice((0.0, -1.0, float("nan"), 1e30))  # type: ignore[attr-defined]
        attribute.s = chance.choice((b"", b"\xff", b"SAME_UPPER", b"reflect"))  # type: ignore[attr-defined]
    if not chance.randrange(4):
        attribute.type = chance.randrange(15)  # type: ignore[attr-defined]


def _tensor(tensor: TensorProto, chance: random.Random) -> None:
    match chance.randrange(4):
        case 0 if tensor.dims:
            tensor.dims[chance.randrange(len(tensor.dims))] = chance.choice(NUMBERS)
        case 1:
            tensor.data_type = chance.randrange(28)
        case 2:
            tensor.raw_data = tensor.raw_data[: chance.randrange(len(tensor.raw_data) + 1)]
        case _:
            values = np.frombuffer(tensor.raw_data, np.uint8).copy()
            if values.size:
                values[chance.randrange(values.size)] = chance.randrange(256)
            tensor.raw_data = values.tobytes()
