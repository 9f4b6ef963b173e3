"""Printing: results on stdout, everything else on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from accelsim.results.table import Table


def fail(message: str, code: int) -> int:
    """One or two lines on stderr; returns the exit code."""
    note(message)
    return code


def note(message: str) -> None:
    """A line on stderr, so that it stays out of pipes."""
    print(f"accelsim: {message}", file=sys.stderr)


def warn(warnings: Iterable[str]) -> None:
    """Each warning once, on stderr."""
    for text in dict.fromkeys(warnings):
        note(f"warning: {text}")


def error_console() -> Console:
    """Where progress is drawn; it draws nothing unless stderr is a terminal."""
    from rich.console import Console

    return Console(stderr=True)


def line_characters() -> int:
    """Maximum width of lines of text: that of the terminal, or 100 characters in a file."""
    from shutil import get_terminal_size

    return max(60, get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100)


def print_text(text: str) -> None:
    """A result as it is."""
    sys.stdout.write(text)


def print_table(table: Table) -> None:
    """A ruled table on a terminal; aligned text of any width in a pipe or a file."""
    if not sys.stdout.isatty():
        print_text(table.plain() + "\n")
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(
        title=Text(table.title, style="bold"),
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    least_width = 0
    for place, column in enumerate(table.columns):
        header = f"{column.header}\n{column.unit}" if column.unit else column.header
        may_wrap = column.is_text and place > 0
        texts = [*header.split("\n"), *(row[place] for row in table.rows)]
        # Nothing is cut off: in a narrow terminal sentences wrap, and other lines run on.
        whole = [word for text in texts for word in (text.split() if may_wrap else [text])]
        width = max(map(len, whole))
        least_width += width + 2  # a space and a line that is not drawn
        drawn.add_column(
            header,
            justify="left" if column.is_text else "right",
            no_wrap=not may_wrap,
            min_width=width,
        )
    for row in table.rows:
        drawn.add_row(*map(Text, row), style="bold" if row[0] == "TOTAL" else None)
    console = Console()
    Console(width=max(console.width, least_width + 1)).print(drawn)
    for sentence in table.footer:
        console.print(Text(sentence, style="dim"), soft_wrap=True)
    console.print()
