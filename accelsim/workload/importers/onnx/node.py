"""An operator of an ONNX graph: its attributes, and errors that say where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from onnx import AttributeProto, NodeProto, helper

from accelsim.errors import UserError, shortened
from accelsim.workload.quantising.steps import SUPPORTED


@dataclass(frozen=True, eq=False)
class Node:
    """Where a step comes from."""

    file: str
    proto: NodeProto
    version: int
    """Of its set of operators."""

    @property
    def operator(self) -> str:
        return str(self.proto.op_type)

    @property
    def name(self) -> str:
        """Its own, or that of the first tensor that it makes."""
        return str(self.proto.name or next(iter(self.outputs), ""))

    @property
    def inputs(self) -> list[str]:
        """Names of tensors; those left out at the end, or empty, are not given."""
        return list(self.proto.input)

    @property
    def outputs(self) -> list[str]:
        return list(self.proto.output)

    @property
    def has_graph(self) -> bool:
        """Whether it runs graphs of its own: a branch or a loop."""
        graphs = (AttributeProto.GRAPH, AttributeProto.GRAPHS)
        return any(a.type in graphs for a in self.proto.attribute)

    def attribute(self, name: str, default: Any = None) -> Any:
        """Its value; text as ``str``."""
        for attribute in self.proto.attribute:
            if attribute.name == name:
                value = helper.get_attribute_value(attribute)
                return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        return default

    def refused(self, problem: str, fix: str = "") -> UserError:
        before = next(iter(self.proto.input), "")
        before = before if before.isprintable() else "TENSOR"
        fix = fix or f"{SUPPORTED}; --output {shortened(before)} ends the network before this one"
        operator = shortened(self.operator)
        shown = operator if operator.isprintable() else repr(operator)
        where = f"{self.file}, node {shortened(self.name)!r} ({shown})"
        return UserError(where, problem, fix)
