"""The decorator of compiled kernels, so that all are compiled and cached in the same way.

A kernel takes arrays and integers, keeps all state in arrays, allocates nothing and
raises nothing. ``kernel(f).py_func`` is the plain Python function: tests compare both.

numba needs 0.3 us to unpack each array of a call. A kernel that is called often takes
one table of the addresses of its arrays instead: ``addresses`` and ``array_at``.
"""

from __future__ import annotations

import ctypes
import os
import pickle
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.core import cgutils, compiler, serialize, types
from numba.extending import intrinsic
from numba.np import arrayobj
from numpy.typing import NDArray

from accelsim.jit.addressed import AddressedArray
from accelsim.jit.parts import Part, PartCompiler, WholeCompiler
from accelsim.kernel_cache import kernel_folder
from accelsim.kernel_key import content_key

# Without types, as numba is.
llvm, numpy_arrays = cast(Any, cgutils), cast(Any, arrayobj)
results, pickling = cast(Any, compiler.CompileResult), cast(Any, serialize)

F = TypeVar("F", bound=Callable[..., object])
Ints = NDArray[np.int64]


class KeptKernel:
    """The machine code of one kernel on disk: a file for each tuple of argument types.

    numba's own cache knows a kernel by its path and its file's contents: it runs stale code
    when a function or a constant of another file changes. This one stands in for it.
    """

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled

    @cached_property
    def key(self) -> str:
        """Not known before all modules are loaded: a kernel may call what stands below it."""
        return content_key(self._compiled)

    @property
    def cache_path(self) -> str:
        return str(kernel_folder())

    def load_overload(self, signature: Any, context: Any) -> Any:
        context.refresh()
        try:
            kept = self._file(signature, context.codegen()).read_bytes()
        except OSError:
            return None
        return results._rebuild(context, *pickle.loads(kept))

    def save_overload(self, signature: Any, result: Any) -> None:
        """Nothing is kept where nothing can be written: each process then compiles."""
        if any(not lifted.can_cache for lifted in result.lifted):
            return
        if result.library.has_dynamic_globals:
            return
        file = self._file(signature, result.codegen)
        with suppress(OSError), NamedTemporaryFile(dir=file.parent, delete=False) as unfinished:
            unfinished.write(pickling.dumps(result._reduce()))
            unfinished.close()
            os.replace(unfinished.name, file)

    def flush(self) -> None:
        """Files are never stale."""

    def _file(self, signature: Any, codegen: Any) -> Path:
        function = self._compiled.py_func
        arguments = tuple(getattr(signature, "args", signature))
        key = content_key(self.key, arguments, repr(codegen.magic_tuple()))
        return kernel_folder() / f"{function.__module__}.{function.__qualname__}-{key}.kernel"


def _compile(function: F, **options: Any) -> F:
    """The type is kept for readers and type checkers."""
    # Nothing calls a kernel from C: without that wrapper its code is not made twice.
    options |= {"nogil": True, "no_cfunc_wrapper": True, "pipeline_class": WholeCompiler}
    compiled = numba.njit(**options)(function)
    compiled._cache = KeptKernel(compiled)
    return cast(F, compiled)


def kernel(function: F) -> F:
    """Compile ``function`` with numba, kept on disk, without the GIL."""
    return _compile(function)


def float_kernel(function: F) -> F:
    """Compile a kernel over floats, whose sums may be taken in any order.

    Without that freedom a loop with a sum cannot use vector instructions.
    """
    return _compile(function, fastmath={"reassoc", "nsz"})


def state_kernel(function: F) -> F:
    """Compile a kernel that is handed its state as a NamedTuple of arrays, or makes one.

    numba would count references at each ``state.array``, 20 times the work of the kernel
    itself. So it is compiled without reference counts: it must not allocate or slice.
    """
    return _compile(function, _nrt=False)


def part(function: F) -> F:
    """A function that becomes part of each ``kernel`` or ``state_kernel`` that calls it.

    numba would copy a NamedTuple of arrays at each call, so parts are inlined. They are not
    compiled by themselves, have no reference counts, and must not allocate or slice.
    """
    options = {"nopython": True, "nogil": True, "forceinline": True, "_nrt": False}
    options |= {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast(F, Part(function, targetoptions=options, pipeline_class=PartCompiler))


def addresses(arrays: tuple[Ints, ...]) -> Ints:
    """[n, 4] address and shape of each array; whoever keeps it must keep the arrays, too.

    >>> addresses((np.zeros((5, 3), np.int64),))[0, 1:].tolist()
    [5, 3, 0]
    """
    table = np.zeros((len(arrays), 4), np.int64)
    for row, array in zip(table, arrays, strict=True):
        if array.dtype != np.int64 or not array.flags.c_contiguous:
            raise TypeError("kernels find int64 arrays in C order by their address, no others")
        row[0] = array.ctypes.data
        row[1 : 1 + array.ndim] = array.shape
    return table


def _array_in_python(address: int, shape: tuple[int, ...]) -> Ints:
    memory = (ctypes.c_int64 * int(np.prod(shape))).from_address(int(address))
    return np.ndarray(shape, np.int64, memoryview(memory).cast("B"))


def _array_in_kernel(_: Any, address: Any, shape: Any) -> Any:
    array_type = AddressedArray(types.int64, len(shape), "C")

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        array = numpy_arrays.make_array(array_type)(context, builder)
        lengths = llvm.unpack_tuple(builder, values[1], len(shape))
        step = item = context.get_constant(types.intp, 8)
        strides: list[Any] = []
        for length in reversed(lengths):
            strides.insert(0, step)
            step = builder.mul(step, length)
        data = builder.inttoptr(values[0], array.data.type)
        numpy_arrays.populate_array(array, data, lengths, strides, item, meminfo=None)
        return array._getvalue()

    return array_type(address, shape), code


array_at = cast(Callable[[int, tuple[int, ...]], Ints], intrinsic(_array_in_kernel))
"""In a ``part`` or ``state_kernel``: the int64 array of this shape that lies at this address.

Its indices are never negative.
"""
cast(Any, array_at).py_func = _array_in_python
