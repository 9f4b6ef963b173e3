"""Small ONNX models, built from lists of nodes, and what ONNX Runtime makes of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from accelsim.workload.importers.onnx.interpreter import float_maps
from accelsim.workload.importers.onnx.network import Taken, onnx_network

RNG = np.random.default_rng(7)


def node(operator: str, inputs: str, output: str, **attributes: Any) -> NodeProto:
    """``inputs`` and ``output`` are names with spaces; ``-`` is an input that is left out."""
    names = ["" if n == "-" else n for n in inputs.split()]
    return helper.make_node(operator, names, output.split(), name=output.split()[0], **attributes)


def model(
    nodes: Sequence[NodeProto],
    constants: dict[str, Any] | None = None,
    shape: Sequence[Any] = (1, 3, 8, 8),
    *,
    output: str = "y",
    opset: int = 17,
    kind: int = TensorProto.FLOAT,
) -> ModelProto:
    """A model of ``nodes`` that reads ``x``."""
    graph = helper.make_graph(
        list(nodes),
        "small",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in output.split()],
        [numpy_helper.from_array(np.asarray(v), n) for n, v in (constants or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def weights(*shape: int) -> np.ndarray:
    """Random weights whose sums stay near 1."""
    return (RNG.normal(size=shape) / np.sqrt(np.prod(shape[1:]))).astype("f4")


def vector(n: int) -> np.ndarray:
    return RNG.normal(size=n).astype("f4")


def image(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype("f4")


def runtime(made: ModelProto, x: np.ndarray, *names: str) -> list[np.ndarray]:
    """The tensors ``names``, or all outputs, as ONNX Runtime computes them."""
    tapped = ModelProto()
    tapped.CopyFrom(made)
    known = {o.name for o in made.graph.output}
    tapped.graph.output.extend(
        helper.make_empty_tensor_value_info(n) for n in names if n not in known
    )
    loaded = onnxruntime.InferenceSession(tapped.SerializeToString())
    return loaded.run(list(names) or None, {"x": x})


def taken(made: ModelProto, shape: Sequence[int] | None = None, **options: Any) -> Taken:
    """The network of a model for images of ``shape``, as real numbers."""
    dims = made.graph.input[0].type.tensor_type.shape.dim
    given = tuple(shape or (d.dim_value for d in dims))
    n = given[1] if len(given) < 4 else 3
    return onnx_network(
        made,
        "small.onnx",
        given,
        name="small",
        source="random",
        input_mean=(0.0,) * n,
        input_std=(1.0,) * n,
        real_inputs=True,
        **options,
    )


def assert_same(made: ModelProto, x: np.ndarray, plain: np.ndarray | None = None) -> Taken:
    """Take the network, and compare its first output with the runtime's.

    ``plain`` is the image as [1, channels, rows, cols], where the model wants another order.
    """
    found = taken(made, x.shape)
    (expected, *_) = runtime(made, x)
    seen = (x if plain is None else plain).reshape(1, *found.network.graph.edge["input"].shape)
    zero = np.zeros(1)
    network = found.network
    means = {"input_mean": tuple(zero), "input_std": tuple(zero + 1)}
    maps = next(float_maps(type(network)(**{**vars(network), **means}), seen))
    (edge, kept) = next(iter(found.outputs.items()))
    shape = network.graph.edge[edge].shape
    there = maps[edge][0].transpose(kept.order).ravel()
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(there, expected.ravel(), rtol=1e-4, atol=1e-5)
    assert np.prod(shape) == expected.size
    return found


def saved(made: ModelProto, path: Path) -> Path:
    path.write_bytes(made.SerializeToString())
    return path
