"""The ledger: nothing lost, nothing mixed up, and a sentence for every broken file."""

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.errors import UserError
from accelsim.sweeps.ledger import Ledger


def test_results_are_there_when_the_file_is_opened_again(tmp_path):
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as ledger:
        ledger.record("a", "first\n")
        ledger.record("b", "zweitens: ü")
    with Ledger(path) as ledger:
        assert ledger.find("a") == "first\n"
        assert ledger.find("b") == "zweitens: ü"
        assert ledger.find("c") is None


def test_a_second_sweep_in_the_same_folder_is_told_so(tmp_path):
    path = tmp_path / "ledger.sqlite"
    with Ledger(path), pytest.raises(UserError, match="in use by another sweep"):
        Ledger(path)


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\0" * 64])
def test_a_file_that_is_no_ledger_is_left_alone(tmp_path, content):
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(content)
    with pytest.raises(UserError, match="is not a ledger of this program, or damaged"):
        Ledger(path)
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_refused(tmp_path):
    path = tmp_path / "ledger.sqlite"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE points (x, y)")
    other.commit()
    other.close()
    with pytest.raises(UserError, match="another layout"):
        Ledger(path)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_damaged_ledger_gives_the_result_or_a_sentence(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("ledger") / "ledger.sqlite"
    with Ledger(path) as ledger:
        for i in range(40):
            ledger.record(f"key {i}", f"result {i} " * 50)
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans(), label="cut"):
        del content[data.draw(st.integers(0, len(content))) :]
    else:
        for _ in range(data.draw(st.integers(1, 20))):
            content[data.draw(st.integers(0, len(content) - 1))] ^= 0xFF
    path.write_bytes(content)
    try:
        with Ledger(path) as ledger:
            for i in range(40):
                assert ledger.find(f"key {i}") in (None, f"result {i} " * 50)
    except UserError as error:
        assert str(path) in str(error)


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(UserError, match="nowhere"):
        Ledger(tmp_path / "nowhere" / "ledger.sqlite")
