"""Integer arrays from files that others wrote: .npy, .npz and traces, one array at a time.

Nothing is unpickled, nothing is allocated before the header's promise is checked, and
whatever is wrong with a file comes out as one ``UserError``.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from accelsim.codecs.base import Values, Word
from accelsim.errors import AccelsimError, UserError
from accelsim.workload.trace_file import read_trace

MAX_VALUES = 1 << 27
"""Largest array: measuring it takes about 10 bytes a value."""


class NamedArray(NamedTuple):
    """One array of a file, and the word of its values where the file says so."""

    name: str
    values: Values
    word: Word | None


def read_arrays(path: str | Path) -> Iterator[NamedArray]:
    """The arrays of a .npy file (one, named as the file), a .npz file or a trace.

    A trace (or the name of a shipped one) gives all stored feature maps of all images,
    ``EDGE`` for a single image, else ``EDGE[IMAGE]``. Raises ``UserError`` for a missing,
    broken or foreign file and for arrays that are empty, too large or not of integers.
    """
    file = Path(path)
    if file.suffix == ".npy":
        with _broken_as_user_error(str(file)), file.open("rb") as stream:
            values = _read_npy(stream, str(file))
        yield NamedArray(file.stem, values, None)
    elif file.suffix == ".npz":
        yield from _read_npz(file)
    else:
        yield from _read_trace(path)


def _read_npz(file: Path) -> Iterator[NamedArray]:
    with _broken_as_user_error(str(file)):
        archive = zipfile.ZipFile(file)
    with archive:
        if not archive.namelist():
            raise UserError(str(file), "holds no arrays", "save at least one integer array")
        for member in archive.namelist():
            name = member.removesuffix(".npy")
            where = f"{file}[{name}]"
            with _broken_as_user_error(where), archive.open(member) as stream:
                values = _read_npy(stream, where)
            yield NamedArray(name, values, None)


def _read_trace(path: str | Path) -> Iterator[NamedArray]:
    with read_trace(path) as trace:
        for edge in trace.graph.edges:
            if not trace.is_stored(edge.name):
                continue
            for image in range(trace.facts.n_images):
                name = edge.name if trace.facts.n_images == 1 else f"{edge.name}[{image}]"
                yield NamedArray(name, trace.values(edge.name, image), Word(edge.bits, edge.signed))


def _read_npy(stream: IO[bytes], where: str) -> Values:
    """One array in the format of ``numpy.lib.format``, versions 1 and 2."""
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, fortran_order, dtype = np.lib.format.read_array_header_2_0(stream)
    else:
        raise UserError(where, f"has format version {version}", "save it with numpy.save")
    _check_header(shape, dtype, where)
    n_bytes = math.prod(shape) * dtype.itemsize
    data = stream.read(n_bytes)
    if len(data) < n_bytes:
        raise UserError(
            where, f"is truncated: {len(data)} of {n_bytes} bytes", "copy or save it again"
        )
    values: Values = np.frombuffer(data, dtype).astype(dtype.newbyteorder("="), copy=False)
    return values.reshape(shape, order="F" if fortran_order else "C")


def _check_header(shape: tuple[int, ...], dtype: np.dtype[Any], where: str) -> None:
    if dtype.hasobject:
        raise UserError(where, "holds Python objects, which are never loaded", "save integers")
    if dtype.kind not in "iu":
        raise UserError(where, f"holds {dtype}, not integers", "quantise the values first")
    n_values = math.prod(shape)
    if min(shape, default=1) < 0:
        raise UserError(where, f"has the impossible shape {shape}", "save it again")
    if n_values > MAX_VALUES:
        raise UserError(
            where, f"has shape {shape}, more than {MAX_VALUES} values", "split it into parts"
        )
    if n_values == 0:
        raise UserError(where, f"is empty: shape {shape}", "give at least one value")


@contextmanager
def _broken_as_user_error(where: str) -> Iterator[None]:
    """numpy, zipfile and zlib report damage as a dozen exceptions; the user gets one."""
    try:
        yield
    except AccelsimError:
        raise
    except FileNotFoundError:
        raise UserError(where, "no such file", "check the path") from None
    except Exception as error:
        reason = (str(error).splitlines() or [""])[0] or type(error).__name__
        raise UserError(
            where, f"is damaged or of another kind ({reason})", "copy or save it again"
        ) from None
