"""How a network is trained: plain numbers, stored in every checkpoint and trace."""

from __future__ import annotations

from dataclasses import dataclass

from accelsim.training.cat import Regulariser
from accelsim.training.quantiser import Step


@dataclass(frozen=True)
class Recipe:
    """Stochastic gradient descent with Nesterov momentum 0.9 and a cosine to zero.

    The learning rate rises in ``warm_up`` of the run, then falls as a cosine. The gradient's
    norm is clipped at ``gradient_clip`` (0: not at all). Images are mirrored at random when
    ``mirror``. Everything random follows from ``seed`` and the number of the step, so a
    resumed run continues as if it had not stopped.
    """

    epochs: float = 8.0
    batch: int = 128
    learning_rate: float = 0.1
    weight_decay: float = 5e-4
    warm_up: float = 0.3
    gradient_clip: float = 0.0
    mirror: bool = True
    seed: int = 0


@dataclass(frozen=True)
class CatRecipe(Recipe):
    """Compression-aware fine-tuning of a trained network; see ``accelsim.training.cat``.

    ``distillation`` is the share of the loss that compares with the float network instead
    of the labels. ``gradual_epochs`` above zero starts to quantise one more map each so
    many epochs. Defaults are what reached the figures in ``docs/training.md``.
    """

    epochs: float = 4.0
    warm_up: float = 0.03
    gradient_clip: float = 0.5
    bits: int = 5
    weight_bits: int | None = 8
    rate_weight: float = 0.1
    """CAT's lambda."""
    weight_rate_weight: float = 0.0
    """Lambda of the weights' entropy."""
    regulariser: Regulariser = "entropy"
    step: Step = "static"
    clip_learning_rate: float = 0.01
    clip_deviations: float = 3.0
    gradual_epochs: float = 0.0
    entropy_images: int = 8
    distillation: float = 0.0
