"""YAML text to plain values, and the line of a key for messages.

YAML 1.2 with safe types only: mappings, lists, text, numbers, true and false. Duplicate keys,
foreign tags, several documents and files beyond 1 MiB are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node

from accelsim.errors import ConfigError

MAX_BYTES: Final = 1 << 20


def read_text(path: Path) -> str:
    """The text of a configuration file. Raises ``ConfigError`` if there is none."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(str(path), error.strerror or str(error), "check the path") from None
    if len(content) > MAX_BYTES:
        raise ConfigError(str(path), "larger than 1 MiB", "name a hardware file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            str(path), f"not UTF-8 text (byte {error.start})", "name a hardware file in YAML"
        ) from None


def parse_mapping(text: str, where: str) -> dict[str, Any]:
    """The top level of a hardware file. ``where`` names it in messages."""
    value = parse(text, where)
    if not isinstance(value, dict):
        found = "nothing" if value is None else f"a {type(value).__name__}"
        raise ConfigError(
            where,
            f"must be a mapping of sections, found {found}",
            "begin with `core:`, `array:`, `buffers:` and `dram:`; see hw_configs/edge_npu.yaml",
        )
    return value


def parse(text: str, where: str) -> Any:
    """One YAML value. Raises ``ConfigError`` with the line of what is wrong."""
    try:
        return YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark and "\n" in text else ""
        raise ConfigError(f"{where}{line}", _problem(error), _fix(error)) from None
    # A tag that contradicts its value (`!!bool 3`) ends in one of the last three.
    except (YAMLError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise ConfigError(
            where, f"cannot be read: {_one_line(str(error))}", "write plain YAML 1.2, without tags"
        ) from None
    except RecursionError:
        raise ConfigError(where, "nested too deeply", "write sections of keys") from None


def line_of(text: str, path: Sequence[object]) -> int | None:
    """The line on which the key ``path`` stands, from 1; None if it is not written."""
    try:
        node: Node | None = YAML(typ="safe", pure=True).compose(text)
    except (YAMLError, RecursionError):
        return None
    line = None
    for wanted in path:
        if not isinstance(node, MappingNode):
            break
        for key_node, value_node in node.value:
            if key_node.value == str(wanted):
                line, node = key_node.start_mark.line + 1, value_node
                break
        else:
            return None
    return line


def _problem(error: MarkedYAMLError) -> str:
    problem = str(error.problem or error.context or "not YAML")
    begins_elsewhere = problem.startswith("but ")
    return _one_line(f"{error.context}, {problem}" if begins_elsewhere else problem)


def _fix(error: MarkedYAMLError) -> str:
    if "duplicate key" in str(error.problem):
        return "keep one of the two"
    return "write plain YAML 1.2: `key: value`, indented by two spaces"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
