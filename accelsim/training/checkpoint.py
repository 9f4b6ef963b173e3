"""Checkpoints: whole or absent, and read without running anything from the file.

A checkpoint is a ``torch.save`` archive of tensors, numbers and text alone, and is read
with ``weights_only=True``: a file that asks for other objects is refused.
"""

from __future__ import annotations

import pickle
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import torch

from accelsim.errors import UserError
from accelsim.results.files import replacing

FORMAT: Final = "accelsim-checkpoint"
VERSION: Final = 1
Tensors = dict[str, torch.Tensor]


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
    optimiser: dict[str, Any] | None = None
    """None in a finished checkpoint."""

    @property
    def finished(self) -> bool:
        return self.step >= self.n_steps


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write ``path`` anew, or leave it as it was. Raises ``UserError``."""
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


def load_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint at ``path``. Raises ``UserError`` for anything else."""
    mend = "name a checkpoint that `accelsim train` wrote"
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(str(path), "no such file", mend) from None
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(str(path), f"is damaged ({_first_line(error)})", mend) from None
    except pickle.UnpicklingError:
        raise UserError(
            str(path), "is no checkpoint, or holds more than tensors and numbers", mend
        ) from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise UserError(str(path), "is no checkpoint of accelsim", mend)
    if found.get("version") != VERSION:
        raise UserError(str(path), f"has version {found.get('version')}", "use a newer accelsim")
    names = set(Checkpoint.__dataclass_fields__)
    if missing := names - set(found):
        raise UserError(str(path), f"lacks {', '.join(sorted(missing))}", mend)
    return Checkpoint(**{name: found[name] for name in names})


def earlier(
    path: Path, kind: str, model: str, data: str, recipe: dict[str, Any]
) -> Checkpoint | None:
    """The checkpoint to go on from, if there is one. Raises ``UserError`` for another run's."""
    if not path.exists():
        return None
    found = load_checkpoint(path)
    if (found.kind, found.model, found.data, found.recipe) != (kind, model, data, recipe):
        raise UserError(
            str(path),
            "was written by a run with other settings",
            "give the same settings, or another --out",
        )
    return found


def fill(network: torch.nn.Module, tensors: Tensors, where: str) -> None:
    """Load the tensors of a checkpoint. Raises ``UserError`` when they belong elsewhere."""
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise UserError(
            where, f"belongs to another network ({_first_line(error)})", "give its own --model"
        ) from None


def facts(checkpoint: Checkpoint) -> dict[str, Any]:
    """Everything but the tensors."""
    return {k: v for k, v in asdict(checkpoint).items() if k not in ("network", "optimiser")}


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
