"""What flows through an ONNX graph: constants, whose values are known, and maps.

Shapes come from ONNX's own inference, operator by operator, with the constants known so far;
so shapes that the graph computes itself are known as well. Constants are computed by ONNX's
reference, in bounded memory: a result's size is known before it is made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, TypeProto, checker, defs, helper, numpy_helper, shape_inference
from onnx.reference import ReferenceEvaluator

from accelsim.errors import shortened
from accelsim.workload.importers.onnx.model_file import type_name
from accelsim.workload.importers.onnx.node import Node
from accelsim.workload.importers.onnx.one_line import one_line
from accelsim.workload.trace_document import MAX_MAP_VALUES

_MOST_FOLDED_VALUES: Final = MAX_MAP_VALUES
_MOST_MAP_VALUES: Final = 1 << 30
_READ_FOR_SHAPES: Final = 1 << 12  # values: no shape has more
_ONLY_SHAPE: Final = ("Shape", "Size")
_DRAWS: Final = (
    *("RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike"),
    *("Multinomial", "Bernoulli"),
)
WORDS: Final[dict[int, tuple[int, bool]]] = {
    TensorProto.INT4: (4, True),
    TensorProto.UINT4: (4, False),
    TensorProto.INT8: (8, True),
    TensorProto.UINT8: (8, False),
    TensorProto.INT16: (16, True),
    TensorProto.UINT16: (16, False),
}
"""Bits and sign of the integers that maps are stored in."""
_FLOATS: Final = (TensorProto.FLOAT, TensorProto.DOUBLE)


@dataclass(frozen=True)
class Tensor:
    """The type of what flows: ``kind`` is one of ``onnx.TensorProto``'s."""

    kind: int
    shape: tuple[int, ...]

    @property
    def n_values(self) -> int:
        return math.prod(self.shape)

    @property
    def may_be_map(self) -> bool:
        """Whether layers compute with numbers of this type."""
        return self.is_real or self.kind in WORDS

    @property
    def is_real(self) -> bool:
        return self.kind in _FLOATS

    @property
    def type_name(self) -> str:
        """Such as ``float16``."""
        return type_name(self.kind)


