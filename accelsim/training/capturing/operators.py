"""One function for each operator of torch (ATen) that a layer computes.

Each takes the operator's node and its arguments by name, adds a step, and returns the map
that the operator's output holds. Pooling is in ``accelsim.training.capturing.pooling``.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from torch import fx

from accelsim.training.capturing import pooling
from accelsim.training.capturing.operand import (
    Lowering,
    arguments,
    name_of,
    overload_of,
    pair,
    tensor_shape,
)
from accelsim.training.capturing.source_line import unsupported
from accelsim.training.capturing.steps import Affine, Convolution, Pad, Rectify, Stack, Sum
from accelsim.workload.layer import Activation, Window

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
            node=node,
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
            node=node,
            inputs=[source],
            output=state.net.new_map((n_out, 1, 1)),
            weights=weights.reshape(n_out, channels, rows, cols),
            bias=np.zeros(n_out) if bias is None else state.array(node, bias),
            window=Window((rows, cols)),
            fully_connected=True,
        )
    )


def _batch_norm(state: Lowering, node: fx.Node, given: Arguments) -> int:
    source = state.map(node, given["input"])
    channels = state.shape(source)[0]
    if given.get("training") or given["running_mean"] is None:
        raise unsupported(
            node,
            "normalises by the statistics of the batch, also in inference",
            "let batch normalisation keep running statistics (track_running_stats=True)",
        )
    if tensor_shape(given["input"])[:2] != (1, channels):
        raise unsupported(node, f"normalises {list(tensor_shape(given['input']))} by another axis")
    scale = 1 / np.sqrt(state.array(node, given["running_var"]) + given["eps"])
    if given["weight"] is not None:
        scale = scale * state.array(node, given["weight"])
    shift = -state.array(node, given["running_mean"]) * scale
    if given["bias"] is not None:
        shift = shift + state.array(node, given["bias"])
    return _affine(state, node, source, scale, shift)


def _affine(state: Lowering, node: fx.Node, source: int, scale: Any, shift: Any) -> int:
    n = state.shape(source)[0]
    output = state.net.new_map(state.shape(source))
    scale, shift = (np.broadcast_to(np.asarray(x, np.float64), n) for x in (scale, shift))
    return state.net.add(
        Affine(node=node, inputs=[source], output=output, scale=scale, shift=shift)
    )


def _rectified(
    low: Callable[[Arguments], Any], high: Callable[[Arguments], Any]
) -> Callable[[Lowering, fx.Node, Arguments], int]:
    def rectify(state: Lowering, node: fx.Node, given: Arguments) -> int:
        source = state.map(node, given["self"])
        bottom, top = low(given), high(given)
        activation: Activation = "relu6" if top == 6 else "relu"
        if bottom != 0 or top not in (None, 6, math.inf):
            raise unsupported(
                node,
                f"clips between {bottom} and {top}",
                "the activations of layers are ReLU (from 0) and ReLU6 (0 to 6)",
            )
        return state.net.add(
            Rectify(
                node=node,
                inputs=[source],
                output=state.net.new_map(state.shape(source)),
                activation=activation,
                word=state.word(node),
            )
        )

    return rectify


def _add(state: Lowering, node: fx.Node, given: Arguments) -> int:
    sign = (-1 if name_of(node) == "sub" else 1) * given["alpha"]
    first, second = given["self"], given["other"]
    if state.is_map(first) and state.is_map(second):
        a, b = state.map(node, first), state.map(node, second)
        if sign != 1:
            raise unsupported(node, "subtracts maps", "layers add maps; they cannot subtract")
        if state.shape(a) != state.shape(b) or tensor_shape(first) != tensor_shape(second):
            raise unsupported(
                node,
                f"adds maps of unequal shapes, {list(tensor_shape(first))} and "
                f"{list(tensor_shape(second))}",
                "add maps of equal shapes",
            )
        output = state.net.new_map(state.shape(a))
        return state.net.add(Sum(node=node, inputs=[a, b], output=output))
    if state.is_map(first):
        shift = sign * state.channel_values(node, second, first)
        return _affine(state, node, state.map(node, first), 1, shift)
    shift = state.channel_values(node, first, second)
    return _affine(state, node, state.map(node, second), sign, shift)


def _reverse_subtract(state: Lowering, node: fx.Node, given: Arguments) -> int:
    shift = state.channel_values(node, given["other"], given["self"])
    return _affine(state, node, state.map(node, given["self"]), -given["alpha"], shift)


def _multiply(state: Lowering, node: fx.Node, given: Arguments) -> int:
    first, second = given["self"], given["other"]
    if state.is_map(first) and state.is_map(second):
        raise unsupported(node, "multiplies two maps, which no layer computes")
    if not state.is_map(first):
        first, second = second, first
    scale = state.channel_values(node, second, first)
    return _affine(state, node, state.map(node, first), scale, 0)


def _divide(state: Lowering, node: fx.Node, given: Arguments) -> int:
    if overload_of(node) not in ("Tensor", "Scalar") or state.is_map(given["other"]):
        raise unsupported(node, "divides by a map, or rounds, which no layer computes")
    divisor = state.channel_values(node, given["other"], given["self"])
    return _affine(state, node, state.map(node, given["self"]), 1 / divisor, 0)


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
    return state.net.add(Stack(node=node, inputs=parts, output=output))


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
            node=node,
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


def _zero(given: Arguments) -> int:
    return 0


def _no_ceiling(given: Arguments) -> None:
    return None


_CHECKS: Final = ("_assert_tensor_metadata", "_assert_async", "_assert_scalar")
_OPERATORS: Final[dict[str, Callable[[Lowering, fx.Node, Arguments], int]]] = {
    "conv2d": _conv2d,
    "linear": _linear,
    "batch_norm": _batch_norm,
    "_native_batch_norm_legit_no_training": _batch_norm,
    "relu": _rectified(_zero, _no_ceiling),
    "relu6": _rectified(_zero, lambda given: 6),
    "hardtanh": _rectified(lambda given: given["min_val"], lambda given: given["max_val"]),
    "clamp": _rectified(lambda given: given["min"], lambda given: given["max"]),
    "clamp_min": _rectified(lambda given: given["min"], _no_ceiling),
    "add": _add,
    "sub": _add,
    "rsub": _reverse_subtract,
    "mul": _multiply,
    "div": _divide,
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
