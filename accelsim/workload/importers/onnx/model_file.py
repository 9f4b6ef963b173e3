"""An ONNX file from somebody else: read whole, in memory bounded by its own size.

Every tensor must have exactly the bytes that its shape asks for. External data are read only
from regular files inside the model's own folder, and no more of them than is there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from google.protobuf.message import DecodeError
from onnx import AttributeProto, GraphProto, ModelProto, TensorProto, external_data_helper, helper

from accelsim.errors import UserError, shortened
from accelsim.workload.importers.onnx.functions import inlined
from accelsim.workload.trace_document import MAX_MAP_VALUES

OPSETS: Final = (9, 28)
"""The oldest and newest version of ONNX's own operators that is read."""
_MOST_BYTES: Final = (1 << 31) - 1  # of a message of Protocol Buffers
_GIVE: Final = "give an ONNX model"
_AGAIN: Final = "export it again"
_UNPACKED: Final[dict[int, str]] = {  # where a tensor's values are when they are not in raw_data
    TensorProto.FLOAT: "float_data",
    TensorProto.DOUBLE: "double_data",
    TensorProto.INT64: "int64_data",
    TensorProto.UINT64: "uint64_data",
    TensorProto.UINT32: "uint64_data",
}


def read_model(path: Path) -> ModelProto:
    """The model, its functions inlined, its external data loaded, its tensors checked.

    Operators are checked as they are read (``values``). Raises ``UserError`` that says what
    is wrong, and where.
    """
    where = str(path)
    model = _parsed(path)
    version = opset(model)
    if not model.HasField("graph"):
        raise UserError(where, "holds no graph", _GIVE)
    if not OPSETS[0] <= version <= OPSETS[1]:
        raise UserError(
            where,
            f"has operators of version {version or 'unknown'} (opset)",
            f"export it with an opset of {OPSETS[0]} to {OPSETS[1]}",
        )
    _demand_text(model, where)
    _load_external(model, path.parent, where)
    for tensor in _tensors(model):
        _check_tensor(tensor, where)
    return inlined(model, where)


def opset(model: ModelProto) -> int:
    """The version of ONNX's own operators; 0 when the model names none."""
    return max((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), default=0)


def type_name(kind: int) -> str:
    """What one of ``onnx.TensorProto``'s types is called, such as ``float16``."""
    names: dict[int, str] = {number: name for name, number in TensorProto.DataType.items()}
    return names.get(kind, f"type {kind}").lower()


def _parsed(path: Path) -> ModelProto:
    where = str(path)
    try:
        if not path.is_file():
            problem = "is not a file" if path.exists() else "no such file"
            raise UserError(where, problem, _GIVE)
        if path.stat().st_size > _MOST_BYTES:
            raise UserError(where, "is larger than 2 GiB", "export it with external data")
        data = path.read_bytes()
    except OSError as error:
        raise UserError(where, error.strerror or "unreadable", "check the path") from None
    try:
        model: ModelProto = ModelProto.FromString(data)
    except DecodeError:
        raise UserError(where, "is damaged, truncated, or not an ONNX model", _GIVE) from None
    if not data or not model.ir_version:
        raise UserError(where, "is empty" if not data else "is not an ONNX model", _GIVE)
    return model


def _demand_text(model: ModelProto, where: str) -> None:
    """Raise ``UserError`` where a name is no text: Protocol Buffers gives bytes then."""
    names: list[object] = [model.producer_name, *(o.domain for o in model.opset_import)]
    for node in model.graph.node:
        names += [node.name, node.op_type, node.domain, *node.input, *node.output]
        names += [a.name for a in node.attribute]
    names += [t.name for t in (*_tensors(model), *model.graph.input, *model.graph.output)]
    if not all(isinstance(name, str) for name in names):
        raise UserError(where, "holds names that are not text", _AGAIN)


