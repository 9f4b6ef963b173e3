"""Everything that is wrong with a hardware file, with a remedy for each problem."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from accelsim.array.dataflow import DATAFLOWS, zeros_complaint
from accelsim.codecs.named import codec_of_any_width
from accelsim.dram.memory import POLICIES
from accelsim.dram.standard import STANDARDS
from accelsim.errors import (
    CodecError,
    ConfigError,
    UnknownNameError,
    UserError,
    nearest,
    shortened,
)
from accelsim.hardware.document import Document, flat
from accelsim.hardware.keys import KeyFacts, leaves
from accelsim.hardware.schema import HardwareFile
from accelsim.registry import Registry

NAMES: Final[dict[str, Registry[Any]]] = {
    "array.dataflow": DATAFLOWS,
    "dram.standard": STANDARDS,
    "dram.policy": POLICIES,
}
MAX_PROBLEMS: Final = 100
"""A limit, because every problem needs a search for the nearest name."""
OPEN: Final = (None, "auto")
"""Values by which a file leaves a key open; the value is then derived from the rest."""
NOTHING: Final = ("dram.ini_text", "dram.changes")
"""Keys for which null is a value and means that there is none."""
SECTION: Final = "write the keys below it, indented by two spaces"
_LEAVES: Final[dict[str, KeyFacts]] = {facts.key: facts for facts in leaves(HardwareFile)}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong or unwise."""

    where: str
    problem: str
    fix: str

    def error(self, n_others: int = 0) -> ConfigError:
        """The same as an exception, which mentions how many others there are."""
        more = f" ({n_others} more: `accelsim hw check` lists all)" if n_others else ""
        return ConfigError(self.where, self.problem + more, self.fix)


def checked(document: Document) -> HardwareFile:
    """The document as checked values. Raises ``ConfigError`` for the first problem."""
    problems = find(document)
    if problems:
        raise problems[0].error(len(problems) - 1)
    return HardwareFile.model_validate(document.values)


def check_part(section: str, values: dict[str, Any]) -> None:
    """Refuse a part of a chip that its section of a hardware file cannot hold.

    Raises ``ConfigError`` for the first problem.
    """
    document = Document("", {section: values})
    model = cast("type[BaseModel]", HardwareFile.model_fields[section].annotation)
    try:
        model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        first["loc"] = (section, *first["loc"])
        raise _describe(document, first).error() from None
    checks = (_left_open, _unknown_names, _blocks_of_a_codec, _buffers, _zeros_of_a_dataflow)
    for problem in (each for check in checks for each in check(document)):
        raise problem.error()


def _left_open(document: Document) -> Iterator[Problem]:
    """Problems for keys that a file may leave open, but a part of a chip must set."""
    for dotted, value in flat(document.values).items():
        if value in OPEN and dotted not in NOTHING:
            facts = _LEAVES[dotted]
            wanted = _wanted(facts).replace(" or null", "").replace("auto, ", "")
            yield Problem(dotted, f"must be {wanted}, got {_shown(value)}", _about(facts))


def find(document: Document) -> list[Problem]:
    """Problems of types, bounds, keys and names, missing keys last; at most ``MAX_PROBLEMS``."""
    return list(islice(_all(document), MAX_PROBLEMS))


def _all(document: Document) -> Iterator[Problem]:
    details: list[ErrorDetails] = []
    try:
        HardwareFile.model_validate(document.values)
    except ValidationError as error:
        details = error.errors(include_url=False)
    missing = [detail for detail in details if detail["type"] == "missing"]
    yield from (_describe(document, each) for each in details if each["type"] != "missing")
    yield from _unknown_names(document)
    yield from _combinations(document)
    yield from (_describe(document, each) for each in missing)


def _unknown_names(document: Document) -> Iterator[Problem]:
    for key, registry in NAMES.items():
        name = document.get(key)
        if not isinstance(name, str) or name in registry:
            continue
        if key == "dram.standard" and document.get("dram.ini_text") is not None:
            continue
        yield Problem(
            document.place(key.split(".")),
            f"unknown {registry.kind} {shortened(name)!r}.{nearest(name, registry)}",
            f"known: {', '.join(registry)}",
        )
    yield from _unknown_codec(document, "codec.name")
    sources = document.get("sources")
    for key in sources if isinstance(sources, dict) else ():
        if key not in _LEAVES:
            yield Problem(
                document.place(["sources", key]),
                f"gives the source of an unknown key.{nearest(str(key), _LEAVES)}",
                "use the dotted key of a value, such as array.rows",
            )
    derived = document.get("derived")
    for key in derived if isinstance(derived, list) else ():
        if key not in _LEAVES:
            yield Problem(
                document.place(["derived"]),
                f"names an unknown key, {shortened(key)!r}.{nearest(str(key), _LEAVES)}",
                "use the dotted key of a value, such as codec.lanes",
            )


def _unknown_codec(document: Document, key: str) -> Iterator[Problem]:
    name = document.get(key)
    try:
        if isinstance(name, str):
            codec_of_any_width(name)
    except (UnknownNameError, CodecError) as error:
        yield Problem(
            document.place(key.split(".")), str(error), "`accelsim codecs list` shows all codecs"
        )


def _combinations(document: Document) -> Iterator[Problem]:
    yield from _buffers(document)
    yield from _blocks_of_a_codec(document)
    yield from _zeros_of_a_dataflow(document)
    yield from _data_on_the_pins(document)


def _blocks_of_a_codec(document: Document) -> Iterator[Problem]:
    coded = document.get("codec.name") not in (None, "raw")
    if coded and document.get("codec.layout") == "linear":
        yield Problem(
            document.place(["codec", "layout"]),
            f"linear has no blocks, which {document.get('codec.name')} needs",
            "one of auto, slotted, packed",
        )


