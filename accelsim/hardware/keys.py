"""Sections and keys of a hardware file: unit, meaning, bounds, reason of the default."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

REQUIRED: Any = ...
WORDS = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "text"}


class Section(BaseModel):
    """Unknown keys are errors, numbers are finite, and nothing is converted silently."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, validate_default=False
    )


def key(default: Any, unit: str, meaning: str, reason: str = "", **bounds: Any) -> Any:
    """A key of the file; ``reason`` explains its default."""
    extra: dict[str, Any] = {"unit": unit}
    if reason:
        extra["default_reason"] = reason
    return Field(default, description=meaning, json_schema_extra=extra, **bounds)


def part(default_factory: Callable[[], BaseModel] | None = None) -> Any:
    """A section of the file; without a factory it is required."""
    return Field(default_factory=default_factory) if default_factory else Field()


@dataclass(frozen=True)
class KeyFacts:
    """What the schema knows about one key."""

    key: str
    unit: str
    meaning: str
    allowed: str
    """The allowed values as a phrase: `a whole number from 1 to 4096`."""
    default_reason: str
    required: bool


def leaves(model: type[BaseModel], prefix: str = "") -> Iterator[KeyFacts]:
    """Every key of the file by its dotted name, in the order of the schema."""
    for name, field in model.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            yield from leaves(section, f"{prefix}{name}.")
        else:
            yield _facts(prefix + name, field)


def _facts(dotted: str, field: FieldInfo) -> KeyFacts:
    extra = field.json_schema_extra
    facts: dict[str, Any] = extra if isinstance(extra, dict) else {}
    return KeyFacts(
        key=dotted,
        unit=str(facts.get("unit", "")),
        meaning=field.description or "",
        allowed=_allowed(field),
        default_reason=str(facts.get("default_reason", "")),
        required=field.is_required(),
    )


def _allowed(field: FieldInfo) -> str:
    options = [a for a in get_args(field.annotation) if a is not type(None)]
    or_null = " or null" if type(None) in get_args(field.annotation) else ""
    if get_origin(field.annotation) is Literal:
        return f"one of {', '.join(map(str, options))}"
    if tuple in (get_origin(field.annotation), *map(get_origin, options)):
        return f"a list of three whole numbers, each 1 or more{or_null}"
    if dict in (get_origin(field.annotation), *map(get_origin, options)):
        return f"a mapping of keys to {'values' if or_null else 'text'}{or_null}"
    if get_origin(field.annotation) is list:
        return "a list of keys"
    kind = options[0] if options else field.annotation
    return f"{WORDS[str(getattr(kind, '__name__', ''))]}{_bounds(field)}{or_null}"


def _bounds(field: FieldInfo) -> str:
    bounds = {
        name: getattr(limit, name)
        for limit in field.metadata
        for name in ("gt", "ge", "le")
        if hasattr(limit, name)
    }
    if "gt" in bounds:
        return f" above {bounds['gt']}, up to {bounds['le']}"
    return f" from {bounds['ge']} to {bounds['le']}" if bounds else ""
