"""Whole runs on a few hundred images: they learn, resume, and end with figures."""

import os
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from accelsim.errors import UnknownNameError, UserError  # noqa: E402
from accelsim.training import cat_training  # noqa: E402
from accelsim.training.cat_training import (  # noqa: E402
    Task,
    new_model,
    restored,
    train_cat,
    train_float,
)
from accelsim.training.checkpoint import load_checkpoint  # noqa: E402
from accelsim.training.datasets import read_dataset  # noqa: E402
from accelsim.training.evaluate import evaluate  # noqa: E402
from accelsim.training.recipe import CatRecipe, Recipe  # noqa: E402
from tests.training.small_images import SMALL_FASHION_MNIST  # noqa: E402

FLOAT = Recipe(epochs=12, batch=32, learning_rate=0.05)
CAT = CatRecipe(
    epochs=2,
    batch=64,
    learning_rate=0.05,
    rate_weight=2.0,
    entropy_images=64,
    distillation=0.0,
)
CPU = torch.device("cpu")


def small():
    """A network of one's own, quick to train, with the same weights each time."""
    torch.manual_seed(4)
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 3, 2),
        torch.nn.BatchNorm2d(8),
        torch.nn.ReLU(),
        torch.nn.Conv2d(8, 12, 3, 2),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(12 * 36, 10),
    )


@pytest.fixture(scope="module")
def halves():
    return [read_dataset("fashion_mnist", half, SMALL_FASHION_MNIST) for half in ("train", "test")]


@pytest.fixture(scope="module")
def trained(halves, tmp_path_factory):
    task = Task("small", *halves, tmp_path_factory.mktemp("float") / "float.pt")
    return train_float(task, FLOAT, small())


def _cat(trained, halves, path, recipe=CAT, **options):
    network = restored(trained, "float.pt", small())
    return train_cat(Task("small", *halves, path), recipe, network, 0.7, **options)


def test_a_float_run_learns_and_ends_with_its_accuracy(trained, halves):
    assert trained.finished and trained.optimiser is None
    assert trained.figures["top1"] > 0.5  # ten classes, 512 images, seconds of training
    found = evaluate(restored(trained, "float.pt", small()), halves[1], CPU)
    assert found.accuracy == trained.figures["top1"]


def test_the_rate_term_lowers_the_entropy(trained, halves, tmp_path):
    long = replace(CAT, epochs=6)
    plain = _cat(trained, halves, tmp_path / "0.pt", replace(long, rate_weight=0.0))
    cat = _cat(trained, halves, tmp_path / "1.pt", replace(long, rate_weight=10.0))
    assert cat.figures["entropy_bits"] < plain.figures["entropy_bits"] - 0.2
    assert cat.figures["zeros"] > plain.figures["zeros"]
    assert cat.figures["float_top1"] == 0.7


def test_figures_are_those_of_the_stored_network(trained, halves, tmp_path):
    cat = _cat(trained, halves, tmp_path / "cat.pt")
    network = restored(load_checkpoint(tmp_path / "cat.pt"), "cat.pt", small())
    found = evaluate(network, halves[1], CPU)
    assert found.accuracy == cat.figures["top1"]
    assert found.entropy == pytest.approx(cat.figures["entropy_bits"], rel=1e-9)
    assert found.huffman == pytest.approx(cat.figures["huffman_bits"], rel=1e-9)


def test_rates_by_hand(trained, halves, tmp_path):
    """Counted anew from the levels that each quantiser makes of what reaches it."""
    cat = _cat(trained, halves, tmp_path / "cat.pt")
    network = restored(cat, "cat.pt", small())
    seen = {name: [] for name in network.quantisers}
    for name, quantiser in network.quantisers.items():
        quantiser.register_forward_hook(
            lambda m, x, y, name=name: seen[name].append((y / m.scale).round().long().numpy())
        )
    with torch.no_grad():
        network(torch.tensor(halves[1].images) / 255)
    total = bits = zeros = 0.0
    for maps in seen.values():
        levels = np.concatenate([m.ravel() for m in maps])
        shares = np.bincount(levels) / len(levels)
        shares = shares[shares > 0]
        bits += len(levels) * -(shares * np.log2(shares)).sum()
        zeros += (levels == 0).sum()
        total += len(levels)
    assert bits / total == pytest.approx(cat.figures["entropy_bits"], rel=1e-5)
    assert zeros / total == pytest.approx(cat.figures["zeros"], rel=1e-5)


