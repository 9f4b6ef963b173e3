"""A codec of another package: found by its entry point, checked in three lines, simulated."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

FLAGGED = Path(__file__).parent / "outside" / "flagged.py"

TEST_OF_THE_PACKAGE = """
from accelsim.codecs.contract import check_codec
from flagged import Flagged
check_codec(Flagged, n_random_blocks=20)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as pip leaves it: the module, and its metadata with the entry point."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "flagged.py").write_text(FLAGGED.read_text())
    metadata = folder / "flagged_codec-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: flagged-codec\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[accelsim.codecs]\nflagged = flagged:Flagged\n")
    return folder


def python(site: Path, *arguments: str) -> str:
    """What a Python with the package installed prints."""
    code = f"import sys; sys.path.insert(0, {str(site)!r}); "
    done = subprocess.run(
        [sys.executable, "-c", code + arguments[0], *arguments[1:]], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def accelsim(site: Path, *tokens: str) -> str:
    return python(site, "from accelsim.cli.app import main; sys.exit(main())", *tokens)


def test_its_entry_point_puts_it_into_the_list(site: Path) -> None:
    assert "\nflagged " in accelsim(site, "codecs", "list")


def test_the_promises_are_checked_in_three_lines(site: Path) -> None:
    assert python(site, TEST_OF_THE_PACKAGE) == ""


def test_arrays_are_measured_with_it(site: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([0, 0, 7, 0, 9], np.uint8))
    said = accelsim(
        site, "codecs", "measure", str(tmp_path / "x.npy"), "--codec", "flagged", "--json"
    )
    assert json.loads(said)["arrays"]["x"]["stream_bits"] == 5 + 2 * 8


def test_machines_run_with_it_like_with_zero_value_compression(site: Path) -> None:
    """A flag and a word for each value: the same sizes as a mask and the words."""
    said = accelsim(
        site, "compare", "edge_npu", "fmnist_resnet8_cat_mid", "--codecs", "zvc,flagged", "--json"
    )
    codecs = json.loads(said)["codecs"]
    assert codecs["flagged"]["bits_per_value"] == codecs["zvc"]["bits_per_value"]
    assert codecs["flagged"]["dram"] == codecs["zvc"]["dram"]
