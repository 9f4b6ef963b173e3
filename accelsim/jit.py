"""The one decorator of compiled kernels, so that all are compiled alike.

A kernel takes arrays and integers, keeps all state in arrays, allocates nothing and
raises nothing. ``kernel(f).py_func`` is the plain Python function: tests compare both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


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
