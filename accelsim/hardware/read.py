"""Reading a hardware file: YAML in, a resolved chip out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from accelsim.data_files import shipped
from accelsim.errors import ConfigError, nearest
from accelsim.hardware.chip import Chip
from accelsim.hardware.document import Document, Overrides
from accelsim.hardware.resolve import resolve
from accelsim.hardware.yaml_file import parse_mapping, read_text


def read_hardware(name_or_path: str | Path, overrides: Overrides = ()) -> Chip:
    """The chip of a YAML file, or of a shipped one by name.

    ``overrides`` are strings ``a.b=c``, or a mapping of dotted keys to values. A codec other
    than that of the file brings its own lane figures. Raises ``ConfigError`` with file and
    line, what was read, what is allowed, and the nearest valid name.

    >>> chip = read_hardware("edge_npu", ["array.rows=32"])
    >>> chip.array.rows, chip.array.cols, chip.codec.name
    (32, 16, 'raw')
    """
    return chip_from_document(read_document(name_or_path), overrides)


def chip_from_resolved(resolved: Mapping[str, object], overrides: Overrides = ()) -> Chip:
    """The chip described by ``Chip.resolved``, which result files hold."""
    if not isinstance(resolved, Mapping):
        raise ConfigError("configuration", "must be a mapping", "name a result of `accelsim run`")
    return chip_from_document(Document("configuration", dict(resolved)), overrides)


def chip_from_document(document: Document, overrides: Overrides) -> Chip:
    """The chip of a document, so that a file is read once for many overrides."""
    return resolve(with_ini_text(document.with_overrides(overrides)))


def read_document(name_or_path: str | Path) -> Document:
    """The values of a file before they are checked."""
    path = find_file(name_or_path)
    text = read_text(path)
    values = {"name": path.stem, **parse_mapping(text, str(path))}
    return Document(str(path), values, text)


def shipped_files() -> list[Path]:
    """The hardware files that come with accelsim, by name."""
    return sorted(shipped("hw_configs").glob("*.yaml"))


def find_file(name_or_path: str | Path) -> Path:
    """The file with this path, or the shipped file with this name. Raises ``ConfigError``."""
    path = Path(name_or_path)
    if path.is_file():
        return path
    known = {file.stem: file for file in shipped_files()}
    if str(name_or_path) in known:
        return known[str(name_or_path)]
    raise ConfigError(
        str(name_or_path),
        f"no such hardware file.{nearest(str(name_or_path), known)}",
        f"name a YAML file, or one of {', '.join(known)}",
    )


def with_ini_text(document: Document) -> Document:
    """The document with the text of the DRAMsim3 file that ``dram.standard`` names, relative to the
    current folder or to the hardware file, so that a result can be run again without that file."""
    standard = document.get("dram.standard")
    is_ini = isinstance(standard, str) and standard.endswith(".ini")
    if not is_ini or document.get("dram.ini_text") is not None:
        return document
    path = Path(standard) if Path(standard).is_file() else Path(document.where).parent / standard
    if not path.is_file():
        where = document.place(["dram", "standard"])
        raise ConfigError(where, f"no such file: {standard}", "name a .ini file, or a standard")
    dram = {**cast("dict[str, Any]", document.values["dram"]), "ini_text": read_text(path)}
    return replace(document, values={**document.values, "dram": dram})
