"""Checkpoints: safe to read, whole or absent."""

import errno
import math
import os
import pickle
import re
import zipfile
from dataclasses import asdict, replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from accelsim.errors import UserError  # noqa: E402
from accelsim.training import checkpoint as module  # noqa: E402
from accelsim.training.checkpoint import (  # noqa: E402
    Checkpoint,
    earlier,
    fill,
    fill_optimiser,
    load_checkpoint,
    save_checkpoint,
)
from accelsim.training.recipe import CatRecipe, Recipe  # noqa: E402
from tests.training.fuzz_checkpoint import mutant, mutated_entries  # noqa: E402

SMALL = Checkpoint(
    kind="float",
    model="resnet8",
    input_shape=[1, 28, 28],
    n_classes=10,
    data="fashion_mnist",
    recipe=asdict(Recipe(epochs=1.0)),
    network={"weight": torch.arange(4.0)},
    step=3,
    n_steps=9,
    figures={"top1": 0.5},
    optimiser={0: {"momentum_buffer": torch.ones(4)}},
    inputs={"test images": "ab" * 32},
    tools={"torch": "2.13.0"},
)


def test_what_is_saved_comes_back(tmp_path):
    save_checkpoint(tmp_path / "a.pt", SMALL)
    found = load_checkpoint(tmp_path / "a.pt")
    assert torch.equal(found.network["weight"], SMALL.network["weight"])
    assert torch.equal(found.optimiser[0]["momentum_buffer"], torch.ones(4))
    bare = {"network": {}, "optimiser": None}
    assert replace(found, **bare) == replace(SMALL, **bare)
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
    with pytest.raises(UserError, match=r"evil.pt: (is not a checkpoint|is a pickle)"):
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
    with pytest.raises(UserError, match="not a checkpoint of accelsim"):
        load_checkpoint(tmp_path / "other.pt")
    with pytest.raises(UserError, match="no such file"):
        load_checkpoint(tmp_path / "absent.pt")


def test_damaged_files_are_one_message(tmp_path, capfd):
    """A sample; ``fuzz_checkpoint`` run as a program takes as many as it is told."""
    save_checkpoint(tmp_path / "a.pt", SMALL)
    whole = (tmp_path / "a.pt").read_bytes()
    broken, refused = tmp_path / "b.pt", 0
    for seed in range(300):
        broken.write_bytes(mutant(whole, seed))
        try:
            load_checkpoint(broken)
        except UserError as error:
            refused += 1
            assert str(error).count("\n") == 1 and len(str(error)) < 600, seed
    assert refused > 150
    assert capfd.readouterr() == ("", "")


def test_one_flipped_bit_of_a_weight_is_found(tmp_path):
    """torch alone reads another weight without a word."""
    weight = torch.tensor([0.1234567, 2.0, 3.0, 4.0])
    save_checkpoint(tmp_path / "a.pt", replace(SMALL, network={"weight": weight}))
    whole = (tmp_path / "a.pt").read_bytes()
    place = whole.index(weight.numpy().tobytes())
    for bit in range(0, 128, 5):
        broken = bytearray(whole)
        broken[place + bit // 8] ^= 1 << bit % 8
        (tmp_path / "b.pt").write_bytes(broken)
        with pytest.raises(UserError, match=r"a damaged archive of torch\.save"):
            load_checkpoint(tmp_path / "b.pt")


def test_entries_of_a_wrong_type_or_name_are_one_message(tmp_path, capfd):
    """What is read all the same differs from a checkpoint only as a checkpoint may."""
    fields = {"format": module.FORMAT, "version": module.VERSION, **vars(SMALL)}
    read = 0
    for seed in range(300):
        torch.save(mutated_entries(fields, seed), tmp_path / "b.pt")
        try:
            found = load_checkpoint(tmp_path / "b.pt")
        except UserError as error:
            assert str(error).count("\n") == 1 and len(str(error)) < 600, seed
            continue
        read += 1
        assert found.recipe.keys() == SMALL.recipe.keys() and found.step >= 0
    assert read < 100
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"network": torch.zeros(3)}, "its network is wrong"),
        ({"network": {"weight": 3.0}}, "its network.weight is wrong"),
        ({"network": {"weight": torch.tensor([math.nan])}}, "weight is wrong: holds values that"),
        ({"network": {"weight": torch.zeros(1).expand(1 << 60)}}, "names the same memory twice"),
        ({"network": {"weight": torch.zeros(2, dtype=torch.complex64)}}, "torch.complex64"),
        ({"network": {3: torch.zeros(3)}}, "its network.3"),
        ({"recipe": SMALL.recipe | {"colour": 1}}, "another kind of recipe"),
        ({"recipe": {}}, "another kind of recipe (an empty one)"),
        ({"recipe": SMALL.recipe | {"epochs": "6"}}, "its recipe's epochs is of a wrong type"),
        ({"recipe": SMALL.recipe | {"epochs": math.inf}}, "its recipe's epochs is inf"),
        ({"recipe": SMALL.recipe | {"batch": 0}}, "its recipe's batch is 0, which is not 1 or"),
        ({"recipe": asdict(CatRecipe()) | {"bits": 12}}, "its recipe's bits is 12"),
        ({"recipe": asdict(CatRecipe()) | {"step": "own"}}, "its recipe's step is of a wrong"),
        ({"step": -1}, "its step is wrong"),
        ({"step": True}, "its step is wrong"),
        ({"input_shape": [1, 28]}, "its input_shape is wrong"),
        ({"input_shape": [1, 28, 1 << 40]}, "its input_shape.2 is wrong"),
        ({"figures": {"top1": math.nan}}, "its figures.top1 is wrong"),
        ({"step": 9, "figures": {"other": 1.0}}, "its figures lack top1"),
        ({"kind": ["float"]}, "its kind is wrong"),
        ({"more": 1}, "holds an unknown more"),
        ({"version": torch.zeros(4)}, "has no version"),
        ({"format": torch.zeros(4)}, "not a checkpoint of accelsim"),
    ],
)
def test_what_is_inside_is_checked_before_use(tmp_path, changed, said):
    fields = {"format": module.FORMAT, "version": module.VERSION, **vars(SMALL)}
    torch.save(fields | changed, tmp_path / "b.pt")
    with pytest.raises(UserError, match=re.escape(said)):
        load_checkpoint(tmp_path / "b.pt")


