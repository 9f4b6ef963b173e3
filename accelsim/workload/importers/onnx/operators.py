"""One function for each operator of ONNX that a layer computes.

Each takes the state and the operator's node, adds a step, and says which map its output
holds. Poolings, element-wise operators, arrangements and quantisation have their own files.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from accelsim.errors import shortened
from accelsim.workload.importers.onnx import arrangement, elementwise, pooling, quantised
from accelsim.workload.importers.onnx.lowering import (
    CHANNELS_LAST,
    PLAIN,
    Held,
    Lowering,
    arranged,
)
from accelsim.workload.importers.onnx.node import Node
from accelsim.workload.layer import Window
from accelsim.workload.quantising.steps import Convolution, Pad, Reals, Stack

_MOST_WEIGHT_BITS: Final = 16


def is_lowered(operator: str) -> bool:
    """Whether a layer may compute it."""
    return operator in _OPERATORS


def lower(state: Lowering, node: Node) -> None:
    """Add the steps of one operator. Raises ``UserError`` that names its node."""
    made = _OPERATORS.get(node.operator)
    if made is None:
        raise node.refused("no layer computes it")
    made(state, node)


def _conv(state: Lowering, node: Node) -> None:
    state.real(node)
    source = state.spatial(node)
    weights, scale, bits = _weights(state, node, 1, 0)
    groups = int(node.attribute("group", 1))
    channels = state.shape(source.map)[0]
    if weights.ndim < 3 or groups < 1 or weights.shape[1] * groups != channels:
        raise node.refused(
            f"has weights of shape {list(weights.shape)} in {groups} groups, but reads "
            f"{channels} channels",
            "export the model again",
        )
    window = pooling.window_of(state, node, weights.shape[2:])
    n_out = len(weights)
    step = Convolution(
        origin=node,
        inputs=[source.map],
        output=state.new_map(node),
        weights=weights.reshape(n_out, -1, *window.kernel),
        bias=_bias(state, node, 2, n_out),
        window=window,
        groups=groups,
        weight_scale=scale,
        weight_bits=bits,
    )
    state.add(node, step)


def _gemm(state: Lowering, node: Node) -> None:
    source = state.real(node)
    if node.attribute("transA", 0):
        raise node.refused("transposes the map that it reads", "give transA=0")
    is_turned = bool(node.attribute("transB", 0))
    weights, scale, bits = _weights(state, node, 1, 0 if is_turned else 1)
    matrix = weights if is_turned else weights.T
    alpha, beta = node.attribute("alpha", 1.0), node.attribute("beta", 1.0)
    if alpha != 1.0:
        matrix, scale, bits = matrix * alpha, None, 8
    _product(state, node, source, matrix, scale, bits, _bias(state, node, 2, len(matrix)) * beta)


def _matmul(state: Lowering, node: Node) -> None:
    source = state.real(node)
    weights, scale, bits = _weights(state, node, 1, -1)
    if weights.ndim != 2:
        raise node.refused(f"multiplies by a constant of shape {list(weights.shape)}")
    _product(state, node, source, weights.T, scale, bits, np.zeros(weights.shape[1]))


def _product(
    state: Lowering,
    node: Node,
    source: Held,
    matrix: Reals,
    scale: Reals | None,
    bits: int,
    bias: Reals,
) -> None:
    """A matrix [out, in] times the last axis of a tensor: the whole map, or its channels."""
    dims = state.shape(source.map)
    n_out, n_in = matrix.shape
    shape = state.tensor_shape(node.inputs[0])
    if shape[-1] != n_in:
        raise node.refused(f"multiplies {list(shape)} by {[n_in, n_out]}", "export it again")
    if n_in == np.prod(dims):
        there = matrix.reshape(n_out, *arranged(dims, source.order))
        weights = there.transpose(0, *(1 + int(axis) for axis in np.argsort(source.order)))
        output, window, order, is_whole = (n_out, 1, 1), Window(dims[1:]), PLAIN, True
    elif source.order == CHANNELS_LAST and n_in == dims[0]:
        weights = matrix.reshape(n_out, n_in, 1, 1)
        output, window, is_whole = (n_out, *dims[1:]), Window((1, 1)), False
        order = CHANNELS_LAST
    else:
        raise node.refused(
            f"multiplies the last axis of {list(shape)} by a matrix", "flatten the map before it"
        )
    step = Convolution(
        origin=node,
        inputs=[source.map],
        output=state.net.new_map(output),
        weights=weights,
        bias=bias,
        window=window,
        fully_connected=is_whole,
        weight_scale=scale,
        weight_bits=bits,
    )
    state.add(node, step, order)


def _weights(state: Lowering, node: Node, place: int, axis: int) -> tuple[Reals, Reals | None, int]:
    """Weights; where they came quantised by ``axis`` of outputs, their steps and width."""
    name = state.given(node, place)
    if state.is_map(name):
        raise node.refused(
            "multiplies two maps" if node.operator == "MatMul" else "has weights that are a map",
            "layers have constant weights",
        )
    values = state.exact(node, place)
    given = state.quantised.get(name)
    if given is None or given.bits > _MOST_WEIGHT_BITS or values.ndim < 2:
        return values, None, 8
    axis %= values.ndim
    if given.scale.size > 1 and given.axis != axis:
        return values, None, 8
    scale = np.broadcast_to(given.scale.ravel(), values.shape[axis])
    return values, np.array(scale, np.float64), given.bits


def _bias(state: Lowering, node: Node, place: int, n: int) -> Reals:
    if len(node.inputs) <= place or not node.inputs[place]:
        return np.zeros(n)
    if state.is_map(node.inputs[place]):
        raise node.refused("has a bias that is a map", "add the map by an operator of its own")
    bias = state.exact(node, place)
    try:
        return np.array(np.broadcast_to(bias, (1, n)).reshape(n))
    except ValueError:
        raise node.refused(
            f"has a bias of shape {list(bias.shape)} for {n} channels", "export the model again"
        ) from None


def _concat(state: Lowering, node: Node) -> None:
    parts = [state.held(node, place) for place in range(len(node.inputs))]
    tensors = [state.tensor_shape(name) for name in node.inputs]
    shapes = [state.shape(p.map) for p in parts]
    axis = int(node.attribute("axis", 1)) % len(tensors[0])
    order = parts[0].order
    if any(p.order != order or p.word != parts[0].word for p in parts):
        raise node.refused("concatenates maps in different orders of axes, or different words")
    place = {PLAIN: 1, CHANNELS_LAST: len(tensors[0]) - 1}.get(order)
    by_channel = all(
        t[0] == 1 and (len(t) == 2 or t[axis] == s[0]) for t, s in zip(tensors, shapes, strict=True)
    )
    if axis != place or not by_channel or len({s[1:] for s in shapes}) > 1:
        raise node.refused(
            f"concatenates along another axis than the channels: "
            f"{', '.join(str(list(t)) for t in tensors)}, axis={axis}",
            "layers stack maps of equal rows and columns along their channels",
        )
    if len(parts) == 1:
        state.maps[node.outputs[0]] = parts[0]
        return
    output = state.net.new_map((sum(s[0] for s in shapes), *shapes[0][1:]))
    step = Stack(origin=node, inputs=[p.map for p in parts], output=output)
    state.maps[node.outputs[0]] = Held(state.net.add(step), order, parts[0].word)


def _pad(state: Lowering, node: Node) -> None:
    source = state.spatial(node)
    n_axes = len(state.tensor_shape(node.inputs[0]))
    pads = np.zeros((2, n_axes), np.int64)
    given = np.asarray(state.option(node, "pads", 1, [0] * 2 * n_axes), np.int64)
    axes: NDArray[np.int64] = np.asarray(state.constant(node, 3, range(n_axes)), np.int64)
    pads[:, axes] = given.reshape(2, -1)
    value = float(np.asarray(state.option(node, "value", 2, 0.0)).ravel()[0])
    mode = node.attribute("mode", "constant")
    if mode != "constant" or source.word is not None:
        raise node.refused(
            f"pads by {shortened(mode)!r}, or integers", "pad real numbers with zeros"
        )
    if pads[:, :2].any() or pads.min() < 0:
        raise node.refused("crops a map, or pads its channels", "pad rows and columns")
    (top, left), (bottom, right) = ([int(x) for x in [0, *row[2:]][-2:]] for row in pads.tolist())
    if not any((top, bottom, left, right)):
        state.maps[node.outputs[0]] = source
        return
    step = Pad(
        origin=node,
        inputs=[source.map],
        output=state.new_map(node),
        padding=(top, bottom, left, right),
        value=value,
    )
    state.add(node, step)


def _softmax(state: Lowering, node: Node) -> None:
    raise node.refused(
        "no layer computes it", f"let the network end with its logits: --output {node.inputs[0]}"
    )


_OPERATORS: Final[dict[str, Callable[[Lowering, Node], None]]] = {
    "Conv": _conv,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "Concat": _concat,
    "Pad": _pad,
    "Softmax": _softmax,
    "LogSoftmax": _softmax,
    "BatchNormalization": elementwise.batch_norm,
    "Relu": elementwise.relu,
    "Clip": elementwise.clip,
    "Add": elementwise.add,
    "Sub": elementwise.add,
    "Sum": elementwise.add,
    "Mul": elementwise.multiply,
    "Div": elementwise.divide,
    "Neg": elementwise.negate,
    "MaxPool": pooling.pool,
    "AveragePool": pooling.pool,
    "GlobalAveragePool": pooling.global_pool,
    "GlobalMaxPool": pooling.global_pool,
    "ReduceMean": pooling.reduction,
    "ReduceMax": pooling.reduction,
    "Transpose": arrangement.transpose,
    "QuantizeLinear": quantised.quantize,
    "DequantizeLinear": quantised.dequantize,
    **dict.fromkeys(
        ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout", "Cast"),
        arrangement.same_values,
    ),
}
