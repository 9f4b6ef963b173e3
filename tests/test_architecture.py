"""The house rules, read from the sources: who may import whom, and who may print.

Imports are checked by file, and those inside functions and for the type checker count
(``tests/import_graph.py``). No file comes back to itself along any path of imports, and no folder
of a room does. A room imports only rooms that stand before it in ``ORDER``, and of all rooms only
the command line imports ``training``. The drawing in docs/architecture.md is that of the imports.
What is found by name at run time is not seen.
"""

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Set
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.import_graph import (
    ORDER,
    PAGE,
    drawn_page,
    folder,
    import_graph,
    imported_by,
    modules,
    room,
    rooms,
)

SRC = Path(__file__).parents[1] / "accelsim"
MODULES = sorted(SRC.rglob("*.py"))
SHARED_NAMES = {
    "Block",  # of a residual network; of a transfer
    "Held",  # a tensor of an ONNX file; bytes that a row takes of a pool
    "Lowering",  # of operators, from torch and from ONNX
    "Pool",  # a layer; bytes on the chip
    "Prepared",  # a run before it starts; images for a network
    "Reads",  # what tiles of an axis read; the READ rows of a program
    "Word",  # of a codec; as a network names it
}
each_module = pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SRC)))


def circle(graph: Mapping[str, Set[str]]) -> str:
    """Files that import one another in a circle; empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return " is imported by ".join(error.args[1])
    return ""


def test_no_file_comes_back_to_itself() -> None:
    assert circle(import_graph()) == ""


def test_no_folder_comes_back_to_itself() -> None:
    """A folder in a room counts as one file, so that rooms have an order inside, too."""
    folders: dict[str, set[str]] = {}
    for importer, imported in import_graph().items():
        low = {folder(name) for name in imported} - {folder(importer)}
        folders.setdefault(folder(importer), set()).update(low)
    assert circle(folders) == ""


def test_a_planted_circle_is_found() -> None:
    planted = "def late():\n    from accelsim.hardware import chip"
    graph = import_graph() | {"accelsim.units": frozenset(imported_by(planted))}
    found = circle(graph)
    assert "accelsim.units is imported by" in found and "accelsim.hardware.chip" in found


def test_imports_count_wherever_they_stand() -> None:
    source = """
import accelsim.units
from accelsim import errors
from accelsim.errors import UserError
if TYPE_CHECKING:
    from accelsim.hardware.chip import Chip
def late():
    from accelsim.dram import memory
"""
    files = {"units", "errors", "hardware.chip", "dram.memory"}
    assert imported_by(source) == {f"accelsim.{name}" for name in files}


def test_every_room_has_its_place_in_the_order() -> None:
    assert sorted(ORDER) == sorted({room(name) for name in modules()})


@pytest.mark.parametrize("name", ORDER)
def test_a_room_imports_only_what_stands_before_it(name: str) -> None:
    assert rooms()[name] <= set(ORDER[: ORDER.index(name)])
    assert name == "cli" or "training" not in rooms()[name]


def test_the_drawing_of_the_rooms_is_that_of_the_imports() -> None:
    assert PAGE.read_text("utf-8") == drawn_page(), "mend it: python -m tests.import_graph"


def test_the_page_names_only_what_there_is() -> None:
    named = re.findall(r"`([\w/*]+(?:/|\.py))`", PAGE.read_text("utf-8"))
    missing = [n for n in named if not [*SRC.glob(n.strip("/")), *SRC.parent.glob(n.strip("/"))]]
    assert len(named) > 20 and missing == []


def test_no_two_classes_have_one_name() -> None:
    """Where both are usual words of their fields, the rooms say which is meant."""
    counts = Counter(
        node.name
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert {name for name, n in counts.items() if n > 1} <= SHARED_NAMES


@each_module
def test_each_tool_lives_in_one_place(path: Path) -> None:
    homes = {"simpy": {"sim"}, "torch": {"training"}, "cyclopts": {"cli"}, "matplotlib": {"report"}}
    own = path.relative_to(SRC).with_suffix("").parts[0]
    for name in imported_by(path.read_text("utf-8")):
        tool = name.split(".")[0]
        assert own in homes.get(tool, {own}), f"{tool} belongs in {homes.get(tool)}"
        assert tool != "numba" or own == "jit", "kernels use accelsim.jit.kernel"


@each_module
def test_only_the_command_line_prints(path: Path) -> None:
    if path.relative_to(SRC).parts[0] == "cli":
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"print", "exit", "eval", "exec"}, (
                f"{path.name}: {node.func.id}"
            )


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = "numba torch matplotlib polars distributed simpy h5py"
    loaded = f"set('{heavy}'.split()) & set(sys.modules)"
    code = f"import sys, accelsim; sys.exit(' '.join({loaded}) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
