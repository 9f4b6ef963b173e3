"""Poolings and means over rows and columns, as windows.

A layer's average leaves padding out of sum and count. torch's, by default, counts it
(``count_include_pad``) or divides by a number of the user's: these are depthwise
convolutions with equal weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import fx

from accelsim.training.capturing.operand import Lowering, name_of, pair, tensor_shape
from accelsim.training.capturing.source_line import Call, unsupported
from accelsim.workload.layer import Window
from accelsim.workload.quantising.steps import Convolution, Pooling, grown

Arguments = dict[str, Any]


def max_pool(state: Lowering, node: fx.Node, given: Arguments) -> int:
    source = state.spatial(node, given["self"])
    window = grown(_window(given), state.shape(source), tensor_shape(node)[1:])
    return _pooling(state, node, source, window)


def average_pool(state: Lowering, node: fx.Node, given: Arguments) -> int:
    source = state.spatial(node, given["self"])
    plain = _window(given)
    window = grown(plain, state.shape(source), tensor_shape(node)[1:])
    divisor = given["divisor_override"]
    counts_padding = any(plain.padding) and given["count_include_pad"]
    if divisor is None and not counts_padding:
        return _pooling(state, node, source, window)
    if divisor is None:
        if window != plain:
            raise unsupported(
                node,
                "averages windows that reach over the padding (ceil_mode) and counts the padding",
                "use ceil_mode=False or count_include_pad=False",
            )
        divisor = window.kernel[0] * window.kernel[1]
    channels = state.shape(source)[0]
    return state.net.add(
        Convolution(
            origin=Call(node),
            inputs=[source],
            output=state.net.new_map(tensor_shape(node)[1:]),
            weights=np.full((channels, 1, *window.kernel), 1 / divisor),
            bias=np.zeros(channels),
            window=window,
            groups=channels,
        )
    )


def adaptive_pool(state: Lowering, node: fx.Node, given: Arguments) -> int:
    source = state.spatial(node, given["self"])
    _, rows, cols = state.shape(source)
    _, out_rows, out_cols = tensor_shape(node)[1:]
    if rows % out_rows or cols % out_cols:
        raise unsupported(
            node,
            f"pools {rows} x {cols} to {out_rows} x {out_cols} by windows of unequal sizes",
            "choose an output size that divides the map, such as 1",
        )
    size = rows // out_rows, cols // out_cols
    if size == (1, 1):
        return source
    stride = size[0] if out_rows > 1 else 1, size[1] if out_cols > 1 else 1
    return _pooling(state, node, source, Window(size, stride))


def reduction(state: Lowering, node: fx.Node, given: Arguments) -> int:
    """``mean`` and ``amax`` over rows, columns, or both."""
    source = state.map(node, given["self"])
    channels, rows, cols = state.shape(source)
    tensor = tensor_shape(given["self"])
    dims = given.get("dim") or ()
    reduced = {int(d) % len(tensor) for d in (dims if isinstance(dims, list | tuple) else (dims,))}
    if tensor[:2] == (1, channels) and reduced and reduced == set(range(2, len(tensor))):
        kernel = rows, cols
    elif tensor == (1, channels, rows, cols) and reduced in ({2}, {3}):
        kernel = (rows, 1) if reduced == {2} else (1, cols)
    else:
        raise unsupported(
            node,
            f"calls {name_of(node)} over axes {sorted(reduced) or 'all'} of {list(tensor)}",
            "take it over rows and columns: x.mean((2, 3))",
        )
    return _pooling(state, node, source, Window(kernel))


def _pooling(state: Lowering, node: fx.Node, source: int, window: Window) -> int:
    channels, rows, cols = state.shape(source)
    output = state.net.new_map((channels, *window.out_size(rows, cols)))
    is_max = "max" in name_of(node)
    return state.net.add(
        Pooling(
            origin=Call(node),
            inputs=[source],
            output=output,
            window=window,
            op="max" if is_max else "avg",
        )
    )


def _window(given: Arguments) -> Window:
    kernel = pair(given["kernel_size"])
    rows, cols = pair(given["padding"])
    return Window(
        kernel,
        pair(given["stride"]) if given["stride"] else kernel,
        (rows, rows, cols, cols),
        pair(given.get("dilation", 1)),
    )
