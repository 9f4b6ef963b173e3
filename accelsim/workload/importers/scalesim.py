"""SCALE-Sim's topology CSV: independent layers, as shapes.

Read from SCALE-Sim 3.0.0. The first line is a header and always skipped; blank lines too.
A conv row is ``name, ifmap rows, ifmap cols, filter rows, filter cols, channels, filters,
stride,`` and a gemm row is ``name, M, N, K,``; both may end in a sparsity column ``N:M,``.

SCALE-Sim itself drops whatever follows the last comma of a row; here a row means the same
with and without its trailing comma. Its rows have no padding, groups, batch or joins, and
its output sizes are rounded up, where real networks round down: ``product`` gives
SCALE-Sim's shapes, ``topology_graph`` the true ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from accelsim.errors import UserError
from accelsim.units import ceil_div
from accelsim.workload.graph import Edge, Graph
from accelsim.workload.layer import Conv, Window

Form: TypeAlias = Literal["conv", "gemm"]

_COLUMNS: Final[dict[Form, tuple[str, ...]]] = {
    "conv": (
        "ifmap rows",
        "ifmap columns",
        "filter rows",
        "filter columns",
        "channels",
        "filters",
        "stride",
    ),
    "gemm": ("M", "N", "K"),
}
_MAX_BYTES: Final = 1 << 24
_MAX_SIZE: Final = 1 << 24


@dataclass(frozen=True)
class TopologyRow:
    """One layer of a topology file, as SCALE-Sim sees it: a convolution without padding.

    A gemm row M, N, K has an ifmap of M x K, filters of 1 x K, one channel and stride 1.
    """

    name: str
    ifmap_rows: int
    ifmap_cols: int
    filter_rows: int
    filter_cols: int
    channels: int
    filters: int
    stride: int
    sparsity: tuple[int, int] = (1, 1)
    """N:M of the last column: N of M weights are kept. Ignored by SCALE-Sim's dense model."""

    @property
    def product(self) -> tuple[int, int, int]:
        """M, N, K of the matrix product that SCALE-Sim computes, output sizes rounded up.

        >>> TopologyRow("Conv4_s", 28, 28, 1, 1, 128, 256, 2).product
        (225, 256, 128)
        """
        rows = ceil_div(self.ifmap_rows - self.filter_rows + self.stride, self.stride)
        cols = ceil_div(self.ifmap_cols - self.filter_cols + self.stride, self.stride)
        return rows * cols, self.filters, self.filter_rows * self.filter_cols * self.channels


def read_topology(path: str | Path, form: Form = "conv") -> tuple[TopologyRow, ...]:
    """The rows of a topology file.

    Raises ``UserError`` with the line number for what is no layer.
    """
    where = str(path)
    rows = []
    for number, line in enumerate(_lines(Path(path), where), start=1):
        if number > 1 and line.strip():
            rows.append(_row(line, form, f"{where}, line {number}"))
    if not rows:
        raise UserError(where, "has no layers", "the first line is a header; layers follow it")
    return tuple(rows)


def topology_graph(rows: Sequence[TopologyRow]) -> Graph:
    """The layers with their true (rounded down) output sizes; each reads its own input.

    A product of matrices becomes a 1 x 1 convolution over M positions. Names that occur
    several times are numbered.
    """
    layers: list[Conv] = []
    edges: list[Edge] = []
    seen: Counter[str] = Counter()
    for row in rows:
        seen[row.name] += 1
        name = row.name if seen[row.name] == 1 else f"{row.name} #{seen[row.name]}"
        source = _input(row, f"{name}/input")
        kernel = (1, 1) if source.channels != row.channels else (row.filter_rows, row.filter_cols)
        window = Window(kernel, (row.stride, row.stride))
        layers.append(
            Conv(name, source.name, name, source.channels, row.filters, window, activation="relu")
        )
        edges += [source, Edge(name, row.filters, *window.out_size(source.rows, source.cols))]
    return Graph(
        layers=tuple(layers),
        edges=tuple(edges),
        inputs=tuple(x.input for x in layers),
        outputs=tuple(x.output for x in layers),
    )


def _input(row: TopologyRow, name: str) -> Edge:
    # SCALE-Sim writes an M x K matrix as one channel whose filters cover a whole row.
    is_product = row.channels == row.filter_rows == row.stride == 1 < row.filter_cols
    if is_product and row.filter_cols == row.ifmap_cols:
        return Edge(name, row.filter_cols, row.ifmap_rows, 1)
    return Edge(name, row.channels, row.ifmap_rows, row.ifmap_cols)


def _row(line: str, form: Form, where: str) -> TopologyRow:
    name, *fields = [field.strip() for field in line.split(",")]
    if fields and not fields[-1]:
        fields.pop()
    columns = _COLUMNS[form]
    sparsity = (1, 1)
    if len(fields) == len(columns) + 1:
        sparsity = _sparsity(fields.pop(), where)
    if not name or len(fields) != len(columns):
        raise UserError(
            where,
            f"has {len(fields)} numbers after its name {name!r}, a {form} row has {len(columns)}",
            f"write: name, {', '.join(columns)}, (and gemm files need the gemm form)",
        )
    sizes = [_size(field, column, where) for field, column in zip(fields, columns, strict=True)]
    if form == "gemm":
        m, n, k = sizes
        return TopologyRow(name, m, k, 1, k, 1, n, 1, sparsity)
    rows, cols, filter_rows, filter_cols, channels, filters, stride = sizes
    row = TopologyRow(
        name, rows, cols, filter_rows, filter_cols, channels, filters, stride, sparsity
    )
    if row.filter_rows > row.ifmap_rows or row.filter_cols > row.ifmap_cols:
        raise UserError(
            where, "has a filter larger than its ifmap", "there is no padding: pad the ifmap"
        )
    return row


def _size(field: str, column: str, where: str) -> int:
    if not (field.isascii() and field.isdigit() and 0 < len(field) <= 9):
        raise UserError(where, f"{column} is {field!r}, not a positive whole number", "correct it")
    if not 1 <= int(field) <= _MAX_SIZE:
        raise UserError(where, f"{column} is {field}", f"it must be between 1 and {_MAX_SIZE}")
    return int(field)


def _sparsity(field: str, where: str) -> tuple[int, int]:
    kept, colon, of = field.partition(":")
    if not colon:
        raise UserError(where, f"sparsity is {field!r}", "write N:M, such as 2:4")
    sparsity = _size(kept, "sparsity", where), _size(of, "sparsity", where)
    if sparsity[0] > sparsity[1]:
        raise UserError(where, f"sparsity {field} keeps more weights than there are", "N <= M")
    return sparsity


def _lines(path: Path, where: str) -> list[str]:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        text = data.decode("utf-8-sig")
    except FileNotFoundError:
        raise UserError(where, "no such file", "check the path") from None
    except OSError as error:
        raise UserError(where, error.strerror or "unreadable", "check the path") from None
    except UnicodeDecodeError:
        raise UserError(where, "is not text", "give a topology CSV of SCALE-Sim") from None
    if len(data) > _MAX_BYTES:
        raise UserError(where, f"is larger than {_MAX_BYTES} bytes", "split the file")
    return text.splitlines()
