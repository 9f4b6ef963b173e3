"""Find an implementation by the name used in configurations and reports.

An implementation is one file: ``accelsim.codecs.formats.zvc`` is the codec ``zvc``. The
file exports one object under the registry's attribute name. Outside packages add theirs
through an entry point. Listing names imports nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from typing import Generic, TypeVar, cast

from accelsim.errors import UnknownNameError

T = TypeVar("T")


class Registry(Generic[T]):
    """The implementations of one kind, by name.

    Two implementations under one name are an error, never an override: a result must
    not depend on which package happened to be installed.

    ``package`` is the folder with one file per implementation, ``attribute`` the name
    that each file exports, ``group`` the entry point group of outside packages.
    """

    def __init__(self, kind: str, package: str, attribute: str, group: str) -> None:
        self.kind, self._package, self._attribute, self._group = kind, package, attribute, group

    @cached_property
    def _files(self) -> frozenset[str]:
        path = import_module(self._package).__path__
        return frozenset(m.name for m in iter_modules(path) if not m.name.startswith("_"))

    @cached_property
    def _entry_points(self) -> dict[str, EntryPoint]:
        found: dict[str, EntryPoint] = {}
        for point in entry_points(group=self._group):
            if point.name in self._files or point.name in found:
                raise ValueError(f"{self.kind} {point.name!r} is registered twice ({point.value})")
            found[point.name] = point
        return found

    def __getitem__(self, name: str) -> T:
        if name in self._files:
            module = import_module(f"{self._package}.{name}")
            return cast(T, getattr(module, self._attribute))
        if name in self._entry_points:
            return cast(T, self._entry_points[name].load())
        raise UnknownNameError(self.kind, name, self)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._files | self._entry_points.keys()))

    def __contains__(self, name: object) -> bool:
        return name in self._files or name in self._entry_points
