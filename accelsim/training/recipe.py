"""How a network is trained: plain numbers, stored in every checkpoint and trace."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite
from typing import Any, TypeVar

from accelsim.errors import UserError
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

    epochs: float = 6.0
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

    epochs: float = 3.0
    warm_up: float = 0.03
    gradient_clip: float = 0.5
    bits: int = 5
    weight_bits: int | None = 8
    rate_weight: float = 0.07
    """CAT's lambda."""
    weight_rate_weight: float = 0.0
    """Lambda of the weights' entropy."""
    regulariser: Regulariser = "entropy"
    step: Step = "static"
    clip_learning_rate: float = 0.01
    clip_deviations: float = 3.0
    gradual_epochs: float = 0.0
    entropy_images: int = 8
    distillation: float = 0.5


@dataclass(frozen=True)
class DistilRecipe:
    """Fine-tuning without labels, by Adam; see ``accelsim.training.distil``.

    The learning rates rise in ``warm_up`` of the run, then fall as a cosine.
    """

    steps: int = 150
    batch: int = 16
    bits: int = 5
    rate_weight: float = 0.5
    """CAT's lambda."""
    weight_learning_rate: float = 3e-5
    bias_learning_rate: float = 5e-5
    """As share of the median clip at the start; also of batch normalisation's gains."""
    clip_learning_rate: float = 1e-2
    """As share of each clip at the start."""
    clip_deviations: float = 8.0
    pasted: float = 0.5
    """Share of the crops into which a part of another is pasted."""
    entropy_images: int = 1
    keep_last: bool = False
    warm_up: float = 0.05
    seed: int = 0


R = TypeVar("R", bound=Recipe)


def float_recipe(**settings: Any) -> Recipe:
    """A checked ``Recipe``; settings that are None keep their default. Raises ``UserError``."""
    return _checked(Recipe(**_given(settings)))


def cat_recipe(**settings: Any) -> CatRecipe:
    """A checked ``CatRecipe``, likewise."""
    recipe = _checked(CatRecipe(**_given(settings)))
    _demand(2 <= recipe.bits <= 8, "bits", recipe.bits, "2 to 8")
    _within("lambda", recipe.rate_weight, 0, inf)
    _within("weight-lambda", recipe.weight_rate_weight, 0, inf)
    _within("distillation", recipe.distillation, 0, 1)
    _within("gradual-epochs", recipe.gradual_epochs, 0, inf)
    return recipe


def distil_recipe(**settings: Any) -> DistilRecipe:
    """A checked ``DistilRecipe``, likewise."""
    recipe = DistilRecipe(**_given(settings))
    _demand(2 <= recipe.bits <= 8, "bits", recipe.bits, "2 to 8")
    _demand(recipe.steps >= 0, "steps", recipe.steps, "not negative")
    _demand(recipe.batch > 0, "batch", recipe.batch, "at least 1")
    _demand(recipe.seed >= 0, "seed", recipe.seed, "not negative")
    _within("lambda", recipe.rate_weight, 0, inf)
    return recipe


def _given(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}


def _checked(recipe: R) -> R:
    _demand(recipe.epochs > 0 and isfinite(recipe.epochs), "epochs", recipe.epochs, "above 0")
    _demand(
        recipe.learning_rate > 0 and isfinite(recipe.learning_rate),
        "learning-rate",
        recipe.learning_rate,
        "above 0",
    )
    _demand(recipe.batch > 0, "batch", recipe.batch, "at least 1")
    _demand(recipe.seed >= 0, "seed", recipe.seed, "not negative")
    return recipe


def _within(name: str, value: float, low: float, high: float) -> None:
    allowed = f"{low:g} or more" if high == inf else f"{low:g} to {high:g}"
    _demand(isfinite(value) and low <= value <= high, name, value, allowed)


def _demand(condition: bool, name: str, value: float, allowed: str) -> None:
    if not condition:
        raise UserError(f"--{name}", f"is {value:g}", f"give a number, {allowed}")