@dataclass
class Values:
    """Everything that is known while the graph is walked, by name of the tensor."""

    types: dict[str, Tensor] = field(default_factory=dict)
    constants: dict[str, NDArray[Any]] = field(default_factory=dict)
    _n_folded: int = 0
    _n_values: int = 0

    def infer(self, node: Node) -> None:
        """Learn the types of what ``node`` makes. Raises ``UserError`` where that fails."""
        for name in filter(None, node.inputs):
            if name not in self.types:
                raise node.refused(
                    f"reads {shortened(name)!r}, which nothing before it makes",
                    "mend the graph: its nodes must stand in order, without cycles",
                )
        if node.has_graph:
            raise node.refused("runs a graph of its own", "export the network without control flow")
        made = self._inferred(node)
        for place, name in enumerate(node.outputs):
            tensor = self._tensor(node, name, made.get(name), is_main=place == 0)
            if tensor is not None:
                self.types[name] = tensor
                self._n_values += tensor.n_values
        if node.outputs[0] not in self.types:
            raise node.refused("makes no tensor of a known type and shape")
        if self._n_values > _MOST_MAP_VALUES:
            raise node.refused(
                f"brings the maps of one image to {self._n_values} values, "
                f"more than {_MOST_MAP_VALUES}",
                "give a smaller input",
            )

    def fold(self, node: Node) -> bool:
        """Compute what ``node`` makes where that is constant; False where it is not."""
        given = [n for n in node.inputs if n]
        is_constant = node.operator in _ONLY_SHAPE or all(n in self.constants for n in given)
        if not is_constant or node.operator in _DRAWS:
            return False
        n = sum(self.types[name].n_values for name in node.outputs if name in self.types)
        self._n_folded += n
        if self._n_folded > _MOST_FOLDED_VALUES:
            raise node.refused(
                f"makes {n} constant values", f"keep to {_MOST_FOLDED_VALUES} in the whole network"
            )
        try:
            made = _evaluator(node, self.types).run(None, {n: self._value(n) for n in given})
        except Exception as error:  # of any kind, from ONNX's reference
            raise node.refused(
                f"cannot be computed ({one_line(error)})", "mend or simplify the graph"
            ) from None
        self.constants |= zip(node.outputs, map(np.asarray, made), strict=False)
        return True

    def _value(self, name: str) -> NDArray[Any]:
        known = self.constants.get(name)
        if known is not None:
            return known
        tensor = self.types[name]  # only its shape is looked at
        dtype = helper.tensor_dtype_to_np_dtype(tensor.kind)
        return np.broadcast_to(np.zeros((), dtype), tensor.shape)

    def _inferred(self, node: Node) -> dict[str, TypeProto]:
        try:
            schema = defs.get_schema(node.operator, node.version, node.proto.domain)
        except defs.SchemaError:
            raise node.refused("is not an operator of ONNX that a layer computes") from None
        _check(node)
        types = {n: _type_proto(self.types[n]) for n in node.inputs if n}
        small = {
            n: numpy_helper.from_array(self.constants[n], n)
            for n in node.inputs
            if n in self.constants and self.constants[n].size <= _READ_FOR_SHAPES
        }
        try:
            found: dict[str, TypeProto] = shape_inference.infer_node_outputs(
                schema,
                node.proto,
                types,
                small,
                opset_imports=[helper.make_opsetid("", node.version)],
            )
        except Exception as error:  # of several kinds; its text says what is wrong
            raise node.refused(
                f"contradicts its inputs ({one_line(error)})", "export the model again"
            ) from None
        return found

    def _tensor(
        self, node: Node, name: str, made: TypeProto | None, is_main: bool
    ) -> Tensor | None:
        if made is None or not made.HasField("tensor_type"):
            return None
        kind, shape = made.tensor_type.elem_type, made.tensor_type.shape
        dims = tuple(int(d.dim_value) for d in shape.dim)
        is_known = made.tensor_type.HasField("shape") and all(
            d.HasField("dim_value") for d in shape.dim
        )
        if not is_known and not is_main:
            return None
        if not is_known:
            raise node.refused(
                f"makes {shortened(name)!r}, whose shape depends on the values of a map",
                "export the network for one fixed size of image",
            )
        tensor = Tensor(kind, dims)
        if min(dims, default=1) < 0 or tensor.n_values > MAX_MAP_VALUES:
            raise node.refused(
                f"makes {shortened(name)!r} of shape {shortened(list(dims))}",
                f"a map has at most {MAX_MAP_VALUES} values",
            )
        return tensor


def _check(node: Node) -> None:
    """Raise ``UserError`` unless inputs and attributes are those of the operator."""
    context = checker.C.CheckerContext()
    context.ir_version = onnx.IR_VERSION
    context.opset_imports = {node.proto.domain: node.version}
    try:
        checker.check_node(node.proto, context)
    except Exception as error:  # ValidationError, and what text that is not UTF-8 raises
        raise node.refused(f"is not a valid node ({one_line(error)})", "export it again") from None


def _evaluator(node: Node, types: dict[str, Tensor]) -> ReferenceEvaluator:
    def info(name: str) -> onnx.ValueInfoProto:
        return helper.make_value_info(name, _type_proto(types[name]))

    inputs = [info(n) for n in dict.fromkeys(filter(None, node.inputs))]
    outputs = [info(n) for n in node.outputs if n in types]
    graph = helper.make_graph([node.proto], "constant", inputs, outputs)
    opsets = [helper.make_opsetid(node.proto.domain, node.version)]
    return ReferenceEvaluator(helper.make_model(graph, opset_imports=opsets))


def _type_proto(tensor: Tensor) -> TypeProto:
    return helper.make_tensor_type_proto(tensor.kind, tensor.shape)
