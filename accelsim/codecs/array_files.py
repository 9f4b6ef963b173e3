"""Reading integer arrays from .npy, .npz and trace files of any origin, one array at a time.

Nothing is unpickled, nothing is allocated before the sizes in the header are checked, and
whatever is wrong with a file is reported as one ``UserError``.
"""

from __future__ import annotations

import io
import math
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from accelsim.codecs.base import Values, Word
from accelsim.errors import AccelsimError, UserError
from accelsim.workload.layer import Conv
from accelsim.workload.trace_file import read_trace

Tensor: TypeAlias = Literal["maps", "weights"]
"""Which tensors of a trace."""

MAX_VALUES = 1 << 27
"""Largest number of values of an array; measuring takes about 10 bytes per value."""
MAX_BYTES = 2 * MAX_VALUES
"""Largest number of bytes of an array; the widest word has 16 bits."""
MAX_HEADER_BYTES = 10_000
"""As in numpy, which does not read larger headers either."""


class NamedArray(NamedTuple):
    """One array of a file, and the word of its values if the file gives it."""

    name: str
    values: Values
    word: Word | None


def read_arrays(path: str | Path, tensor: Tensor = "maps") -> Iterator[NamedArray]:
    """The arrays of a .npy file (one, named as the file), a .npz file or a trace.

    A trace (or the name of a shipped one) gives all stored feature maps of all images,
    ``EDGE`` for a single image, else ``EDGE[IMAGE]``; or its weights, by layer. Raises
    ``UserError`` for a missing, broken or foreign file and for arrays that are empty, too large
    or not of integers.
    """
    file = Path(path)
    if tensor == "weights":
        if file.suffix in (".npy", ".npz"):
            fix = "leave it out: arrays are measured as they are"
            raise UserError("--tensor", f"tells the tensors of a trace apart; {file} is none", fix)
        yield from _read_weights(path)
    elif file.suffix == ".npy":
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
        members = archive.namelist()
        if len(set(members)) < len(members):
            raise UserError(str(file), "holds two arrays of one name", "save it again")
        for member in members:
            name = _printable(member.removesuffix(".npy"))
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


def _read_weights(path: str | Path) -> Iterator[NamedArray]:
    with read_trace(path) as trace:
        layers = [x for x in trace.graph.layers if isinstance(x, Conv)]
        held = [layer for layer in layers if trace.has_weights(layer.name)]
        if not held:
            raise UserError(str(path), "holds no weights", "export the trace with its weights")
        for layer in held:
            values = trace.weights(layer.name)
            if values is not None:
                yield NamedArray(layer.name, values, Word(layer.weight_bits, signed=True))


def _read_npy(stream: IO[bytes], where: str) -> Values:
    """One array in the format of ``numpy.lib.format``, versions 1 and 2."""
    shape, fortran_order, dtype = _read_header(stream, where)
    _check_header(shape, dtype, where)
    n_bytes = math.prod(shape) * dtype.itemsize
    data = stream.read(n_bytes)
    if len(data) < n_bytes:
        raise UserError(
            where, f"is truncated: {len(data)} of {n_bytes} bytes", "copy or save it again"
        )
    values: Values = np.frombuffer(data, dtype).astype(dtype.newbyteorder("="), copy=False)
    return values.reshape(shape, order="F" if fortran_order else "C")


def _read_header(stream: IO[bytes], where: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, order and dtype. numpy would read as many bytes as the file says the header has,
    which may be 4 GiB out of a few of an archive."""
    version = np.lib.format.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise UserError(where, f"has format version {version}", "save it with numpy.save")
    length = stream.read(2 if version == (1, 0) else 4)
    n_bytes = int.from_bytes(length, "little")
    if n_bytes > MAX_HEADER_BYTES:
        problem = f"has a header of {n_bytes} bytes, more than {MAX_HEADER_BYTES}"
        raise UserError(where, problem, "save it again")
    header = io.BytesIO(length + stream.read(n_bytes))
    read = np.lib.format.read_array_header_1_0
    if version == (2, 0):
        read = np.lib.format.read_array_header_2_0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of numpy and of the parser, about odd headers
        shape, fortran_order, dtype = read(header)
    return shape, fortran_order, dtype


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
    if n_values * dtype.itemsize > MAX_BYTES:
        raise UserError(
            where,
            f"has {n_values * dtype.itemsize} bytes of {dtype}, more than {MAX_BYTES}",
            "store it in 8 or 16 bits, or split it into parts",
        )
    if n_values == 0:
        raise UserError(where, f"is empty: shape {shape}", "give at least one value")


def _printable(name: str) -> str:
    """A name from a file, made safe for one line of a message or table."""
    shown = name if name.isprintable() else ascii(name)[1:-1]
    return shown if len(shown) <= 200 else f"{shown[:197]}..."


@contextmanager
def _broken_as_user_error(where: str) -> Iterator[None]:
    """numpy, zipfile and zlib report damage with a dozen exceptions; the user gets one."""
    try:
        yield
    except AccelsimError:
        raise
    except FileNotFoundError:
        raise UserError(where, "no such file", "check the path") from None
    except Exception as error:
        reason = _printable((str(error).splitlines() or [""])[0]) or type(error).__name__
        raise UserError(
            where, f"is damaged or of another kind ({reason})", "copy or save it again"
        ) from None