def _tensors(model: ModelProto) -> Iterator[TensorProto]:
    """All tensors that the model holds, also in attributes and in graphs inside."""
    attributes: list[AttributeProto] = []
    waiting: list[GraphProto] = [model.graph]
    for function in model.functions:
        attributes += [a for node in function.node for a in node.attribute]
        attributes += function.attribute_proto
    while waiting or attributes:
        if waiting:
            graph = waiting.pop()
            yield from graph.initializer
            for sparse in graph.sparse_initializer:
                yield from (sparse.values, sparse.indices)
            attributes += [a for node in graph.node for a in node.attribute]
            continue
        attribute = attributes.pop()
        yield from attribute.tensors
        if attribute.HasField("t"):
            yield attribute.t
        sparse_tensors = list(attribute.sparse_tensors)
        if attribute.HasField("sparse_tensor"):
            sparse_tensors.append(attribute.sparse_tensor)
        for sparse in sparse_tensors:
            yield from (sparse.values, sparse.indices)
        waiting += attribute.graphs
        if attribute.HasField("g"):
            waiting.append(attribute.g)


def _load_external(model: ModelProto, folder: Path, where: str) -> None:
    outside = [t for t in _tensors(model) if external_data_helper.uses_external_data(t)]
    sizes: dict[Path, int] = {}
    n_bytes = 0
    for tensor in outside:
        info = external_data_helper.ExternalDataInfo(tensor)
        file = _inside(folder, info.location, f"{where}, tensor {shortened(tensor.name)!r}")
        sizes[file] = file.stat().st_size
        wanted = _stored_bytes(tensor, where)
        offset = info.offset or 0
        if offset < 0 or offset + wanted > sizes[file] or (info.length or wanted) != wanted:
            raise UserError(
                f"{where}, tensor {shortened(tensor.name)!r}",
                f"wants {wanted} bytes from {offset} of {info.location!r}, which has {sizes[file]}",
                "copy the model with all its files again",
            )
        n_bytes += wanted
        if n_bytes > sum(sizes.values()):
            raise UserError(where, "claims more external data than its files hold", _AGAIN)
        with file.open("rb") as data:
            data.seek(offset)
            tensor.raw_data = data.read(wanted)
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]


def _inside(folder: Path, location: str, where: str) -> Path:
    file = folder / location
    try:
        is_inside = file.resolve().is_relative_to(folder.resolve()) and location
        if is_inside and file.is_file():
            return file
    except (OSError, ValueError):  # such as a NUL in the name
        is_inside = False
    problem = "is not there" if is_inside else "is outside the model's own folder"
    raise UserError(
        where, f"its data file {shortened(location)!r} {problem}", "keep all files in one folder"
    )


def _stored_bytes(tensor: TensorProto, where: str) -> int:
    """What its shape asks for. Raises ``UserError`` for absurd shapes and unknown types."""
    name = f"{where}, tensor {shortened(tensor.name)!r}"
    n: int = math.prod(tensor.dims)
    if min(tensor.dims, default=0) < 0 or n > MAX_MAP_VALUES or len(tensor.dims) > 32:
        shape = shortened(list(tensor.dims))
        raise UserError(name, f"has the absurd shape {shape}", f"have {MAX_MAP_VALUES} values")
    if tensor.data_type == TensorProto.STRING:
        return 0
    kind = type_name(tensor.data_type)
    try:
        bits = helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize * 8
    except (KeyError, TypeError, ValueError):
        raise UserError(name, f"has the unknown {kind}", _AGAIN) from None
    packed = re.match(r"u?(?:int|float)([24])(?:\D|$)", kind)
    return (n * (int(packed[1]) if packed else bits) + 7) // 8


def _check_tensor(tensor: TensorProto, where: str) -> None:
    wanted = _stored_bytes(tensor, where)
    if tensor.data_type == TensorProto.STRING:
        return
    if tensor.HasField("raw_data") or tensor.data_type not in _UNPACKED:
        if not tensor.HasField("raw_data"):
            return  # smaller types in int32_data; the checker compares their number
        held, unit = len(tensor.raw_data), "bytes"
    else:
        held, unit = len(getattr(tensor, _UNPACKED[tensor.data_type])), "values"
        wanted = math.prod(tensor.dims)
    if held != wanted:
        raise UserError(
            f"{where}, tensor {shortened(tensor.name)!r}",
            f"has shape {shortened(list(tensor.dims))}, for which {wanted} {unit} are needed, "
            f"but {held} are stored",
            _AGAIN,
        )
