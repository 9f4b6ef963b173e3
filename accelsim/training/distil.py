"""CAT without labels: a network learns to compress, and to give the same answers as before.

The float network is the teacher of its own quantised copy (Hinton et al., "Distilling the
Knowledge in a Neural Network", arXiv:1503.02531), on photographs without labels:

    L = KL(teacher || student) + lambda * R_act

With few photographs, over-fitting is likely. So crops vary widely and are pasted into each other
(Yun et al., "CutMix", arXiv:1905.04899): what matters is that both networks see the same
(Beyer et al., "Knowledge distillation: a good teacher is patient and consistent",
arXiv:2106.05237). Weights, biases and clips have learning rates of their own; at zero they
are frozen. Statistics of batch normalisation are always frozen.

Weights are rounded after training, and maps that are stacked share a clip: see
``accelsim.training.deployable``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn
from torch.nn import functional

from accelsim.errors import UserError
from accelsim.training.agreement import LABELLED, agreement, labelled_digest, labelled_figures
from accelsim.training.cat import CatNetwork, watch_statistics, with_quantisers
from accelsim.training.checkpoint import (
    Checkpoint,
    earlier,
    fill,
    fill_optimiser,
    recipe_of,
    save_checkpoint,
    tools,
)
from accelsim.training.deployable import round_by_channel, share_clips
from accelsim.training.digests import files_digest, network_digest
from accelsim.training.interruption import after_the_step
from accelsim.training.loop import TrainingProgress, descend, random_seed, share_of_rate
from accelsim.training.networks import TrainedNetwork, trained_network
from accelsim.training.photograph_pool import (
    crops,
    held_out_files,
    loaded,
    random_crop,
    training_files,
)
from accelsim.training.recipe import DistilRecipe

DATA: Final = "photographs"
LIMITS: Final = (
    "tuned on crops of 36 photographs, mostly of rooms; divergence (nats) and agreement are from "
    "the float network, on crops of 12 others; top-1 and top-5 on 20 labelled photographs show "
    "that classes are kept, and are no ImageNet accuracy"
)
"""What the figures of a checkpoint can and cannot show."""
_HELD_OUT_CROPS: Final = 8  # of each photograph
_STATISTICS_CROPS: Final = 2
_SAVE_EVERY: Final = 25


def fine_tune(
    model: str,
    path: Path,
    recipe: DistilRecipe,
    report: Callable[[TrainingProgress], None] = lambda progress: None,
) -> Checkpoint:
    """Fine-tune the trained network ``model`` for low entropy, and write its checkpoint.

    ``model`` is a name of ``NETWORKS`` with logits. The checkpoint's figures are those of
    ``figures``. An unfinished checkpoint of the same recipe is continued, a finished one
    returned. Raises ``UserError``, also when ``make models`` has not been run.
    """
    entry = trained_network(model)
    if not entry.n_classes:
        raise UserError(model, "has no classes to agree on", "use a network with logits")
    teacher = entry.load()
    planned = Checkpoint(
        kind="cat",
        model=model,
        input_shape=[3, entry.size, entry.size],
        n_classes=entry.n_classes,
        data=DATA,
        recipe=asdict(recipe),
        network={},
        step=0,
        n_steps=recipe.steps,
        inputs={
            "photographs": files_digest(training_files()),
            "held-out photographs": files_digest(held_out_files()),
            LABELLED: labelled_digest(entry),
            "teacher": network_digest(teacher),
        },
        tools=tools(torch.device("cpu")),
    )
    started = earlier(path, planned)
    if started is not None and started.finished:
        return started
    torch.manual_seed(recipe.seed)
    pool = loaded(training_files())
    student = untrained(entry, recipe)
    start_clips(student, entry, pool, recipe)
    optimiser = _optimiser(student, recipe)
    base_rates = [group["lr"] for group in optimiser.param_groups]
    student.train()
    for module in student.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()

    def save(step: int, found: dict[str, float]) -> Checkpoint:
        checkpoint = replace(
            planned,
            network=dict(student.state_dict()),
            step=step,
            figures=found,
            optimiser=None if found else optimiser.state_dict()["state"],
        )
        save_checkpoint(path, checkpoint)
        return checkpoint

    if started is not None:
        fill(student, started.network, str(path))
        fill_optimiser(optimiser, started.optimiser, str(path))
    with after_the_step() as asked_to_stop:
        for step in range(started.step if started else 0, recipe.steps):
            share = share_of_rate(step, recipe.steps, recipe.warm_up)
            for group, rate in zip(optimiser.param_groups, base_rates, strict=True):
                group["lr"] = rate * share
            torch.manual_seed(random_seed(recipe.seed, step))
            images = entry.normalised(batch_of(pool, entry.size, recipe, step))
            with torch.no_grad():
                wanted = functional.log_softmax(teacher(images), 1)
            found = functional.log_softmax(student(images), 1)
            distance = functional.kl_div(found, wanted, reduction="batchmean", log_target=True)
            rate = student.rate()
            loss = distance + recipe.rate_weight * rate
            value = descend(loss, optimiser, f"step {step + 1} of {recipe.steps}")
            seen = {"distance": float(distance.detach()), "rate": float(rate.detach())}
            done = step + 1
            report(TrainingProgress(done, recipe.steps, value, seen))
            stops = asked_to_stop()
            if stops or done % _SAVE_EVERY == 0 or done == recipe.steps:
                save(done, {})
            if stops:
                raise KeyboardInterrupt
    round_by_channel(student)
    return save(recipe.steps, figures(student.eval(), entry))


def restored(checkpoint: Checkpoint, where: str) -> CatNetwork:
    """The network of a checkpoint of ``fine_tune``, ready for inference. Raises ``UserError``."""
    recipe = recipe_of(checkpoint, where)
    if not isinstance(recipe, DistilRecipe):
        raise UserError(where, "has another kind of recipe", "name a checkpoint of `train distil`")
    network = untrained(trained_network(checkpoint.model), recipe)
    network.quantise()
    fill(network, checkpoint.network, where)
    return network.eval()


def untrained(entry: TrainedNetwork, recipe: DistilRecipe) -> CatNetwork:
    """The network that ``recipe`` trains, with the float network's weights."""
    return with_quantisers(
        entry.load(),
        recipe.bits,
        weight_bits=None,
        keep_last=recipe.keep_last,
        entropy_images=recipe.entropy_images,
    )


