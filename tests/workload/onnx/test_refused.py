"""What no layer computes: one message that names file, node and operator, and a way on."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="needs the [onnx] extra")

from onnx import helper

from accelsim.errors import UserError
from tests.workload.onnx.graphs import image, model, node, taken, vector, weights

W = weights(4, 3, 3, 3)
CONV = node("Conv", "x w", "c")


def refused(nodes: list[Any], constants: dict[str, Any] | None = None, **options: Any) -> str:
    made = model([CONV, *nodes], {"w": W, **(constants or {})}, **options)
    with pytest.raises(UserError) as caught:
        taken(made)
    message = str(caught.value)
    problem, fix = message.split("\n  fix: ")
    assert "\n" not in problem and fix and len(message) < 900
    return message


def test_the_message_names_node_operator_and_where_to_end_before_it() -> None:
    assert refused([node("Sigmoid", "c", "gate"), node("Mul", "c gate", "y")]) == (
        "small.onnx, node 'gate' (Sigmoid): no layer computes it\n"
        "  fix: supported are convolutions, linear layers, batch normalisation, ReLU, ReLU6, "
        "maximum and average pooling, sums of equal maps, concatenation of channels, flatten "
        "and zero padding; --output c ends the network before this one"
    )


def test_others_are_named_with_it_even_when_they_are_many() -> None:
    nodes = [node("Tanh", "c", "t0"), *(node("Erf", f"t{i}", f"t{i + 1}") for i in range(9))]
    message = refused([*nodes, node("Relu", "t9", "y")])
    assert "node 't0' (Tanh): no layer computes it, nor perhaps 't1' (Erf), 't2' (Erf)" in message
    assert "and 3 more" in message


def test_others_are_named_too_where_a_layer_computes_it_only_otherwise() -> None:
    nodes = [node("Mul", "c c", "m"), node("Sigmoid", "m", "s"), node("Relu", "s", "y")]
    assert "node 'm' (Mul): multiplies two maps, which no layer computes, nor perhaps 's' (Sig" in (
        refused(nodes)
    )


def test_a_softmax_at_the_end_is_to_be_left_out() -> None:
    message = refused([node("GlobalAveragePool", "c", "g"), node("Softmax", "g", "y")])
    assert message.endswith("fix: let the network end with its logits: --output g")
    made = model([CONV, node("Softmax", "c", "y")], {"w": W})
    assert taken(made, output="c").network.graph.outputs == ("c",)


WITHOUT_LAYER = {
    "Sigmoid": node("Sigmoid", "c", "y"),
    "HardSwish": node("HardSwish", "c", "y"),
    "HardSigmoid": node("HardSigmoid", "c", "y"),
    "LeakyRelu": node("LeakyRelu", "c", "y"),
    "PRelu": node("PRelu", "c k", "y"),
    "Gelu": node("Gelu", "c", "y"),
    "LayerNormalization": node("LayerNormalization", "c row", "y"),
    "InstanceNormalization": node("InstanceNormalization", "c four four", "y"),
    "LRN": node("LRN", "c", "y", size=3),
    "Resize": node("Resize", "c - scales", "y"),
    "ConvTranspose": node("ConvTranspose", "c t", "y"),
    "DepthToSpace": node("DepthToSpace", "c", "y", blocksize=2),
    "Slice": node("Slice", "c zero two one", "y"),
    "Split": node("Split", "c", "y z", num_outputs=2),
    "Exp": node("Exp", "c", "y"),
    "ArgMax": node("ArgMax", "c", "y"),
    "Einsum": node("Einsum", "c", "y", equation="abcd->abdc"),
    "RandomNormalLike": node("RandomNormalLike", "c", "y"),
}


@pytest.mark.parametrize("operator", WITHOUT_LAYER)
def test_operators_without_a_layer_are_named(operator: str) -> None:
    constants = {
        "k": vector(4).reshape(4, 1, 1),
        "row": vector(6),
        "four": vector(4),
        "scales": np.array([1, 1, 2, 2], "f4"),
        "t": weights(4, 2, 2, 2),
        **{n: np.array([i]) for n, i in (("zero", 0), ("one", 1), ("two", 2))},
    }
    used = WITHOUT_LAYER[operator].input
    given = {n: v for n, v in constants.items() if n in used}
    message = refused([WITHOUT_LAYER[operator]], given, opset=20)
    assert message.startswith(f"small.onnx, node 'y' ({operator}): no layer computes it\n")


PROBLEMS: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "clips between 0.0 and 4.0": ([node("Clip", "c zero four", "y")], {}),
    "clips between None and 6.0": ([node("Clip", "c - six", "y")], {}),
    "subtracts maps": ([node("Relu", "c", "r"), node("Sub", "c r", "y")], {}),
    "multiplies two maps": ([node("Mul", "c c", "y")], {}),
    "divides by a map": ([node("Div", "c c", "y")], {}),
    "divides by zero": ([node("Div", "c zero", "y")], {}),
    "adds maps of unequal shapes": (
        [node("GlobalAveragePool", "c", "g"), node("Add", "c g", "y")],
        {},
    ),
    "more than one number for each channel": ([node("Mul", "c cols", "y")], {}),
    "along another axis": ([node("Concat", "c c", "y", axis=2)], {}),
    "reads the constant 'big' in the place of a map": (
        [node("Concat", "c big", "y", axis=1)],
        {},
    ),
    "has weights that are a map": ([node("Conv", "x c2", "y"), node("Reshape", "c s", "c2")], {}),
    "multiplies the last axis": ([node("MatMul", "c m", "y")], {}),
    "multiplies by a constant of shape [1, 4, 6, 2]": ([node("MatMul", "c m4", "y")], {}),
    "a map reshaped to": (
        [node("Reshape", "c s", "d"), node("MaxPool", "d", "y", kernel_shape=[2, 2])],
        {},
    ),
    "with its axes in another order": (
        [node("Transpose", "c", "d", perm=[0, 2, 3, 1]), node("GlobalMaxPool", "d", "y")],
        {},
    ),
    "in a way that no layer follows": (
        [
            node("Reshape", "c shuffle", "d"),
            node("Transpose", "d", "e", perm=[0, 2, 1, 3, 4]),
            node("Reshape", "e back", "y"),
        ],
        {},
    ),
    "over axes [1]": ([node("ReduceMean", "c", "y", axes=[1])], {}),
    "over axes all": ([node("ReduceMean", "c", "y")], {}),
    "(ceil_mode) and counts the padding": (
        [
            node(
                "AveragePool",
                "c",
                "y",
                kernel_shape=[4, 4],
                strides=[3, 3],
                pads=[1, 1, 1, 1],
                ceil_mode=1,
                count_include_pad=1,
            )
        ],
        {},
    ),
    "pads by 'reflect'": ([node("Pad", "c pads", "y", mode="reflect")], {}),
    "crops a map": ([node("Pad", "c crop", "y")], {}),
    "with 1 for Conv": ([node("Pad", "c pads four4", "d"), node("Conv", "d w4", "y")], {}),
    "pads the network's output": ([node("Pad", "c pads", "y")], {}),
    "drops values also in inference": ([node("Dropout", "c half yes", "y")], {}),
    "by the statistics of the batch": (
        [node("BatchNormalization", "c four_ four_ four_ four_", "y a b", training_mode=1)],
        {},
    ),
    "that is not positive": ([node("BatchNormalization", "c four_ four_ four_ minus", "y")], {}),
    "converts a map to uint8": ([node("Cast", "c", "d", to=2), node("Cast", "d", "y", to=1)], {}),
    "makes a map of int64": ([node("Cast", "c", "d", to=7), node("Cast", "d", "y", to=1)], {}),
    "makes a map of float16": ([node("Cast", "c", "d", to=10), node("Relu", "d", "y")], {}),
    "not finite numbers": ([node("Conv", "c nan", "y")], {}),
    "whose shape depends on the values of a map": ([node("NonZero", "c", "y")], {}),
    "runs a graph of its own": (
        [
            helper.make_node(
                "If",
                ["yes"],
                ["y"],
                name="y",
                then_branch=helper.make_graph([node("Relu", "c", "t")], "t", [], []),
                else_branch=helper.make_graph([node("Neg", "c", "e")], "e", [], []),
            )
        ],
        {},
    ),
}
CONSTANTS = {
    "zero": np.array(0, "f4"),
    "four": np.array(4, "f4"),
    "four4": np.array(1, "f4"),
    "six": np.array(6, "f4"),
    "half": np.array(0.5, "f4"),
    "yes": np.array(True),
    "cols": vector(6),
    "big": image(1, 4, 6, 6),
    "s": np.array([1, 8, 6, 3]),
    "m": weights(6, 2),
    "m4": weights(1, 4, 6, 2),
    "shuffle": np.array([1, 2, 2, 6, 6]),
    "back": np.array([1, 4, 6, 6]),
    "pads": np.array([0, 0, 1, 1, 0, 0, 1, 1]),
    "crop": np.array([0, 0, -1, 0, 0, 0, 0, 0]),
    "w4": weights(2, 4, 3, 3),
    "four_": vector(4),
    "minus": -np.ones(4, "f4"),
    "two": np.array([2]),
    "nan": np.full((2, 4, 1, 1), np.nan, "f4"),
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_a_layer_computes_only_otherwise_is_explained(problem: str) -> None:
    nodes, more = PROBLEMS[problem]
    if problem == "has weights that are a map":
        nodes = nodes[::-1]
    used = {n for each in nodes for n in each.input}
    constants = {n: v for n, v in CONSTANTS.items() if n in used} | more
    message = refused(nodes, constants, opset=17)
    assert problem in message and message.startswith("small.onnx, node ")


def test_two_inputs_are_refused() -> None:
    made = model([node("Add", "x z", "y")])
    made.graph.input.append(helper.make_tensor_value_info("z", 1, [1, 3, 8, 8]))
    with pytest.raises(UserError, match=r"small.onnx: has 2 inputs \(x, z\)"):
        taken(made)


def test_an_unknown_output_names_the_nearest() -> None:
    with pytest.raises(UserError, match=r"no operator makes 'cc'\. Did you mean 'c'\?"):
        taken(model([CONV], {"w": W}, output="c"), output="cc")


def test_a_network_without_layers_is_refused() -> None:
    with pytest.raises(UserError, match="computes nothing that is a layer"):
        taken(model([node("Identity", "x", "y")]))
    with pytest.raises(UserError, match="makes 'y' from no image"):
        taken(model([node("Identity", "k", "y")], {"k": vector(3)}))
