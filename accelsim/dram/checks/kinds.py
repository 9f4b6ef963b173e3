"""Whether every value of a memory is of its declared kind, so that later checks can compare it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from accelsim.dram.system import DramSystem
from accelsim.errors import ConfigError

WANTED: Final = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


def check_kinds(config: DramSystem) -> None:
    """Numbers are numbers, whole where they count, and choices are among those that there are.

    Python does not check this by itself, and a delay of 2.5 cycles would be cut in silence.
    """
    for dotted, wanted, value in _wrong(config, type(config), ""):
        raise ConfigError(
            f"DRAM {config.name}: {dotted}",
            f"must be {wanted}, got {value!r}",
            "`accelsim dram show` lists the values of a memory",
        )


def _wrong(value: Any, kind: Any, dotted: str) -> Iterator[tuple[str, str, object]]:
    """(key, what it must be, what it is) of each value of another kind."""
    origin, options = get_origin(kind), get_args(kind)
    if origin is Literal:
        if value not in options:
            yield dotted, f"one of {', '.join(map(str, options))}", value
    elif origin is UnionType:
        if value is not None:
            yield from _wrong(value, options[0], dotted)
    elif origin is tuple:
        if not isinstance(value, tuple):
            yield dotted, "a tuple", value
            return
        kinds = options[:1] * len(value) if options[-1] is Ellipsis else options
        for place, (each, one) in enumerate(zip(value, kinds, strict=True)):
            yield from _wrong(each, one, f"{dotted}.{place}")
    elif kind in WANTED:
        if not _is(value, kind):
            yield dotted, WANTED[kind], value
    elif not isinstance(value, kind):
        yield dotted, f"a {kind.__name__}", value
    else:
        for name, one in _hints(kind).items():
            yield from _wrong(getattr(value, name), one, f"{dotted}.{name}".removeprefix("."))


def _is(value: object, kind: type) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is kind


@cache
def _hints(kind: type) -> dict[str, Any]:
    """The fields of a part and their kinds."""
    assert is_dataclass(kind) or hasattr(kind, "_fields")
    return get_type_hints(kind)
