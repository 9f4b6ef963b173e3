"""What an operator of torch is given: maps, constants and options, by name and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx

from accelsim.training.capturing.exported import Exported
from accelsim.training.capturing.source_line import module_stack, unsupported
from accelsim.workload.quantising.float_network import TrainedWord
from accelsim.workload.quantising.steps import Reals, Shape, Steps


@dataclass(frozen=True)
class Lowering:
    """The state while operators become steps."""

    net: Steps
    exported: Exported
    maps: dict[fx.Node, int]
    """Which map an operator's output tensor holds, in the same order of values."""
    words: Mapping[str, TrainedWord]
    """By module path."""

    def is_map(self, value: Any) -> bool:
        return isinstance(value, fx.Node) and value in self.maps

    def map(self, node: fx.Node, value: Any) -> int:
        """The map that ``node`` reads as ``value``, in whatever shape the tensor has."""
        if not isinstance(value, fx.Node) or value not in self.maps:
            raise unsupported(node, f"gives {name_of(node)} a constant in the place of a map")
        return self.maps[value]

    def spatial(self, node: fx.Node, value: Any) -> int:
        """The same, where the tensor must be [1, channels, rows, cols]."""
        found = self.map(node, value)
        if tensor_shape(value) != (1, *self.net.shapes[found]):
            raise unsupported(
                node,
                f"calls {name_of(node)} on a map reshaped to {list(tensor_shape(value))}",
                "keep maps as [images, channels, rows, cols] up to the linear layers",
            )
        return found

    def shape(self, made: int) -> Shape:
        return self.net.shapes[made]

    def array(self, node: fx.Node, value: Any) -> Reals:
        """Weights, bias or statistics as float64."""
        tensor = self.exported.constants.get(value) if isinstance(value, fx.Node) else None
        if not isinstance(tensor, Tensor):
            raise unsupported(node, f"calls {name_of(node)} with weights that depend on the input")
        return np.asarray(tensor.detach().to("cpu", torch.float64).numpy())

    def channel_values(self, node: fx.Node, value: Any, like: fx.Node) -> Reals:
        """A number or a constant tensor as one value by channel of the map ``like``."""
        constant = self.exported.constants.get(value) if isinstance(value, fx.Node) else value
        channels = self.shape(self.map(node, like))[0]
        try:
            tensor = torch.as_tensor(constant, dtype=torch.float64, device="cpu")
            full = tensor.detach().expand(tensor_shape(like)).reshape(channels, -1).numpy()
        except (RuntimeError, TypeError, ValueError):
            full = np.empty((0, 1))
        if full.shape[0] != channels or (full != full[:, :1]).any():
            raise unsupported(
                node, f"calls {name_of(node)} with something else than one number for each channel"
            )
        return np.array(full[:, 0])

    def word(self, node: fx.Node) -> TrainedWord | None:
        """What the quantiser in which ``node`` runs learned, if one does."""
        return next((self.words[p] for _, p in module_stack(node) if p in self.words), None)


def arguments(node: fx.Node) -> dict[str, Any]:
    """The operator's arguments by the names of its schema, defaults filled in."""
    schema = node.target._schema  # type: ignore[union-attr]
    found = {a.name: a.default_value for a in schema.arguments if a.has_default_value()}
    found |= {a.name: value for a, value in zip(schema.arguments, node.args, strict=False)}
    return found | dict(node.kwargs)


def name_of(node: fx.Node) -> str:
    """Such as ``conv2d``; operators in place have the name of the ordinary ones."""
    name = getattr(node.target, "_opname", None) or getattr(node.target, "__name__", "")
    return str(name or node.target).rstrip("_")


def overload_of(node: fx.Node) -> str:
    """Such as ``Scalar``."""
    return str(getattr(node.target, "_overloadname", ""))


def tensor_shape(node: fx.Node) -> tuple[int, ...]:
    value = node.meta["val"]
    first = value[0] if isinstance(value, tuple | list) else value
    return tuple(int(n) for n in first.shape)


def pair(value: Any) -> tuple[int, int]:
    """torch takes one number for rows and columns alike.

    >>> pair([3]), pair((1, 2)), pair(5)
    ((3, 3), (1, 2), (5, 5))
    """
    if isinstance(value, int):
        return value, value
    first, *rest = value
    return int(first), int(rest[0] if rest else first)
