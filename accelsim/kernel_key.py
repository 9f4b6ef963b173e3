"""What a compiled kernel depends on, as one hash of contents.

numba compiles into a kernel the code of all functions that it calls, and the values of all
globals that they read. So these make the key: the location of the sources, their comments and
everything else in their files make no difference, and nothing that does is left out.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

_PLAIN = (type(None), bool, int, float, complex, str, bytes)
_LIBRARIES = frozenset({"numpy", "numba", "llvmlite"})
_JIT = "accelsim.jit."
_KERNEL = "kernel"
_SETTINGS = ("OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "BOUNDSCHECK", "DEBUGINFO")
"""Variables ``NUMBA_...`` that change the code."""


def content_key(*values: object) -> str:
    """Hash of the contents of ``values`` and of all that they reach, and of the compiler.

    ``values`` are kernels, plain functions, constants, or numba's types. Raises ``TypeError``
    where a kernel reads something whose contents are not known here.
    """
    digest = sha256(_compiler().encode())
    seen: dict[int, int] = {}
    for part in _contents(values, (), seen):
        digest.update(part.encode() if isinstance(part, str) else part)
        digest.update(b"\0")
    return digest.hexdigest()[:24]


def count_kernels(*kernels: object) -> int:
    """How many kernels and parts of kernels these are, with all that they call."""
    return sum(part == _KERNEL for part in _contents(kernels, (), {}))


@cache
def _compiler() -> str:
    """Everything else that makes a kernel's code: libraries, settings, and how they are called."""
    libraries = [f"{name} {version(name)}" for name in sorted(_LIBRARIES)]
    settings = [f"{name} {os.environ.get(f'NUMBA_{name}')}" for name in _SETTINGS]
    sources = sorted((Path(__file__).parent / "jit").glob("*.py"))
    how = sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    return " ".join((*libraries, *settings, how, *map(str, sys.version_info)))


def _contents(value: Any, names: tuple[str, ...], seen: dict[int, int]) -> Iterator[str | bytes]:
    """``value`` and all that it reaches; of a module what ``names`` may take from it."""
    kind = type(value)
    yield kind.__qualname__
    if kind in _PLAIN:
        yield repr(value)
    elif isinstance(value, Enum):
        yield from _once(kind, seen, _class)
        yield value.name
    elif isinstance(value, np.ndarray):
        yield f"{value.dtype} {value.shape} {value.strides} {value.flags.writeable}"
        yield value.tobytes()
    elif isinstance(value, np.generic | np.dtype):
        yield f"{getattr(value, 'dtype', '')} {value!r}"
    elif isinstance(value, tuple | list):
        if kind not in (tuple, list):
            yield from _once(kind, seen, _class)
        for item in value:
            yield from _contents(item, names, seen)
    elif isinstance(value, set | frozenset):
        yield " ".join(sorted(map(repr, value)))
    elif isinstance(value, Mapping):
        for key in sorted(value):
            yield key
            yield from _contents(value[key], names, seen)
    elif isinstance(value, ModuleType):
        yield value.__name__
        if not _is_library(value.__name__):
            for name in names:
                if name in vars(value):
                    yield name
                    yield from _contents(vars(value)[name], names, seen)
    elif isinstance(value, type):
        yield from _once(value, seen, _class)
    elif hasattr(value, "py_func") and hasattr(value, "targetoptions"):
        yield from _once(value, seen, _kernel)
    elif isinstance(value, FunctionType):
        yield from _once(value, seen, _function)
    elif hasattr(value, "_defn"):  # numba's intrinsic functions
        yield from _once(value._defn, seen, _function)
    elif isinstance(value, BuiltinFunctionType) or _is_library(kind.__module__):
        # numba's type of a NamedTuple or an Enum says neither fields nor members.
        yield from _contents(getattr(value, "instance_class", None), (), seen)
        yield from _contents(tuple(getattr(value, "types", ())), (), seen)
        text = repr(value)
        if " at 0x" in text:
            raise TypeError(f"nothing is known of the contents of {text}")
        yield text
    else:
        raise TypeError(f"nothing is known of the contents of {value!r}")


def _is_library(module: str) -> bool:
    """Whether a module belongs to what ``_compiler`` names."""
    root = module.partition(".")[0]
    return root in _LIBRARIES or root in sys.stdlib_module_names


def _once(
    value: Any,
    seen: dict[int, int],
    contents: Callable[[Any, dict[int, int]], Iterator[str | bytes]],
) -> Iterator[str | bytes]:
    """The contents of ``value``, or how many others were met before it if it was."""
    if id(value) in seen:
        yield f"again {seen[id(value)]}"
        return
    seen[id(value)] = len(seen)
    yield from contents(value, seen)


def _class(value: Any, seen: dict[int, int]) -> Iterator[str | bytes]:
    yield f"{value.__module__}.{value.__qualname__}"
    if issubclass(value, Enum):
        for name, member in value.__members__.items():
            yield f"{name} {member.value!r}"
    elif hasattr(value, "_fields"):
        yield from value._fields
    elif not (_is_library(value.__module__) or value.__module__.startswith(_JIT)):
        raise TypeError(f"nothing is known of the contents of {value!r}")


def _kernel(value: Any, seen: dict[int, int]) -> Iterator[str | bytes]:
    yield _KERNEL
    yield from _contents(value.targetoptions, (), seen)
    yield from _once(value.py_func, seen, _function)


def _function(value: Any, seen: dict[int, int]) -> Iterator[str | bytes]:
    code, names, reached = own_code(value)
    yield code
    yield from _contents((value.__defaults__, value.__kwdefaults__ or {}), (), seen)
    for cell in value.__closure__ or ():
        yield from _contents(cell.cell_contents, names, seen)
    for name in reached:
        yield name
        yield from _contents(value.__globals__[name], names, seen)


@cache
def own_code(function: FunctionType) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The code of a function itself, all names in it, and those that are globals."""
    text: list[str] = []
    names: dict[str, None] = {}

    def add(code: CodeType, doc: str | None) -> None:
        names.update(dict.fromkeys(code.co_names))
        text.append(f"{code.co_code!r} {code.co_varnames} {code.co_names} {code.co_flags}")
        text.append(f"{code.co_argcount} {code.co_freevars} {code.co_exceptiontable!r}")
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                add(constant, None)
            elif constant != doc:  # documentation is a constant, too
                text.append(f"{type(constant).__name__} {constant!r}")

    add(function.__code__, function.__doc__)
    # Also an attribute named like a global; telling them apart takes longer than all else.
    reached = tuple(name for name in names if name in function.__globals__)
    return "\n".join(text), tuple(names), reached
