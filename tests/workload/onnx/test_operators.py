"""Each operator, in all its forms: the layers compute what ONNX Runtime computes."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="needs the [onnx] extra")

from onnx.numpy_helper import from_array

from tests.workload.onnx.graphs import assert_same, image, model, node, vector, weights

W, B = weights(4, 3, 3, 3), vector(4)
CONVOLUTIONS: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "plain": ((4, 3, 3, 3), {}),
    "padded unevenly, with strides": (
        (4, 3, 3, 2),
        {"pads": [0, 1, 2, 1], "strides": [2, 1], "kernel_shape": [3, 2]},
    ),
    "dilated": ((4, 3, 2, 2), {"dilations": [2, 3]}),
    "in groups": ((6, 1, 3, 3), {"group": 3}),
    "same upper": ((4, 3, 4, 3), {"auto_pad": "SAME_UPPER", "strides": [3, 2]}),
    "same lower": ((4, 3, 4, 3), {"auto_pad": "SAME_LOWER", "strides": [3, 2]}),
    "valid": ((4, 3, 3, 3), {"auto_pad": "VALID"}),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions(name: str) -> None:
    shape, options = CONVOLUTIONS[name]
    made = model(
        [node("Conv", "x w b", "y", **options)], {"w": weights(*shape), "b": vector(shape[0])}
    )
    assert_same(made, image(1, 3, 8, 8))


def test_a_convolution_over_one_axis_has_windows_of_one_row() -> None:
    made = model(
        [node("Conv", "x w", "c", pads=[2, 0]), node("GlobalAveragePool", "c", "y")],
        {"w": weights(4, 3, 5)},
        (1, 3, 20),
    )
    network = assert_same(made, image(1, 3, 20)).network
    assert network.graph.edge["c"].shape == (4, 1, 18)


PER_CHANNEL = {"k": vector(4).reshape(4, 1, 1), "s": np.array(1.5, "f4")}
FORMS: dict[str, list[Any]] = {
    "relu": [node("Relu", "c", "y")],
    "relu6 by inputs": [node("Clip", "c zero six", "y")],
    "clip from zero": [node("Clip", "c zero", "y")],
    "batch norm": [node("BatchNormalization", "c g b m v", "y", epsilon=1e-3)],
    "constants before and after": [
        node("Mul", "k c", "d"),
        node("Sub", "s d", "e"),
        node("Div", "e s", "f"),
        node("Neg", "f", "g_"),
        node("Add", "g_ k", "h"),
        node("Sub", "h k", "y"),
    ],
    "a sum of three": [node("Relu", "c", "r"), node("Sum", "c r c", "y")],
    "a sum of one": [node("Sum", "c", "d"), node("Relu", "d", "y")],
    "a residual sum": [node("Relu", "c", "r"), node("Add", "r c", "y")],
    "channels": [node("Relu", "c", "r"), node("Concat", "r c", "y", axis=-3)],
    "one part alone": [node("Concat", "c", "d", axis=1), node("Relu", "d", "y")],
    "maximum": [node("MaxPool", "c", "y", kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1])],
    "maximum rounded up": [
        node("MaxPool", "c", "y", kernel_shape=[4, 3], strides=[3, 3], ceil_mode=1)
    ],
    "maximum, dilated": [node("MaxPool", "c", "y", kernel_shape=[2, 2], dilations=[2, 2])],
    "average": [node("AveragePool", "c", "y", kernel_shape=[3, 3], pads=[1, 1, 1, 1])],
    "average, counting padding": [
        node("AveragePool", "c", "y", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
    ],
    "average rounded up": [
        node("AveragePool", "c", "y", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
    ],
    "global average": [node("GlobalAveragePool", "c", "y")],
    "global maximum": [node("GlobalMaxPool", "c", "y")],
    "mean by attribute": [node("ReduceMean", "c", "y", axes=[2, 3], keepdims=0)],
    "mean of rows": [node("ReduceMean", "c", "y", axes=[2], keepdims=1)],
    "maximum of columns": [node("ReduceMax", "c", "y", axes=[-1], keepdims=1)],
    "a matrix": [
        node("Flatten", "c", "d"),
        node("Gemm", "d fc fb", "y", transB=1),
    ],
    "a scaled matrix": [
        node("Reshape", "c minus", "d"),
        node("Gemm", "d fct fb", "y", alpha=0.5, beta=2.0),
    ],
    "a product and a bias": [
        node("Flatten", "c", "d"),
        node("MatMul", "d fct", "e"),
        node("Add", "fb e", "y"),
    ],
    "copies": [
        node("Identity", "c", "d"),
        node("Dropout", "d", "e"),
        node("Unsqueeze", "e one", "f"),
        node("Squeeze", "f one", "g_"),
        node("Cast", "g_", "h", to=1),
        node("Relu", "h", "y"),
    ],
    "zeros around": [node("Pad", "c pads", "d"), node("Conv", "d w2", "y")],
    "a shape that the graph computes": [
        node("Shape", "c", "dims"),
        node("Gather", "dims index", "n"),
        node("Concat", "n minus1", "wanted", axis=0),
        node("Reshape", "c wanted", "d"),
        node("Gemm", "d fc", "y", transB=1),
    ],
    "weights that the graph computes": [
        node("ConstantOfShape", "wshape", "ones", value=from_array(np.ones(1, "f4"))),
        node("Mul", "ones s", "halves"),
        node("Conv", "c halves", "y"),
    ],
}
CONSTANTS: dict[str, Any] = {
    "w": W,
    "zero": np.array(0, "f4"),
    "six": np.array(6, "f4"),
    "g": vector(4),
    "b": vector(4),
    "m": vector(4),
    "v": np.abs(vector(4)) + 0.5,
    **PER_CHANNEL,
    "fc": weights(5, 144),
    "fct": weights(144, 5),
    "fb": vector(5),
    "minus": np.array([1, -1]),
    "one": np.array([1]),
    "pads": np.array([0, 0, 1, 0, 0, 0, 1, 2]),
    "w2": weights(2, 4, 3, 3),
    "index": np.array([0]),
    "minus1": np.array([-1]),
    "wshape": np.array([2, 4, 3, 3]),
}


@pytest.mark.parametrize("name", FORMS)
def test_operators_behind_a_convolution(name: str) -> None:
    nodes = [node("Conv", "x w", "c"), *FORMS[name]]
    used = {n for each in nodes for n in each.input}
    constants = {n: v for n, v in CONSTANTS.items() if n in used}
    assert_same(model(nodes, constants), image(1, 3, 8, 8))


@pytest.mark.parametrize(
    ("nodes", "constants", "opset"),
    [
        ([node("Clip", "c", "y", min=0.0, max=6.0)], {}, 9),
        ([node("Pad", "c", "d", pads=[0, 0, 1, 1, 0, 0, 1, 1]), node("Conv", "d v", "y")], "v", 10),
        ([node("ReduceMean", "c axes", "y", keepdims=0)], {"axes": np.array([2, 3])}, 20),
        ([node("Pad", "c p - a", "d"), node("Conv", "d v", "y")], "pa", 20),
        ([node("Dropout", "c", "d m"), node("Relu", "d", "y")], {}, 9),
    ],
)
def test_older_and_newer_forms(nodes: list[Any], constants: Any, opset: int) -> None:
    if isinstance(constants, str):
        extra = {"p": np.array([1, 2, 0, 1]), "a": np.array([2, -1])}
        constants = {"v": weights(2, 4, 3, 3)} | (extra if constants == "pa" else {})
    assert_same(
        model([node("Conv", "x w", "c"), *nodes], {"w": W, **constants}, opset=opset),
        image(1, 3, 8, 8),
    )


def test_images_with_channels_last_are_turned_around_first() -> None:
    """As tf2onnx writes: a Transpose at the start, and one before the values are flattened."""
    made = model(
        [
            node("Sub", "x mean", "s"),
            node("Transpose", "s", "t", perm=[0, 3, 1, 2]),
            node("Conv", "t w b", "c"),
            node("Transpose", "c", "u", perm=[0, 2, 3, 1]),
            node("Add", "u k", "v"),
            node("Relu", "v", "r"),
            node("Reshape", "r flat", "f"),
            node("MatMul", "f fc", "y"),
        ],
        {
            "mean": vector(3),
            "w": W,
            "b": B,
            "k": vector(4),
            "flat": np.array([-1, 5 * 4 * 4]),
            "fc": weights(80, 6),
        },
        (1, 7, 6, 3),
    )
    x = image(1, 7, 6, 3)
    network = assert_same(made, x, np.ascontiguousarray(x.transpose(0, 3, 1, 2))).network
    assert network.graph.edge["input"].shape == (3, 7, 6)


def test_a_product_with_the_channels_of_each_position_is_a_convolution_of_one_by_one() -> None:
    made = model(
        [
            node("Transpose", "x", "t", perm=[0, 2, 3, 1]),
            node("Reshape", "t tokens", "s"),
            node("MatMul", "s w", "m"),
            node("Add", "m b", "a"),
            node("ReduceMean", "a", "y", axes=[1], keepdims=0),
        ],
        {"tokens": np.array([1, 20, 3]), "w": weights(3, 6), "b": vector(6)},
        (1, 3, 5, 4),
    )
    network = assert_same(made, image(1, 3, 5, 4)).network
    assert [layer.kind for layer in network.graph.layers] == ["conv", "pool"]


def test_a_network_of_two_axes_reads_a_vector() -> None:
    made = model(
        [node("Gemm", "x a", "h"), node("Relu", "h", "r"), node("Gemm", "r b", "y")],
        {"a": weights(7, 9), "b": weights(9, 4)},
        ("n", 7),
    )
    network = assert_same(made, image(1, 7)).network
    assert [layer.kind for layer in network.graph.layers] == ["fc", "fc"]


def test_layers_are_named_by_their_nodes_and_batch_norms_fold() -> None:
    made = model(
        [
            node("Conv", "x w", "/a/Conv"),
            node("BatchNormalization", "/a/Conv g b m v", "n"),
            node("Relu", "n", "r"),
            node("Conv", "r w2", "y"),
        ],
        {n: CONSTANTS[n] for n in ("w", "g", "b", "m", "v", "w2")},
    )
    network = assert_same(made, image(1, 3, 8, 8)).network
    assert [(x.name, x.kind) for x in network.graph.layers] == [("a/Conv", "conv"), ("y", "conv")]


def test_branches_that_do_not_lead_to_the_output_are_left_alone() -> None:
    made = model(
        [node("Conv", "x w", "y"), node("Softmax", "y", "never"), node("NonZero", "y", "nor")],
        {"w": W},
    )
    assert len(assert_same(made, image(1, 3, 8, 8)).network.graph.layers) == 1
