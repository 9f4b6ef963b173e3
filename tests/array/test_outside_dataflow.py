"""A dataflow of another package: found by its entry point, checked in three lines, simulated."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.outside_packages import MAIN, accelsim, install, python, run_python

SIDE_BY_SIDE = Path(__file__).parent / "outside" / "side_by_side.py"

TEST_OF_THE_PACKAGE = """
from accelsim.array.contract import check_dataflow
from side_by_side import DATAFLOW
check_dataflow(DATAFLOW)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as pip leaves it, beside entry points that name no dataflow."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "side_by_side.py").write_text(SIDE_BY_SIDE.read_text())
    for package, point in {
        "depthwise-array": "side_by_side = side_by_side:DATAFLOW",
        "class-array": "of_a_class = side_by_side:SideBySide",
        "empty-array": "of_a_module = side_by_side:n_folds",
    }.items():
        install(folder, package, f"[accelsim.dataflows]\n{point}\n")
    return folder


def run(site: Path, trace: str, dataflow: str) -> dict[str, Any]:
    choice = f"array.dataflow={dataflow}"
    said = accelsim(site, "run", "edge_npu", trace, "--codec", "raw", "--set", choice, "--json")
    found: dict[str, Any] = json.loads(said)
    return found


def test_the_promises_are_checked_in_three_lines(site: Path) -> None:
    assert python(site, TEST_OF_THE_PACKAGE) == ""


def test_depthwise_layers_alone_take_fewer_cycles_with_it(site: Path) -> None:
    """16 columns hold 16 channels at a time instead of one; other layers cost what they did."""
    ours, theirs = (
        run(site, "efficientnet_lite0_q8", name) for name in ("output_stationary", "side_by_side")
    )
    assert theirs["totals"]["macs"] == ours["totals"]["macs"]
    n_depthwise = 0
    for one, other in zip(ours["layers"], theirs["layers"], strict=True):
        if one["kind"] == "depthwise":
            n_depthwise += 1
            assert other["compute_cycles"] < one["compute_cycles"] / 8
        else:
            assert other["compute_cycles"] == one["compute_cycles"]
    assert n_depthwise == 16


def test_one_that_makes_every_product_refuses_to_leave_out_zeros(site: Path) -> None:
    settings = ("--set", "array.dataflow=side_by_side", "--set", "array.zeros=gate")
    done = run_python(site, MAIN, "run", "edge_npu", "fmnist_resnet8_q8", *settings)
    assert done.returncode == 2 and done.stdout == ""
    assert "side_by_side computes every product: it can neither gate nor skip zeros" in done.stderr
    assert len(done.stderr.splitlines()) <= 2 and "Traceback" not in done.stderr


def test_a_result_names_the_package_its_version_and_its_source(site: Path) -> None:
    versions = run(site, "fmnist_resnet8_q8", "side_by_side")["versions"]
    named = versions["dataflow side_by_side"]
    assert re.fullmatch(r"depthwise-array 1\.0 \([0-9a-f]{16}\)", named)


@pytest.mark.parametrize(
    ("name", "package", "problem"),
    [
        ("of_a_class", "class-array", "is a class"),
        ("of_a_module", "empty-array", "lacks one of name, cost and keeps_psums"),
    ],
)
def test_what_is_no_dataflow_is_refused_in_one_message(
    site: Path, name: str, package: str, problem: str
) -> None:
    choice = f"array.dataflow={name}"
    done = run_python(site, MAIN, "run", "edge_npu", "fmnist_resnet8_q8", "--set", choice)
    assert done.returncode == 2 and done.stdout == ""
    assert problem in done.stderr and f"pip uninstall {package}" in done.stderr
    assert len(done.stderr.splitlines()) <= 2 and "Traceback" not in done.stderr
