"""``accelsim train`` on a few hundred images."""

import pytest

pytest.importorskip("torch")

from accelsim.training.checkpoint import load_checkpoint
from tests.training.small_images import SMALL_FASHION_MNIST

SHORT = ["--data-root", SMALL_FASHION_MNIST, "--epochs", 0.5]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("train")


def test_one_command_trains_both_networks_and_shows_the_rates(accelsim, folder):
    ran = accelsim("train", "cat", *SHORT, "--float-epochs", 1, "--out", folder, "--lambda", 0.2)
    assert ran.code == 0, ran.err
    assert "top-1 %" in ran.out and "entropy" in ran.out
    assert f"accelsim trace export {folder / 'cat.pt'}" in ran.out
    cat = load_checkpoint(folder / "cat.pt")
    assert cat.recipe["rate_weight"] == 0.2 and cat.recipe["epochs"] == 0.5
    assert cat.figures["float_top1"] == load_checkpoint(folder / "float.pt").figures["top1"]


def test_a_float_network_can_be_given(accelsim, folder, tmp_path):
    accelsim("train", "float", *SHORT, "--out", folder / "other")
    start = folder / "other" / "float.pt"
    ran = accelsim("train", "cat", *SHORT, "--from", start, "--bits", 4, "--out", tmp_path)
    assert ran.code == 0, ran.err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cat.pt"]


def test_other_settings_do_not_overwrite_a_checkpoint(accelsim, folder):
    ran = accelsim("train", "float", *SHORT, "--out", folder / "twice")
    assert ran.code == 0
    ran = accelsim("train", "float", *SHORT, "--seed", 1, "--out", folder / "twice")
    assert ran.code == 2
    assert "was written by a run with other settings" in ran.err and "--out" in ran.err


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (["--data", "cifar"], "unknown data set 'cifar'"),
        (["--data-root", "/nowhere"], "apt-get install dataset-fashion-mnist"),
        (["--model", "resnet9"], "unknown model 'resnet9'. Did you mean 'resnet8'?"),
        (["--bits", 1], "--bits: is 1"),
        (["--from", "absent.pt"], "absent.pt: no such file"),
        (["--lambda", "much"], "lambda"),
        (["--regulariser", "entropie"], "entropie"),
    ],
)
def test_bad_input_is_one_clear_message(accelsim, tmp_path, tokens, message):
    base = [] if "--data" in tokens or "--data-root" in tokens else SHORT
    ran = accelsim("train", "cat", *base, *tokens, "--out", tmp_path)
    assert ran.code == 2
    assert message in ran.err
    assert "Traceback" not in ran.err and len(ran.err.strip().splitlines()) <= 3


def test_a_cat_checkpoint_is_no_start(accelsim, folder, tmp_path):
    ran = accelsim("train", "cat", *SHORT, "--from", folder / "cat.pt", "--out", tmp_path)
    assert ran.code == 2
    assert "cat.pt: is a cat checkpoint" in ran.err


def test_an_interruption_says_what_is_kept(accelsim, tmp_path, monkeypatch):
    from accelsim.training import cat_training

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(cat_training, "train", interrupted)
    ran = accelsim("train", "float", *SHORT, "--out", tmp_path)
    assert ran.code == 2
    assert "the last checkpoint is kept, and the same command goes on" in ran.err


def test_without_torch_the_extra_is_named(accelsim, monkeypatch):
    from accelsim.training import extra

    monkeypatch.setattr(extra, "find_spec", lambda name: None)
    ran = accelsim("train", "cat")
    assert ran.code == 2
    assert 'pip install "accelsim[train]"' in ran.err
