"""Whole training runs: a float network, and its compression-aware fine-tuning.

Each run rewrites one checkpoint as it proceeds; when started again, it continues from there.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from accelsim.errors import UnknownNameError, UserError
from accelsim.training.cat import (
    CatNetwork,
    MapWeight,
    by_volume,
    watch_statistics,
    with_quantisers,
)
from accelsim.training.checkpoint import (
    Checkpoint,
    earlier,
    fill,
    fill_optimiser,
    recipe_of,
    save_checkpoint,
    tools,
)
from accelsim.training.datasets import LabelledImages
from accelsim.training.digests import data_digest, network_digest
from accelsim.training.evaluate import Evaluation, evaluate
from accelsim.training.interruption import after_the_step
from accelsim.training.loop import (
    DivergedError,
    Loss,
    TrainingProgress,
    TrainingState,
    batch_of,
    best_device,
    loaded,
    random_seed,
    sgd,
    steps_of,
    train,
)
from accelsim.training.recipe import CatRecipe, Recipe
from accelsim.training.resnet import DEPTHS, SmallResNet
from accelsim.training.weights import weight_rate

Report = Callable[[TrainingProgress], None]
_SAVE_EVERY: Final = 200
_STATISTICS_BATCHES: Final = 20
_SOFTNESS: Final = 2.0  # temperature of the distillation


@dataclass(frozen=True)
class Task:
    """What is trained on which data, and where the checkpoint goes."""

    model: str
    """A name of ``resnet.DEPTHS``, or any name for a module of your own."""
    train: LabelledImages
    test: LabelledImages
    path: Path


def new_model(name: str, input_shape: list[int], n_classes: int) -> nn.Module:
    """A small network by name, with random weights from torch's generator."""
    if name not in DEPTHS:
        raise UnknownNameError("model", name, DEPTHS)
    return SmallResNet(DEPTHS[name], input_shape[0], n_classes)


def train_float(
    task: Task,
    recipe: Recipe,
    module: nn.Module | None = None,
    report: Report = lambda progress: None,
) -> Checkpoint:
    """Train a network from random weights; returns the finished checkpoint.

    ``module`` is for networks of your own, [n, channels, rows, cols] to logits, built with the
    same weights each time (``torch.manual_seed``). A checkpoint at ``task.path`` is continued,
    or returned if it is finished; one with other settings or inputs raises ``UserError``.
    """
    torch.manual_seed(recipe.seed)
    device = best_device()
    network = module or new_model(task.model, _shape(task), task.train.n_classes)
    inputs = {"starting network": network_digest(network)}
    network.to(device)
    _channels_last(network)
    state = TrainingState(network, sgd(recipe, [], 0.0, network))

    def loss_of(images: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, float]]:
        logits = network(images)
        return functional.cross_entropy(logits.float(), labels), {"right": _right(logits, labels)}

    def figures() -> dict[str, float]:
        return {"top1": evaluate(network, task.test, device).accuracy}

    return _run(task, "float", recipe, state, loss_of, figures, report, device, inputs)