class Stop(Exception):
    pass


def test_an_interrupted_run_goes_on_and_ends_equal(trained, halves, tmp_path, monkeypatch):
    monkeypatch.setattr(cat_training, "_SAVE_EVERY", 5)
    whole = _cat(trained, halves, tmp_path / "whole.pt")

    def stop(progress):
        if progress.step == 8:
            raise Stop

    with pytest.raises(Stop):
        _cat(trained, halves, tmp_path / "parts.pt", report=stop)
    assert load_checkpoint(tmp_path / "parts.pt").step == 5
    steps = []
    parts = _cat(
        trained, halves, tmp_path / "parts.pt", report=lambda progress: steps.append(progress.step)
    )
    assert steps[0] == 6 and steps[-1] == 16
    assert parts.figures == whole.figures
    for name, tensor in whole.network.items():
        assert torch.equal(tensor, parts.network[name]), name


def test_a_finished_run_is_not_run_again(trained, halves, tmp_path):
    first = _cat(trained, halves, tmp_path / "cat.pt")
    again = _cat(trained, halves, tmp_path / "cat.pt", report=lambda progress: pytest.fail("ran"))
    assert again.figures == first.figures


def test_a_checkpoint_of_other_settings_is_refused_and_kept(trained, halves, tmp_path):
    _cat(trained, halves, tmp_path / "cat.pt")
    before = (tmp_path / "cat.pt").read_bytes()
    with pytest.raises(UserError, match="other settings"):
        _cat(trained, halves, tmp_path / "cat.pt", replace(CAT, bits=4))
    assert (tmp_path / "cat.pt").read_bytes() == before


def test_what_a_run_starts_from_is_part_of_its_checkpoint(trained, halves, tmp_path):
    """Images, labels, weights, layers, and what a bit of each map counts."""
    path = tmp_path / "cat.pt"
    first = _cat(trained, halves, path)
    train, test = halves
    brighter = replace(test, images=test.images | 1)
    relabelled = replace(train, labels=np.roll(train.labels, 1))
    moved = {n: t + 1 if n == "0.bias" else t for n, t in trained.network.items()}
    cases = {
        "test images": lambda: _cat(trained, [train, brighter], path),
        "training images": lambda: _cat(trained, [relabelled, test], path),
        "starting network": lambda: _cat(replace(trained, network=moved), halves, path),
        "accuracy in float": lambda: train_cat(
            Task("small", *halves, path), CAT, restored(trained, "float.pt", small()), 0.8
        ),
        "weights of the maps": lambda: _cat(trained, halves, path, weight_of=lambda n, q: 1.0),
    }
    for name, again in cases.items():
        with pytest.raises(UserError, match=rf"other settings \({name}\)"):
            again()
    assert _cat(trained, halves, path).figures == first.figures


class Doubling(torch.nn.Module):
    def forward(self, x):
        return x * 2


class Halving(torch.nn.Module):
    def forward(self, x):
        return x / 2


def test_another_network_of_ones_own_is_another_run(halves, tmp_path):
    """Also where its weights are equal: other strides, other code."""

    def train_one(stride, last):
        module = torch.nn.Sequential(
            torch.nn.Conv2d(1, 2, 3, stride),
            torch.nn.AdaptiveAvgPool2d(4),
            torch.nn.Flatten(),
            torch.nn.Linear(32, 10),
            last,
        )
        for parameter in module.parameters():
            torch.nn.init.constant_(parameter, 0.1)
        return train_float(Task("own", *halves, tmp_path / "a.pt"), Recipe(epochs=0.1), module)

    train_one(2, Doubling())
    train_one(2, Doubling())
    for stride, last in ((3, Doubling()), (2, Halving())):
        with pytest.raises(UserError, match=r"other settings \(starting network\)"):
            train_one(stride, last)


