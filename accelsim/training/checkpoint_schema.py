"""The schema of a checkpoint, checked before any of its contents are used."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import torch
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from accelsim.errors import UserError

_TYPES: Final = (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64)
_LONGEST_NAME: Final = 1000
_FIGURES: Final = {
    "float": {"top1"},
    "cat": {"top1", "float_top1", "entropy_bits", "huffman_bits", "zeros"},
}
"""The figures that a finished checkpoint states about its network."""


def _plain(tensor: Tensor) -> Tensor:
    """A tensor of ordinary numbers, each with its own place in memory."""
    if type(tensor) not in (Tensor, torch.nn.Parameter) or tensor.layout != torch.strided:
        raise ValueError("is not a plain tensor")
    if tensor.dtype not in _TYPES or tensor.device.type != "cpu":
        raise ValueError(f"is a tensor of {tensor.dtype}")
    if not torch.ops.aten.is_non_overlapping_and_dense(tensor):
        raise ValueError("names the same memory twice")
    if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
        raise ValueError("holds values that are not finite numbers")
    return tensor


Name = Annotated[str, Field(max_length=_LONGEST_NAME)]
Tensors = dict[str, Tensor]
_Tensors = dict[Name, Annotated[Tensor, AfterValidator(_plain)]]
_Finite = Annotated[float, Field(allow_inf_nan=False)]
_Side = Annotated[int, Field(ge=1, le=1 << 14)]


class _Stored(BaseModel):
    """``Checkpoint`` as read from a file, with its checks."""

    model_config = ConfigDict(strict=True, extra="forbid", arbitrary_types_allowed=True)

    kind: Literal["float", "cat"]
    model: Name
    input_shape: Annotated[list[_Side], Field(min_length=3, max_length=3)]
    n_classes: Annotated[int, Field(ge=1, le=1 << 20)]
    data: Name
    recipe: dict[Name, int | float | str | bool | None]
    network: _Tensors
    step: Annotated[int, Field(ge=0)]
    n_steps: Annotated[int, Field(ge=0)]
    figures: dict[Name, _Finite]
    optimiser: dict[Annotated[int, Field(ge=0)], _Tensors] | None
    inputs: dict[Name, Name]
    tools: dict[Name, Name]


def checked(fields: dict[Any, Any], where: str, mend: str) -> dict[str, Any]:
    """The fields of a checkpoint. Raises ``UserError`` that names the first wrong one."""
    try:
        found = _Stored.model_validate(fields)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part)[:80] for part in wrong["loc"]) or "the checkpoint"
        problem = {"missing": f"lacks {place}", "extra_forbidden": f"holds an unknown {place}"}
        said = wrong["msg"].removeprefix("Value error, ")
        raise UserError(
            where, problem.get(wrong["type"], f"its {place} is wrong: {said}"), mend
        ) from None
    lacking = _FIGURES[found.kind] - set(found.figures)
    if found.step >= found.n_steps and found.figures and lacking:
        raise UserError(where, f"its figures lack {', '.join(sorted(lacking))}", mend)
    return {name: getattr(found, name) for name in _Stored.model_fields}
