"""SCALE-Sim's topology CSV: layers as shapes.

Read from SCALE-Sim 3.0.0. The first line is a header and always skipped; blank lines, and
lines of nothing but commas, too. A conv row is ``name, ifmap rows, ifmap cols, filter rows,
filter cols, channels, filters, stride,`` and a gemm row is ``name, M, N, K,``; both may end
in a sparsity column ``N:M,``. A conv row whose name holds ``DP`` is depthwise: each of its
channels is a layer of one channel with all its filters.

SCALE-Sim itself drops whatever follows the last comma of a row, also the last number; here
a row means the same with and without its trailing comma, and only what stands behind its
numbers is dropped. Its rows have no padding, batch or joins, and their output sizes are
rounded up, where real networks round down: ``TopologyRow.product`` gives SCALE-Sim's
shapes, ``accelsim.workload.importers.topology_graph`` the true ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal, TypeAlias

from accelsim.errors import UserError
from accelsim.units import ceil_div

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
    stride: tuple[int, int]
    """(rows, cols)."""
    sparsity: tuple[int, int] = (1, 1)
    """N:M of the last column: N of M weights are kept. Ignored by SCALE-Sim's dense model."""

    @property
    def is_depthwise(self) -> bool:
        """Each channel is convolved by itself, with ``filters`` filters: SCALE-Sim's ``DP``."""
        return "DP" in self.name

    @property
    def product(self) -> tuple[int, int, int]:
        """M, N, K of the matrix product that SCALE-Sim computes, output sizes rounded up.

        A depthwise row computes one such product for each of its channels.

        >>> TopologyRow("Conv4_s", 28, 28, 1, 1, 128, 256, (2, 2)).product
        (225, 256, 128)
        """
        rows = ceil_div(self.ifmap_rows - self.filter_rows + self.stride[0], self.stride[0])
        cols = ceil_div(self.ifmap_cols - self.filter_cols + self.stride[1], self.stride[1])
        channels = 1 if self.is_depthwise else self.channels
        return rows * cols, self.filters, self.filter_rows * self.filter_cols * channels


def read_topology(path: str | Path, form: Form | None = None) -> tuple[TopologyRow, ...]:
    """The rows of a topology file; ``form`` None takes that of its first row.

    Raises ``UserError`` with the line number for what is no layer.
    """
    where = str(path)
    header, *lines = _lines(Path(path), where) or [""]
    # SCALE-Sim writes such headers itself; of other files an eighth number is no stride.
    two_strides = len([cell for cell in _cells(header) if "stride" in cell.lower()]) == 2
    rows = []
    for number, line in enumerate(lines, start=2):
        cells = _cells(line)
        if not any(cells):
            continue
        form = form or _form(cells)
        rows.append(_row(cells, form, two_strides, f"{where}, line {number}"))
    if not rows:
        raise UserError(where, "has no layers", "the first line is a header; layers follow it")
    return tuple(rows)


def doubtful_rows(rows: tuple[TopologyRow, ...]) -> Iterator[str]:
    """One warning for each row that is probably not meant as SCALE-Sim reads it.

    Public files write a depthwise layer as a convolution of all channels with one filter,
    which makes a single channel; the next row then reads as many channels as before.
    """
    for row, following in pairwise(rows):
        is_single = row.filters == 1 < row.channels == following.channels
        if is_single and min(row.filter_rows, row.filter_cols) > 1 and not row.is_depthwise:
            yield (
                f"layer {row.name!r} makes one channel, but {following.name!r} reads "
                f"{following.channels}: if it is depthwise, put DP into its name"
            )


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split(",")]


def _form(cells: list[str]) -> Form:
    """A gemm row has three numbers, and perhaps a sparsity; any other is read as a conv row."""
    numbers = [cell for cell in cells[1:] if cell]
    is_gemm = len(numbers) == 3 or (len(numbers) == 4 and ":" in numbers[3])
    return "gemm" if is_gemm else "conv"


def _row(cells: list[str], form: Form, two_strides: bool, where: str) -> TopologyRow:
    columns = _COLUMNS[form]
    if form == "conv" and two_strides:
        columns = (*columns, "column stride")
    name, *fields = cells
    rest = fields[len(columns) :]
    while fields and not fields[-1]:
        fields.pop()
    if not name or len(fields) < len(columns):
        raise UserError(
            where,
            f"has {len(fields)} numbers after its name {name!r}, a {form} row has {len(columns)}",
            f"write: name, {', '.join(columns)}, (titles and other tables go into other files)",
        )
    sizes = [_size(f, column, where) for f, column in zip(fields, columns, strict=False)]
    sparsity = _sparsity(rest, f"the {len(columns)} numbers of a {form} row", where)
    if form == "gemm":
        m, n, k = sizes
        return TopologyRow(name, m, k, 1, k, 1, n, (1, 1), sparsity)
    rows, cols, filter_rows, filter_cols, channels, filters, *strides = sizes
    row = TopologyRow(
        *(name, rows, cols, filter_rows, filter_cols, channels, filters),
        stride=(strides[0], strides[-1]),
        sparsity=sparsity,
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


def _sparsity(rest: list[str], numbers: str, where: str) -> tuple[int, int]:
    """The column behind a row's numbers; an empty one ends the row, notes may follow it.

    A text without a comma behind it is a note, too: SCALE-Sim drops it.
    """
    if not rest or not rest[0]:
        return 1, 1
    field = rest[0]
    kept, colon, of = field.partition(":")
    if not colon:
        if len(rest) == 1:
            return 1, 1
        raise UserError(
            where,
            f"has {field!r} behind {numbers}, where SCALE-Sim reads a sparsity",
            "write N:M, such as 2:4, or leave it out; two strides are read when the header "
            "names both, batch sizes are not",
        )
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
