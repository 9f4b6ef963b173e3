"""The document inside a trace file: JSON with the graph, the facts, and the tensors' hashes.

The models below are the grammar (see ``docs/trace_format.md``): every key is known, every
number is bounded, and nothing but numbers and strings is read. The SHA-256 of the document
identifies the whole trace, because the document holds the SHA-256 of each tensor.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from accelsim.errors import TraceError
from accelsim.workload.graph import Edge, Graph
from accelsim.workload.layer import Activation, Add, Concat, Conv, Layer, Pool, Window

MAX_DOCUMENT_BYTES: Final = 1 << 26
MAX_MAP_VALUES: Final = 1 << 28
"""Limit for the values of one map of one image, and of the weights of one layer."""

Size = Annotated[int, Field(ge=1, le=1 << 24)]
Extent = Annotated[int, Field(ge=0, le=1 << 16)]
Name = Annotated[str, Field(pattern=r"^[^|\x00-\x1f\x7f.][^|\x00-\x1f\x7f]*$", max_length=200)]
"""``|`` is how ``/`` is written in the names of HDF5 datasets."""
Text = Annotated[str, Field(max_length=20_000)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Bits = Annotated[int, Field(ge=2, le=16)]


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class _Window(_Model):
    kernel: tuple[Size, Size]
    stride: tuple[Size, Size]
    padding: tuple[Extent, Extent, Extent, Extent]
    dilation: tuple[Size, Size]


class _Conv(_Model):
    op: Literal["conv"]
    name: Name
    input: Name
    output: Name
    in_channels: Size
    out_channels: Size
    window: _Window
    groups: Size
    activation: Activation
    fully_connected: bool
    weight_bits: Bits


class _Pool(_Model):
    op: Literal["max_pool", "avg_pool"]
    name: Name
    input: Name
    output: Name
    window: _Window


class _Add(_Model):
    op: Literal["add"]
    name: Name
    inputs: Annotated[tuple[Name, ...], Field(min_length=2, max_length=1000)]
    output: Name
    activation: Activation


class _Concat(_Model):
    op: Literal["concat"]
    name: Name
    inputs: Annotated[tuple[Name, ...], Field(min_length=1, max_length=1000)]
    output: Name


class _Edge(_Model):
    name: Name
    channels: Size
    rows: Size
    cols: Size
    bits: Bits
    signed: bool
    scale: Annotated[float, Field(gt=0)]
    zero_point: int


class _Graph(_Model):
    inputs: tuple[Name, ...]
    outputs: tuple[Name, ...]
    cut: tuple[Name, ...] = ()
    edges: Annotated[tuple[_Edge, ...], Field(min_length=1, max_length=100_000)]
    layers: Annotated[
        tuple[Annotated[_Conv | _Pool | _Add | _Concat, Field(discriminator="op")], ...],
        Field(max_length=100_000),
    ]


class _Document(_Model):
    name: Name
    n_images: Annotated[int, Field(ge=1, le=1_000_000)]
    graph: _Graph
    pre_activations: dict[Name, _Edge]
    shifts: dict[Name, Annotated[int, Field(ge=1, le=62)]]
    accuracy: dict[Name, float]
    training: dict[Name, Text]
    provenance: dict[Name, Text]
    codec_in_loop: Text | None
    sha256: dict[Text, tuple[Digest, ...]]
    warnings: Annotated[tuple[Text, ...], Field(max_length=100_000)] = ()


@dataclass(frozen=True)
class TraceDocument:
    """The checked document of a trace."""

    name: str
    n_images: int
    graph: Graph
    pre_activations: dict[str, Edge]
    """By layer: the word and scale of its values before the activation."""
    shifts: dict[str, int]
    """By layer that has an arithmetic: the shift of its requantisation."""
    accuracy: dict[str, float]
    training: dict[str, str]
    provenance: dict[str, str]
    codec_in_loop: str | None
    sha256: dict[str, tuple[str, ...]]
    """By dataset: the SHA-256 of each image's values, or one of the whole dataset."""
    warnings: tuple[str, ...] = ()
    """What makes figures computed from the trace doubtful."""


