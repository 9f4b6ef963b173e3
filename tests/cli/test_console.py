"""Tables on a terminal."""

import io
import re

import pytest

from accelsim.cli.console import print_table
from accelsim.results.table import Column, Table

TABLE = Table(
    "title",
    (
        Column("layer", is_text=True),
        Column("bound by", is_text=True),
        *(Column(f"figure{i}", "uJ") for i in range(8)),
        Column("meaning", is_text=True),
    ),
    (
        ("fire2/squeeze1x1", "ifmap_dram", *("123,456.7",) * 8, "a sentence of several words"),
        ("TOTAL", "", *("9",) * 8, "[bold]"),
    ),
    ("a footer that is longer than the terminal is wide",),
)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("columns", [30, 80, 200])
def test_nothing_is_cut_on_a_terminal_of_any_width(monkeypatch, columns):
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("COLUMNS", str(columns))
    print_table(TABLE)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue())
    assert "…" not in shown
    first = next(line for line in shown.splitlines() if "fire2" in line)
    assert first.split()[:10] == ["fire2/squeeze1x1", "ifmap_dram", *["123,456.7"] * 8]
    for word in ["a", "sentence", "of", "several", "words", "[bold]"]:
        assert word in shown


def test_a_pipe_gets_plain_text(capsys):
    print_table(TABLE)
    assert capsys.readouterr().out == TABLE.plain() + "\n"
