"""YAML text to plain values, and the line of a key for messages.

YAML 1.2 with safe types only: mappings, lists, text, numbers, true and false. Duplicate keys,
foreign tags and several documents are refused. Time and memory are bounded for every text: by
its bytes, by the depth of its nesting, and by the values that it stands for once all aliases
are written out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import inf
from pathlib import Path
from typing import Any, Final, cast

from ruamel.yaml import YAML
from ruamel.yaml.composer import MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from accelsim.errors import ConfigError

MAX_BYTES: Final = 1 << 16
"""The shipped files have 4 KiB; the reader needs some seconds for 64 KiB."""
MAX_DEPTH: Final = 16
"""A hardware file has a depth of 3, a study of 4."""
MAX_VALUES: Final = 20_000


def read_text(path: Path) -> str:
    """The text of a configuration file. Raises ``ConfigError`` if there is none."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(str(path), error.strerror or str(error), "check the path") from None
    if len(content) > MAX_BYTES:
        raise ConfigError(
            str(path), f"larger than {MAX_BYTES >> 10} KiB", "name a file of this kind"
        )
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
    if len(text) > MAX_BYTES:
        raise ConfigError(where, f"has more than {MAX_BYTES} characters", "write less")
    try:
        reader = _reader()
        node = reader.compose(text)
        if node is None:
            return None
        if _n_values(node, {}) > MAX_VALUES:
            raise ConfigError(
                where,
                f"stands for more than {MAX_VALUES:,} values, aliases written out",
                "write fewer, and no alias inside of what it names",
            )
        return reader.constructor.construct_document(node)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark and "\n" in text else ""
        raise ConfigError(f"{where}{line}", _problem(error), _fix(error)) from None
    # A tag that contradicts its value (`!!bool 3`) ends in one of the last three.
    except (YAMLError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise ConfigError(
            where, f"cannot be read: {_one_line(str(error))}", "write plain YAML 1.2, without tags"
        ) from None


def line_of(text: str, path: Sequence[object]) -> int | None:
    """The line of the key ``path``, counted from 1; None if it is not in the file."""
    node, line = _composed(text), None
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


@lru_cache(maxsize=4)
def _composed(text: str) -> Node | None:
    """Cached, because every problem of a file asks for a line."""
    try:
        return cast("Node | None", _reader().compose(text))
    except (YAMLError, ValueError, AttributeError, TypeError):
        return None


def _reader() -> YAML:
    reader = YAML(typ="safe", pure=True)
    reader.max_depth = MAX_DEPTH
    reader.composer.warn_double_anchors = False
    return reader


def _n_values(node: Node, known: dict[int, float]) -> float:
    """Number of nodes including ``node``, with aliases expanded.

    Infinite for an alias inside the node that it names. Each node is visited once.
    """
    if id(node) not in known:
        known[id(node)] = inf  # until it is known: met again, it stands inside of itself
        known[id(node)] = 1 + sum(_n_values(each, known) for each in _below(node))
    return known[id(node)]


def _below(node: Node) -> Iterator[Node]:
    if isinstance(node, MappingNode):
        for pair in node.value:
            yield from pair
    elif not isinstance(node, ScalarNode):
        yield from node.value


def _problem(error: MarkedYAMLError) -> str:
    if isinstance(error, MaxDepthExceededError):
        return f"nested more than {MAX_DEPTH} deep"
    problem = str(error.problem or error.context or "not YAML")
    begins_elsewhere = problem.startswith("but ")
    return _one_line(f"{error.context}, {problem}" if begins_elsewhere else problem)


def _fix(error: MarkedYAMLError) -> str:
    if isinstance(error, MaxDepthExceededError):
        return "write sections of keys"
    if "duplicate key" in str(error.problem):
        return "keep one of the two"
    return "write plain YAML 1.2: `key: value`, indented by two spaces"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
