"""Finding kernels that are not compiled yet, and compiling them before they are needed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from importlib import import_module
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

from accelsim.kernel_cache import kernel_folder
from accelsim.kernel_key import content_key, count_kernels, own_code

_PACKAGE = Path(__file__).parent
CompileProgress: TypeAlias = Callable[[int], AbstractContextManager[Callable[[], None]]]
"""Opened with the number of kernels to compile; what it gives is called after each of them."""


@contextmanager
def _in_silence(_: int) -> Iterator[Callable[[], None]]:
    yield lambda: None


def kernel_modules(package: Path = _PACKAGE) -> Iterator[str]:
    """All modules of the package whose ``warm_up()`` compiles their kernels."""
    for path in sorted(package.rglob("*.py")):
        if b"\ndef warm_up() -> None" in path.read_bytes():
            yield ".".join((package.name, *path.relative_to(package).with_suffix("").parts))


def needed_modules(roots: Iterable[str]) -> list[str]:
    """Those with a ``warm_up()`` among the modules ``roots`` and all that they import from."""
    roots = list(roots)
    packages = {name.partition(".")[0] for name in roots}
    found: dict[str, ModuleType] = {}
    while roots:
        name = roots.pop()
        if name in found:
            continue
        found[name] = import_module(name)
        for value in vars(found[name]).values():
            home = value.__name__ if isinstance(value, ModuleType) else _home(value)
            if home in sys.modules and home.partition(".")[0] in packages:
                roots.append(home)
    return sorted(
        name for name, module in found.items() if _home(vars(module).get("warm_up")) == name
    )


def cold_modules(roots: Iterable[str]) -> list[str]:
    """The needed modules whose kernels no run has compiled yet as they are."""
    return [name for name in needed_modules(roots) if not _marker(name).exists()]


def compile_kernels(roots: Iterable[str], progress: CompileProgress = _in_silence) -> None:
    """Compile the kernels that the modules ``roots`` need, unless that is done.

    A cache folder that cannot be written is no error here: each process then compiles.
    """
    cold = cold_modules(roots)
    if not cold:
        return
    from accelsim.jit.events import calling

    with progress(count_kernels(*chain(*map(_kernels, cold)))) as done, calling(done):
        for name in cold:
            import_module(name).warm_up()
            with suppress(OSError):
                _marker(name).touch()


def _home(value: object) -> str:
    """The module that a function, class or instance comes from."""
    return str(getattr(value, "__module__", ""))


def _kernels(name: str) -> list[object]:
    """The kernels of a module itself."""
    values = vars(import_module(name)).values()
    return [value for value in values if hasattr(value, "py_func") and _home(value) == name]


def _marker(name: str) -> Path:
    """Remembers that the kernels of a module are compiled as they are now."""
    code = own_code(import_module(name).warm_up)[0]
    return kernel_folder() / f"{name}-{content_key(code, *_kernels(name))}.compiled"
