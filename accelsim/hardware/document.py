"""A hardware file before it is checked: nested plain values, and where each comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, cast

from accelsim.errors import ConfigError, nearest, shortened
from accelsim.hardware.keys import leaves
from accelsim.hardware.schema import HardwareFile
from accelsim.hardware.yaml_file import line_of, parse

MAX_OPTION_CHARACTERS: Final = 200
Overrides: TypeAlias = Mapping[str, object] | Sequence[str]


@dataclass(frozen=True)
class Document:
    """The values as written, with overrides applied."""

    where: str
    """The file, as named in messages; empty for a part of a chip."""
    values: dict[str, Any]
    text: str = ""
    """The YAML, for the lines of messages; empty if the values come from a result."""
    overridden: dict[str, str] = field(default_factory=dict)
    """Dotted key to `--set key=value`."""

    def place(self, path: Sequence[object]) -> str:
        """Where the key ``path`` was read: `file.yaml:12: array.rows`."""
        dotted = ".".join(map(shortened, path))
        for key, option in self.overridden.items():
            if dotted == key or dotted.startswith(f"{key}."):
                return shortened(option, MAX_OPTION_CHARACTERS)
        line = line_of(self.text, path) if self.text else None
        if line:
            return f"{self.where}:{line}: {dotted}"
        return f"{self.where}: {dotted}" if self.where else dotted

    def get(self, dotted: str) -> Any:
        """The value of a key, or None if it is not there."""
        return _get(self.values, dotted)

    def with_overrides(self, overrides: Overrides) -> Document:
        """The document with ``a.b=c`` strings, or a mapping of dotted keys, applied.

        Text is read as a YAML scalar or list, so ``32`` is a number and ``[16, 1, 64]`` a
        block; keys that hold text take it as it is. Raises ``ConfigError`` for unknown keys.
        """
        given = [(key, _read(key, value)) for key, value in pairs(overrides)]
        if not given:
            return self
        options = {key: f"--set {key}={value}" for key, value in pairs(overrides)}
        values = deepcopy(self.values)
        _open_derived(values)
        _put_all(values, given)
        # Figures of the lanes of one codec do not apply to another; the same holds for a memory.
        if lane_codec(values) != lane_codec(self.values):
            _remove(values, "codec.hardware")
        if _get(values, "dram.standard") != self.get("dram.standard"):
            _remove(values, "dram.ini_text")
            _remove(values, "dram.changes")
        # A shared buffer takes the place of those of the maps.
        if dict(given).get("buffers.shared_kib"):
            _put_all(values, [("buffers.ifmap_kib", 0), ("buffers.ofmap_kib", 0)])
        _put_all(values, given)
        return Document(self.where, values, self.text, self.overridden | options)


def flat(values: object, prefix: str = "") -> dict[str, object]:
    """Every leaf of a hardware file by its dotted key.

    >>> flat({"name": "tiny", "vector": {"lanes": 4}})
    {'name': 'tiny', 'vector.lanes': 4}
    """
    if not isinstance(values, dict) or prefix[:-1] in _LEAVES:
        return {prefix[:-1]: values}
    found: dict[str, object] = {}
    for name, value in values.items():
        found.update(flat(value, f"{prefix}{name}."))
    return found


def lane_codec(values: dict[str, Any]) -> object:
    """The codec whose lanes the chip has: that of the feature maps."""
    return _get(values, "codec.name") or "raw"


def pairs(overrides: Overrides) -> list[tuple[str, object]]:
    """Keys and values of ``--set`` options, in order."""
    if isinstance(overrides, Mapping):
        return list(overrides.items())
    split: list[tuple[str, object]] = []
    for text in overrides:
        dotted, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"--set {text}", "has no `=`", "write --set array.rows=32")
        split.append((dotted.strip(), value.strip()))
    return split


_LEAVES: Final = {facts.key: facts for facts in leaves(HardwareFile)}


def _check_key(dotted: str, option: str) -> None:
    if dotted in _LEAVES:
        return
    inside = [key for key in _LEAVES if key.startswith(f"{dotted}.")]
    if inside:
        raise ConfigError(option, "is a section, not a key", f"set one of {', '.join(inside)}")
    last = dotted.rpartition(".")[2]
    same_name = [key for key in _LEAVES if key.rpartition(".")[2] == last]
    hint = f" Did you mean {same_name[0]!r}?" if same_name else nearest(dotted, _LEAVES)
    raise ConfigError(
        option, f"unknown key {dotted!r}.{hint}", "`accelsim hw show` lists every key"
    )


def _read(dotted: str, value: object) -> object:
    option = shortened(f"--set {dotted}={value}", MAX_OPTION_CHARACTERS)
    _check_key(dotted, option)
    takes_text = _LEAVES[dotted].allowed.startswith(("text", "one of"))
    if not isinstance(value, str) or (takes_text and value != "null"):
        return value
    return parse(value, option)


def _get(values: dict[str, Any], dotted: str) -> Any:
    value: Any = values
    for name in dotted.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _put_all(values: dict[str, Any], given: list[tuple[str, object]]) -> None:
    for dotted, value in given:
        *sections, last = dotted.split(".")
        target: Any = values
        for name in sections:
            if isinstance(target, dict):
                target = target[name] if target.get(name) is not None else _new(target, name)
        if isinstance(target, dict):  # else the section itself is wrong, and will be reported
            target[last] = value


def _new(values: dict[str, Any], name: str) -> dict[str, Any]:
    values[name] = {}
    return cast("dict[str, Any]", values[name])


def _open_derived(values: dict[str, Any]) -> None:
    """Remove values that were derived from other keys, but not their sources."""
    derived = values.pop("derived", None)
    for dotted in derived if isinstance(derived, list) else ():
        section, _, name = str(dotted).rpartition(".")
        holder = _get(values, section)
        if isinstance(holder, dict):
            holder.pop(name, None)


def _remove(values: dict[str, Any], dotted: str) -> None:
    """Remove a part and the sources of its values."""
    section, _, name = dotted.partition(".")
    if isinstance(values.get(section), dict):
        values[section].pop(name, None)
    if isinstance(sources := values.get("sources"), dict):
        kept = {k: v for k, v in sources.items() if not str(k).startswith(f"{dotted}.")}
        values["sources"] = kept
