"""Compiled kernels are found again by what they depend on, and by nothing else."""

import inspect
import json
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from enum import Enum, IntEnum
from importlib import import_module
from pathlib import Path
from types import FunctionType, SimpleNamespace

import numpy as np
import pytest
from numba import typeof

import accelsim
from accelsim.kernel_compiling import kernel_modules
from accelsim.kernel_key import content_key

PACKAGE = Path(accelsim.__file__).parent
KERNELS = {
    id(value): value
    for name in kernel_modules()
    for value in vars(import_module(name)).values()
    if hasattr(value, "py_func")
}.values()


def changed(value: object) -> object:
    """A constant of the same type with another value."""
    if isinstance(value, np.ndarray):
        return value + np.ones(1, value.dtype)
    if isinstance(value, type) and issubclass(value, Enum):
        return IntEnum(value.__name__, {m.name: m.value + 1 for m in value})
    if isinstance(value, tuple):
        return (*value, value[-1])
    return value + 1


def constants(function: object) -> dict[str, object]:
    """The constants of its module that a kernel reads, as the standard library finds them."""
    names = inspect.getclosurevars(function.py_func).globals
    plain = (int, float, np.ndarray, np.generic, tuple)
    return {
        name: value
        for name, value in names.items()
        if isinstance(value, plain) or (isinstance(value, type) and issubclass(value, Enum))
    }


def with_globals(function: object, **others: object) -> object:
    """The same kernel in a module with other values."""
    plain = function.py_func
    names = {**plain.__globals__, **others}
    copy = FunctionType(plain.__code__, names, plain.__name__, None, plain.__closure__)
    return SimpleNamespace(py_func=copy, targetoptions=function.targetoptions)


def test_each_constant_that_a_kernel_reads_is_in_its_key() -> None:
    n_constants = 0
    for function in KERNELS:
        key = content_key(with_globals(function))
        for name, value in constants(function).items():
            other = with_globals(function, **{name: changed(value)})
            assert content_key(other) != key, (function, name)
            n_constants += 1
    assert len(KERNELS) > 200 and n_constants > 200


def keys_in(package: Path) -> dict[str, str]:
    """Keys of all kernels of a copy of the package, by a fresh process."""
    code = """
import json
from importlib import import_module
from accelsim.kernel_compiling import kernel_modules
from accelsim.kernel_key import content_key
modules = [import_module(name) for name in kernel_modules()]
print(json.dumps({f"{m.__name__}.{name}": content_key(value) for m in modules
                  for name, value in vars(m).items() if hasattr(value, "py_func")}))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=package.parent
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_keys_follow_what_a_kernel_depends_on_and_not_where_it_lies(tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "accelsim"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    here = keys_in(PACKAGE)
    zvc, rans = copy / "codecs/formats/zvc.py", copy / "codecs/coding/rans_tables.py"
    zvc.write_text('"""New words."""\n\n\n' + zvc.read_text().partition('"""\n')[2])
    assert keys_in(copy) == here
    # Two columns of a table change places, in a module without kernels.
    text = rans.read_text()
    assert "LIMIT, RECIPROCAL, BIAS" in text
    rans.write_text(text.replace("LIMIT, RECIPROCAL, BIAS", "RECIPROCAL, LIMIT, BIAS", 1))
    there = keys_in(copy)
    others = {name for name in here if here[name] != there[name]}
    assert others
    assert all(name.startswith("accelsim.codecs.formats.rans.") for name in others)


def keyed(source: str, **names: object) -> str:
    """Key of the function ``f`` of ``source``, in a module with ``names``."""
    exec(source, names)
    return content_key(names["f"])


