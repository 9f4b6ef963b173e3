"""An intermediate form of networks, between the operators of a framework and layers.

Steps read and produce maps, which are numbers with a shape (channels, rows, cols). Four kinds
become layers: ``Convolution``, ``Pooling``, ``Sum``, ``Stack``. The others (``Affine``,
``Rectify``, ``Pad``, ``Stored``) are folded into these by
``accelsim.workload.quantising.fold``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from accelsim.errors import UserError
from accelsim.workload.layer import Activation, Window
from accelsim.workload.quantising.float_network import TrainedWord, Word

Shape = tuple[int, int, int]
Reals = NDArray[np.float64]
SUPPORTED: Final = (
    "supported are convolutions, linear layers, batch normalisation, ReLU, ReLU6, maximum and "
    "average pooling, sums of equal maps, concatenation of channels, flatten and zero padding"
)


class Origin(Protocol):
    """The operator in the user's network that a step comes from."""

    @property
    def operator(self) -> str:
        """Its name in the user's language, such as ``conv2d``."""
        ...

    def refused(self, problem: str, fix: str = SUPPORTED) -> UserError:
        """An error that says where the operator is and what is wrong with it."""
        ...


@dataclass(eq=False, kw_only=True)
class Step:
    """One operator, and where it comes from."""

    origin: Origin
    inputs: list[int]
    output: int


@dataclass(eq=False, kw_only=True)
class Convolution(Step):
    weights: Reals
    """[out_channels, in_channels / groups, rows, cols]"""
    bias: Reals
    """[out_channels]"""
    window: Window
    groups: int = 1
    fully_connected: bool = False
    activation: Activation = "none"
    word: TrainedWord | None = None
    weight_scale: Reals | None = None
    """[out_channels] of weights that came quantised; they are whole numbers of it."""
    weight_bits: int = 8


@dataclass(eq=False, kw_only=True)
class Rounding(Convolution):
    """A map brought to another word, value by value: one weight of 1 to a channel."""


@dataclass(eq=False, kw_only=True)
class Pooling(Step):
    window: Window
    op: Literal["max", "avg"]


@dataclass(eq=False, kw_only=True)
class Sum(Step):
    activation: Activation = "none"
    word: TrainedWord | None = None


@dataclass(eq=False, kw_only=True)
class Stack(Step):
    """Maps one after another along the channels."""


@dataclass(eq=False, kw_only=True)
class Affine(Step):
    """``x * scale + shift`` by channel, such as batch normalisation; both are [channels]."""

    scale: Reals
    shift: Reals


@dataclass(eq=False, kw_only=True)
class Rectify(Step):
    activation: Activation
    word: TrainedWord | None = None


@dataclass(eq=False, kw_only=True)
class Pad(Step):
    """``padding`` is (top, bottom, left, right)."""

    padding: tuple[int, int, int, int]
    value: float


@dataclass(eq=False, kw_only=True)
class Stored(Step):
    """The map rounded to a word that the network came with."""

    stored_as: Word


@dataclass
class Steps:
    """Steps in execution order. Map 0 is the network's input."""

    shapes: list[Shape]
    """By map."""
    outputs: list[int] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    joined: dict[int, int] = field(default_factory=dict)
    """By map of a step that was removed: the map that took its place."""
    words: dict[int, Word] = field(default_factory=dict)
    """By map: the word that the network came with."""

    def new_map(self, shape: Sequence[int]) -> int:
        channels, rows, cols = shape
        self.shapes.append((int(channels), int(rows), int(cols)))
        return len(self.shapes) - 1

    def add(self, step: Step) -> int:
        self.steps.append(step)
        return step.output

    def producer(self, made: int) -> Step | None:
        return next((s for s in self.steps if s.output == made), None)

    def consumers(self, read: int) -> list[Step]:
        return [s for s in self.steps if read in s.inputs]

    def is_private(self, made: int, reader: Step) -> bool:
        """True if only ``reader`` reads the map."""
        return made not in self.outputs and self.consumers(made) == [reader]

    def final(self, made: int) -> int:
        """The map that now stands for ``made``."""
        while made in self.joined:
            made = self.joined[made]
        return made

    def insert_before(self, step: Step, new: Step) -> None:
        self.steps.insert(self.steps.index(step), new)

    def remove(self, step: Step) -> None:
        """Remove a step with one input; readers of its output then read its input."""
        self.steps.remove(step)
        self.joined[step.output] = step.inputs[0]
        for other in self.steps:
            other.inputs = [step.inputs[0] if n == step.output else n for n in other.inputs]
        self.outputs = [step.inputs[0] if n == step.output else n for n in self.outputs]

    def replace(self, step: Step, by: Step) -> None:
        self.steps[self.steps.index(step)] = by


def per_channel(
    step: Affine | Rectify, scale: Reals, shift: Reals, activation: Activation = "none"
) -> Convolution:
    """What cannot be folded into an earlier layer, as an exact 1 x 1 depthwise convolution."""
    return Convolution(
        origin=step.origin,
        inputs=step.inputs,
        output=step.output,
        weights=scale.reshape(-1, 1, 1, 1),
        bias=shift,
        window=Window((1, 1)),
        groups=scale.size,
        activation=activation,
        word=step.word if isinstance(step, Rectify) else None,
    )


def grown(window: Window, shape: Shape, out_shape: Sequence[int]) -> Window:
    """With more padding after rows and columns where the output's size is rounded up.

    >>> grown(Window((2, 2), (2, 2)), (8, 5, 4), (8, 3, 2)).padding
    (0, 1, 0, 0)
    """
    top, bottom, left, right = window.padding
    (_, rows, cols), (_, out_rows, out_cols) = shape, out_shape
    bottom = max(bottom, _reach(out_rows, window, 0) - rows - top)
    right = max(right, _reach(out_cols, window, 1) - cols - left)
    return Window(window.kernel, window.stride, (top, bottom, left, right), window.dilation)


def _reach(n_out: int, window: Window, axis: int) -> int:
    return (n_out - 1) * window.stride[axis] + window.extent[axis]
