"""One function for each operator of torch (ATen) that a layer computes.

Each takes the operator's node and its arguments by name, adds a step, and returns the map
that the operator's output holds. Poolings and element-wise operators have their own files.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from torch import fx

from accelsim.training.capturing import elementwise, pooling
from accelsim.training.capturing.operand import (
    Lowering,
    arguments,
    name_of,
    pair,
    tensor_shape,
)
from accelsim.training.capturing.source_line import Call, unsupported
from accelsim.workload.layer import Window
from accelsim.workload.quantising.steps import Convolution, Pad, Stack

Arguments = dict[str, Any]


def lower(state: Lowering, node: fx.Node) -> None:
    """Add the steps of one operator. Raises ``UserError`` that names its line."""
    if node.target is operator.getitem:
        source, index = node.args
        if index != 0:
            raise unsupported(node, "uses a second result of an operator")
        state.maps[node] = state.map(node, source)
        return
    if name_of(node) in _CHECKS:
        return
    made = _OPERATORS.get(name_of(node))
    if made is None:
        problem = f"calls {name_of(node)}, which no layer computes"
        if "softmax" in name_of(node):
            raise unsupported(node, problem, "let the network end with its logits")
        raise unsupported(node, problem)
    state.maps[node] = made(state, node, arguments(node))


def _conv2d(state: Lowering, node: fx.Node, given: Arguments) -> int:
    source = state.spatial(node, given["input"])
    weights = state.array(node, given["weight"])
    kernel, dilation = (weights.shape[2], weights.shape[3]), pair(given["dilation"])
    if given["padding"] == "same":
        (top, bottom), (left, right) = (_same(k, d) for k, d in zip(kernel, dilation, strict=True))
    else:
        rows, cols = (0, 0) if given["padding"] == "valid" else pair(given["padding"])
        top, bottom, left, right = rows, rows, cols, cols
    window = Window(kernel, pair(given["stride"]), (top, bottom, left, right), dilation)
    bias = given["bias"]
    return state.net.add(
        Convolution(
            origin=Call(node),
            inputs=[source],
            output=state.net.new_map(tensor_shape(node)[1:]),
            weights=weights,
            bias=np.zeros(len(weights)) if bias is None else state.array(node, bias),
            window=window,
            groups=int(given["groups"]),
        )
    )


def _same(kernel: int, dilation: int) -> tuple[int, int]:
    total = dilation * (kernel - 1)
    return total // 2, total - total // 2


def _linear(state: Lowering, node: fx.Node, given: Arguments) -> int:
    source = state.map(node, given["input"])
    channels, rows, cols = state.shape(source)
    weights = state.array(node, given["weight"])
    if tensor_shape(given["input"])[-1] != channels * rows * cols:
        raise unsupported(
            node,
            f"applies a linear layer to the last axis of {list(tensor_shape(given['input']))}",
            "flatten the map before it: x.flatten(1)",
        )
    n_out = len(weights)
    bias = given["bias"]
    return state.net.add(
        Convolution(
            origin=Call(node),
            inputs=[source],
            output=state.net.new_map((n_out, 1, 1)),
            weights=weights.reshape(n_out, channels, rows, cols),
            bias=np.zeros(n_out) if bias is None else state.array(node, bias),
            window=Window((rows, cols)),
            fully_connected=True,
        )
    )


def _cat(state: Lowering, node: fx.Node, given: Arguments) -> int:
    parts = [state.map(node, part) for part in given["tensors"]]
    shapes = [state.shape(p) for p in parts]
    tensors = [tensor_shape(part) for part in given["tensors"]]
    by_channel = all(
        t[0] == 1 and (len(t) == 2 or t[1] == s[0]) for t, s in zip(tensors, shapes, strict=True)
    )
    if given["dim"] % len(tensors[0]) != 1 or not by_channel or len({s[1:] for s in shapes}) > 1:
        raise unsupported(
            node,
            f"concatenates along another axis than the channels: {[list(t) for t in tensors]}, "
            f"dim={given['dim']}",
            "layers stack maps of equal rows and columns along their channels",
        )
    if len(parts) == 1:
        return parts[0]
    output = state.net.new_map((sum(s[0] for s in shapes), *shapes[0][1:]))
    return state.net.add(Stack(origin=Call(node), inputs=parts, output=output))


def _pad(state: Lowering, node: fx.Node, given: Arguments) -> int:
    source = state.spatial(node, given["self"])
    before_and_after = [*given["pad"], 0, 0, 0, 0][:4]
    left, right, top, bottom = (int(n) for n in before_and_after)
    if given.get("mode", "constant") != "constant":
        raise unsupported(node, f"pads by {given['mode']}", "pad with zeros (padding_mode='zeros')")
    if any(given["pad"][4:]) or min(left, right, top, bottom) < 0:
        raise unsupported(node, "crops a map, or pads its channels", "pad rows and columns")
    if not any((left, right, top, bottom)):
        return source
    return state.net.add(
        Pad(
            origin=Call(node),
            inputs=[source],
            output=state.net.new_map(tensor_shape(node)[1:]),
            padding=(top, bottom, left, right),
            value=float(given.get("value") or 0),
        )
    )


def _same_values(state: Lowering, node: fx.Node, given: Arguments) -> int:
    """A copy, or another shape for the same values in the same order."""
    source = next(value for value in given.values() if isinstance(value, fx.Node))
    if given.get("train"):
        raise unsupported(
            node, "drops values also in inference", "give F.dropout training=self.training"
        )
    if node.meta["val"].dtype != source.meta["val"].dtype:
        raise unsupported(
            node, f"converts a map to {node.meta['val'].dtype}", "let maps keep one type of number"
        )
    return state.map(node, source)


_CHECKS: Final = ("_assert_tensor_metadata", "_assert_async", "_assert_scalar")
_OPERATORS: Final[dict[str, Callable[[Lowering, fx.Node, Arguments], int]]] = {
    "conv2d": _conv2d,
    "linear": _linear,
    "batch_norm": elementwise.batch_norm,
    "_native_batch_norm_legit_no_training": elementwise.batch_norm,
    "_native_batch_norm_legit_functional": elementwise.batch_norm,
    "relu": elementwise.relu,
    "relu6": elementwise.relu6,
    "hardtanh": elementwise.hardtanh,
    "clamp": elementwise.clamp,
    "clamp_min": elementwise.clamp,
    "add": elementwise.add,
    "sub": elementwise.add,
    "rsub": elementwise.reverse_subtract,
    "mul": elementwise.multiply,
    "div": elementwise.divide,
    "cat": _cat,
    "concat": _cat,
    "concatenate": _cat,
    "pad": _pad,
    "constant_pad_nd": _pad,
    "max_pool2d": pooling.max_pool,
    "max_pool2d_with_indices": pooling.max_pool,
    "avg_pool2d": pooling.average_pool,
    "adaptive_avg_pool2d": pooling.adaptive_pool,
    "_adaptive_avg_pool2d": pooling.adaptive_pool,
    "adaptive_max_pool2d": pooling.adaptive_pool,
    "mean": pooling.reduction,
    "amax": pooling.reduction,
    **dict.fromkeys(
        (
            *("view", "_unsafe_view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze"),
            *("alias", "clone", "contiguous", "detach", "lift_fresh", "lift_fresh_copy"),
            *("to", "_to_copy", "dropout", "feature_dropout", "alpha_dropout"),
        ),
        _same_values,
    ),
}
