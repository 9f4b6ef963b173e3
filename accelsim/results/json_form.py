"""Results to JSON and back; the same result always gives the same bytes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from accelsim.errors import UserError
from accelsim.results.figures import LayerResult, Totals
from accelsim.results.files import replacing
from accelsim.results.result import Result


def to_json(result: Result) -> str:
    """The JSON object of docs/command_line.md, indented, with a newline at the end."""
    return dumps(to_dict(result))


def to_dict(result: Result) -> dict[str, Any]:
    """The same as nested dicts; layers begin with their name."""
    whole = asdict(result)
    whole["layers"] = [_layer_dict(layer) for layer in result.layers]
    return whole


def totals_dict(totals: Totals) -> dict[str, Any]:
    """The object T of docs/command_line.md."""
    return asdict(totals)


def dumps(value: object) -> str:
    """Readable JSON with keys in the order given; refuses infinities, which are not JSON."""
    return json.dumps(value, indent=1, allow_nan=False) + "\n"


def config_sha256(config: object) -> str:
    """Hash of a resolved configuration; the order of its keys does not matter."""
    text = json.dumps(config, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def write_result(result: Result, path: Path) -> None:
    """Write ``result.json`` in one step: a reader sees either the new file or the old one."""
    with replacing(path) as unfinished:
        unfinished.write_text(to_json(result), encoding="utf-8")


def read_result(path: Path) -> Result:
    """A result that ``write_result`` or ``accelsim run --json`` wrote.

    Raises ``UserError`` for a file that is missing, not JSON, or not a result.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise UserError(str(path), str(reason), "name a result.json of `accelsim run`") from None
    return parse_result(text, str(path))


def parse_result(text: str, where: str) -> Result:
    """A result from its JSON text; ``where`` names it in messages."""
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Result).validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the file"
        problem = f"not a result of accelsim: {key}: {first['msg'].lower()}"
        raise UserError(where, problem, "name a result.json of `accelsim run`") from None


def _layer_dict(layer: LayerResult) -> dict[str, Any]:
    first = ("name", "kind", "bound")
    whole = asdict(layer)
    return {**{key: whole[key] for key in first}, **whole}
