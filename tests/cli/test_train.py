"""``accelsim train`` on a few hundred images."""

import re
import signal
import struct
import subprocess
import sys
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from accelsim.training.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402
from accelsim.training.datasets import read_idx  # noqa: E402
from accelsim.training.recipe import CatRecipe  # noqa: E402
from tests.training.small_images import SMALL_FASHION_MNIST  # noqa: E402

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


def test_an_interruption_before_the_first_step_says_so(accelsim, tmp_path, monkeypatch):
    from accelsim.training import cat_training

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(cat_training, "train", interrupted)
    ran = accelsim("train", "float", *SHORT, "--out", tmp_path)
    assert ran.code == 2
    assert "interrupted: no step had been taken yet" in ran.err


def test_a_real_interruption_keeps_the_step_and_the_command_goes_on(accelsim, tmp_path):
    """Ctrl-C of a process, in the middle of its run and long before it would save by itself."""
    words = ["train", "float", "--data-root", SMALL_FASHION_MNIST, "--batch", 16, "--epochs", 2]
    command = [sys.executable, "-m", "accelsim", *map(str, words), "--out", str(tmp_path / "a")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        first = running.stderr.readline()
        running.send_signal(signal.SIGINT)
        rest = running.stderr.read()
    assert running.returncode == 2
    assert re.fullmatch(r"accelsim: float: step 1 of 64, \d+\.\d % right\n", first)
    assert rest == (
        f"accelsim: interrupted: {tmp_path}/a/float.pt is kept, and the same command continues "
        "from it\n"
    )
    kept = load_checkpoint(tmp_path / "a" / "float.pt")
    assert 1 <= kept.step < 64 and not kept.finished
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["float.pt"]
    for folder in ("a", "b"):  # to its end; and once more without an interruption
        ran = accelsim(*words, "--out", tmp_path / folder)
        assert ran.code == 0 and "step 64 of 64" in ran.err
    gone_on, whole = (load_checkpoint(tmp_path / x / "float.pt") for x in ("a", "b"))
    assert gone_on.figures == whole.figures
    assert all(torch.equal(t, gone_on.network[n]) for n, t in whole.network.items())


def test_a_run_that_diverges_stops_with_what_is_kept(accelsim, folder, tmp_path):
    words = ["train", "cat", "--data-root", SMALL_FASHION_MNIST, "--out", tmp_path, "--epochs", 2]
    words += ["--from", folder / "float.pt", "--batch", 64, "--learning-rate", 1e10]
    ran = accelsim(*words)
    assert ran.code == 2 and not (tmp_path / "cat.pt").exists()
    assert re.search(r"step \d+ of 16: the (loss|norm of the gradient) is (nan|inf)", ran.err)
    assert "take a smaller learning rate or lambda; no step had been saved yet" in ran.err


def test_another_start_or_other_images_are_another_run(accelsim, folder, tmp_path):
    """Each decides the result, so the first checkpoint is not passed off as the second's."""
    words = ["train", "cat", "--epochs", 0.5, "--out", tmp_path / "r"]
    same, start = ["--data-root", SMALL_FASHION_MNIST], ["--from", folder / "float.pt"]
    assert accelsim(*words, *same, *start).code == 0
    before = (tmp_path / "r" / "cat.pt").read_bytes()
    accelsim("train", "float", *SHORT, "--seed", 5, "--out", tmp_path / "b")
    ran = accelsim(*words, *same, "--from", tmp_path / "b" / "float.pt")
    assert ran.code == 2
    assert "was written by a run with other settings (starting network" in ran.err
    mixed = other_images(tmp_path / "mixed")
    ran = accelsim(*words, "--data-root", mixed, *start)
    assert ran.code == 2 and "(training images, test images" in ran.err
    assert (tmp_path / "r" / "cat.pt").read_bytes() == before
    ran = accelsim("trace", "export", tmp_path / "r" / "cat.pt", "--data-root", mixed)
    assert ran.code == 2
    assert "was trained with other training images and other test images than these" in ran.err


def test_the_float_accuracy_is_of_the_same_images(accelsim, folder, tmp_path):
    """Of a network from elsewhere it is measured anew; 0.5 would be ten times a guess."""
    words = ["--from", folder / "float.pt", "--out", tmp_path / "r", "--epochs", 0.5]
    ran = accelsim("train", "cat", "--data-root", other_images(tmp_path / "mixed"), *words)
    assert ran.code == 0, ran.err
    from accelsim.training.cat_training import restored
    from accelsim.training.datasets import read_dataset
    from accelsim.training.evaluate import evaluate

    network = restored(load_checkpoint(folder / "float.pt"), "float.pt")
    images = read_dataset("fashion_mnist", "test", tmp_path / "mixed")
    expected = evaluate(network, images, torch.device("cpu")).accuracy
    assert load_checkpoint(tmp_path / "r" / "cat.pt").figures["float_top1"] == expected


def test_a_start_for_other_images_or_half_trained_is_named(accelsim, folder, tmp_path):
    trained = load_checkpoint(folder / "float.pt")
    cases = {
        "half": (replace(trained, step=1), "its training stopped at step 1 of"),
        "rgb": (replace(trained, input_shape=[3, 32, 32]), "is for images of [3, 32, 32] in 10"),
        "two": (replace(trained, n_classes=2), "in 2 classes, and these are [1, 28, 28] in 10"),
    }
    for name, (checkpoint, said) in cases.items():
        save_checkpoint(tmp_path / name, checkpoint)
        ran = accelsim("train", "cat", *SHORT, "--from", tmp_path / name, "--out", tmp_path / "r")
        assert ran.code == 2 and said in ran.err, ran.err


def test_the_norm_has_a_lambda_of_its_own(accelsim, folder, tmp_path):
    words = ["--from", folder / "float.pt", "--regulariser", "norm", "--out", tmp_path]
    assert accelsim("train", "cat", *SHORT, *words).code == 0
    assert load_checkpoint(tmp_path / "cat.pt").recipe["rate_weight"] == 0.002
    assert CatRecipe().rate_weight == 0.07 and CatRecipe(regulariser="norm").rate_weight == 0.002


def other_images(folder):
    """The small data set with its images upside down."""
    folder.mkdir()
    for file in SMALL_FASHION_MNIST.iterdir():
        data = read_idx(file)
        data = data[:, ::-1] if data.ndim > 1 else data
        header = struct.pack(">HBB", 0, 8, data.ndim) + struct.pack(f">{data.ndim}I", *data.shape)
        (folder / file.name.removesuffix(".gz")).write_bytes(header + data.tobytes())
    return folder


def test_without_torch_the_extra_is_named(accelsim, monkeypatch):
    from accelsim.training import extra

    monkeypatch.setattr(extra, "find_spec", lambda name: None)
    ran = accelsim("train", "cat")
    assert ran.code == 2
    assert 'pip install "accelsim[train]"' in ran.err
