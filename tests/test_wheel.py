"""The wheel alone, in a clean virtual environment, from an unrelated folder."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from accelsim import read_trace

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_carries_chips_studies_a_trace_and_tables(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for needed in (
        "accelsim/hw_configs/edge_npu.yaml",
        "accelsim/hw_configs/studies/buffers.yaml",
        "accelsim/traces/squeezenet1_1.h5",
        "accelsim/energy/sram_table.csv",
        "accelsim/docs/README.md",
        "accelsim/docs/decisions/0002-raw-fallback-by-burst.md",
        "accelsim/py.typed",
    ):
        assert needed in names
    assert not [n for n in names if n.startswith(("tests/", "benchmarks/"))]


def test_a_clean_environment_runs_the_main_job(wheel: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    binaries = tmp_path / "venv" / "bin"
    install = [binaries / "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", wheel]
    subprocess.run(install, check=True, capture_output=True)
    environment = {**os.environ, "ACCELSIM_CACHE_DIR": str(tmp_path / "cache")}
    environment.pop("PYTHONPATH", None)
    command = [
        binaries / "accelsim",
        "run",
        "edge_npu",
        "squeezenet1_1",
        "--codec",
        "zvc",
        "--json",
    ]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    graph = read_trace("squeezenet1_1").graph
    assert result["totals"]["macs"] == sum(graph.macs(layer) for layer in graph.layers)
    without_torch = [binaries / "python", "-c", "import torch"]
    assert subprocess.run(without_torch, capture_output=True).returncode != 0