def _buffers(document: Document) -> Iterator[Problem]:
    """Ifmaps, weights and ofmaps each lie in one buffer: their own, or the shared one."""
    if not isinstance(document.get("buffers"), dict):
        return
    shared = document.get("buffers.shared_kib") or 0
    for name in ("ifmap", "weight", "ofmap"):
        key = f"buffers.{name}_kib"
        own, facts = document.get(key), _LEAVES[key]
        where = document.place(["buffers", f"{name}_kib"])
        if own is None and not shared:
            yield Problem(where, "is missing", f"add {facts.meaning}: {_wanted(facts)}")
        elif own == 0 and not shared:
            fix = f"{_about(facts)}; or set buffers.shared_kib"
            yield Problem(where, "must be above 0 where no buffer is shared, got 0", fix)
        elif own and shared and name != "weight":
            yield Problem(
                where,
                f"must be 0, got {_shown(own)}: buffers.shared_kib takes its place",
                f"leave {key} out, or set buffers.shared_kib to 0",
            )


def _zeros_of_a_dataflow(document: Document) -> Iterator[Problem]:
    """What asks of a dataflow more than it offers."""
    zeros, of = document.get("array.zeros"), document.get("array.zeros_of") or "ifmap"
    name = document.get("array.dataflow") or "output_stationary"
    if zeros not in ("gate", "skip") or not isinstance(name, str) or name not in DATAFLOWS:
        return
    try:
        problem = zeros_complaint(DATAFLOWS[name], zeros, str(of))
    except UserError:
        return  # a broken package says so itself, when its dataflow is used
    if problem:
        fix = "choose none or gate, another array.zeros_of, or another array.dataflow"
        yield Problem(document.place(["array", "zeros"]), problem, fix)


def _data_on_the_pins(document: Document) -> Iterator[Problem]:
    """Settings that the pins of the memory's standard do not support."""
    name = str(document.get("dram.standard"))
    known = name in STANDARDS and document.get("dram.ini_text") is None
    pins = STANDARDS[name].power.interface if known else None
    if document.get("dram.dbi") == "on" and not (pins and pins.has_dbi):
        yield Problem(
            document.place(["dram", "dbi"]),
            f"{name} has no inversion that saves costly bits",
            "choose off or default",
        )
    measured = document.get("energy.dram_data") not in (None, "pins")
    if measured and not (known and STANDARDS[name].is_ddr3l):
        yield Problem(
            document.place(["energy", "dram_data"]),
            f"{document.get('energy.dram_data')} is measured on DDR3L modules, not on {name}",
            "choose pins, or dram.standard ddr3l_1600_x64",
        )


def _describe(document: Document, detail: ErrorDetails) -> Problem:
    path, kind = list(detail["loc"]), detail["type"]
    while kind != "invalid_key" and isinstance(path[-1], int):
        path.pop()  # the position in a list: the list is the value to speak of
    dotted = ".".join(map(str, path))
    where = document.place(path) if path else document.where
    facts = _LEAVES.get(dotted)
    if kind in ("extra_forbidden", "invalid_key"):
        return _unknown_key(where, path)
    if kind == "missing" and facts is None:
        return Problem(where, "section is missing", f"add `{path[-1]}:` with its keys")
    if kind == "missing" and facts is not None and len(path) == len(detail["loc"]):
        return Problem(where, "is missing", f"add {facts.meaning}: {_wanted(facts)}")
    if path[:1] == ["sources"] and facts is None:
        return Problem(where, "must be text: a dotted key and its source", "put it in quotes")
    if facts is None:
        return Problem(where, f"must be a section of keys, got {_shown(detail['input'])}", SECTION)
    if kind == "value_error":
        reason = detail["msg"].removeprefix("Value error, ")
        return Problem(where, f"{reason}, got {_shown(document.get(dotted))}", _about(facts))
    return Problem(
        where, f"must be {_wanted(facts)}, got {_shown(document.get(dotted))}", _about(facts)
    )


def _about(facts: KeyFacts) -> str:
    return f"{facts.key} means: {facts.meaning}"


def _wanted(facts: KeyFacts) -> str:
    return f"{facts.allowed} ({facts.unit})" if facts.unit else facts.allowed


def _unknown_key(where: str, path: list[int | str]) -> Problem:
    model: type[BaseModel] = HardwareFile
    for name in path[:-1]:
        model = model.model_fields[str(name)].annotation  # type: ignore[assignment]
    siblings, last = list(model.model_fields), str(path[-1])
    hint = nearest(last, siblings)
    elsewhere = [key for key in _LEAVES if key.rpartition(".")[2] == last]
    if not hint and elsewhere:
        hint = f" Did you mean {elsewhere[0]!r}?"
    return Problem(
        where, f"unknown key {shortened(last)!r}.{hint}", f"known here: {', '.join(siblings)}"
    )


def _shown(value: object) -> str:
    """A value of any size in a few characters."""
    if value is None:
        return "nothing"
    if isinstance(value, int) and value.bit_length() > 200:
        return f"a number of {value.bit_length()} bits"
    if isinstance(value, list | dict) and value and not _is_plain(value):
        return f"{'a list' if isinstance(value, list) else 'a mapping'} of {len(value)}"
    return shortened(repr(value))


def _is_plain(values: list[Any] | dict[Any, Any]) -> bool:
    """Whether a value is short, and without numbers of thousands of digits."""
    inside = values if isinstance(values, list) else [*values.values()]
    return len(inside) <= 6 and all(
        each.bit_length() <= 200 if isinstance(each, int) else isinstance(each, str | float | None)
        for each in inside
    )
