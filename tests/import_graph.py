"""Which file of the package imports which, read from the sources, and the rooms that it makes.

``python -m tests.import_graph`` writes the drawing of the rooms into docs/architecture.md.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "accelsim"
PAGE = ROOT / "docs" / "architecture.md"

FOUNDATIONS = (
    *("errors", "units", "version", "process_node", "outside", "registry"),
    *("data_files", "whole_files", "html_table"),
    *("kernel_cache", "kernel_key", "jit", "kernel_compiling"),
)
"""What belongs to no subject: single files at the top of the package, and ``jit``."""
ORDER = (
    *FOUNDATIONS,
    *(
        "workload",
        "codecs",
        "dram",
        "array",
        "hardware",
        "program",
        "mapping",
        "sim",
        "energy",
        "results",
    ),
    *("simulation", "sweeps", "report", "training", "cli", "__main__", "accelsim"),
)
"""The rooms, lowest first: each imports only rooms that stand before it."""


@cache
def modules() -> dict[str, Path]:
    """Every file of the package by the name under which it is imported."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def import_graph() -> dict[str, frozenset[str]]:
    """By file of the package: the files of the package that it imports.

    Every ``import`` counts, also one inside a function, which runs later, and one that only the
    type checker sees. What is found by name at run time does not: the implementations of a
    registry, a command by its import path, the public names of ``accelsim`` itself.
    """
    known = modules().keys()
    return {
        name: frozenset(imported_by(path.read_text("utf-8")) & known - {name})
        for name, path in modules().items()
    }


def imported_by(source: str) -> set[str]:
    """The modules that a file imports, wherever in it that stands."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module and not node.level, "imports name whole paths"
            # What is imported is a file of the folder, or something in the file.
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in modules() else node.module for name in names}
    return found


def room(module: str) -> str:
    """The folder or file below ``accelsim`` that holds a module; ``accelsim`` for itself."""
    return module.split(".")[1] if "." in module else module


def folder(module: str) -> str:
    """The folder inside a room that holds a module; a file of the room itself stands alone."""
    path = modules()[module].relative_to(PACKAGE).parts
    return ".".join(path[:2]) if len(path) > 2 else module


def rooms() -> dict[str, set[str]]:
    """By room, in their order: the rooms that its files import."""
    found: dict[str, set[str]] = {name: set() for name in ORDER}
    for importer, imported in import_graph().items():
        found[room(importer)] |= {room(name) for name in imported} - {room(importer)}
    return found


def drawing() -> str:
    """The rooms as a drawing (arrows that follow from others left out) and as a table."""
    graph = {
        name: [low for low in ORDER if low in imported and low not in FOUNDATIONS]
        for name, imported in rooms().items()
        if name not in (*FOUNDATIONS, "__main__", "accelsim")
    }
    below: dict[str, set[str]] = {}
    for name, imported in graph.items():
        below[name] = set(imported).union(*(below[low] for low in imported))
    arrows = [
        f"  {name} --> {low}"
        for name, imported in reversed(graph.items())
        for low in imported
        if not any(low in below[other] for other in imported)
    ]
    table = ["| room | what is in it | imports |", "|---|---|---|"]
    table += [
        f"| `{name}` | {_says(name)} | {', '.join(imported)} |"
        for name, imported in reversed(graph.items())
    ]
    foundations = ["| below all rooms | what is in it |", "|---|---|"]
    foundations += [f"| `{name}` | {_says(name)} |" for name in reversed(FOUNDATIONS)]
    return "\n".join(["```mermaid", "graph TD", *arrows, "```", "", *table, "", *foundations])


def _says(name: str) -> str:
    """The first paragraph of the room's own words."""
    words = ast.get_docstring(ast.parse(modules()[f"accelsim.{name}"].read_text("utf-8"))) or ""
    return " ".join(words.partition("\n\n")[0].split())


def drawn_page() -> str:
    """The page with the present drawing between its two marks."""
    before, begin, rest = PAGE.read_text("utf-8").partition("<!-- rooms -->\n")
    _, end, after = rest.partition("<!-- end of rooms -->\n")
    return f"{before}{begin}{drawing()}\n{end}{after}"


if __name__ == "__main__":
    PAGE.write_text(drawn_page(), "utf-8")
