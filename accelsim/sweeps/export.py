"""A sweep as a table: always as CSV, and as Parquet if polars is installed."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from accelsim.results.files import replacing
from accelsim.results.flat import names_of, write_csv
from accelsim.sweeps.result import SweepResult


def export(result: SweepResult) -> list[Path]:
    """Write ``points.csv`` (and ``points.parquet``) to the sweep's folder; returns their paths."""
    table = result.rows()
    written = [result.folder / "points.csv"]
    write_csv(table, written[0])
    try:
        import polars
    except ModuleNotFoundError:
        return written
    # A column without values still has a type, so that files of several sweeps can be joined.
    texts = {"warnings", "error", *(key for point in result.points for key in point.overrides)}
    empty = [name for name in names_of(table) if all(row.get(name) is None for row in table)]
    types = {name: polars.String if name in texts else polars.Float64 for name in empty}
    frame = polars.DataFrame(table, schema_overrides=types, infer_schema_length=None, strict=False)
    # Written to memory first: on a full disk, polars reports a file out of specification.
    content = BytesIO()
    frame.write_parquet(content)
    with replacing(result.folder / "points.parquet") as unfinished:
        unfinished.write_bytes(content.getvalue())
    return [*written, result.folder / "points.parquet"]
