"""A ``FloatNetwork`` as an ONNX model, and ONNX Runtime for that and for the user's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from accelsim.errors import UserError
from accelsim.workload.graph import Graph
from accelsim.workload.importers.onnx.one_line import one_line
from accelsim.workload.layer import Add, Concat, Conv, Pool
from accelsim.workload.quantising.batches import Ranges, batches, joined
from accelsim.workload.quantising.float_network import FloatNetwork

_OPSET: Final = 19
_IR_VERSION: Final = 9
_PRE: Final = "before activation: "


def session(
    model: ModelProto, where: str, *, as_written: bool = False
) -> onnxruntime.InferenceSession:
    """The model in ONNX Runtime, on the processor; ``as_written`` fuses no operators.

    Raises ``UserError``.
    """
    options = onnxruntime.SessionOptions()
    if as_written:
        level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.graph_optimization_level = level
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        data = model.SerializeToString()
        return onnxruntime.InferenceSession(
            data, options, providers=["CPUExecutionProvider"], enable_fallback=False
        )
    except Exception as error:  # of several kinds of the runtime's own
        raise UserError(
            where, f"ONNX Runtime refuses it ({one_line(error)})", "let ONNX Runtime load it"
        ) from None


def run(
    loaded: onnxruntime.InferenceSession, names: Sequence[str], image: NDArray[Any], where: str
) -> list[NDArray[Any]]:
    """The tensors ``names`` for one input. Raises ``UserError``."""
    try:
        made: list[NDArray[Any]] = loaded.run(list(names), {loaded.get_inputs()[0].name: image})
    except Exception as error:  # of several kinds of the runtime's own
        raise UserError(
            where, f"ONNX Runtime cannot run it ({one_line(error)})", "let ONNX Runtime run it"
        ) from None
    return made


def map_ranges(network: FloatNetwork, images: NDArray[Any]) -> Ranges:
    """The smallest and largest value of each map over ``images`` [n, channels, rows, cols]."""
    return joined(
        {n: (float(x.min()), float(x.max())) for n, x in maps.items()}
        for maps in float_maps(network, images)
    )


def float_maps(
    network: FloatNetwork, images: NDArray[Any]
) -> Iterator[dict[str, NDArray[np.float32]]]:
    """Every map by edge name, a few images at a time, [n, channels, rows, cols]."""
    loaded = session(as_model(network), network.name)
    names = [e.name for e in network.graph.edges if e.name not in network.graph.inputs]
    mean, std = (np.array(x)[:, None, None] for x in (network.input_mean, network.input_std))
    for batch in batches(network.graph, images):
        seen = ((batch - mean) / std).astype(np.float32)
        made = run(loaded, names, seen, network.name)
        yield {network.graph.inputs[0]: seen, **dict(zip(names, made, strict=True))}


def as_model(network: FloatNetwork) -> ModelProto:
    """The network in ONNX, for any number of images; every map is an output."""
    graph = network.graph
    (name,) = graph.inputs
    outputs = [e.name for e in graph.edges if e.name != name]
    made = helper.make_graph(
        list(_nodes(graph)),
        "network",
        [_info(name, graph)],
        [_info(n, graph) for n in outputs],
        [
            numpy_helper.from_array(np.ascontiguousarray(values, np.float32), f"{kind}: {layer}")
            for kind, by_layer in (("weights", network.weights), ("bias", network.biases))
            for layer, values in by_layer.items()
        ]
        + [numpy_helper.from_array(np.array(x, np.float32), str(x)) for x in (0, 6)],
    )
    opset = helper.make_opsetid("", _OPSET)
    return helper.make_model(made, opset_imports=[opset], ir_version=_IR_VERSION)


def _info(name: str, graph: Graph) -> Any:
    shape: list[str | int | None] = ["images", *graph.edge[name].shape]
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _nodes(graph: Graph) -> Iterator[NodeProto]:
    for layer in graph.layers:
        activation = getattr(layer, "activation", "none")
        before = layer.output if activation == "none" else _PRE + layer.output
        match layer:
            case Conv():
                constants = [f"weights: {layer.name}", f"bias: {layer.name}"]
                window, group = _window(layer), layer.groups
                yield helper.make_node(
                    "Conv", [layer.input, *constants], [before], group=group, **window
                )
            case Pool():
                operator = "MaxPool" if layer.op == "max" else "AveragePool"
                yield helper.make_node(operator, [layer.input], [before], **_window(layer))
            case Add():
                yield helper.make_node("Sum", layer.inputs, [before])
            case Concat():
                yield helper.make_node("Concat", layer.inputs, [before], axis=1)
        if activation != "none":
            limits = ["0", "6"] if activation == "relu6" else ["0"]
            yield helper.make_node("Clip", [before, *limits], [layer.output])


def _window(layer: Conv | Pool) -> dict[str, Any]:
    window = layer.window
    top, bottom, left, right = window.padding
    return {
        "kernel_shape": list(window.kernel),
        "strides": list(window.stride),
        "dilations": list(window.dilation),
        "pads": [top, left, bottom, right],
    }
