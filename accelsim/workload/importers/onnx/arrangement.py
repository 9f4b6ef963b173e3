"""Operators of ONNX that only say how values are arranged: shapes, copies and orders of axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from accelsim.workload.importers.onnx.lowering import Held, Lowering, simplest
from accelsim.workload.importers.onnx.node import Node


def same_values(state: Lowering, node: Node) -> None:
    """A copy, or another shape for the same values in the same order."""
    source = state.held(node)
    if node.operator == "Dropout" and np.any(state.constant(node, 2, False)):
        raise node.refused("drops values also in inference", "export for inference")
    made, read = (state.values.types[n] for n in (node.outputs[0], node.inputs[0]))
    if node.operator == "Cast" and not made.is_real and made.kind != read.kind:
        raise node.refused(
            f"converts a map to {made.type_name}", "let maps keep one type of number"
        )
    if made.is_real and not read.is_real and source.word is not None and source.map != 0:
        raise node.refused("reads the integers of a quantised map as numbers", "dequantise it")
    state.maps[node.outputs[0]] = source


def transpose(state: Lowering, node: Node) -> None:
    source = state.held(node)
    shape = state.tensor_shape(node.inputs[0])
    places = node.attribute("perm", list(reversed(range(len(shape)))))
    groups = axes_at(state.shape(source.map), source.order, shape)
    if groups is None or sorted(places) != list(range(len(shape))):
        raise node.refused(
            f"changes the order of the values of a map in a way that no layer follows: "
            f"{list(shape)}, perm={places}"
        )
    order: Sequence[int] = [axis for place in places for axis in groups[place]]
    order = simplest(state.shape(source.map), order)
    state.maps[node.outputs[0]] = Held(source.map, order, source.word)


def axes_at(
    dims: tuple[int, int, int], order: tuple[int, ...], shape: tuple[int, ...]
) -> list[list[int]] | None:
    """Which axes of a map lie in each axis of a tensor; None where one is cut in parts.

    >>> axes_at((8, 3, 2), (0, 1, 2), (1, 8, 6))
    [[], [0], [1, 2]]
    """
    waiting = [axis for axis in order if dims[axis] > 1]
    groups: list[list[int]] = []
    for size in shape:
        group: list[int] = []
        held = 1
        while held < size and waiting:
            group.append(waiting.pop(0))
            held *= dims[group[-1]]
        if held != size:
            return None
        groups.append(group)
    groups[-1] += [axis for axis in order if dims[axis] == 1]
    return groups
