"""What an operator of ONNX is given: maps in any arrangement, constants, and words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accelsim.errors import shortened
from accelsim.workload.importers.onnx.node import Node
from accelsim.workload.importers.onnx.values import Values
from accelsim.workload.quantising.float_network import Word
from accelsim.workload.quantising.steps import Reals, Shape, Step, Steps

PLAIN: Final[tuple[int, ...]] = (0, 1, 2)
CHANNELS_LAST: Final[tuple[int, ...]] = (1, 2, 0)


@dataclass(frozen=True)
class Held:
    """How a tensor holds a map: its values in order of ``order``, a permutation of the axes
    (channels, rows, cols); as integers of ``word``, or as real numbers."""

    map: int
    order: tuple[int, ...] = PLAIN
    word: Word | None = None


@dataclass(frozen=True)
class Quantised:
    """Constant integers, and what they stand for: ``(integers - zero_point) * scale``."""

    steps: NDArray[np.int64]
    """Zero point taken off."""
    scale: Reals
    """[1], or one for each place on ``axis``."""
    axis: int
    bits: int


@dataclass
class Lowering:
    """The state while operators become steps."""

    net: Steps
    values: Values
    maps: dict[str, Held]
    quantised: dict[str, Quantised] = field(default_factory=dict)
    rounded: dict[tuple[int, Word], int] = field(default_factory=dict)
    """By map and word: the map rounded to it."""

    def tensor_shape(self, name: str) -> tuple[int, ...]:
        return self.values.types[name].shape

    def shape(self, made: int) -> Shape:
        return self.net.shapes[made]

    def is_map(self, name: str) -> bool:
        return name in self.maps

    def held(self, node: Node, place: int = 0) -> Held:
        """The map that ``node`` reads at ``place``, in whatever arrangement."""
        name = self.given(node, place)
        found = self.maps.get(name)
        if found is None:
            problem = f"reads {shortened(name)!r}, which is not a map of the network"
            if name in self.values.constants:
                problem = f"reads the constant {shortened(name)!r} in the place of a map"
            raise node.refused(problem)
        return found

    def real(self, node: Node, place: int = 0) -> Held:
        """The same, where it must hold real numbers."""
        found = self.held(node, place)
        if found.word is not None:
            raise node.refused(
                "computes on integers of a quantised map", "put a DequantizeLinear before it"
            )
        return found

    def spatial(self, node: Node, place: int = 0) -> Held:
        """The same, where the tensor must be [1, channels, rows, cols] or [1, channels, cols]."""
        found = self.held(node, place)
        shape = self.tensor_shape(node.inputs[place])
        channels, rows, cols = self.shape(found.map)
        fits = shape == (1, channels, rows, cols) or (rows == 1 and shape == (1, channels, cols))
        if found.order != PLAIN or not fits:
            arranged = "" if found.order == PLAIN else ", with its axes in another order"
            raise node.refused(
                f"reads a map reshaped to {list(shape)}{arranged}",
                "keep maps as [images, channels, rows, cols] up to the linear layers",
            )
        return found

    def given(self, node: Node, place: int) -> str:
        """The name of an input that must be there."""
        name = node.inputs[place] if place < len(node.inputs) else ""
        if not name:
            raise node.refused(f"lacks its input {place + 1}", "mend the graph")
        return name

    def constant(self, node: Node, place: int, default: Any = None) -> Any:
        """The array at ``place``; ``default`` where nothing is given."""
        name = node.inputs[place] if place < len(node.inputs) else ""
        if not name:
            return default
        if name not in self.values.constants:
            raise node.refused(
                f"reads {shortened(name)!r}, which depends on the image, as a constant"
            )
        return self.values.constants[name]

    def exact(self, node: Node, place: int) -> Reals:
        """A constant as float64, with all digits of one that came quantised."""
        with np.errstate(invalid="ignore"):  # NaN is refused below
            values: Reals = np.asarray(self.constant(node, place), np.float64)
        if (given := self.quantised.get(node.inputs[place])) is not None:
            values = given.steps * along(given.scale, given.axis, given.steps.ndim)
        if not np.isfinite(values).all():
            raise node.refused(
                f"has constants in {shortened(node.inputs[place])!r} that are not finite numbers",
                "export a network with sound weights",
            )
        return values

    def option(self, node: Node, name: str, place: int, default: Any = None) -> Any:
        """What older versions of an operator give as attribute, newer ones as constant."""
        value = node.attribute(name)
        return self.constant(node, place, default) if value is None else value

    def map_like(self, node: Node, held: Held) -> int:
        """A new map of the shape of another one."""
        return self.net.new_map(self.shape(held.map))

    def new_map(self, node: Node) -> int:
        """A new map of the shape of what ``node`` makes: [1, channels, ...]."""
        return self.net.new_map(as_map(self.tensor_shape(node.outputs[0])))

    def add(self, node: Node, step: Step, order: tuple[int, ...] = PLAIN) -> None:
        """Add the step that makes the output of ``node``."""
        self.maps[node.outputs[0]] = Held(self.net.add(step), order)


def as_map(shape: Sequence[int]) -> Shape:
    """(channels, rows, cols) of a tensor of one image; (1, 1, 1) fills what it lacks.

    >>> as_map((1, 8, 3, 2)), as_map((1, 8, 5)), as_map((1, 10))
    ((8, 3, 2), (8, 1, 5), (10, 1, 1))
    """
    channels, *rest = (*shape[1:], *([1] if len(shape) < 2 else []))
    rows, cols = [*([1] * (2 - len(rest))), *rest][-2:]
    return int(channels), int(rows), int(cols)


def arranged(shape: Shape, order: Sequence[int]) -> tuple[int, ...]:
    """The sizes of a map's axes in another order."""
    return tuple(shape[axis] for axis in order)


def simplest(shape: Shape, order: Sequence[int]) -> tuple[int, ...]:
    """``PLAIN`` where the order of values is the plain one, because axes have one place.

    >>> simplest((8, 1, 1), (1, 2, 0)), simplest((8, 2, 1), (1, 2, 0))
    ((0, 1, 2), (1, 2, 0))
    """
    long = [axis for axis in order if shape[axis] > 1]
    return PLAIN if long == sorted(long) else tuple(order)


def along(values: NDArray[Any], axis: int, n_axes: int) -> NDArray[Any]:
    """A vector that lies along ``axis`` of an array of ``n_axes``; one number fits anywhere."""
    if values.size == 1:
        return values.reshape(())
    shape = [1] * n_axes
    shape[axis] = -1
    return values.reshape(shape)
