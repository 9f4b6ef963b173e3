"""The training loop: steps that depend only on their number, and stop cleanly.

Batch, mirroring and learning rate of a step depend only on the recipe and the number of the
step. So the state of a run is the network, the optimiser and that number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from accelsim.errors import UserError
from accelsim.training.datasets import LabelledImages
from accelsim.training.recipe import Recipe

Loss = Callable[[Tensor, Tensor], tuple[Tensor, dict[str, float]]]
"""Computes the loss and figures to show, from images and labels."""
_MOMENTUM = 0.9


class DivergedError(UserError):
    """The loss or its gradient is not finite any more."""

    def __init__(self, step: str, problem: str) -> None:
        super().__init__(step, problem, "take a smaller learning rate or lambda")


@dataclass
class TrainingState:
    """State of a run between two steps."""

    network: nn.Module
    optimiser: torch.optim.Optimizer
    step: int = 0


@dataclass(frozen=True)
class TrainingProgress:
    """Information for a progress display after a step."""

    step: int
    n_steps: int
    loss: float
    figures: Mapping[str, float]


def train(
    state: TrainingState,
    data: LabelledImages,
    recipe: Recipe,
    loss_of: Loss,
    *,
    device: torch.device,
    before_step: Callable[[int], None] = lambda step: None,
    after_step: Callable[[TrainingProgress], None] = lambda progress: None,
    stop_at: int | None = None,
) -> None:
    """Continue from ``state.step`` to the end of the recipe, or to step ``stop_at``.

    Raises ``DivergedError`` if the loss or its gradient is not finite; the step is then not
    taken.
    """
    n_steps = steps_of(recipe, len(data.labels))
    for group in state.optimiser.param_groups:
        group.setdefault("base_lr", group["lr"])
    state.network.train()
    for step in range(state.step, min(n_steps, stop_at if stop_at is not None else n_steps)):
        before_step(step)
        torch.manual_seed(random_seed(recipe.seed, step))
        share = share_of_rate(step, n_steps, recipe.warm_up)
        for group in state.optimiser.param_groups:
            group["lr"] = group["base_lr"] * share
        numbers, mirrored = batch_of(recipe, len(data.labels), step)
        images, labels = loaded(data, numbers, mirrored, device)
        with autocast(device):
            loss, figures = loss_of(images, labels)
        where = f"step {step + 1} of {n_steps}"
        value = descend(loss, state.optimiser, where, recipe.gradient_clip)
        state.step = step + 1
        after_step(TrainingProgress(state.step, n_steps, value, figures))


def descend(
    loss: Tensor, optimiser: torch.optim.Optimizer, step: str, gradient_clip: float = 0.0
) -> float:
    """Take one gradient step; returns the loss.

    The gradient's norm is clipped at ``gradient_clip`` (0: not at all). Raises
    ``DivergedError`` that names the ``step`` instead of taking one with numbers that are not
    finite.
    """
    value = float(loss.detach())
    if not math.isfinite(value):
        raise DivergedError(step, f"the loss is {value}")
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    moved = [p for group in optimiser.param_groups for p in group["params"] if p.grad is not None]
    norm = nn.utils.get_total_norm([p.grad for p in moved])
    if not math.isfinite(norm):
        raise DivergedError(step, f"the norm of the gradient is {float(norm)}")
    if gradient_clip:
        nn.utils.clip_grads_with_norm_(moved, gradient_clip, norm)
    optimiser.step()
    return value


def random_seed(seed: int, step: int) -> int:
    """Seed of the random numbers of a step other than its batch, such as dropout."""
    return seed * 1_000_003 + step


def sgd(
    recipe: Recipe, slow: list[nn.Parameter], slow_rate: float, network: nn.Module
) -> torch.optim.SGD:
    """The optimiser; ``slow`` parameters have a rate of their own and no weight decay."""
    ids = {id(p) for p in slow}
    others = [p for p in network.parameters() if id(p) not in ids]
    groups = [{"params": others, "lr": recipe.learning_rate, "weight_decay": recipe.weight_decay}]
    if slow:
        groups.append({"params": slow, "lr": slow_rate, "weight_decay": 0.0})
    return torch.optim.SGD(groups, lr=recipe.learning_rate, momentum=_MOMENTUM, nesterov=True)


def steps_of(recipe: Recipe, n_images: int) -> int:
    """Number of steps of a whole run, at least one."""
    return max(1, round(recipe.epochs * (n_images // recipe.batch)))


def share_of_rate(step: int, n_steps: int, warm_up: float) -> float:
    """Learning rate of a step as a fraction of its peak: a ramp, then a cosine to zero.

    >>> [round(share_of_rate(s, 10, 0.2), 2) for s in (0, 1, 2, 6, 9)]
    [0.5, 1.0, 1.0, 0.5, 0.04]
    """
    n_ramp = max(1, round(warm_up * n_steps))
    if step < n_ramp:
        return (step + 1) / n_ramp
    return 0.5 * (1 + math.cos(math.pi * (step - n_ramp) / (n_steps - n_ramp)))


def batch_of(
    recipe: Recipe, n_images: int, step: int
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Indices of the images of a step, and which of them are mirrored."""
    per_epoch = max(1, n_images // recipe.batch)
    epoch, place = divmod(step, per_epoch)
    order = np.random.default_rng((recipe.seed, 0, epoch)).permutation(n_images)
    numbers = order[place * recipe.batch : (place + 1) * recipe.batch]
    mirrored = np.random.default_rng((recipe.seed, 1, step)).random(len(numbers)) < 0.5
    return numbers, mirrored & recipe.mirror


def loaded(
    data: LabelledImages,
    numbers: np.ndarray[tuple[int], np.dtype[np.int64]],
    mirrored: np.ndarray[tuple[int], np.dtype[np.bool_]],
    device: torch.device,
) -> tuple[Tensor, Tensor]:
    """Images as floats from 0 to 1, and their labels."""
    images = torch.from_numpy(data.images[numbers]).to(device)
    flipped = images.flip(-1)
    chosen = torch.from_numpy(mirrored).to(device)[:, None, None, None]
    images = torch.where(chosen, flipped, images).float().div_(255)
    images = images.contiguous(memory_format=torch.channels_last)
    return images, torch.from_numpy(data.labels[numbers]).to(device)


def autocast(device: torch.device) -> torch.autocast:
    """bfloat16 where it is faster: on an accelerator."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type != "cpu")


def best_device() -> torch.device:
    """An accelerator if there is one, otherwise the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
