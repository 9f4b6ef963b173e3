"""The integer constants of layers in a trace file: what is stored for which layer, and its checks.

The writer uses these checks before it stores constants, the reader before it returns them.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from accelsim.errors import TraceError
from accelsim.workload.arithmetic import (
    MOST_POOL_BITS,
    AddArithmetic,
    ConvArithmetic,
    LayerArithmetic,
    PoolArithmetic,
)
from accelsim.workload.graph import Edge
from accelsim.workload.layer import Add, Conv, Layer, Pool
from accelsim.workload.trace_tensors import check_range

_AGAIN = "give the constants of this graph's own layers"


def has_constants(layer: Layer) -> bool:
    """Whether a trace may hold constants of this layer."""
    return isinstance(layer, Conv | Add) or (isinstance(layer, Pool) and layer.op == "avg")


class ReadConstant(Protocol):
    """Reads one constant of one layer."""

    def __call__(
        self, constant: str, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> NDArray[Any]: ...


def weight_word(layer: Conv) -> Edge:
    """The word of a layer's weights."""
    return Edge(f"weights of {layer.name}", 1, 1, 1, bits=layer.weight_bits, signed=True)


def weight_shape(layer: Conv) -> tuple[int, int, int, int]:
    """(out_channels, in_channels / groups, rows, cols)."""
    return layer.out_channels, layer.in_channels // layer.groups, *layer.window.kernel


def arrays_of(
    layer: Conv | Add | Pool, parameters: LayerArithmetic, where: str
) -> dict[str, NDArray[Any]]:
    """What a trace stores for a layer in addition to its shift, by name of the constant.

    Raises ``TraceError`` when the constants belong to another layer or break their bounds.
    """
    if isinstance(layer, Add | Pool):
        if not isinstance(parameters, AddArithmetic if isinstance(layer, Add) else PoolArithmetic):
            kind = "a sum of maps" if isinstance(layer, Add) else "an average"
            raise TraceError(where, f"{layer.name!r} is {kind}: it has no weights", _AGAIN)
        shape, n_inputs = parameters.multiplier.shape, len(layer.inputs)
        if shape != (n_inputs,) or parameters.multiplier.dtype != np.int32:
            raise TraceError(
                where, f"the multipliers of {layer.name!r} are not int32 [{n_inputs}]", _AGAIN
            )
        check_arithmetic(layer, parameters, where)
        return {"multiplier": parameters.multiplier}
    if not isinstance(parameters, ConvArithmetic):
        raise TraceError(where, f"{layer.name!r} is a convolution: it needs weights", _AGAIN)
    full = weight_shape(layer)
    if parameters.weights.shape != full:
        problem = f"the weights of {layer.name!r} are {parameters.weights.shape}, not {full}"
        raise TraceError(where, problem, _AGAIN)
    if parameters.weights.dtype.kind not in "iu":
        problem = f"the weights of {layer.name!r} are {parameters.weights.dtype}, no integers"
        raise TraceError(where, problem, _AGAIN)
    check_arithmetic(layer, parameters, where)
    return {
        "weights": parameters.weights.astype(weight_word(layer).dtype),
        "bias": _per_channel(layer, parameters.bias, "<i4", where),
        "multiplier": _per_channel(layer, parameters.multiplier, "<i4", where),
        "weight_scale": _per_channel(layer, parameters.weight_scale, "<f8", where),
    }


def arithmetic_of(
    layer: Conv | Add | Pool, shift: int, read: ReadConstant, where: str
) -> LayerArithmetic:
    """The constants of a layer, read with ``read`` and checked."""
    parameters: LayerArithmetic
    if isinstance(layer, Add | Pool):
        multiplier = read("multiplier", (len(layer.inputs),), np.dtype("<i4"))
        kind = AddArithmetic if isinstance(layer, Add) else PoolArithmetic
        parameters = kind(multiplier, shift)
    else:
        channels = (layer.out_channels,)
        parameters = ConvArithmetic(
            weights=read("weights", weight_shape(layer), weight_word(layer).dtype),
            weight_scale=read("weight_scale", channels, np.dtype("<f8")),
            bias=read("bias", channels, np.dtype("<i4")),
            multiplier=read("multiplier", channels, np.dtype("<i4")),
            shift=shift,
        )
    check_arithmetic(layer, parameters, where)
    return parameters


def check_arithmetic(layer: Conv | Add | Pool, parameters: LayerArithmetic, where: str) -> None:
    """Raise ``TraceError`` for values that the arithmetic does not allow."""
    if not 1 <= parameters.shift <= 62:
        problem = f"the shift of {layer.name!r} is {parameters.shift}, not 1 to 62"
        raise TraceError(where, problem, _AGAIN)
    if (parameters.multiplier < 0).any():
        raise TraceError(where, f"a multiplier of {layer.name!r} is negative", _AGAIN)
    if isinstance(layer, Pool):
        n = layer.window.kernel[0] * layer.window.kernel[1]
        if (int(parameters.multiplier[0]) * n).bit_length() > MOST_POOL_BITS:
            raise TraceError(where, f"the multiplier of {layer.name!r} is too large", _AGAIN)
    if isinstance(layer, Conv) and isinstance(parameters, ConvArithmetic):
        check_range(parameters.weights, weight_word(layer), where)
        scale = parameters.weight_scale
        if not (np.isfinite(scale).all() and (scale > 0).all()):
            problem = f"the weight scales of {layer.name!r} are not positive"
            raise TraceError(where, problem, _AGAIN)


def _per_channel(layer: Conv, values: NDArray[Any], dtype: str, where: str) -> NDArray[Any]:
    if values.shape not in ((1,), (layer.out_channels,)) or values.dtype != np.dtype(dtype):
        raise TraceError(
            where,
            f"a constant of {layer.name!r} is {values.dtype} {values.shape}, "
            f"not {np.dtype(dtype)} [1] or [{layer.out_channels}]",
            _AGAIN,
        )
    return np.broadcast_to(values, (layer.out_channels,))
