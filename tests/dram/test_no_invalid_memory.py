"""No value of any part of a memory can be nonsense: each is replaced by some, and refused."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from math import inf, nan
from typing import Any

import pytest

from accelsim.dram.standard import STANDARDS
from accelsim.errors import ConfigError

MEMORIES = ("ddr3l_1600_x64", "ddr4_2400_x16", "lpddr5_6400_x16", "hbm2_2000_x64")
"""With every kind of pins, two and three supply rails, refresh by rank and by bank."""
FREE = ("name", "sources", "warnings")
"""Words about a memory and its parts, whatever they are."""


def parts(whole: Any) -> dict[str, Any]:
    """What a part holds, by name or place; nothing for a single value."""
    if is_dataclass(whole):
        return {field.name: getattr(whole, field.name) for field in fields(whole)}
    if isinstance(whole, tuple):
        names = getattr(whole, "_fields", range(len(whole)))
        return {str(name): part for name, part in zip(names, whole, strict=True)}
    return {}


def places(whole: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every part and every value in it, and where it stands."""
    for name, part in parts(whole).items():
        if name not in FREE:
            yield (*path, name), part
            yield from places(part, (*path, name))


def with_value(whole: Any, path: tuple[str, ...], value: Any) -> Any:
    """``whole`` with another value at one place."""
    if not path:
        return value
    name, *rest = path
    part = with_value(parts(whole)[name], tuple(rest), value)
    if is_dataclass(whole) and not isinstance(whole, type):
        return replace(whole, **{name: part})
    if hasattr(whole, "_replace"):
        return whole._replace(**{name: part})
    return tuple(part if str(i) == name else each for i, each in enumerate(whole))


def nonsense(path: tuple[str, ...], value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [2, "yes", None]
    if isinstance(value, int):
        # A current or a resistance may be written as a whole number.
        return [-1, nan, "1", None, True, *([2.5] * (path[0] != "power"))]
    if isinstance(value, float):
        # Termination of infinite resistance is none.
        return [-1.0, nan, "1", None, True, *([inf] * (path[-1] != "termination_ohm"))]
    if isinstance(value, str):
        return [3, None, *(["nonsense"] * (path != ("protocol",)))]
    # The pins of a memory, and what its currents hold of them, may be unknown.
    return [-1, "nonsense", *([None] * (path[-1] not in ("interface", "held")))]


@pytest.mark.parametrize("name", MEMORIES)
def test_no_value_of_a_memory_can_be_nonsense(name: str) -> None:
    memory = STANDARDS[name].config(2)
    accepted = []
    for path, value in places(memory):
        for wrong in nonsense(path, value):
            try:
                with_value(memory, path, wrong)
            except ConfigError as error:
                assert "fix:" in str(error)
            else:
                accepted.append((".".join(path), wrong))
    assert accepted == []
