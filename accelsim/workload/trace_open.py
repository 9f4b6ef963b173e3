"""Finding and opening a trace file, up to its document: existence, format and version."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from accelsim.data_files import shipped
from accelsim.errors import TraceError, nearest
from accelsim.workload.trace_document import MAX_DOCUMENT_BYTES
from accelsim.workload.trace_tensors import (
    AGAIN,
    DOCUMENT,
    FORMAT,
    VERSION,
    broken_file_as_trace_error,
    checked_dataset,
)


def find_trace(name_or_path: str | Path) -> Path:
    """The path of a trace: as given, otherwise that of a shipped one."""
    given = Path(name_or_path)
    try:
        if given.is_file():
            return given
        if given.exists():
            raise TraceError(str(given), "is not a file", "name a trace file")
    except OSError as error:
        raise TraceError(str(given), error.strerror or "unreadable", "check the path") from None
    folder = shipped("traces")
    if (found := folder / f"{given}.h5").is_file():
        return found
    names = sorted(p.stem for p in folder.glob("*.h5"))
    problem = f"no such file, and no shipped trace has this name.{nearest(str(given), names)}"
    raise TraceError(str(given), problem, f"give a path, or one of: {', '.join(names) or '(none)'}")


def open_trace(path: Path, where: str) -> h5py.File:
    """The HDF5 file, opened read-only. Raises ``TraceError`` if it is not one."""
    try:
        with path.open("rb") as raw:
            is_empty = not raw.read(1)
    except FileNotFoundError:
        raise TraceError(where, "no such file", "check the path") from None
    except OSError as error:
        raise TraceError(where, error.strerror or "unreadable", "check the path") from None
    if is_empty or not h5py.is_hdf5(path):
        raise TraceError(
            where, "is not a trace: no HDF5 signature", "export one with `accelsim trace export`"
        )
    with broken_file_as_trace_error(where):
        # Traces are read-only data; locks fail on many network file systems.
        return h5py.File(path, "r", locking=False)


def read_document(file: h5py.File, where: str) -> bytes:
    """The JSON document of an HDF5 file. Raises ``TraceError`` if it is not a readable trace."""
    with broken_file_as_trace_error(where):
        if _fixed_attribute(file, "format") != FORMAT.encode():
            raise TraceError(
                where,
                "is an HDF5 file, but not a trace of accelsim",
                "export one with `accelsim trace export`",
            )
        version = _fixed_attribute(file, "version")
        if not isinstance(version, np.integer) or version < 1:
            raise TraceError(where, f"has no valid format version, but {version!r}", AGAIN)
        if version > VERSION:
            raise TraceError(
                where,
                f"has format version {version}, this accelsim reads up to {VERSION}",
                "update accelsim",
            )
        size = getattr(file.get(DOCUMENT), "shape", (0,))
        if len(size) != 1 or not 0 < size[0] <= MAX_DOCUMENT_BYTES:
            raise TraceError(
                where,
                f"its document is missing, damaged, or larger than {MAX_DOCUMENT_BYTES} bytes",
                AGAIN,
            )
        dataset = checked_dataset(file, DOCUMENT, size, np.dtype("u1"), where)
        return bytes(np.asarray(dataset[...]))


def _fixed_attribute(file: h5py.File, name: str) -> object:
    """A number or fixed-length text at the root, or None.

    Text of variable length is stored in a heap that HDF5 does not checksum, and HDF5 may loop
    forever in a damaged one, so it is never read.
    """
    if name not in file.attrs or file.attrs.get_id(name).dtype.kind not in "iuS":
        return None
    value: object = file.attrs[name]
    return value