def test_a_network_that_draws_numbers_goes_on_and_ends_equal(halves, tmp_path):
    def dropping():
        torch.manual_seed(4)
        layers = torch.nn.Flatten(), torch.nn.Dropout(0.5), torch.nn.Linear(784, 10)
        return torch.nn.Sequential(*layers)

    def stop(progress):
        if progress.step == 5:
            raise KeyboardInterrupt

    recipe, saved_at = replace(FLOAT, epochs=0.6), []
    whole = train_float(Task("own", *halves, tmp_path / "whole.pt"), recipe, dropping())
    task = Task("own", *halves, tmp_path / "parts.pt")
    monkey = pytest.MonkeyPatch()
    monkey.setattr(cat_training, "_SAVE_EVERY", 3)
    with pytest.raises(KeyboardInterrupt):
        train_float(task, recipe, dropping(), stop)
    monkey.undo()
    torch.rand(7)  # other numbers are drawn in between
    parts = train_float(task, recipe, dropping(), lambda p: saved_at.append(p.step))
    assert saved_at[0] == 4
    assert all(torch.equal(t, parts.network[n]) for n, t in whole.network.items())


def test_ctrl_c_keeps_the_step_that_it_came_in_and_twice_ends_at_once(halves, tmp_path):
    def press(at, times):
        def report(progress):
            for _ in range(times if progress.step == at else 0):
                os.kill(os.getpid(), signal.SIGINT)

        return report

    task = Task("small", *halves, tmp_path / "a.pt")
    with pytest.raises(KeyboardInterrupt):
        train_float(task, FLOAT, small(), press(3, 1))
    assert load_checkpoint(task.path).step == 3
    with pytest.raises(KeyboardInterrupt):
        train_float(task, FLOAT, small(), press(5, 2))
    assert load_checkpoint(task.path).step == 3
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_program_with_its_own_way_of_interruptions_keeps_it(halves, tmp_path):
    """And a thread, which may set no handler."""
    seen = []
    before = signal.signal(signal.SIGINT, lambda *_: seen.append(1))
    task, recipe = Task("small", *halves, tmp_path / "a.pt"), replace(FLOAT, epochs=0.2)
    try:
        train_float(task, recipe, small(), lambda p: os.kill(os.getpid(), signal.SIGINT))
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(seen) == load_checkpoint(task.path).n_steps
    task.path.unlink()
    thread = threading.Thread(target=train_float, args=(task, recipe, small()))
    thread.start()
    thread.join()
    assert load_checkpoint(task.path).finished