def test_an_archive_larger_than_itself_is_refused(tmp_path):
    """Compressed zeros would fill the memory."""
    with zipfile.ZipFile(tmp_path / "z.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(1 << 24))
    with pytest.raises(UserError, match="holds more than its own size"):
        load_checkpoint(tmp_path / "z.pt")


def test_checkpoints_of_the_first_version_are_read_with_unknown_inputs(tmp_path):
    """Written as version 1 was: torch's own state of the optimiser, nothing on inputs."""
    fields = {"format": module.FORMAT, "version": 1, **vars(SMALL)}
    del fields["inputs"], fields["tools"]
    fields["optimiser"] = {"state": {}, "param_groups": [{"lr": 0.1, "params": [0]}]}
    torch.save(fields, tmp_path / "old.pt")
    found = load_checkpoint(tmp_path / "old.pt")
    assert found.inputs == found.tools == {} and found.recipe == SMALL.recipe
    with pytest.raises(UserError, match="does not say what it was trained on"):
        earlier(tmp_path / "old.pt", SMALL)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"model": "resnet14"}, "model"),
        ({"data": "mnist"}, "data"),
        ({"recipe": SMALL.recipe | {"weight_decay": 0.1}}, "weight decay"),
        ({"inputs": {"test images": "cd" * 32}}, "test images"),
        ({"inputs": {"test images": "ab" * 32, "teacher": "ef"}}, "teacher"),
    ],
)
def test_whatever_decides_a_number_is_part_of_the_key(tmp_path, changed, named):
    save_checkpoint(tmp_path / "a.pt", SMALL)
    assert earlier(tmp_path / "a.pt", replace(SMALL, network={}, step=0, tools={})) is not None
    assert earlier(tmp_path / "b.pt", SMALL) is None
    with pytest.raises(UserError, match=rf"other settings \({named}\)"):
        earlier(tmp_path / "a.pt", replace(SMALL, **changed))


@pytest.mark.parametrize(
    "remembered",
    [
        {0: {"momentum_buffer": torch.zeros(5)}},
        {0: {"velocity": torch.zeros(2, 2)}},
        {0: {}},
        {9: {"momentum_buffer": torch.zeros(2, 2)}},
    ],
)
def test_an_optimiser_of_another_network_is_named(remembered):
    layer = torch.nn.Linear(2, 2)
    optimiser = torch.optim.SGD(layer.parameters(), 0.1, 0.9)
    fill_optimiser(optimiser, {1: {"momentum_buffer": torch.ones(2)}}, "a.pt")
    assert torch.equal(optimiser.state[layer.bias]["momentum_buffer"], torch.ones(2))
    with pytest.raises(UserError, match="its optimiser belongs to another network"):
        fill_optimiser(optimiser, remembered, "a.pt")


def test_a_newer_version_and_missing_fields_are_named(tmp_path):
    fields = {"format": module.FORMAT, "version": 3}
    torch.save(fields, tmp_path / "new.pt")
    with pytest.raises(UserError, match="version 3"):
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
