"""A sweep as a table: CSV always, Parquet where polars is installed."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from accelsim.results.files import replacing
from accelsim.results.flat import Cell, flat_totals, in_a_cell, names_of, write_csv
from accelsim.sweeps.pareto import pareto_front
from accelsim.sweeps.run import SweepResult


def rows(result: SweepResult) -> list[dict[str, Cell]]:
    """One row per point: what was varied, every figure of the totals, warnings, what went
    wrong.

    ``pareto`` is true where no other point has both less energy per image and more speed.
    """
    front = pareto_front(result)
    table = []
    for point in result.points:
        done = result.results.get(point.index)
        table.append(
            {
                "point": point.index,
                **{key: _cell(value) for key, value in point.overrides.items()},
                "images": point.images,
                "pareto": point.index in front,
                **({} if done is None else flat_totals(done.totals)),
                "warnings": None if done is None else in_a_cell(done.warnings),
                "error": result.failed.get(point.index),
            }
        )
    return table


def export(result: SweepResult) -> list[Path]:
    """Write ``points.csv`` (and ``points.parquet``) to the sweep's folder; what was written."""
    table = rows(result)
    written = [result.folder / "points.csv"]
    write_csv(table, written[0])
    try:
        import polars
    except ModuleNotFoundError:
        return written
    # A column without a value has a type all the same, so that files of several sweeps join.
    texts = {"warnings", "error", *(key for point in result.points for key in point.overrides)}
    empty = [name for name in names_of(table) if all(row.get(name) is None for row in table)]
    types = {name: polars.String if name in texts else polars.Float64 for name in empty}
    frame = polars.DataFrame(table, schema_overrides=types, infer_schema_length=None, strict=False)
    # By way of memory: polars says of a full disk that the file is out of specification.
    content = BytesIO()
    frame.write_parquet(content)
    with replacing(result.folder / "points.parquet") as unfinished:
        unfinished.write_bytes(content.getvalue())
    return [*written, result.folder / "points.parquet"]


def _cell(value: object) -> Cell:
    return value if isinstance(value, str | int | float | bool | None) else str(value)