def test_an_interruption_during_the_evaluation_keeps_the_last_step(halves, tmp_path, monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    task = Task("small", *halves, tmp_path / "a.pt")
    recipe = replace(FLOAT, epochs=0.2)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(cat_training, "evaluate", interrupted)
        train_float(task, recipe, small())
    kept = load_checkpoint(task.path)
    assert kept.step == kept.n_steps and not kept.finished
    done = train_float(task, recipe, small(), lambda progress: pytest.fail("trained again"))
    assert done.finished and done.optimiser is None


def test_a_gradient_that_is_no_number_stops_before_the_step(halves, tmp_path):
    """The loss is 1 there; only its slope is infinite."""

    class Steep(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(10))

        def forward(self, x):
            return self.weight.sqrt() + x.flatten(1)[:, :10] * 0

    task = Task("own", *halves, tmp_path / "a.pt")
    with pytest.raises(UserError, match=r"step 1 of .*: the norm of the gradient is (nan|inf)"):
        train_float(task, FLOAT, Steep())
    assert not task.path.exists()


def test_a_loss_that_is_no_number_keeps_the_last_checkpoint(trained, halves, tmp_path, monkeypatch):
    monkeypatch.setattr(cat_training, "_SAVE_EVERY", 1)
    rate = cat_training.CatNetwork.rate
    calls = []

    def failing(self, *args):
        calls.append(1)
        return rate(self, *args) * (float("nan") if len(calls) > 4 else 1)

    monkeypatch.setattr(cat_training.CatNetwork, "rate", failing)
    with pytest.raises(UserError, match=r"step 5 of 16: the loss is nan\n.*; step 4 is kept"):
        _cat(trained, halves, tmp_path / "cat.pt")
    kept = load_checkpoint(tmp_path / "cat.pt")
    assert kept.step == 4
    assert all(torch.isfinite(t).all() for t in kept.network.values() if t.is_floating_point())


def test_the_other_ways_to_train_run(trained, halves, tmp_path):
    short = replace(CAT, epochs=1)
    for i, recipe in enumerate(
        (
            replace(short, distillation=0.5),
            replace(short, regulariser="norm", rate_weight=1e-3),
            replace(short, step="dynamic"),
            replace(short, weight_rate_weight=0.1),
            replace(short, gradual_epochs=0.5),
            replace(short, weight_bits=None, bits=8),
        )
    ):
        found = _cat(trained, halves, tmp_path / f"{i}.pt", recipe)
        assert found.figures["top1"] > 0.3, recipe


def test_with_distillation_alone_labels_do_not_matter(trained, halves, tmp_path):
    recipe = replace(CAT, epochs=1, distillation=1.0)
    wrong = replace(halves[0], labels=np.roll(halves[0].labels, 1))
    right_way = _cat(trained, halves, tmp_path / "a.pt", recipe)
    other_way = _cat(trained, [wrong, halves[1]], tmp_path / "b.pt", recipe)
    for name, tensor in right_way.network.items():
        assert torch.equal(tensor, other_way.network[name]), name
    misled = replace(recipe, epochs=6, distillation=0.0)
    labels_alone = _cat(trained, [wrong, halves[1]], tmp_path / "c.pt", misled)
    assert labels_alone.figures["top1"] < other_way.figures["top1"] - 0.1


def test_the_weight_term_is_part_of_the_loss(trained, halves, tmp_path, monkeypatch):
    """A term that pulls all weights to zero, in its place, does so."""

    def pull(network, drawn):
        return sum(p.square().sum() for p in network.parameters())

    def size(weight):
        recipe = replace(CAT, rate_weight=0.0, weight_rate_weight=weight)
        found = _cat(trained, halves, tmp_path / f"{weight}.pt", recipe)
        return sum(t.square().sum().item() for n, t in found.network.items() if "original" in n)

    monkeypatch.setattr(cat_training, "weight_rate", pull)
    assert size(10.0) < 0.9 * size(0.0)


def test_gradual_mode_starts_one_map_after_another(trained, halves, tmp_path, monkeypatch):
    firsts = []
    quantise = cat_training.CatNetwork.quantise
    monkeypatch.setattr(
        cat_training.CatNetwork,
        "quantise",
        lambda self, first=None: (firsts.append(first), quantise(self, first))[1],
    )
    _cat(trained, halves, tmp_path / "g.pt", replace(CAT, epochs=1, gradual_epochs=0.25))
    # 8 steps an epoch: a map more every 2 steps; all before the first and after the last step.
    assert firsts == [None, 1, 1, 2, 2, 3, 3, 4, 4, None]


def test_a_named_network_is_built_again_from_its_checkpoint(halves, tmp_path):
    task = Task("resnet8", *halves, tmp_path / "float.pt")
    trained = train_float(task, replace(FLOAT, epochs=0.1))
    found = evaluate(restored(trained, "float.pt"), halves[1], CPU)
    assert found.accuracy == trained.figures["top1"]


def test_a_network_of_ones_own_must_be_given_again(trained):
    with pytest.raises(UnknownNameError, match="small"):
        restored(trained, "float.pt")


def test_an_unknown_model_is_named():
    with pytest.raises(UnknownNameError, match=r"resnet88.*Did you mean 'resnet8'"):
        new_model("resnet88", [1, 28, 28], 10)
