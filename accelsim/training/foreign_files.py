"""Identifying a file by its content, for messages where a checkpoint was expected."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import BinaryIO, Final

from accelsim.errors import UserError

_LARGEST_PICKLE_BYTES: Final = 1 << 24
_SIGNATURES: Final = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, such as a trace or a Keras model"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19", "a torch.save file of torch before 1.6"),
)
_ONNX_FIELDS: Final = range(1, 27)  # of ModelProto; its graph is field 7
_GRAPH_FIELD: Final = 7
_VARINT, _EIGHT_BYTES, _COUNTED, _FOUR_BYTES = 0, 1, 2, 5  # wire types of Protocol Buffers


def demand_torch_archive(path: Path, mend: str, wanted: str = "a checkpoint of accelsim") -> None:
    """Raise ``UserError`` unless ``path`` is a plain zip of ``torch.save`` of consistent size.

    The message names the format if it can be recognised by its content.
    """
    try:
        size_bytes = path.stat().st_size
        if not path.is_file():
            problem = "is a folder" if path.is_dir() else "is not a regular file"
            raise UserError(str(path), problem, mend)
        with path.open("rb") as file:
            kind = _not_zip(file, size_bytes) if file.read(2) != b"PK" else _in_zip(path)
    except FileNotFoundError:
        raise UserError(str(path), "no such file", mend) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UserError(str(path), f"cannot be read ({reason})", mend) from None
    if kind is not None:
        raise UserError(str(path), f"is {kind}, not {wanted}", mend)


def _in_zip(path: Path) -> str | None:
    """The kind of a zip file; None for a plain archive of ``torch.save``."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _kind_of(archive, path.stat().st_size)
    except Exception:  # whatever damage makes zipfile raise
        return "a damaged zip file"


def _kind_of(archive: zipfile.ZipFile, size_bytes: int) -> str | None:
    entries = archive.infolist()
    names = {entry.filename.partition("/")[2] or entry.filename for entry in entries}
    if "constants.pkl" in names:
        return "a TorchScript model"
    if "archive_format" in names or "serialized_exported_program.json" in names:
        return "a model of torch.export (.pt2)"
    if "data.pkl" not in names:
        return "an archive of NumPy arrays" if _all_arrays(names) else "a zip file"
    pickles = [entry for entry in entries if entry.filename.endswith("data.pkl")]
    is_plain = all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)
    held_bytes = sum(entry.file_size for entry in entries)
    if not is_plain or held_bytes > size_bytes:
        return "an archive that holds more than its own size"
    if pickles[0].file_size > _LARGEST_PICKLE_BYTES:
        return "an archive of more than tensors and numbers"
    if archive.testzip() is not None:  # torch does not compare what it reads with its checksums
        return "a damaged archive of torch.save"
    return None


def _all_arrays(names: set[str]) -> bool:
    return bool(names) and all(name.endswith(".npy") for name in names)


def _not_zip(file: BinaryIO, size_bytes: int) -> str:
    file.seek(0)
    start = file.read(16)
    if not start:
        return "an empty file"
    for signature, kind in _SIGNATURES:
        if start.startswith(signature):
            return kind
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < size_bytes:
        return "a file of safetensors"
    if _is_onnx(file, size_bytes):
        return "an ONNX model"
    return "a pickle" if start[:1] == b"\x80" else "a file of another kind"


def _is_onnx(file: BinaryIO, size_bytes: int) -> bool:
    """Whether the fields of a Protocol Buffers message are those of an ONNX model, to the end."""
    file.seek(0)
    seen = set()
    while (place := file.tell()) < size_bytes:
        tag = _varint(file)
        field, wire = tag >> 3, tag & 7
        if field not in _ONNX_FIELDS or (place == 0 and tag != 1 << 3):  # ir_version comes first
            return False
        seen.add(field)
        if wire == _VARINT:
            if _varint(file) < 0:
                return False
        elif wire == _COUNTED:
            n_bytes = _varint(file)
            if not 0 <= n_bytes <= size_bytes - file.tell():
                return False
            file.seek(n_bytes, os.SEEK_CUR)
        elif wire in (_EIGHT_BYTES, _FOUR_BYTES):
            file.seek(8 if wire == _EIGHT_BYTES else 4, os.SEEK_CUR)
        else:
            return False
    return _GRAPH_FIELD in seen and file.tell() == size_bytes


def _varint(file: BinaryIO) -> int:
    """A number with seven bits per byte; -1 if the file ends first."""
    value = 0
    for shift in range(0, 64, 7):
        byte = file.read(1)
        if not byte:
            return -1
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    return -1
