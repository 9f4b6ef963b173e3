"""A codec of another package: found by its entry point, checked in three lines, simulated."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.outside_packages import MAIN, accelsim, install, python, run_python

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
    install(folder, "flagged-codec", "[accelsim.codecs]\nflagged = flagged:Flagged\n")
    return folder


@pytest.fixture(scope="module")
def bad_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same beside packages of which each is broken in its own way."""
    folder = tmp_path_factory.mktemp("bad_site")
    (folder / "flagged.py").write_text(FLAGGED.read_text())
    (folder / "exits.py").write_text("raise SystemExit(3)\n")
    fails = FLAGGED.read_text().replace("return cls(word)", "return cls(word, 1, 2)")
    (folder / "fails.py").write_text(fails.replace('"flagged"', '"fails"'))
    for package, points in {
        "flagged-codec": "flagged = flagged:Flagged",
        "old-codec": "old = nowhere:Codec",
        "thief-codec": "zvc = flagged:Flagged",
        "module-codec": "module = flagged:np",
        "exit-codec": "exits = exits:Codec",
        "failing-codec": "fails = fails:Flagged",
        "one-twin": "twin = flagged:Flagged",
        "other-twin": "twin = fails:Flagged",
    }.items():
        install(folder, package, f"[accelsim.codecs]\n{points}\n")
    return folder


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
    for totals in codecs.values():
        # Lanes of other speed write at other times, and so meet other lines in the write buffer.
        assert 0 < totals["dram"].pop("bus_bytes") <= totals["dram"]["fetched_bytes"]
    assert codecs["flagged"]["dram"] == codecs["zvc"]["dram"]


def test_a_result_names_the_package_its_version_and_its_source(site: Path) -> None:
    said = accelsim(
        site, "run", "edge_npu", "fmnist_resnet8_cat_mid", "--codec", "flagged", "--json"
    )
    named = json.loads(said)["versions"]["codec flagged"]
    assert re.fullmatch(r"flagged-codec 1\.0 \([0-9a-f]{16}\)", named)


KEYS_OF_A_STUDY = """
from accelsim.results.versions import versions
from accelsim.sweeps.points import make_points
from accelsim.sweeps.study import read_study
from pathlib import Path
print(*(point.key for point in make_points(read_study(Path(sys.argv[1])), "trace", versions)))
"""


def test_a_new_source_of_the_package_is_another_key_of_the_ledger(
    site: Path, tmp_path: Path
) -> None:
    for copied in site.iterdir():
        if copied.suffix == ".dist-info":
            shutil.copytree(copied, tmp_path / copied.name)
    module, study = tmp_path / "flagged.py", tmp_path / "study.yaml"
    module.write_text(FLAGGED.read_text())
    study.write_text("{hardware: edge_npu, trace: t, vary: {codec.name: [flagged, zvc]}}")
    before = python(tmp_path, KEYS_OF_A_STUDY, str(study)).split()
    assert python(tmp_path, KEYS_OF_A_STUDY, str(study)).split() == before
    module.write_text(FLAGGED.read_text().replace("1 + self.word.bits", "2 + self.word.bits"))
    after = python(tmp_path, KEYS_OF_A_STUDY, str(study)).split()
    assert before[0] != after[0], "the point with the edited codec runs again"
    assert before[1] == after[1], "the other has nothing to do with it"


BLAMED = {
    "old-codec 1.0": "cannot be loaded: ModuleNotFoundError: No module named 'nowhere'",
    "thief-codec 1.0": "takes a name of ours, and is not used",
    "module-codec 1.0": "is not a class that derives from accelsim.codecs.base.Codec",
    "exit-codec 1.0": "cannot be loaded: SystemExit: 3",
    "failing-codec 1.0": "takes 2 positional arguments but 4 were given",
    "one-twin 1.0 and other-twin 1.0": "is registered 2 times; none is used",
}


def test_broken_packages_are_named_and_all_else_works(bad_site: Path) -> None:
    done = run_python(bad_site, MAIN, "codecs", "list")
    assert done.returncode == 0, done.stderr
    for name in ("flagged", "zvc", "huffman"):
        assert f"\n{name} " in done.stdout
    for name in ("old", "module", "exits", "fails", "twin"):
        assert f"\n{name} " not in done.stdout
    warnings = done.stderr.split("accelsim: warning: ")[1:]
    for package, why in BLAMED.items():
        (warning,) = [text for text in warnings if package in text and why in text]
        assert "pip uninstall " + package.split()[0] in warning
        assert "accelsim.codecs" in warning or package == "failing-codec 1.0"
    assert "Traceback" not in done.stderr


def test_all_codecs_are_compared_without_the_broken_ones(bad_site: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(64, dtype=np.uint8))
    file = str(tmp_path / "x.npy")
    done = run_python(bad_site, MAIN, "codecs", "measure", file, "--codec", "all", "--json")
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout)["codecs"]
    assert {"flagged", "zvc"} <= measured.keys()
    assert not {"old", "module", "exits", "fails", "twin"} & measured.keys()


@pytest.mark.parametrize("name", ["old", "module", "twin", "fails"])
def test_who_names_a_broken_codec_gets_one_message(bad_site: Path, name: str) -> None:
    done = run_python(bad_site, MAIN, "compare", "edge_npu", "squeezenet1_1", "--codecs", name)
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.splitlines()) <= 2 and "Traceback" not in done.stderr
    package = {"old": "old-codec", "module": "module-codec", "twin": "one-twin"}
    assert package.get(name, "failing-codec 1.0") in done.stderr