def train_cat(
    task: Task,
    recipe: CatRecipe,
    trained: nn.Module,
    float_accuracy: float,
    report: Report = lambda progress: None,
    weight_of: MapWeight = by_volume,
) -> Checkpoint:
    """Fine-tune a copy of ``trained`` for low entropy; returns the finished checkpoint.

    Resumes like ``train_float``. ``float_accuracy`` is stored in the figures of the checkpoint.
    ``weight_of`` says how much a bit of each map counts: its number of values, as in CAT, or what
    it costs on a machine. Raises ``UserError``.
    """
    torch.manual_seed(recipe.seed)
    device = best_device()
    teacher = copy.deepcopy(trained).to(device).eval()
    network = cat_network(trained, recipe).to(device)
    _channels_last(network)
    watch_statistics(network, _first_batches(task.train, recipe, device))
    network.set_clips(recipe.clip_deviations)
    network.quantise()
    weights = {name: weight_of(name, quantiser) for name, quantiser in network.quantisers.items()}
    inputs = {
        "starting network": network_digest(trained),
        "accuracy in float": repr(float_accuracy),
        "weights of the maps": sha256(repr(weights).encode()).hexdigest(),
    }
    state = TrainingState(network, sgd(recipe, network.clips(), recipe.clip_learning_rate, network))
    n_images = len(task.train.labels)
    drawn = torch.Generator().manual_seed(recipe.seed)

    def activate(step: int) -> None:
        drawn.manual_seed(random_seed(recipe.seed, step))
        if recipe.gradual_epochs:
            per_map = max(1, round(recipe.gradual_epochs * (n_images // recipe.batch)))
            network.quantise(1 + step // per_map)

    def loss_of(images: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, float]]:
        logits = network(images).float()
        loss = functional.cross_entropy(logits, labels)
        if recipe.distillation:
            share = recipe.distillation
            loss = (1 - share) * loss + share * _distance(logits, teacher, images)
        rate = network.rate(recipe.regulariser, weight_of)
        loss = loss + recipe.rate_weight * rate
        if recipe.weight_rate_weight:
            loss = loss + recipe.weight_rate_weight * weight_rate(network, drawn)
        seen = "rate" if recipe.regulariser == "entropy" else "ratio"
        return loss, {"right": _right(logits, labels), seen: float(rate.detach())}

    def figures() -> dict[str, float]:
        network.quantise()
        return {"float_top1": float_accuracy, **rates(evaluate(network, task.test, device))}

    return _run(task, "cat", recipe, state, loss_of, figures, report, device, inputs, activate)


def cat_network(trained: nn.Module, recipe: CatRecipe) -> CatNetwork:
    """The network that ``recipe`` trains, from a trained or a freshly built module."""
    return with_quantisers(
        trained,
        recipe.bits,
        weight_bits=recipe.weight_bits,
        step=recipe.step,
        entropy_images=recipe.entropy_images,
    )


def restored(checkpoint: Checkpoint, where: str, module: nn.Module | None = None) -> nn.Module:
    """The network of a checkpoint, in evaluation mode, with all its maps quantised.

    ``module`` is the (untrained) network if it is not one of ``resnet.DEPTHS``.
    """
    network = module or new_model(checkpoint.model, checkpoint.input_shape, checkpoint.n_classes)
    recipe = recipe_of(checkpoint, where)
    if isinstance(recipe, CatRecipe):
        quantised = cat_network(network, recipe)
        quantised.quantise()
        network = quantised
    fill(network, checkpoint.network, where)
    return network.eval()


def rates(found: Evaluation) -> dict[str, float]:
    """An evaluation as the figures of a checkpoint; bits are per value."""
    return {
        "top1": found.accuracy,
        "entropy_bits": found.entropy,
        "huffman_bits": found.huffman,
        "zeros": found.zeros,
    }


def _run(
    task: Task,
    kind: str,
    recipe: Recipe,
    state: TrainingState,
    loss_of: Loss,
    figures: Callable[[], dict[str, float]],
    report: Report,
    device: torch.device,
    inputs: dict[str, str],
    before_step: Callable[[int], None] = lambda step: None,
) -> Checkpoint:
    planned = Checkpoint(
        kind=kind,
        model=task.model,
        input_shape=_shape(task),
        n_classes=task.train.n_classes,
        data=task.train.name,
        recipe=asdict(recipe),
        network={},
        step=0,
        n_steps=steps_of(recipe, len(task.train.labels)),
        inputs={
            "training images": data_digest(task.train),
            "test images": data_digest(task.test),
            **inputs,
        },
        tools=tools(device),
    )
    kept = earlier(task.path, planned)
    if kept is not None:
        if kept.finished:
            return kept
        fill(state.network, kept.network, str(task.path))
        fill_optimiser(state.optimiser, kept.optimiser, str(task.path))
        state.step = kept.step

    def save(found: dict[str, float]) -> Checkpoint:
        nonlocal kept
        kept = replace(
            planned,
            network={n: t.detach().cpu() for n, t in state.network.state_dict().items()},
            step=state.step,
            figures=found,
            optimiser=None if found else state.optimiser.state_dict()["state"],
        )
        save_checkpoint(task.path, kept)
        return kept

    with after_the_step() as asked_to_stop:

        def after_step(progress: TrainingProgress) -> None:
            report(progress)
            stops = asked_to_stop()
            if stops or progress.step % _SAVE_EVERY == 0 or progress.step == progress.n_steps:
                save({})
            if stops:
                raise KeyboardInterrupt

        try:
            train(
                state, task.train, recipe, loss_of, device=device, before_step=before_step,
                after_step=after_step,
            )  # fmt: skip
        except DivergedError as error:
            place = f"step {kept.step} is kept" if kept else "no step had been saved yet"
            raise UserError(error.where, error.problem, f"{error.fix}; {place}") from None
    return save(figures())


def _first_batches(data: LabelledImages, recipe: Recipe, device: torch.device) -> Iterator[Tensor]:
    for step in range(_STATISTICS_BATCHES):
        numbers, mirrored = batch_of(recipe, len(data.labels), step)
        yield loaded(data, numbers, mirrored, device)[0]


def _distance(logits: Tensor, teacher: nn.Module, images: Tensor) -> Tensor:
    """Distance of the softened classes from those of the float network (Hinton et al., 2015)."""
    with torch.no_grad():
        wanted = functional.log_softmax(teacher(images).float() / _SOFTNESS, 1)
    found = functional.log_softmax(logits / _SOFTNESS, 1)
    distance = functional.kl_div(found, wanted, reduction="batchmean", log_target=True)
    return distance * _SOFTNESS**2


def _right(logits: Tensor, labels: Tensor) -> float:
    return float((logits.detach().argmax(1) == labels).float().mean())


def _channels_last(network: nn.Module) -> None:
    """The memory layout in which small convolutions are fastest on a CPU."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _shape(task: Task) -> list[int]:
    return list(task.train.images.shape[1:])
