"""Checkpoints: complete or absent, and read without running anything from the file.

A checkpoint is a ``torch.save`` archive of only tensors, numbers and text. It is read with
``weights_only=True``, and its contents are checked against ``checkpoint_schema`` before use.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch

from accelsim.errors import UserError
from accelsim.results.files import replacing
from accelsim.training.checkpoint_schema import Tensors, checked
from accelsim.training.foreign_files import demand_torch_archive
from accelsim.training.recipe import AnyRecipe, stored_recipe
from accelsim.version import __version__

FORMAT: Final = "accelsim-checkpoint"
VERSION: Final = 2
"""Version 1 did not record what a run was trained on; ``inputs`` and ``tools`` are then empty."""
_MEND: Final = "name a checkpoint that `accelsim train` wrote"


@dataclass(frozen=True)
class Checkpoint:
    """A network in training, or trained."""

    kind: str
    """``float`` or ``cat``."""
    model: str
    input_shape: list[int]
    """[channels, rows, cols] of one image."""
    n_classes: int
    data: str
    recipe: dict[str, Any]
    network: Tensors
    step: int
    n_steps: int
    figures: dict[str, float] = field(default_factory=dict)
    """Accuracy and rates, once trained."""
    optimiser: dict[int, Tensors] | None = None
    """State of the optimiser for each parameter; None in a finished checkpoint."""
    inputs: dict[str, str] = field(default_factory=dict)
    """Hashes of everything else that affects the numbers, by name: images and labels, the
    starting network. Empty if unknown."""
    tools: dict[str, str] = field(default_factory=dict)
    """Versions, and the kind of device. A run may be continued with others."""

    @property
    def finished(self) -> bool:
        return self.step >= self.n_steps and bool(self.figures)


def tools(device: torch.device) -> dict[str, str]:
    """Versions and kind of device that a run is computed with."""
    versions = {"accelsim": __version__, "torch": str(torch.__version__)}
    return versions | {"device": device.type}


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Replace ``path``, or leave it as it was. Raises ``UserError``."""
    fields = {name: getattr(checkpoint, name) for name in Checkpoint.__dataclass_fields__}
    try:
        with replacing(path) as partial:
            torch.save({"format": FORMAT, "version": VERSION, **fields}, partial)
    except RuntimeError as error:  # torch's writer reports a full disk so
        raise UserError(
            str(path),
            f"cannot be written ({str(error).splitlines()[0]})",
            "choose another place, or free space",
        ) from None


def load_checkpoint(path: Path, mend: str = _MEND) -> Checkpoint:
    """The checkpoint at ``path``. Raises ``UserError`` for anything else.

    ``mend`` says what to give instead.
    """
    demand_torch_archive(path, mend)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, about what is then refused
            found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever damage makes torch raise
        problem = f"is damaged ({_first_line(error)})"
        if "weights_only" in str(error):  # torch explains at length how to run what is in it
            problem = "is not a checkpoint of accelsim: it holds more than tensors and numbers"
        raise UserError(str(path), problem, mend) from None
    is_ours = isinstance(found, dict) and isinstance(found.get("format"), str)
    if not is_ours or found["format"] != FORMAT:
        kind = "a torch.save file of something else"
        raise UserError(str(path), f"is {kind}, not a checkpoint of accelsim", mend)
    written = found.get("version")
    if not isinstance(written, int) or written not in (1, VERSION):
        named = f"version {written}" if isinstance(written, int) else "no version"
        raise UserError(str(path), f"has {named}", "use a newer accelsim")
    fields = {name: x for name, x in found.items() if name not in ("format", "version")}
    if written == 1:
        fields |= {"inputs": {}, "tools": {}, "optimiser": None}
    checkpoint = Checkpoint(**checked(fields, str(path), mend))
    recipe_of(checkpoint, str(path))
    return checkpoint


def recipe_of(checkpoint: Checkpoint, where: str) -> AnyRecipe:
    """The recipe of a checkpoint. Raises ``UserError``."""
    return stored_recipe(checkpoint.recipe, where)


def earlier(path: Path, planned: Checkpoint) -> Checkpoint | None:
    """The checkpoint at ``path`` to continue from, if there is one.

    Raises ``UserError`` if it differs from ``planned`` in anything that affects its numbers:
    settings, images, the starting network.
    """
    if not path.exists():
        return None
    found = load_checkpoint(path)
    if not found.inputs:
        raise UserError(
            str(path),
            "was written by an earlier accelsim, and does not say what it was trained on",
            "give another --out",
        )
    if others := _differences(_key(found), _key(planned)):
        raise UserError(
            str(path),
            f"was written by a run with other settings ({', '.join(others)})",
            "give the same settings and inputs, or another --out",
        )
    return found


def demand_same_inputs(checkpoint: Checkpoint, inputs: dict[str, str], where: str) -> None:
    """Raise ``UserError`` if ``inputs`` are known to differ from those it was trained with."""
    others = [n for n, digest in inputs.items() if checkpoint.inputs.get(n, digest) != digest]
    if others:
        raise UserError(
            where,
            f"was trained with other {' and other '.join(others)} than these",
            f"give those of {checkpoint.data!r} that it was trained with",
        )


def fill(network: torch.nn.Module, tensors: Tensors, where: str) -> None:
    """Load the tensors of a checkpoint. Raises ``UserError`` if they belong to another network."""
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise UserError(
            where, f"belongs to another network ({_first_line(error)})", "give its own --model"
        ) from None


def fill_optimiser(
    optimiser: torch.optim.Optimizer, remembered: dict[int, Tensors] | None, where: str
) -> None:
    """Restore the state of an optimiser. Raises ``UserError`` if it does not fit.

    Learning rates and similar settings are those of the recipe.
    """
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    names = _REMEMBERED[type(optimiser)]
    for number, tensors in (remembered or {}).items():
        fits = number < len(parameters) and set(tensors) == names
        if not fits or any(
            tensor.dim() and tensor.shape != parameters[number].shape for tensor in tensors.values()
        ):
            raise UserError(
                where, "its optimiser belongs to another network", "train anew with another --out"
            )
    optimiser.load_state_dict({**optimiser.state_dict(), "state": remembered or {}})


_REMEMBERED: Final[dict[type, set[str]]] = {
    torch.optim.SGD: {"momentum_buffer"},
    torch.optim.Adam: {"step", "exp_avg", "exp_avg_sq"},
}


def _key(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "kind": checkpoint.kind,
        "model": checkpoint.model,
        "data": checkpoint.data,
        **checkpoint.recipe,
        **checkpoint.inputs,
    }


def _differences(found: dict[str, Any], planned: dict[str, Any]) -> list[str]:
    names = dict.fromkeys((*found, *planned))
    return [str(n).replace("_", " ") for n in names if found.get(n) != planned.get(n)]


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
