"""Files are whole or absent."""

import pytest

from accelsim.errors import UserError
from accelsim.results.files import replacing, writable_folder


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "result.json"
    target.write_text("old")
    with pytest.raises(RuntimeError), replacing(target) as unfinished:
        unfinished.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["result.json"]


def test_the_unfinished_file_has_the_suffix_of_the_target(tmp_path):
    with replacing(tmp_path / "plot.png") as unfinished:
        assert unfinished.suffix == ".png"
        unfinished.touch()


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    target = tmp_path / "missing" / "x.csv"
    with pytest.raises(UserError, match=str(target)), replacing(target) as unfinished:
        unfinished.write_text("x")


def test_a_folder_is_made_with_its_parents(tmp_path):
    assert writable_folder(tmp_path / "a" / "b").is_dir()
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(UserError, match="is a file"):
        writable_folder(tmp_path / "out")
