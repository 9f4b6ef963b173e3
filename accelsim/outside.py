"""Implementations from other packages: which package, which version, and a hash of its sources.

Numbers that an outside codec, memory or dataflow affects depend on code that is not part of
this package. Keys of caches and ledgers, and the versions of a result, identify it by these facts.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution
from pathlib import Path
from secrets import token_hex

_OWN = __name__.partition(".")[0]
_NO_SOURCES = ("__pycache__", ".pyc", ".pth", ".dist-info", ".egg-info")
"""Endings of files and folders that say where and how a package lies here, not what it does."""
_NEVER_AGAIN = token_hex(8)


@dataclass(frozen=True)
class Outside:
    """An implementation of another package."""

    package: str
    version: str
    sha256: str
    """Of all files of the package: the first 16 hex digits."""

    def __str__(self) -> str:
        return f"{self.package} {self.version} ({self.sha256})"


def outside(implementation: object, package: Distribution | None) -> Outside:
    """The facts of an implementation that a package registered.

    The hash covers the packages of its classes, and the files of the distribution.
    """
    roots = _roots_of(implementation)
    files = _files_below(roots)
    if package is None:
        return Outside(", ".join(sorted(r.stem for r in roots if r)) or "?", "?", _hash_of(files))
    for file in package.files or ():
        located = Path(str(package.locate_file(file)))
        if _is_source(located):
            files[str(file)] = located
    return Outside(package.name, package.version, _hash_of(files))


def sources_of(implementation: object) -> str:
    """A hash over the outside packages of an object's classes; empty if all of it is ours.

    Classes without a file (typed into an interpreter) get one that no other process repeats.
    """
    return _hash_of_roots(frozenset(_roots_of(implementation)))


@cache
def _hash_of_roots(roots: frozenset[Path | None]) -> str:
    if None in roots:
        return _NEVER_AGAIN
    return _hash_of(_files_below(roots)) if roots else ""


def _roots_of(implementation: object) -> set[Path | None]:
    """The outermost packages (folders), or single files, of an object's classes.

    Ours and those of the standard library are left out; None stands for a class without a file.
    """
    kind = implementation if isinstance(implementation, type) else type(implementation)
    modules = {each.__module__ for each in kind.__mro__}
    if callable(implementation):  # a function's type says nothing of where it comes from
        modules.add(implementation.__module__ or "builtins")
    known = (sys.stdlib_module_names | {_OWN}) - {"__main__"}
    return {_root(name) for name in modules if name.partition(".")[0] not in known}


def _root(module: str) -> Path | None:
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        found = sys.modules.get(".".join(parts[:depth]))
        file = getattr(found, "__file__", None)
        if file is not None:
            path = Path(file).resolve()
            return path.parent if hasattr(found, "__path__") else path
    return None


def _files_below(roots: Iterable[Path | None]) -> dict[str, Path]:
    """By name relative to the folder where the package lies."""
    return {
        file.relative_to(root.parent).as_posix(): file
        for root in roots
        if root is not None
        for file in ([root] if root.is_file() else root.rglob("*"))
        if _is_source(file)
    }


def _is_source(file: Path) -> bool:
    if file.name.startswith("__editable__") or not file.is_file():
        return False
    return not any(part.endswith(_NO_SOURCES) for part in file.parts)


def _hash_of(files: Mapping[str, Path]) -> str:
    """Of names and contents; where a package is installed makes no difference."""
    digest = hashlib.sha256()
    for name, file in sorted(files.items()):
        digest.update(name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]
