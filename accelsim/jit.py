"""The one decorator of compiled kernels, so that all are compiled alike.

A kernel takes arrays and integers, keeps all state in arrays, allocates nothing and
raises nothing. ``kernel(f).py_func`` is the plain Python function: tests compare both.

numba takes 0.3 us to take over each array of a call. A kernel that is called often takes
one table of the addresses of its arrays instead: ``addresses`` and ``array_at``.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np import arrayobj
from numpy.typing import NDArray

# Without types, as numba is.
llvm, numpy_arrays = cast(Any, cgutils), cast(Any, arrayobj)

F = TypeVar("F", bound=Callable[..., object])
Ints = NDArray[np.int64]


def kernel(function: F) -> F:
    """Compile ``function`` with numba, cached on disk, without the GIL.

    The type is kept for readers and type checkers.
    """
    return cast(F, numba.njit(cache=True, nogil=True)(function))


def float_kernel(function: F) -> F:
    """Compile a kernel over floats, whose sums may be taken in any order.

    Without that freedom a loop with a sum cannot use vector instructions.
    """
    options: dict[str, Any] = {"fastmath": {"reassoc", "nsz"}}
    return cast(F, numba.njit(cache=True, nogil=True, **options)(function))


def state_kernel(function: F) -> F:
    """Compile one part of a kernel whose state is a NamedTuple of arrays.

    numba would count references at each ``state.array`` and copy the whole tuple at each
    call, 20 times the work of the kernel itself. So such parts are inlined into the entry
    function, and compiled without reference counts: they must not allocate or slice.
    """
    options: dict[str, Any] = {"forceinline": True, "_nrt": False}
    return cast(F, numba.njit(cache=True, nogil=True, **options)(function))


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
    array_type = types.Array(types.int64, len(shape), "C")

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
"""In a ``state_kernel``: the int64 array of this shape that lies at this address."""
cast(Any, array_at).py_func = _array_in_python
