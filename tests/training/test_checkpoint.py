"""Checkpoints: safe to read, whole or absent."""

import errno
import os
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from accelsim.errors import UserError  # noqa: E402
from accelsim.training import checkpoint as module  # noqa: E402
from accelsim.training.checkpoint import (  # noqa: E402
    Checkpoint,
    fill,
    load_checkpoint,
    save_checkpoint,
)

SMALL = Checkpoint(
    kind="float",
    model="resnet8",
    input_shape=[1, 28, 28],
    n_classes=10,
    data="fashion_mnist",
    recipe={"epochs": 1.0},
    network={"weight": torch.arange(4.0)},
    step=3,
    n_steps=9,
    figures={"top1": 0.5},
)


def test_what_is_saved_comes_back(tmp_path):
    save_checkpoint(tmp_path / "a.pt", SMALL)
    found = load_checkpoint(tmp_path / "a.pt")
    assert torch.equal(found.network["weight"], SMALL.network["weight"])
    assert replace(found, network={}) == replace(SMALL, network={})
    assert not found.finished


class Trap:
    """What an attacker would pickle."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return Path.touch, (Path(self.path),)


@pytest.mark.parametrize("writer", [torch.save, lambda x, p: p.write_bytes(pickle.dumps(x))])
def test_code_in_a_file_never_runs(tmp_path, writer):
    sign = tmp_path / "ran"
    writer({"format": module.FORMAT, "network": Trap(sign)}, tmp_path / "evil.pt")
    with pytest.raises(UserError, match=r"evil.pt: (is no checkpoint|is damaged)"):
        load_checkpoint(tmp_path / "evil.pt")
    assert not sign.exists()


def test_foreign_and_broken_files_are_named(tmp_path):
    whole = tmp_path / "a.pt"
    save_checkpoint(whole, SMALL)
    data = whole.read_bytes()
    cases = {
        "empty.pt": b"",
        "text.pt": b"hello\n" * 100,
        "cut.pt": data[: len(data) // 2],
        "short.pt": data[:-30],
    }
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=name):
            load_checkpoint(tmp_path / name)
    torch.save({"other": 1}, tmp_path / "other.pt")
    with pytest.raises(UserError, match="no checkpoint of accelsim"):
        load_checkpoint(tmp_path / "other.pt")
    with pytest.raises(UserError, match="no such file"):
        load_checkpoint(tmp_path / "absent.pt")


def test_flipped_bytes_never_crash_the_reader(tmp_path):
    save_checkpoint(tmp_path / "a.pt", SMALL)
    data = bytearray((tmp_path / "a.pt").read_bytes())
    broken = tmp_path / "b.pt"
    for place in range(0, len(data), max(1, len(data) // 150)):
        flipped = bytearray(data)
        flipped[place] ^= 0xFF
        broken.write_bytes(flipped)
        try:
            load_checkpoint(broken)
        except UserError:
            continue


def test_a_newer_version_and_missing_fields_are_named(tmp_path):
    fields = {"format": module.FORMAT, "version": 2}
    torch.save(fields, tmp_path / "new.pt")
    with pytest.raises(UserError, match="version 2"):
        load_checkpoint(tmp_path / "new.pt")
    torch.save(fields | {"version": 1}, tmp_path / "few.pt")
    with pytest.raises(UserError, match="lacks"):
        load_checkpoint(tmp_path / "few.pt")


def test_a_full_disk_leaves_the_earlier_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "a.pt"
    save_checkpoint(path, SMALL)

    def full(_source, _target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UserError, match="No space left"):
        save_checkpoint(path, replace(SMALL, step=8))
    assert load_checkpoint(path).step == 3
    assert [p.name for p in tmp_path.iterdir()] == ["a.pt"]


def test_torchs_own_word_for_a_full_disk_is_translated(tmp_path, monkeypatch):
    def full(fields, path):
        raise RuntimeError("[enforce fail at inline_container.cc:603] . unexpected pos\n more")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(UserError, match="cannot be written"):
        save_checkpoint(tmp_path / "a.pt", SMALL)
    assert not list(tmp_path.iterdir())


def test_tensors_of_another_network_are_named():
    with pytest.raises(UserError, match="belongs to another network"):
        fill(torch.nn.Linear(2, 2), {"other": torch.zeros(1)}, "x.pt")
