"""From the section ``dram`` of a hardware file to a memory, and back.

Every ``DramConfig`` can be written as such a section: whatever differs from the named standard is
listed under ``dram.changes`` by dotted name, so a result can be run again after any change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final, TypeAlias

from accelsim.dram.config import DramConfig
from accelsim.dram.ini_files.read import parse_ini
from accelsim.dram.standard import STANDARDS
from accelsim.errors import ConfigError, nearest
from accelsim.hardware.dram_section import DramSection

Leaf: TypeAlias = int | float | str | bool

NEVER_POWER_DOWN: Final = ("ramulator", "ideal")
"""Memory controllers without power-down."""
NO_FIGURES: Final = ("sources", "warnings")
"""Fields that describe figures and are no figures themselves."""


def memory_of(dram: DramSection) -> DramConfig:
    """The memory of a checked section. Raises ``ConfigError`` for impossible settings."""
    config = _imported(dram) if dram.ini_text is not None else _native(dram)
    for dotted, value in (dram.changes or {}).items():
        config = _changed(config, dotted.split("."), value, dotted)
    return config


def changes(config: DramConfig, plain: DramConfig) -> dict[str, Leaf]:
    """The entries of ``dram.changes`` that turn ``plain`` into ``config``.

    Raises ``ConfigError`` if this is not possible because the memories have different parts.
    """
    wanted, there = dict(_leaves(config)), dict(_leaves(plain))
    if wanted.keys() != there.keys():
        other = sorted(wanted.keys() ^ there.keys())
        raise ConfigError(
            f"memory {config.name}",
            f"has other parts than its standard: {', '.join(other[:3])}",
            "give it a standard of its own (docs/dram.md)",
        )
    return {dotted: value for dotted, value in wanted.items() if value != there[dotted]}


def _native(dram: DramSection) -> DramConfig:
    why = f"the memory {dram.policy!r}" if dram.policy in NEVER_POWER_DOWN else ""
    _refuse_power_down(dram, why)
    if dram.policy == "ideal" and dram.self_refresh_cycles:
        raise ConfigError(
            "dram.self_refresh_cycles",
            f"{dram.self_refresh_cycles} is not known to the memory 'ideal', which has no ranks",
            "leave it out, or take the policy dramsim3",
        )
    return STANDARDS[dram.standard].config(
        dram.channels or 1,
        dram.address_map,
        dbi={"on": True, "off": False}.get(dram.dbi),
        self_refresh_cycles=dram.self_refresh_cycles,
        power_down_cycles=0 if why else dram.power_down_cycles,
    )


def _imported(dram: DramSection) -> DramConfig:
    _refuse_power_down(dram, "DRAMsim3, whose controller an .ini file implies")
    config, _ = parse_ini(dram.ini_text or "", dram.standard)
    own = config.organisation, config.controller
    sleeps = dram.self_refresh_cycles
    return replace(
        config,
        organisation=replace(own[0], channels=dram.channels or own[0].channels),
        controller=replace(
            own[1],
            address_map=dram.address_map or own[1].address_map,
            self_refresh_cycles=own[1].self_refresh_cycles if sleeps is None else sleeps,
        ),
    )


def _refuse_power_down(dram: DramSection, why: str) -> None:
    if why and dram.power_down_cycles:
        raise ConfigError(
            "dram.power_down_cycles",
            f"{dram.power_down_cycles} is not known to {why}",
            "leave it out; a standard by name with the policy dramsim3 powers down",
        )


def _parts(value: object) -> Mapping[str, object] | None:
    """Names and values of the fields of a part; None for a plain figure."""
    if is_dataclass(value):
        return {f.name: getattr(value, f.name) for f in fields(value) if f.name not in NO_FIGURES}
    if isinstance(value, tuple):
        names = getattr(value, "_fields", range(len(value)))
        return {str(name): each for name, each in zip(names, value, strict=True)}
    return None


def _leaves(value: object, prefix: str = "") -> Iterator[tuple[str, Any]]:
    parts = _parts(value)
    if parts is None:
        yield prefix[:-1], value
        return
    for name, part in parts.items():
        yield from _leaves(part, f"{prefix}{name}.")


def _changed(whole: Any, path: list[str], value: Leaf, dotted: str) -> Any:
    """``whole`` with one of its figures replaced, and all its checks repeated."""
    parts = _parts(whole)
    if parts is None or not path:
        kinds = (int, float) if isinstance(whole, float) else type(whole)
        if parts is not None or path or not isinstance(value, kinds):
            raise ConfigError(
                "dram.changes", f"{dotted} cannot be {value!r}", "`accelsim dram show` lists values"
            )
        return type(whole)(value)
    name, *rest = path
    if name not in parts:
        hint = nearest(name, parts)
        raise ConfigError(
            "dram.changes",
            f"{dotted} is not a value of a memory.{hint}",
            f"one of {', '.join(parts)}",
        )
    part = _changed(parts[name], rest, value, dotted)
    if is_dataclass(whole) and not isinstance(whole, type):
        return replace(whole, **{name: part})
    if hasattr(whole, "_replace"):
        return whole._replace(**{name: part})
    return tuple(part if str(place) == name else each for place, each in enumerate(whole))
