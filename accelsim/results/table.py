"""A table as data, with headers and units: as text, and for a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from accelsim.html_table import html_table


class Column(NamedTuple):
    """A header, the unit of the cells below it, and whether these are text or numbers."""

    header: str
    unit: str = ""
    is_text: bool = False


@dataclass(frozen=True)
class Table:
    """A title, columns, rows of text, and sentences below the table."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    footer: tuple[str, ...] = ()

    def plain(self) -> str:
        """Aligned text as wide as needed, without rules: for files and pipes."""
        heads = [tuple(c.header for c in self.columns), tuple(c.unit for c in self.columns)]
        lines = [*heads, *self.rows] if any(heads[1]) else [heads[0], *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        body = [
            "  ".join(
                cell.ljust(width) if column.is_text else cell.rjust(width)
                for cell, width, column in zip(line, widths, self.columns, strict=True)
            ).rstrip()
            for line in lines
        ]
        return "\n".join([self.title, "", *body, "", *self.footer]).rstrip() + "\n"

    def html(self) -> str:
        """The same table as HTML, for a notebook."""
        headers = [f"{c.header}\n{c.unit}" if c.unit else c.header for c in self.columns]
        is_text = [column.is_text for column in self.columns]
        return html_table(self.title, headers, self.rows, is_text=is_text, footer=self.footer)

    def _repr_html_(self) -> str:
        return self.html()

    def __str__(self) -> str:
        return self.plain()