def test_functions_reached_through_others_count() -> None:
    code = "def g(x): return x + LIMIT\ndef f(x): return g(x)"
    assert keyed(code, LIMIT=1) == keyed(code, LIMIT=1) != keyed(code, LIMIT=2)
    assert keyed(code, LIMIT=1) != keyed(code, LIMIT=1.0)
    assert keyed(code, LIMIT=1) != keyed(code.replace("x + LIMIT", "x - LIMIT"), LIMIT=1)
    # Also those that call one another.
    loop = "def g(x): return f(x) + LIMIT\ndef f(x): return g(x)"
    assert keyed(loop, LIMIT=1) == keyed(loop, LIMIT=1) != keyed(loop, LIMIT=2)


def test_documentation_and_unused_names_do_not_count() -> None:
    plain, documented = "def f(x): return x", "\n\ndef f(x):\n    'Words.'\n    return x"
    assert keyed(plain) == keyed(documented) == keyed(plain, LIMIT=1)


def test_values_read_through_a_module_count() -> None:
    code = "def f(x): return x + m.A"
    one, two = type(os)("constants"), type(os)("constants")
    one.A, one.B, two.A, two.B = 1, 1, 1, 2
    assert keyed(code, m=one) == keyed(code, m=two)
    two.A = 2
    assert keyed(code, m=one) != keyed(code, m=two)


def test_an_argument_tuple_counts_with_the_order_of_its_fields() -> None:
    one, two = namedtuple("State", "a b"), namedtuple("State", "b a")
    assert content_key(typeof(one(1, 2))) == content_key(typeof(one(3, 4)))
    assert content_key(typeof(one(1, 2))) != content_key(typeof(two(1, 2)))


def test_what_cannot_be_known_is_refused() -> None:
    with pytest.raises(TypeError, match="nothing is known"):
        keyed("def f(x): return x + unknown", unknown=object())


def run(code: Path, cache: Path) -> list[int]:
    """What a process prints with this cache of kernels."""
    environment = {**os.environ, "ACCELSIM_CACHE_DIR": str(cache)}
    environment["PYTHONPATH"] = str(PACKAGE.parent)
    done = subprocess.run([sys.executable, code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return [int(word) for word in done.stdout.split()]


def test_a_kernel_is_compiled_once_for_all_processes_and_anew_when_it_changes(
    tmp_path: Path,
) -> None:
    source = """
from accelsim.jit import kernel

@kernel
def twice(x):
    return FACTOR * x

@kernel
def four_times(x):
    return twice(twice(x))

FACTOR = {factor}
print(four_times(1), sum(four_times.stats.cache_hits.values()))
"""
    code = tmp_path / "kernels.py"
    code.write_text(source.format(factor=2))
    assert run(code, tmp_path / "cache") == [4, 0]
    assert run(code, tmp_path / "cache") == [4, 1]
    # The same length and time of change, which are all that numba's own cache may look at.
    times = code.stat()
    code.write_text(source.format(factor=3))
    os.utime(code, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert run(code, tmp_path / "cache") == [9, 0]


def test_kernels_that_cannot_be_kept_are_compiled(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    code = tmp_path / "kernels.py"
    code.write_text(
        "import tempfile; tempfile.tempdir = '/dev/null'\n"
        "from accelsim.jit import kernel\n"
        "print(kernel(lambda x: x + 1)(1))"
    )
    assert run(code, blocked / "below") == [2]


def test_parts_are_compiled_once_and_only_into_kernels(tmp_path: Path) -> None:
    code = tmp_path / "kernels.py"
    code.write_text("""
from os import environ
from pathlib import Path
from accelsim.jit import part, state_kernel

@part
def scaled(x, by):
    return x * by

@part
def both(x):
    return scaled(x, 2) + scaled(x, 3) + scaled(x, x)

@state_kernel
def kernel(x):
    return both(x)

result = kernel(4)
kept = list(Path(environ["ACCELSIM_CACHE_DIR"], "kernels").iterdir())
print(result, both(4), len(scaled.overloads), len(kept))
""")
    assert run(code, tmp_path / "cache") == [4 * (2 + 3 + 4), 36, 1, 1]
    assert run(code, tmp_path / "cache") == [36, 36, 0, 1]