def to_json(document: TraceDocument, where: str) -> bytes:
    """The document as it is stored: sorted keys, no spaces, UTF-8; it can be read again.

    Raises ``TraceError`` for what the grammar does not allow.
    """
    fields = {
        **{f: getattr(document, f) for f in TraceDocument.__dataclass_fields__},
        "graph": {
            "inputs": document.graph.inputs,
            "outputs": document.graph.outputs,
            "edges": [asdict(e) for e in document.graph.edges],
            "layers": [_layer_fields(x) for x in document.graph.layers],
            # Left out if empty, so that earlier versions can still read the file.
            **({"cut": document.graph.cut} if document.graph.cut else {}),
        },
        "pre_activations": {n: asdict(e) for n, e in document.pre_activations.items()},
    }
    if not document.warnings:
        del fields["warnings"]
    try:
        text = json.dumps(fields, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise TraceError(where, f"its facts cannot be stored ({error})", "give numbers") from None
    data = text.encode()
    from_json(data, where)
    return data


def from_json(data: bytes, where: str) -> TraceDocument:
    """The checked document. Raises ``TraceError`` that names the first wrong key."""
    try:
        model = _Document.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "its document"
        raise TraceError(
            where,
            f"{key}: {first['msg']}",
            "export the trace again, or see docs/trace_format.md for the grammar",
        ) from None
    edges = tuple(Edge(**e.model_dump()) for e in model.graph.edges)
    pre_activations = {n: Edge(**e.model_dump()) for n, e in model.pre_activations.items()}
    _check_edges((*edges, *pre_activations.values()), where)
    _demand_distinct((e.name for e in edges), "edge", where)
    _demand_distinct((x.name for x in model.graph.layers), "layer", where)
    graph = Graph(
        layers=tuple(_layer(x) for x in model.graph.layers),
        edges=edges,
        inputs=model.graph.inputs,
        outputs=model.graph.outputs,
        cut=model.graph.cut,
    )
    for layer in graph.layers:
        if isinstance(layer, Conv):
            _demand(layer.n_weights <= MAX_MAP_VALUES, where, f"{layer.name} has absurd weights")
    return TraceDocument(
        name=model.name,
        n_images=model.n_images,
        graph=graph,
        pre_activations=pre_activations,
        shifts=model.shifts,
        accuracy=model.accuracy,
        training=model.training,
        provenance=model.provenance,
        codec_in_loop=model.codec_in_loop,
        sha256=model.sha256,
        warnings=model.warnings,
    )


def _check_edges(edges: Iterable[Edge], where: str) -> None:
    for edge in edges:
        _demand(
            edge.n_values <= MAX_MAP_VALUES,
            where,
            f"{edge.name!r} has {edge.n_values} values in one image, "
            f"more than the {MAX_MAP_VALUES} that are read",
        )
        _demand(
            edge.low <= edge.zero_point <= edge.high,
            where,
            f"the zero point {edge.zero_point} of {edge.name!r} is outside its word, "
            f"{edge.low} to {edge.high}",
        )


def _demand_distinct(names: Iterable[str], kind: str, where: str) -> None:
    seen: set[str] = set()
    for name in names:
        _demand(name not in seen, where, f"two {kind}s are called {name!r}")
        seen.add(name)


def _demand(condition: bool, where: str, problem: str) -> None:
    if not condition:
        raise TraceError(where, problem, "export the trace again")


def _layer_fields(layer: Layer) -> dict[str, object]:
    fields: dict[str, object] = asdict(layer)
    if isinstance(layer, Pool):
        return {**fields, "op": f"{fields.pop('op')}_pool"}
    return {**fields, "op": type(layer).__name__.lower()}


def _layer(model: _Conv | _Pool | _Add | _Concat) -> Layer:
    fields = model.model_dump(exclude={"op"})
    if "window" in fields:
        fields["window"] = Window(**fields["window"])
    match model:
        case _Conv():
            return Conv(**fields)
        case _Pool():
            return Pool(**fields, op="max" if model.op == "max_pool" else "avg")
        case _Add():
            return Add(**fields)
        case _Concat():
            return Concat(**fields)
