"""Operators on values one by one: numbers by channel, ReLUs, and sums of maps.

Batch normalisation, and sums and products with constants, are one affine step by channel.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from torch import fx

from accelsim.training.capturing.operand import Lowering, name_of, overload_of, tensor_shape
from accelsim.training.capturing.source_line import Call, unsupported
from accelsim.workload.quantising.steps import Affine, Rectify, Sum

Arguments = dict[str, Any]


def batch_norm(state: Lowering, node: fx.Node, given: Arguments) -> int:
    source = state.map(node, given["input"])
    channels = state.shape(source)[0]
    if given.get("training") or given["running_mean"] is None:
        raise unsupported(
            node,
            "normalises by the statistics of the batch, also in inference",
            "export it in inference, module.eval(), with running statistics (track_running_stats)",
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
        Affine(origin=Call(node), inputs=[source], output=output, scale=scale, shift=shift)
    )


def relu(state: Lowering, node: fx.Node, given: Arguments) -> int:
    return _rectify(state, node, given["self"], 0, None)


def relu6(state: Lowering, node: fx.Node, given: Arguments) -> int:
    return _rectify(state, node, given["self"], 0, 6)


def hardtanh(state: Lowering, node: fx.Node, given: Arguments) -> int:
    return _rectify(state, node, given["self"], given["min_val"], given["max_val"])


def clamp(state: Lowering, node: fx.Node, given: Arguments) -> int:
    return _rectify(state, node, given["self"], given["min"], given.get("max"))


def _rectify(state: Lowering, node: fx.Node, value: Any, bottom: Any, top: Any) -> int:
    source = state.map(node, value)
    if bottom != 0 or top not in (None, 6, math.inf):
        raise unsupported(
            node,
            f"clips between {bottom} and {top}",
            "the activations of layers are ReLU (from 0) and ReLU6 (0 to 6)",
        )
    return state.net.add(
        Rectify(
            origin=Call(node),
            inputs=[source],
            output=state.net.new_map(state.shape(source)),
            activation="relu6" if top == 6 else "relu",
            word=state.word(node),
        )
    )


def add(state: Lowering, node: fx.Node, given: Arguments) -> int:
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
        return state.net.add(Sum(origin=Call(node), inputs=[a, b], output=output))
    if state.is_map(first):
        shift = sign * state.channel_values(node, second, first)
        return _affine(state, node, state.map(node, first), 1, shift)
    shift = state.channel_values(node, first, second)
    return _affine(state, node, state.map(node, second), sign, shift)


def reverse_subtract(state: Lowering, node: fx.Node, given: Arguments) -> int:
    shift = state.channel_values(node, given["other"], given["self"])
    return _affine(state, node, state.map(node, given["self"]), -given["alpha"], shift)


def multiply(state: Lowering, node: fx.Node, given: Arguments) -> int:
    first, second = given["self"], given["other"]
    if state.is_map(first) and state.is_map(second):
        raise unsupported(node, "multiplies two maps, which no layer computes")
    if not state.is_map(first):
        first, second = second, first
    scale = state.channel_values(node, second, first)
    return _affine(state, node, state.map(node, first), scale, 0)


def divide(state: Lowering, node: fx.Node, given: Arguments) -> int:
    if overload_of(node) not in ("Tensor", "Scalar") or state.is_map(given["other"]):
        raise unsupported(node, "divides by a map, or rounds, which no layer computes")
    divisor = state.channel_values(node, given["other"], given["self"])
    return _affine(state, node, state.map(node, given["self"]), 1 / divisor, 0)
