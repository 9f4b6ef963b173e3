"""Operators of ONNX on values one by one: numbers by channel, ReLUs, and sums of maps."""

from __future__ import annotations

from typing import Any

import numpy as np

from accelsim.workload.importers.onnx.lowering import (
    PLAIN,
    Held,
    Lowering,
    arranged,
)
from accelsim.workload.importers.onnx.node import Node
from accelsim.workload.quantising.steps import Affine, Reals, Rectify, Sum


def batch_norm(state: Lowering, node: Node) -> None:
    source = state.real(node)
    shape = state.tensor_shape(node.inputs[0])
    n = state.shape(source.map)[0]
    if node.attribute("training_mode", 0):
        raise node.refused("normalises by the statistics of the batch", "export for inference")
    if source.order != PLAIN or shape[:2] != (1, n):
        raise node.refused(f"normalises {list(shape)} by another axis than the channels")
    factor, shift, mean, variance = (state.exact(node, place) for place in (1, 2, 3, 4))
    variance = variance + node.attribute("epsilon", 1e-5)
    if not (variance > 0).all():
        raise node.refused("divides by a variance that is not positive", "export sound weights")
    scale = factor / np.sqrt(variance)
    _affine(state, node, source, scale, shift - mean * scale)


def relu(state: Lowering, node: Node) -> None:
    _rectify(state, node, 0, None)


def clip(state: Lowering, node: Node) -> None:
    limits: list[float | None] = []
    for place, name in enumerate(("min", "max"), start=1):
        given = state.option(node, name, place)
        if given is not None and np.size(given) != 1:
            raise node.refused(f"clips at {np.size(given)} values", "give it one number")
        limits.append(None if given is None else float(np.ravel(given)[0]))
    _rectify(state, node, *limits)


def _rectify(state: Lowering, node: Node, bottom: float | None, top: float | None) -> None:
    source = state.real(node)
    if bottom != 0 or (top is not None and top != 6 and top < 1e30):
        raise node.refused(
            f"clips between {bottom} and {top}",
            "the activations of layers are ReLU (from 0) and ReLU6 (0 to 6)",
        )
    step = Rectify(
        origin=node,
        inputs=[source.map],
        output=state.map_like(node, source),
        activation="relu6" if top == 6 else "relu",
    )
    state.add(node, step, source.order)


def add(state: Lowering, node: Node) -> None:
    """``Add``, ``Sub`` and ``Sum``, of maps and constants."""
    names = [state.given(node, place) for place in range(len(node.inputs))]
    maps = [place for place, name in enumerate(names) if state.is_map(name)]
    if node.operator == "Sub" and len(maps) == 2:
        raise node.refused("subtracts maps", "layers add maps; they cannot subtract")
    if len(maps) == 1 and len(names) <= 2:
        source = state.real(node, maps[0])
        if len(names) == 1:
            state.maps[node.outputs[0]] = source
            return
        constant = channel_values(state, node, 1 - maps[0], source)
        sign = -1 if node.operator == "Sub" and maps[0] == 1 else 1
        shift = -constant if node.operator == "Sub" and maps[0] == 0 else constant
        _affine(state, node, source, sign, shift)
        return
    sources = [state.real(node, place) for place in range(len(names))]
    shapes = [state.tensor_shape(name) for name in names]
    if len(set(shapes)) > 1:
        raise node.refused(
            f"adds maps of unequal shapes, {', '.join(str(list(s)) for s in shapes)}",
            "add maps of equal shapes",
        )
    if len({(s.order, state.shape(s.map)) for s in sources}) > 1:
        raise node.refused("adds maps whose axes are in different orders", "transpose one of them")
    output = state.map_like(node, sources[0])
    step = Sum(origin=node, inputs=[s.map for s in sources], output=output)
    state.add(node, step, sources[0].order)


def multiply(state: Lowering, node: Node) -> None:
    first, second = (state.given(node, place) for place in (0, 1))
    if state.is_map(first) and state.is_map(second):
        raise node.refused("multiplies two maps, which no layer computes")
    place = 0 if state.is_map(first) else 1
    source = state.real(node, place)
    _affine(state, node, source, channel_values(state, node, 1 - place, source), 0)


def divide(state: Lowering, node: Node) -> None:
    if state.is_map(state.given(node, 1)):
        raise node.refused("divides by a map, which no layer computes")
    source = state.real(node)
    divisor = channel_values(state, node, 1, source)
    if not divisor.all():
        raise node.refused("divides by zero", "export sound constants")
    _affine(state, node, source, 1 / divisor, 0)


def negate(state: Lowering, node: Node) -> None:
    _affine(state, node, state.real(node), -1, 0)


def channel_values(state: Lowering, node: Node, place: int, source: Held) -> Reals:
    """A constant operand as one value by channel of the map ``source``."""
    constant = state.exact(node, place)
    shape = state.tensor_shape(node.outputs[0])
    dims = state.shape(source.map)
    there = arranged(dims, source.order)
    try:
        full = np.broadcast_to(constant, shape).reshape(there)
    except ValueError:
        raise node.refused(
            f"combines a map with a constant of shape {list(constant.shape)} to {list(shape)}"
        ) from None
    by_channel = full.transpose(np.argsort(source.order)).reshape(dims[0], -1)
    if (by_channel != by_channel[:, :1]).any():
        raise node.refused("combines a map with more than one number for each channel")
    return np.array(by_channel[:, 0])


def _affine(state: Lowering, node: Node, source: Held, scale: Any, shift: Any) -> None:
    n = state.shape(source.map)[0]
    scale, shift = (np.broadcast_to(np.asarray(x, np.float64), n) for x in (scale, shift))
    step = Affine(
        origin=node,
        inputs=[source.map],
        output=state.map_like(node, source),
        scale=scale,
        shift=shift,
    )
    state.add(node, step, source.order)