def start_clips(
    network: CatNetwork,
    entry: TrainedNetwork,
    pool: list[Image.Image],
    recipe: DistilRecipe,
) -> None:
    """Post-training quantisation: clips from the statistics of crops to be trained on."""
    seen = crops(pool, entry.size, _STATISTICS_CROPS, recipe.seed)
    batches = (entry.normalised(b) for b in np.array_split(seen, max(1, len(seen) // recipe.batch)))
    watch_statistics(network, batches)
    network.set_clips(recipe.clip_deviations)
    share_clips(network)
    network.quantise()


def figures(network: CatNetwork, entry: TrainedNetwork) -> dict[str, float]:
    """How a quantised network does: on held-out photographs, and on the labelled ones."""
    held_out = crops(loaded(held_out_files()), entry.size, _HELD_OUT_CROPS, 0)
    return {**agreement(network, entry, held_out), **labelled_figures(network, entry)}


def batch_of(
    pool: list[Image.Image], size: int, recipe: DistilRecipe, step: int
) -> NDArray[np.uint8]:
    """The crops of a step, which follow from its number: uint8 [batch, 3, size, size]."""
    random = np.random.default_rng((recipe.seed, step))
    chosen = random.integers(0, len(pool), recipe.batch)
    made = np.stack([random_crop(pool[i], size, random) for i in chosen])
    pasted = made.copy()
    for i, other in enumerate(random.permutation(recipe.batch)):
        if random.random() < recipe.pasted:
            side = round(size * math.sqrt(random.uniform(0.1, 0.6)))
            top, left = random.integers(0, size - side + 1, 2)
            window = np.s_[:, top : top + side, left : left + side]
            pasted[i][window] = made[other][window]
    return pasted


def _optimiser(network: CatNetwork, recipe: DistilRecipe) -> torch.optim.Adam:
    clips = list(dict.fromkeys(network.clips()))
    starts = [float(clip.detach()) for clip in clips]
    groups: list[dict[str, Any]] = [
        {"params": [clip], "lr": recipe.clip_learning_rate * start}
        for clip, start in zip(clips, starts, strict=True)
    ]
    learned = set(clips)
    others = [p for p in network.parameters() if p not in learned]
    for of_biases, rate in (
        # The scale of biases is that of the maps: pixels / 1 or / 128, folded norms or not.
        (True, recipe.bias_learning_rate * float(np.median(starts))),
        (False, recipe.weight_learning_rate),
    ):
        chosen = [p for p in others if (p.dim() == 1) == of_biases]
        for parameter in chosen:
            parameter.requires_grad_(rate > 0)
        if rate > 0:
            groups.append({"params": chosen, "lr": rate})
    return torch.optim.Adam([g for g in groups if g["lr"] > 0])
