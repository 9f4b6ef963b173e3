"""Find an implementation by the name used in configurations and reports.

An implementation is one file: ``accelsim.codecs.formats.zvc`` is the codec ``zvc``. The
file exports one object under the attribute name of the registry. Outside packages add theirs
through an entry point. Listing names imports nothing.

A faulty outside package (one that cannot be imported, or claims a name that is in use)
does not affect the rest: ``usable`` leaves it out and says why, and only code that asks for it by
name gets the error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from typing import Generic, TypeVar, cast

from accelsim.errors import UnknownNameError, UserError
from accelsim.outside import Outside, outside

T = TypeVar("T")


class Registry(Generic[T]):
    """The implementations of one kind, by name.

    Two implementations under one name are an error, never an override: a result must
    not depend on which package happened to be installed. A name of ours stays ours.

    ``package`` is the folder with one file per implementation, ``attribute`` the name
    that each file exports, ``group`` the entry point group of outside packages.
    ``complaint`` says what is wrong with an object that an entry point names, or nothing.
    """

    def __init__(
        self,
        kind: str,
        package: str,
        attribute: str,
        group: str,
        complaint: Callable[[object], str] = lambda _: "",
    ) -> None:
        self.kind, self._package, self._attribute, self._group = kind, package, attribute, group
        self._complaint = complaint

    @cached_property
    def _files(self) -> frozenset[str]:
        path = import_module(self._package).__path__
        return frozenset(m.name for m in iter_modules(path) if not m.name.startswith("_"))

    @cached_property
    def _registered(self) -> dict[str, list[EntryPoint]]:
        """By name: one, unless packages collide."""
        found: dict[str, dict[str, EntryPoint]] = {}
        for point in entry_points(group=self._group):
            found.setdefault(point.name, {}).setdefault(point.value, point)
        return {name: list(points.values()) for name, points in found.items()}

    @cached_property
    def _entry_points(self) -> dict[str, EntryPoint]:
        """Those whose name is theirs alone."""
        alone = {name: points[0] for name, points in self._registered.items() if len(points) == 1}
        return {name: point for name, point in alone.items() if name not in self._files}

    def __getitem__(self, name: str) -> T:
        """Raises ``UnknownNameError``, or ``UserError`` for a package that is to blame."""
        if name in self._files:
            module = import_module(f"{self._package}.{name}")
            return cast(T, getattr(module, self._attribute))
        if name in self._entry_points:
            return self._load(self._entry_points[name])
        if points := self._registered.get(name):
            raise self._blame(points, f"is registered {len(points)} times; none is used")
        raise UnknownNameError(self.kind, name, self)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._files | self._entry_points.keys() | self._registered.keys()))

    def __contains__(self, name: object) -> bool:
        return name in self._files or name in self._entry_points or name in self._registered

    def usable(self) -> tuple[dict[str, T], tuple[str, ...]]:
        """Every usable implementation by name, and what is wrong with the others."""
        found: dict[str, T] = {}
        problems = list(self.warnings())
        for name in self:
            try:
                found[name] = self[name]
            except UserError as error:
                problems.append(str(error))
        return found, tuple(problems)

    def warnings(self, name: str | None = None) -> tuple[str, ...]:
        """Entry points that are ignored because they take a name of ours (or ``name`` alone)."""
        return tuple(
            str(self._blame(points, "takes a name of ours, and is not used"))
            for other, points in self._registered.items()
            if other in self._files and name in (None, other)
        )

    def outside(self, name: str) -> Outside | None:
        """The package of an implementation; None if it is ours. Raises as ``[name]`` does."""
        if name in self._files:
            return None
        implementation = self[name]
        return outside(implementation, getattr(self._entry_points[name], "dist", None))

    def _load(self, point: EntryPoint) -> T:
        # A package of others may raise anything on import, SystemExit included.
        try:
            loaded = point.load()
        except (Exception, SystemExit) as error:
            why = str(error).partition("\n")[0]
            raise self._blame([point], f"cannot be loaded: {type(error).__name__}: {why}") from None
        if complaint := self._complaint(loaded):
            raise self._blame([point], f"({point.value}) {complaint}")
        return cast(T, loaded)

    def _blame(self, points: list[EntryPoint], problem: str) -> UserError:
        packages = sorted({_package(point) for point in points})
        return UserError(
            f"{self.kind} {points[0].name!r} of {' and '.join(packages)} "
            f"(entry point group {self._group})",
            problem,
            f"mend it, or remove it: pip uninstall {' or '.join(p.split()[0] for p in packages)}",
        )


def _package(point: EntryPoint) -> str:
    """The distribution and its version, else the module."""
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.module
