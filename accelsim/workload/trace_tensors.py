"""The HDF5 side of a trace file: names, hashes, and checks before anything is allocated.

Files are not trusted. A dataset is only read if it is what the document announces: plain integers
of that shape in this file itself, with no filters except gzip, shuffle and Fletcher-32. The values
read must have the SHA-256 that the document states.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

from accelsim.errors import TraceError
from accelsim.workload.graph import Edge

FORMAT: Final = "accelsim-trace"
VERSION: Final = 1
DOCUMENT: Final = "document"

_FILTERS: Final = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}
# zlib cannot expand data more than 1032-fold (its documentation), so a dataset that
# announces more was never written.
_MAX_EXPANSION: Final = 1032
AGAIN: Final = "copy or export the trace again"


def map_path(edge: str) -> str:
    """The dataset of an edge's maps: ``/`` would be a group in HDF5.

    >>> map_path("fire2/concat")
    'maps/fire2|concat'
    """
    return f"maps/{edge.replace('/', '|')}"


def pre_activation_path(layer: str) -> str:
    """The dataset of a layer's values before its activation."""
    return f"pre_activations/{layer.replace('/', '|')}"


def layer_path(layer: str, constant: str) -> str:
    """The dataset of one constant of a layer: weights, bias, multiplier, weight_scale."""
    return f"layers/{layer.replace('/', '|')}/{constant}"


def sha256(values: NDArray[Any]) -> str:
    """SHA-256 of an array's values, little-endian, in C order."""
    little = values.astype(values.dtype.newbyteorder("<"), copy=False)
    return hashlib.sha256(np.ascontiguousarray(little).data).hexdigest()


@contextmanager
def broken_file_as_trace_error(where: str) -> Iterator[None]:
    """HDF5 reports damage with half a dozen exceptions; the user gets one message."""
    try:
        yield
    except TraceError:
        raise
    except (OSError, KeyError, RuntimeError, ValueError, TypeError, UnicodeError) as error:
        reason = str(error).strip("'\"").splitlines() or [type(error).__name__]
        raise TraceError(where, f"is damaged or truncated ({reason[0]})", AGAIN) from None


def checked_dataset(
    file: h5py.File, path: str, shape: tuple[int, ...], dtype: np.dtype[Any], where: str
) -> h5py.Dataset:
    """The dataset at ``path``, of exactly this shape and dtype, safe to read.

    Raises ``TraceError`` otherwise, before any memory is allocated for its values.
    """
    dataset = _hard_linked(file, path, where)
    if dataset.dtype != dtype:
        raise TraceError(
            where, f"{path} holds {dataset.dtype}, where the graph says {dtype}", AGAIN
        )
    if dataset.shape != shape:
        raise TraceError(
            where, f"{path} has shape {dataset.shape}, where the graph says {shape}", AGAIN
        )
    plan = dataset.id.get_create_plist()
    filters = {plan.get_filter(i)[0] for i in range(plan.get_nfilters())}
    if dataset.is_virtual or dataset.external is not None or not filters <= _FILTERS:
        raise TraceError(
            where, f"{path} lies in other files or behind unknown filters", "use gzip or none"
        )
    if dataset.chunks is not None and any(
        c > n for c, n in zip(dataset.chunks, shape, strict=True)
    ):
        raise TraceError(where, f"{path} has chunks larger than itself", AGAIN)
    if dataset.nbytes > _MAX_EXPANSION * (dataset.id.get_storage_size() + 64):
        raise TraceError(
            where, f"{path} promises {dataset.nbytes} bytes that were never stored", AGAIN
        )
    return dataset


def read_checked(dataset: h5py.Dataset, selection: Any, digest: str, where: str) -> NDArray[Any]:
    """The selected values. Raises ``TraceError`` if they are not those that were written."""
    with broken_file_as_trace_error(where):
        values: NDArray[Any] = np.asarray(dataset[selection])
    if sha256(values) != digest:
        raise TraceError(where, f"{dataset.name} does not match its SHA-256", AGAIN)
    return values


def check_range(values: NDArray[Any], edge: Edge, where: str) -> None:
    """Raise ``TraceError`` when integers do not fit in the edge's word."""
    low, high = int(values.min()), int(values.max())
    if low < edge.low or high > edge.high:
        raise TraceError(
            where,
            f"{edge.name!r} holds values from {low} to {high}, outside its "
            f"{edge.bits}-bit {'signed' if edge.signed else 'unsigned'} word",
            f"values must lie in {edge.low} to {edge.high}; export the trace again",
        )


def _hard_linked(file: h5py.File, path: str, where: str) -> h5py.Dataset:
    node: Any = file
    for part in path.split("/"):
        if not isinstance(node, h5py.Group) or part not in node:
            raise TraceError(where, f"{path} is missing", AGAIN)
        if not isinstance(node.get(part, getlink=True), h5py.HardLink):
            raise TraceError(where, f"{path} is a link", "store the tensors in the file itself")
        node = node[part]
    if not isinstance(node, h5py.Dataset):
        raise TraceError(where, f"{path} is not a dataset", AGAIN)
    return node
