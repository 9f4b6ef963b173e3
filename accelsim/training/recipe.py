"""Training recipes: plain numbers, stored in every checkpoint and trace."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from math import inf, isfinite, nan
from typing import Any, Final, TypeVar, cast, get_type_hints

from pydantic import TypeAdapter, ValidationError

from accelsim.errors import UserError
from accelsim.training.cat import Regulariser
from accelsim.training.quantiser import Step

RATE_WEIGHTS: Final[dict[Regulariser, float]] = {"entropy": 0.07, "norm": 0.002}
"""Lambdas with which ResNet-8 on Fashion-MNIST loses less than a point.

The entropy is a few bits per value. The ratio of l1 to l2 norm grows with the square root of a
map's number of values, and is 154 on average there: 0.07 times this would dominate the loss.
"""


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

    ``distillation`` is the fraction of the loss that compares with the float network instead
    of the labels. ``gradual_epochs`` above zero starts to quantise one more map every so
    many epochs. The defaults gave the figures in ``docs/training.md``.
    """

    epochs: float = 3.0
    warm_up: float = 0.03
    gradient_clip: float = 0.5
    bits: int = 5
    weight_bits: int | None = 8
    rate_weight: float = cast(float, None)
    """CAT's lambda; by default that of the regulariser in ``RATE_WEIGHTS``."""
    weight_rate_weight: float = 0.0
    """Lambda of the weights' entropy."""
    regulariser: Regulariser = "entropy"
    step: Step = "static"
    clip_learning_rate: float = 0.01
    clip_deviations: float = 3.0
    gradual_epochs: float = 0.0
    entropy_images: int = 8
    distillation: float = 0.5

    def __post_init__(self) -> None:
        if self.rate_weight is None:
            object.__setattr__(self, "rate_weight", RATE_WEIGHTS[self.regulariser])


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
    """Fraction of the median clip at the start; also for the gains of batch normalisation."""
    clip_learning_rate: float = 1e-2
    """Fraction of each clip at the start."""
    clip_deviations: float = 8.0
    pasted: float = 0.5
    """Fraction of the crops into which a part of another one is pasted."""
    entropy_images: int = 1
    keep_last: bool = False
    warm_up: float = 0.05
    seed: int = 0


AnyRecipe = Recipe | CatRecipe | DistilRecipe
R = TypeVar("R", Recipe, CatRecipe, DistilRecipe)


@dataclass(frozen=True)
class _Range:
    low: float
    high: float = inf
    is_above: bool = False
    """Whether ``low`` itself is too low."""

    def holds(self, value: float) -> bool:
        return isfinite(value) and self.low <= value <= self.high and value != self._excluded

    @property
    def _excluded(self) -> float:
        return self.low if self.is_above else nan

    def __str__(self) -> str:
        if self.is_above:
            return f"above {self.low:g}"
        return f"{self.low:g} or more" if self.high == inf else f"{self.low:g} to {self.high:g}"


_RANGES: Final = {
    "epochs": _Range(0, is_above=True),
    "batch": _Range(1),
    "learning_rate": _Range(0, is_above=True),
    "weight_decay": _Range(0),
    "warm_up": _Range(0, 1),
    "gradient_clip": _Range(0),
    "seed": _Range(0),
    "bits": _Range(2, 8),
    "weight_bits": _Range(2, 8),
    "rate_weight": _Range(0),
    "weight_rate_weight": _Range(0),
    "clip_learning_rate": _Range(0),
    "clip_deviations": _Range(0),
    "gradual_epochs": _Range(0),
    "entropy_images": _Range(1),
    "distillation": _Range(0, 1),
    "steps": _Range(0),
    "weight_learning_rate": _Range(0),
    "bias_learning_rate": _Range(0),
    "pasted": _Range(0, 1),
}
_OPTIONS: Final = {"rate_weight": "lambda", "weight_rate_weight": "weight-lambda"}


def float_recipe(**settings: Any) -> Recipe:
    """A checked ``Recipe``; settings that are None keep their default. Raises ``UserError``."""
    return _checked(Recipe(**_given(settings)))


def cat_recipe(**settings: Any) -> CatRecipe:
    """A checked ``CatRecipe``, likewise."""
    return _checked(CatRecipe(**_given(settings)))


def distil_recipe(**settings: Any) -> DistilRecipe:
    """A checked ``DistilRecipe``, likewise."""
    return _checked(DistilRecipe(**_given(settings)))


def stored_recipe(stored: dict[str, Any], where: str) -> AnyRecipe:
    """The recipe of a checkpoint, recognised by its settings. Raises ``UserError``.

    >>> stored_recipe(asdict(Recipe(epochs=2)), "a.pt").epochs
    2
    """
    mend = "train it anew with this version of accelsim"
    kinds: tuple[type[AnyRecipe], ...] = (Recipe, CatRecipe, DistilRecipe)
    made = next((kind for kind in kinds if set(stored) == {f.name for f in fields(kind)}), None)
    if made is None:
        named = ", ".join(map(str, stored))[:200]
        raise UserError(where, f"has another kind of recipe ({named or 'an empty one'})", mend)
    for name, hint in get_type_hints(made).items():
        try:
            TypeAdapter(hint).validate_python(stored[name], strict=True)
        except ValidationError:
            raise UserError(where, f"its recipe's {name} is of a wrong type", mend) from None
    recipe = made(**stored)
    if (wrong := _out_of_range(recipe)) is not None:
        problem = f"its recipe's {wrong} is {stored[wrong]:g}, which is not {_RANGES[wrong]}"
        raise UserError(where, problem, mend)
    return recipe


def _given(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}


def _checked(recipe: R) -> R:
    if (wrong := _out_of_range(recipe)) is not None:
        option = _OPTIONS.get(wrong, wrong.replace("_", "-"))
        raise UserError(
            f"--{option}",
            f"is {getattr(recipe, wrong):g}",
            f"give a number, {_RANGES[wrong]}",
        )
    return recipe


def _out_of_range(recipe: AnyRecipe) -> str | None:
    """The first setting that is out of range."""
    for name, value in asdict(recipe).items():
        if name in _RANGES and value is not None and not _RANGES[name].holds(value):
            return name
    return None
