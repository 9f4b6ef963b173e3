"""Fine-tuning without labels, on a tiny network and made-up photographs."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the [train] extra")

from PIL import Image  # noqa: E402
from torch import nn  # noqa: E402

from accelsim.errors import UnknownNameError, UserError  # noqa: E402
from accelsim.training import agreement, distil, networks  # noqa: E402
from accelsim.training.checkpoint import Checkpoint, load_checkpoint  # noqa: E402
from accelsim.training.deployable import round_by_channel  # noqa: E402
from accelsim.training.loop import TrainingProgress  # noqa: E402
from accelsim.training.networks import TrainedNetwork  # noqa: E402
from accelsim.training.photographs import Photograph  # noqa: E402
from accelsim.training.recipe import DistilRecipe  # noqa: E402

RECIPE = DistilRecipe(
    steps=6,
    batch=4,
    bits=3,
    rate_weight=0.1,
    weight_learning_rate=0.0,
    bias_learning_rate=1e-3,
)
SIZE = 24
Tune = Callable[..., Checkpoint]


@dataclass(frozen=True)
class Tiny(TrainedNetwork):
    def load(self) -> nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(3)
            return nn.Sequential(
                nn.Conv2d(3, 8, 3, 2, bias=False),
                nn.BatchNorm2d(8),
                nn.ReLU(),
                nn.Conv2d(8, 12, 3, 2),
                nn.ReLU(),
                nn.Flatten(),
                nn.Linear(12 * 25, 5),
            ).eval()


@pytest.fixture
def tune(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tune:
    """``fine_tune`` of the tiny network, on photographs of noise."""
    random = np.random.default_rng(0)
    files = []
    for i in range(4):
        files.append(tmp_path / f"{i}.png")
        noise = random.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((64, 48)).save(files[-1])
    entry = Tiny("tiny", "", SIZE, (127.0,) * 3, (64.0,) * 3, 5, "made up")
    labelled = [Photograph("a", random.integers(0, 256, (3, SIZE, SIZE), dtype=np.uint8), 2)]
    monkeypatch.setitem(networks.NETWORKS, "tiny", entry)
    monkeypatch.setitem(networks.NETWORKS, "features", replace(entry, n_classes=0))
    monkeypatch.setattr(distil, "training_files", lambda: files[:3])
    monkeypatch.setattr(distil, "held_out_files", lambda: files[3:])
    monkeypatch.setattr(agreement, "labelled_photographs", lambda size: labelled)

    def run(
        recipe: DistilRecipe = RECIPE, model: str = "tiny", anew: bool = True, **kwargs: object
    ) -> Checkpoint:
        path = tmp_path / "out.pt"
        if anew:
            path.unlink(missing_ok=True)
        return distil.fine_tune(model, path, recipe, **kwargs)

    return run


def moved(checkpoint: Checkpoint, recipe: DistilRecipe) -> set[str]:
    untouched = distil.untrained(networks.NETWORKS["tiny"], recipe)
    round_by_channel(untouched)
    start = untouched.state_dict()
    same = ("running_", "n_watched", "mean", "deviation")
    return {
        name.removeprefix("network.")
        for name, values in checkpoint.network.items()
        if not any(s in name for s in same) and not torch.equal(values, start[name])
    }


def test_only_what_has_a_learning_rate_moves(tune: Tune) -> None:
    clips = {"quantiser00_2.clip", "quantiser01_4.clip"}
    biases = {"1.weight", "1.bias", "3.bias", "6.bias"}
    frozen = replace(RECIPE, bias_learning_rate=0.0)
    assert moved(tune(frozen), frozen) == clips
    assert moved(tune(RECIPE), RECIPE) == clips | biases
    whole = replace(RECIPE, weight_learning_rate=1e-3)
    assert moved(tune(whole), whole) == clips | biases | {"0.weight", "3.weight", "6.weight"}


def test_statistics_of_batch_normalisation_stay(tune: Tune) -> None:
    trained = tune(replace(RECIPE, weight_learning_rate=1e-3)).network
    untouched = networks.NETWORKS["tiny"].load().state_dict()
    for name in ("1.running_mean", "1.running_var"):
        assert torch.equal(trained[f"network.{name}"], untouched[name])


def test_the_network_comes_nearer_to_its_teacher(tune: Tune) -> None:
    seen: list[float] = []
    recipe = replace(RECIPE, steps=40, bits=2, rate_weight=0.0, bias_learning_rate=5e-3)
    tune(recipe, report=lambda p: seen.append(p.figures["distance"]))
    assert len(seen) == 40
    assert np.mean(seen[-10:]) < 0.7 * np.mean(seen[:5])


def test_a_rate_term_lowers_the_rate(tune: Tune) -> None:
    recipe = replace(RECIPE, steps=30, weight_learning_rate=1e-2)
    free, paid = (tune(replace(recipe, rate_weight=x)).figures for x in (0.0, 1.0))
    assert paid["entropy_bits"] < free["entropy_bits"] - 0.1


def test_the_checkpoint_restores_what_was_measured(tune: Tune, tmp_path: Path) -> None:
    made = tune()
    found = load_checkpoint(tmp_path / "out.pt")
    assert (found.kind, found.model, found.data) == ("cat", "tiny", "photographs")
    assert found.finished and found.input_shape == [3, SIZE, SIZE]
    network = distil.restored(found, "out.pt")
    assert distil.figures(network, networks.NETWORKS["tiny"]) == made.figures
    with pytest.raises(UserError, match="belongs to another network"):
        distil.restored(replace(found, network={}), "out.pt")
    with pytest.raises(UserError, match="another kind of recipe"):
        distil.restored(replace(found, recipe={"epochs": 3}), "out.pt")


def test_two_runs_are_one(tune: Tune) -> None:
    first, second = tune().network, tune().network
    assert all(torch.equal(values, second[name]) for name, values in first.items())


class Stop(Exception):
    pass


def test_an_interrupted_run_goes_on_and_ends_equal(
    tune: Tune, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(RECIPE, steps=9, weight_learning_rate=1e-3)
    whole = tune(recipe)
    monkeypatch.setattr(distil, "_SAVE_EVERY", 2)

    def stop(progress: object) -> None:
        if progress.step == 7:
            raise Stop

    with pytest.raises(Stop):
        tune(recipe, report=stop)
    assert load_checkpoint(tmp_path / "out.pt").step == 6
    steps: list[int] = []
    parts = tune(recipe, anew=False, report=lambda p: steps.append(p.step))
    assert steps == [7, 8, 9]
    assert parts.figures == whole.figures
    assert all(torch.equal(values, parts.network[n]) for n, values in whole.network.items())
    assert tune(recipe, anew=False, report=stop).figures == whole.figures  # finished: not run
    with pytest.raises(UserError, match="other settings"):
        tune(replace(recipe, bits=4), anew=False)


def test_ctrl_c_keeps_the_step_that_it_came_in(tune: Tune, tmp_path: Path) -> None:
    def press(progress: TrainingProgress) -> None:
        if progress.step == 2:
            os.kill(os.getpid(), signal.SIGINT)

    whole = tune(replace(RECIPE, weight_learning_rate=1e-3))
    with pytest.raises(KeyboardInterrupt):
        tune(replace(RECIPE, weight_learning_rate=1e-3), report=press)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert load_checkpoint(tmp_path / "out.pt").step == 2
    steps: list[int] = []
    recipe = replace(RECIPE, weight_learning_rate=1e-3)
    parts = tune(recipe, anew=False, report=lambda p: steps.append(p.step))
    assert steps == [3, 4, 5, 6]
    assert all(torch.equal(values, parts.network[n]) for n, values in whole.network.items())


def test_other_photographs_or_another_teacher_are_another_run(
    tune: Tune, monkeypatch: pytest.MonkeyPatch
) -> None:
    tune()
    files = distil.training_files()
    with monkeypatch.context() as patched:
        patched.setattr(distil, "training_files", lambda: files[:2])
        with pytest.raises(UserError, match=r"other settings \(photographs\)"):
            tune(anew=False)
    with monkeypatch.context() as patched:
        patched.setattr(distil, "held_out_files", lambda: files[:1])
        with pytest.raises(UserError, match=r"other settings \(held-out photographs\)"):
            tune(anew=False)
    load = Tiny.load

    def other(entry: Tiny) -> nn.Module:
        module = load(entry)
        module[0].weight.data[0, 0, 0, 0] += 1e-3
        return module

    monkeypatch.setattr(Tiny, "load", other)
    with pytest.raises(UserError, match=r"other settings \(teacher\)"):
        tune(anew=False)


def test_a_part_of_another_crop_is_pasted_in(tune: Tune, tmp_path: Path) -> None:
    flat = [Image.new("RGB", (40, 40), (level, level, level)) for level in (0, 100, 200)]
    alone = distil.batch_of(flat, SIZE, replace(RECIPE, batch=16, pasted=0.0), 0)
    assert all(np.ptp(image) == 0 for image in alone)
    mixed = distil.batch_of(flat, SIZE, replace(RECIPE, batch=16, pasted=1.0), 0)
    assert {len(np.unique(image)) for image in mixed} == {1, 2}
    again = distil.batch_of(flat, SIZE, replace(RECIPE, batch=16, pasted=1.0), 0)
    np.testing.assert_array_equal(mixed, again)


def test_networks_that_cannot_be_tuned_are_refused(tune: Tune) -> None:
    with pytest.raises(UserError, match="no classes to agree on"):
        tune(model="features")
    with pytest.raises(UnknownNameError, match="Did you mean 'tiny'"):
        tune(model="tinny")


def test_a_loss_that_explodes_ends_the_run_and_writes_nothing(tune: Tune, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the loss is"):
        tune(replace(RECIPE, rate_weight=float("inf")))
    assert not (tmp_path / "out.pt").exists()
