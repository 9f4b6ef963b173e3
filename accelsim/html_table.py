"""A table as HTML, which notebooks show instead of a ``repr``."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def html_table(
    title: str,
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    is_text: Sequence[bool],
    footer: Sequence[str] = (),
) -> str:
    """Texts as they are, nothing of them read as HTML; numbers stand to the right.

    >>> html_table("t", ["a"], [["<1>"]], is_text=[False]).count("&lt;1&gt;")
    1
    """
    sides = ["left" if text else "right" for text in is_text]

    def line(cells: Sequence[str], tag: str) -> str:
        inside = "".join(
            f'<{tag} style="text-align:{side}">{_lines(cell)}</{tag}>'
            for cell, side in zip(cells, sides, strict=True)
        )
        return f"<tr>{inside}</tr>\n"

    return (
        f"<table>\n<caption>{_lines(title)}</caption>\n"
        f"<thead>\n{line(headers, 'th')}</thead>\n"
        f"<tbody>\n{''.join(line(row, 'td') for row in rows)}</tbody>\n</table>\n"
        + "".join(f"<p><small>{_lines(sentence)}</small></p>\n" for sentence in footer)
    )


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")
