"""Poolings and means of ONNX over rows and columns, as windows.

A layer's average leaves padding out of sum and count, as ONNX's does by default. One that
counts it (``count_include_pad``) is a depthwise convolution with equal weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from accelsim.workload.importers.onnx.arrangement import axes_at
from accelsim.workload.importers.onnx.lowering import Held, Lowering, as_map, simplest
from accelsim.workload.importers.onnx.node import Node
from accelsim.workload.layer import Window
from accelsim.workload.quantising.steps import Convolution, Pooling, grown

_MOST: Final = 1 << 16  # of a padding in a trace


def window_of(state: Lowering, node: Node, kernel: Sequence[int]) -> Window:
    """The window of a convolution or pooling over rows and columns, or columns alone."""
    n = len(kernel)
    sizes = state.tensor_shape(node.inputs[0])[2:]
    strides = node.attribute("strides", [1] * n)
    dilations = node.attribute("dilations", [1] * n)
    pads = node.attribute("pads", [0] * 2 * n)
    is_whole = len(sizes) == len(strides) == len(dilations) == n and len(pads) == 2 * n
    if n not in (1, 2) or not is_whole:
        raise node.refused(f"slides over {n} axes", "layers slide over rows and columns")
    sizes_of_window = (*kernel, *strides, *dilations)
    if min(sizes_of_window) < 1 or min(pads) < 0 or max(*sizes_of_window, *pads) > _MOST:
        raise node.refused(
            f"has an impossible window: kernel_shape={list(kernel)}, strides={strides}, "
            f"dilations={dilations}, pads={pads}",
            "export the model again",
        )
    auto = node.attribute("auto_pad", "NOTSET")
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        pads = _same_pads(sizes, kernel, strides, dilations, auto == "SAME_UPPER")
    elif auto == "VALID":
        pads = [0] * 2 * n
    before, after = pads[:n], pads[n:]
    if n == 1:
        kernel, strides, dilations = ([1, *x] for x in (kernel, strides, dilations))
        before, after = [0, *before], [0, *after]
    return Window(
        (int(kernel[0]), int(kernel[1])),
        (int(strides[0]), int(strides[1])),
        (int(before[0]), int(after[0]), int(before[1]), int(after[1])),
        (int(dilations[0]), int(dilations[1])),
    )


def _same_pads(
    sizes: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    upper: bool,
) -> list[int]:
    before, after = [], []
    for size, k, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True):
        reach = (-(-size // stride) - 1) * stride + (k - 1) * dilation + 1
        less, more = max(0, reach - size) // 2, -(-max(0, reach - size) // 2)
        before.append(less if upper else more)
        after.append(more if upper else less)
    return before + after


def pool(state: Lowering, node: Node) -> None:
    """``MaxPool`` and ``AveragePool``."""
    is_max = node.operator == "MaxPool"
    source = state.spatial(node) if is_max else _real(state, node)
    kernel = node.attribute("kernel_shape", [])
    plain = window_of(state, node, kernel)
    window = grown(plain, state.shape(source.map), as_map(state.tensor_shape(node.outputs[0])))
    if is_max or not node.attribute("count_include_pad", 0) or not any(plain.padding):
        _pooling(state, node, source, window, is_max)
        return
    if window != plain:
        raise node.refused(
            "averages windows that reach over the padding (ceil_mode) and counts the padding",
            "use ceil_mode=0 or count_include_pad=0",
        )
    n = state.shape(source.map)[0]
    step = Convolution(
        origin=node,
        inputs=[source.map],
        output=state.new_map(node),
        weights=np.full((n, 1, *window.kernel), 1 / (window.kernel[0] * window.kernel[1])),
        bias=np.zeros(n),
        window=window,
        groups=n,
    )
    state.add(node, step)


def global_pool(state: Lowering, node: Node) -> None:
    is_max = node.operator == "GlobalMaxPool"
    source = _real(state, node)
    _, rows, cols = state.shape(source.map)
    _pooling(state, node, source, Window((rows, cols)), is_max)


def reduction(state: Lowering, node: Node) -> None:
    """``ReduceMean`` and ``ReduceMax`` over rows, columns, or both."""
    source = state.real(node)
    dims = state.shape(source.map)
    shape = state.tensor_shape(node.inputs[0])
    given = np.asarray(state.option(node, "axes", 1, []), np.int64).ravel()
    axes = sorted({int(axis) % len(shape) for axis in given})
    reduced = _reduced(dims, source.order, shape, axes)
    if reduced is None or (len(reduced) == 1 and not node.attribute("keepdims", 1)):
        raise node.refused(
            f"calls {node.operator} over axes {axes or 'all'} of {list(shape)}",
            "take it over rows and columns, or over one of them with keepdims=1",
        )
    kernel = dims[1] if 1 in reduced else 1, dims[2] if 2 in reduced else 1
    if kernel == (1, 1):
        state.maps[node.outputs[0]] = source
        return
    _pooling(state, node, source, Window(kernel), node.operator == "ReduceMax")


def _reduced(
    dims: tuple[int, int, int], order: tuple[int, ...], shape: tuple[int, ...], axes: list[int]
) -> set[int] | None:
    """Which of a map's rows (1) and columns (2) are reduced; None for anything else."""
    groups = axes_at(dims, order, shape)
    if groups is None or not axes or 0 in axes:
        return None
    found = {axis for place in axes for axis in groups[place]}
    whole = {axis for axis in found if dims[axis] > 1}
    return found if 0 not in whole else None


def _real(state: Lowering, node: Node) -> Held:
    state.real(node)
    return state.spatial(node)


def _pooling(state: Lowering, node: Node, source: Held, window: Window, is_max: bool) -> None:
    channels, rows, cols = state.shape(source.map)
    output = state.net.new_map((channels, *window.out_size(rows, cols)))
    step = Pooling(
        origin=node,
        inputs=[source.map],
        output=output,
        window=window,
        op="max" if is_max else "avg",
    )
    state.net.add(step)
    order = simplest(state.shape(output), source.order)
    state.maps[node.outputs[0]] = Held(output, order, source.word)
