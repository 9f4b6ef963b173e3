"""Traces of trained networks: those of ``NETWORKS`` by name, and those of checkpoints.

Both end in ``export_network``, which takes any ``FloatNetwork``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from accelsim.errors import UserError
from accelsim.training import distil
from accelsim.training.agreement import LABELLED, labelled_digest, logits
from accelsim.training.capture import capture
from accelsim.training.cat import CatNetwork
from accelsim.training.cat_training import restored
from accelsim.training.checkpoint import demand_same_inputs, load_checkpoint, recipe_of
from accelsim.training.datasets import LabelledImages, read_halves
from accelsim.training.digests import data_digest
from accelsim.training.evaluate import predict
from accelsim.training.network_trace import export_network, quantised_network
from accelsim.training.networks import TrainedNetwork, trained_network
from accelsim.training.photographs import FREE, labelled_photographs, photograph
from accelsim.training.recipe import DistilRecipe
from accelsim.workload.quantising.comparison import Checks, agreement, integer_outputs, ranked
from accelsim.workload.quantising.float_network import FloatNetwork, TrainedWord

__all__ = ["SHIPPED_IMAGES", "export_checkpoint", "export_network", "export_trace"]

ACCEPTED: Final = (
    "give a checkpoint of `accelsim train`, or a network by name, such as squeezenet1_1; "
    "`accelsim trace import` takes networks of your own, and `capture` in docs/training.md any "
    "torch.nn.Module"
)
UNKNOWN: Final = (
    "written by an earlier accelsim, so the images that it was trained with are unknown, and its "
    "accuracy in float is left out"
)
SHIPPED_IMAGES: Final = ("chelsea", "coffee", "astronaut", "rocket")
_LIMITS: Final = "20 labelled photographs show that the network is intact: no ImageNet accuracy"
_TEST_IMAGES: Final = 16  # in the trace of a checkpoint, unless asked otherwise
_CALIBRATION_IMAGES: Final = 256
_BATCH: Final = 250
_PIXEL_RANGE: Final = 255.0  # networks of ``accelsim train`` see pixels / 255


def export_trace(
    model: str,
    out: str | Path,
    images: int | Sequence[str] | None = None,
    *,
    pre_activations: bool = False,
    weights: bool = True,
) -> dict[str, float]:
    """Write the trace of a network of ``NETWORKS`` on photographs; returns its figures.

    ``images`` are names of free photographs or image files, or how many of the four free
    photographs (all). Scales are calibrated, and the
    integers checked, on the 20 labelled photographs. Raises ``UserError`` when the packages
    of ``make models`` are missing, and when quantisation changes the network.
    """
    entry = trained_network(model)
    module = entry.load()
    facts = {"limits": _LIMITS} if entry.n_classes else {}
    subject = _Subject(model, entry.source, entry.input_mean, entry.input_std, module, facts)
    return _on_photographs(entry, subject, out, images, pre_activations, weights)


def export_checkpoint(
    path: str | Path,
    out: str | Path,
    images: int | Sequence[str] | None = None,
    *,
    data_root: Path | None = None,
    pre_activations: bool = False,
    weights: bool = True,
    warn: Callable[[str], None] = lambda sentence: None,
) -> dict[str, float]:
    """Write the trace of a checkpoint of ``accelsim train``; returns its figures.

    ``images`` says how many images of the test set go into the trace (16), or which
    photographs, for a network that was tuned on those. Scales are calibrated on training
    images. Figures are over the whole test set: ``top1`` of the integer network,
    ``fake_quantised_top1`` of the network as it was trained, ``float_top1`` of the float
    network that it came from, ``top1_agreement`` of the first two. ``warn`` is told what
    makes them doubtful. Raises ``UserError``, also for other images than it was trained with.
    """
    checkpoint = load_checkpoint(Path(path), ACCEPTED)
    if not checkpoint.finished:
        raise UserError(
            str(path),
            f"its training stopped at step {checkpoint.step} of {checkpoint.n_steps}",
            "give the same `accelsim train` command again to finish it",
        )
    facts = {
        "recipe": json.dumps(checkpoint.recipe, sort_keys=True),
        "figures": json.dumps(checkpoint.figures, sort_keys=True),
        "inputs": json.dumps(checkpoint.inputs, sort_keys=True) if checkpoint.inputs else UNKNOWN,
    }
    floats = {k: v for k, v in checkpoint.figures.items() if k in ("float_top1", "float_top5")}
    if not checkpoint.inputs:
        warn(f"{path}: {UNKNOWN}")
        floats = {}
    name = Path(out).stem
    if isinstance(recipe_of(checkpoint, str(path)), DistilRecipe):
        entry = trained_network(checkpoint.model)
        demand_same_inputs(checkpoint, {LABELLED: labelled_digest(entry)}, str(path))
        facts["limits"] = distil.LIMITS
        source = f"{entry.source}; tuned by accelsim"
        module = distil.restored(checkpoint, str(path))
        subject = _Subject(name, source, entry.input_mean, entry.input_std, module, facts, floats)
        return _on_photographs(entry, subject, out, images, pre_activations, weights)
    channels = checkpoint.input_shape[0]
    subject = _Subject(
        name,
        f"{checkpoint.model} trained on {checkpoint.data} by accelsim train",
        (0.0,) * channels,
        (_PIXEL_RANGE,) * channels,
        restored(checkpoint, str(path)),
        facts,
        floats,
    )
    train, test = read_halves(checkpoint.data, data_root)
    found = {"training images": data_digest(train), "test images": data_digest(test)}
    demand_same_inputs(checkpoint, found, str(path))
    if list(test.images.shape[1:]) != checkpoint.input_shape:
        raise UserError(
            str(path),
            f"was trained on images of {checkpoint.input_shape}, not {list(test.images.shape[1:])}",
            "give the data set that it was trained on",
        )
    return _on_test_set(train, test, subject, out, images, pre_activations, weights)


@dataclass(frozen=True)
class _Subject:
    """A trained module, and what its trace says of it."""

    name: str
    source: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    module: nn.Module
    training: dict[str, str] = field(default_factory=dict)
    accuracy: dict[str, float] = field(default_factory=dict)

    def network(self, images: NDArray[np.uint8]) -> FloatNetwork:
        """The module as layers and arrays, for images of this shape."""
        module = self.module
        words: dict[str, tuple[int, float]] = {}
        if isinstance(module, CatNetwork):
            module, words = module.deployed()
        return capture(
            module,
            torch.zeros(1, *images.shape[1:]),
            name=self.name,
            source=self.source,
            input_mean=self.mean,
            input_std=self.std,
            trained_words={path: TrainedWord(*word) for path, word in words.items()},
        )


def _on_photographs(
    entry: TrainedNetwork,
    subject: _Subject,
    out: str | Path,
    images: int | Sequence[str] | None,
    pre_activations: bool,
    weights: bool,
) -> dict[str, float]:
    photographs = [photograph(name, entry.size) for name in _photograph_names(images)]
    labelled = labelled_photographs(entry.size)
    pixels = np.stack([p.pixels for p in labelled])
    labels = np.array([p.label for p in labelled]) if entry.n_classes else None
    checks = Checks(pixels, logits(subject.module, entry, pixels).numpy(), labels)
    network = subject.network(pixels)
    accuracy = dict(subject.accuracy)
    if entry.n_classes:
        accuracy["top1_agreement_held_out"] = _held_out_agreement(network, checks)
    return export_network(
        network,
        np.stack([p.pixels for p in photographs]),
        out,
        calibration=pixels,
        checks=checks,
        accuracy=accuracy,
        training=subject.training,
        provenance={
            "images": "; ".join(_credit(p.name) for p in photographs),
            "crop": f"RGB, centre {entry.size} x {entry.size}",
        },
        pre_activations=pre_activations,
        weights=weights,
    )


def _on_test_set(
    train: LabelledImages,
    test: LabelledImages,
    subject: _Subject,
    out: str | Path,
    images: int | Sequence[str] | None,
    pre_activations: bool,
    weights: bool,
) -> dict[str, float]:
    n = _TEST_IMAGES if images is None else images
    if not isinstance(n, int) or not 1 <= n <= len(test.labels):
        raise UserError(
            "images",
            f"cannot be {n if isinstance(n, int) else ', '.join(n)}",
            f"say how many of the {len(test.labels)} test images of {test.name} to store",
        )
    parts = (test.images[i : i + _BATCH] for i in range(0, len(test.images), _BATCH))
    outputs = [predict(subject.module, part, torch.device("cpu")) for part in parts]
    return export_network(
        subject.network(test.images),
        test.images[:n],
        out,
        calibration=train.images[:_CALIBRATION_IMAGES],
        checks=Checks(test.images, np.concatenate(outputs), test.labels),
        accuracy=subject.accuracy,
        training=subject.training,
        provenance={"images": f"the first {n} test images of {test.name}"},
        pre_activations=pre_activations,
        weights=weights,
    )


def _photograph_names(images: int | Sequence[str] | None) -> Sequence[str]:
    if images is None:
        return SHIPPED_IMAGES
    names = SHIPPED_IMAGES[:images] if isinstance(images, int) else images
    if not names or (isinstance(images, int) and not 1 <= images <= len(SHIPPED_IMAGES)):
        problem = f"cannot be {images}" if isinstance(images, int) else "name no photograph"
        known = ", ".join(SHIPPED_IMAGES)
        raise UserError("images", problem, f"name image files or free photographs: {known}")
    return names


def _held_out_agreement(network: FloatNetwork, checks: Checks) -> float:
    """The agreement when each half of the images is quantised with scales from the other."""
    wanted = ranked(checks.outputs)
    agreeing = 0.0
    for half in (0, 1):
        other = quantised_network(network, checks.images[1 - half :: 2])
        ours = integer_outputs(other, checks.images[half::2])
        found = ranked(ours.reshape(len(ours), -1))
        agreeing += agreement(found, wanted[half::2]) * len(ours)
    return agreeing / len(checks.images)


def _credit(name: str) -> str:
    return f"{name} ({FREE[name][1]})" if name in FREE else name
