"""Results as rows of plain values, for CSV and Parquet: one dotted column per figure."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

from accelsim.results.figures import Figures, Idle
from accelsim.results.files import replacing
from accelsim.results.result import Result

Cell: TypeAlias = str | int | float | bool | None


def flat_totals(figures: Figures) -> dict[str, Cell]:
    """Every number of a layer or of a whole run: ``dram.by_tensor.ifmap.read_bytes``, ..."""
    return flatten(_figures(figures))


def flat_layers(result: Result) -> list[dict[str, Cell]]:
    """One row per layer, its name first, and one for the time between images, if any."""
    rows: list[dict[str, Cell]] = [
        {"name": x.name, "kind": x.kind, "bound": x.bound, **flat_totals(x)} for x in result.layers
    ]
    if result.idle:
        rows.append({"name": "between images", "kind": "idle", **flatten(_figures(result.idle))})
    return rows


def _figures(figures: Figures | Idle) -> dict[str, Any]:
    """All figures, without the counts that they follow from."""
    return {name: value for name, value in asdict(figures).items() if name != "counts"}


def flatten(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Cell]:
    """Nested dicts as one, with dotted keys.

    >>> flatten({"a": {"b": 1}, "c": 2})
    {'a.b': 1, 'c': 2}
    """
    flat: dict[str, Cell] = {}
    for name, value in nested.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def names_of(rows: Sequence[Mapping[str, Cell]]) -> list[str]:
    """The columns of all rows, in order of first appearance."""
    return list(dict.fromkeys(name for row in rows for name in row))


def in_a_cell(sentences: Sequence[str]) -> str | None:
    """All sentences in one cell of a table; an empty cell if there are none."""
    return "; ".join(sentences) or None


def write_csv(rows: Sequence[Mapping[str, Cell]], path: Path) -> None:
    """Write rows with the columns of all of them, in order of first appearance.

    Missing values are empty; floats have enough digits to be read back exactly.
    """
    columns = names_of(rows)
    with replacing(path) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
