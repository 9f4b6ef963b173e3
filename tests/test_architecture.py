"""The house rules, read from the source itself: who may import whom, and who may print."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "accelsim"
# Lowest floor first; a room may import its own floor's earlier rooms and all below.
FLOORS: list[set[str]] = [
    {"units", "errors", "outside", "process_node", "registry", "version"}
    | {"data_files", "whole_files", "html_table"}
    | {"kernel_cache", "kernel_key", "jit", "kernel_compiling"},
    {"workload"},
    {"codecs", "dram"},
    {"hardware"},
    {"program"},
    {"mapping"},
    {"sim"},
    {"energy"},
    {"results"},
    {"simulation"},
    {"sweeps", "report"},
    {"cli", "__main__"},
]
MODULES = sorted(SRC.rglob("*.py"))
each_module = pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SRC)))


def room(name: str) -> str:
    return name.split(".")[1] if "." in name else "__init__"


def floor(room_name: str) -> int:
    return next(i for i, rooms in enumerate(FLOORS) if room_name in rooms)


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@each_module
def test_imports_point_downwards(path: Path) -> None:
    own = path.relative_to(SRC).with_suffix("").parts[0]
    if own == "__init__":
        return
    for name in imports(path):
        if not name.startswith("accelsim."):
            continue
        if own == "training":
            assert room(name) != "cli", f"{path.name} must not import {name}"
        elif room(name) == "training":
            assert own == "cli", f"{path.name} must not import {name}: only cli does, lazily"
        else:
            assert floor(room(name)) <= floor(own), f"{path.name} must not import {name}"


@each_module
def test_each_tool_lives_in_one_place(path: Path) -> None:
    homes = {"simpy": {"sim"}, "torch": {"training"}, "cyclopts": {"cli"}, "matplotlib": {"report"}}
    own = path.relative_to(SRC).with_suffix("").parts[0]
    for name in imports(path):
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
