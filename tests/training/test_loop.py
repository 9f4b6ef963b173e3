"""The loop: steps follow from their number, runs resume exactly, and stop cleanly."""

import math
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from accelsim.errors import UserError  # noqa: E402
from accelsim.training.datasets import read_dataset  # noqa: E402
from accelsim.training.loop import (  # noqa: E402
    TrainingState,
    batch_of,
    loaded,
    sgd,
    share_of_rate,
    steps_of,
    train,
)
from accelsim.training.recipe import Recipe, cat_recipe, float_recipe  # noqa: E402
from tests.training.small_images import SMALL_FASHION_MNIST  # noqa: E402

CPU = torch.device("cpu")
RECIPE = Recipe(epochs=2, batch=64, seed=5)


@pytest.fixture(scope="module")
def data():
    return read_dataset("fashion_mnist", "train", SMALL_FASHION_MNIST)


def _state():
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10))
    return TrainingState(network, sgd(RECIPE, [], 0.0, network))


def _loss_of(state):
    return lambda images, labels: (functional.cross_entropy(state.network(images), labels), {})


def test_an_epoch_takes_every_image_once():
    numbers = np.concatenate([batch_of(RECIPE, 512, step)[0] for step in range(8)])
    assert sorted(numbers) == list(range(512))
    again = np.concatenate([batch_of(RECIPE, 512, step)[0] for step in range(8, 16)])
    assert sorted(again) == list(range(512)) and not np.array_equal(numbers, again)


def test_about_half_of_the_images_are_mirrored_and_only_columns_move(data):
    shares = [batch_of(RECIPE, 512, step)[1].mean() for step in range(50)]
    assert 0.4 < np.mean(shares) < 0.6
    assert not batch_of(replace(RECIPE, mirror=False), 512, 0)[1].any()
    numbers, mirrored = np.array([3, 3]), np.array([False, True])
    images, labels = loaded(data, numbers, mirrored, CPU)
    assert torch.equal(images[1], images[0].flip(-1))
    assert images[0, 0].mul(255).round().numpy().astype(np.uint8).tolist() == (
        data.images[3, 0].tolist()
    )
    assert labels.tolist() == [data.labels[3]] * 2


def test_the_rate_rises_then_falls_as_a_cosine():
    shares = [share_of_rate(s, 100, 0.1) for s in range(100)]
    assert shares[:10] == pytest.approx([(s + 1) / 10 for s in range(10)])
    assert shares[55] == pytest.approx(0.5)  # half way down
    assert shares[99] == pytest.approx(0.5 * (1 + math.cos(math.pi * 89 / 90)))


def test_steps_of_a_run():
    assert steps_of(Recipe(epochs=1.5, batch=128), 60_000) == 702
    assert steps_of(Recipe(epochs=0.1, batch=128), 100) == 1


def test_a_run_in_two_parts_equals_a_whole_one(data):
    whole, parts = _state(), _state()
    train(whole, data, RECIPE, _loss_of(whole), device=CPU)
    train(parts, data, RECIPE, _loss_of(parts), device=CPU, stop_at=7)
    resumed = _state()
    resumed.network.load_state_dict(parts.network.state_dict())
    resumed.optimiser.load_state_dict(parts.optimiser.state_dict())
    resumed.step = parts.step
    train(resumed, data, RECIPE, _loss_of(resumed), device=CPU)
    assert whole.step == resumed.step == 16
    for a, b in zip(whole.network.parameters(), resumed.network.parameters(), strict=True):
        assert torch.equal(a, b)


def test_training_learns(data):
    state, losses = _state(), []
    train(state, data, RECIPE, _loss_of(state), device=CPU, after_step=lambda p: losses.append(p))
    assert losses[-1].loss < losses[0].loss / 1.5
    assert [p.step for p in losses] == list(range(1, 17)) and losses[0].n_steps == 16


def test_a_loss_that_is_no_number_stops_before_the_step(data):
    state = _state()
    before = [p.clone() for p in state.network.parameters()]

    def broken(images, labels):
        return _loss_of(state)(images, labels)[0] * math.nan, {}

    with pytest.raises(UserError, match="step 1 of 16: the loss is nan"):
        train(state, data, RECIPE, broken, device=CPU)
    assert state.step == 0
    assert all(torch.equal(a, b) for a, b in zip(before, state.network.parameters(), strict=True))


def test_slow_parameters_have_no_weight_decay():
    network = torch.nn.Linear(2, 2)
    groups = sgd(RECIPE, [network.bias], 0.01, network).param_groups
    assert [(g["lr"], g["weight_decay"]) for g in groups] == [(0.1, 5e-4), (0.01, 0.0)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bits": 9}, "--bits: is 9\n.*2 to 8"),
        ({"rate_weight": -1.0}, "--lambda: is -1\n.*0 or more"),
        ({"rate_weight": math.nan}, "--lambda: is nan"),
        ({"distillation": 1.5}, "--distillation: is 1.5\n.*0 to 1"),
        ({"epochs": 0.0}, "--epochs: is 0"),
        ({"epochs": math.inf}, "--epochs: is inf"),
        ({"learning_rate": -0.1}, "--learning-rate"),
        ({"batch": 0}, "--batch: is 0"),
        ({"seed": -1}, "--seed"),
    ],
)
def test_impossible_settings_are_named(settings, message):
    with pytest.raises(UserError, match=message):
        cat_recipe(**settings)


def test_settings_left_open_keep_their_default():
    assert float_recipe(epochs=None, seed=3) == Recipe(seed=3)
