"""The layers of a network as shapes: what is computed, but not where or when.

Shapes are those of one image, (channels, rows, cols). A fully connected layer is a
convolution whose kernel covers its whole input map. Activation functions belong to the
layer that they follow, because hardware applies them on the way out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Activation: TypeAlias = Literal["none", "relu", "relu6"]


@dataclass(frozen=True)
class Window:
    """A sliding window over rows and columns: of a convolution or a pooling.

    ``kernel``, ``stride``, ``dilation`` are (rows, cols); ``padding`` is
    (top, bottom, left, right). Positions that do not fit are dropped (floor).

    >>> Window((3, 3), (2, 2)).out_size(113, 113)
    (56, 56)
    """

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)

    @property
    def extent(self) -> tuple[int, int]:
        """Rows and columns of input that one output position covers."""
        (kr, kc), (dr, dc) = self.kernel, self.dilation
        return (kr - 1) * dr + 1, (kc - 1) * dc + 1

    def out_size(self, rows: int, cols: int) -> tuple[int, int]:
        """Output rows and columns for an input of ``rows`` x ``cols``."""
        (er, ec), (sr, sc) = self.extent, self.stride
        top, bottom, left, right = self.padding
        return (rows + top + bottom - er) // sr + 1, (cols + left + right - ec) // sc + 1


@dataclass(frozen=True)
class Conv:
    """A convolution or a fully connected layer, with its bias and activation.

    ``groups`` splits input and output channels; depthwise is ``groups == in_channels``. With
    one weight per channel, hardware treats it as a ``Scale`` rather than a convolution: batch
    normalisation or a ReLU that could not be folded into another layer.

    >>> one = Window((1, 1))
    >>> Conv("norm", "x", "y", 8, 8, one, groups=8, activation="relu").scale
    Scale(name='norm', input='x', output='y', activation='relu')
    """

    name: str
    input: str
    output: str
    in_channels: int
    out_channels: int
    window: Window
    groups: int = 1
    activation: Activation = "none"
    fully_connected: bool = False
    weight_bits: int = 8

    @property
    def kind(self) -> str:
        if self.fully_connected:
            return "fc"
        if self.scale is not None:
            return Scale.kind
        return "depthwise" if self.groups == self.in_channels > 1 else "conv"

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.input,)

    @property
    def scale(self) -> Scale | None:
        """The layer as a ``Scale``, if it has one weight per channel and works value by value."""
        alone = self.groups == self.in_channels == self.out_channels
        if not alone or self.fully_connected or self.window != Window((1, 1)):
            return None
        return Scale(self.name, self.input, self.output, self.activation)

    @property
    def n_weights(self) -> int:
        rows, cols = self.window.kernel
        return self.out_channels * (self.in_channels // self.groups) * rows * cols

    @property
    def macs_per_output(self) -> int:
        """Multiply-accumulates per output value, including padding positions."""
        rows, cols = self.window.kernel
        return (self.in_channels // self.groups) * rows * cols


@dataclass(frozen=True)
class Scale:
    """A factor and an offset per channel, and an activation, applied value by value.

    Graphs and traces represent it as a ``Conv`` with one weight per channel, whose integer
    arithmetic it shares; ``Conv.scale`` returns it.
    """

    name: str
    input: str
    output: str
    activation: Activation = "none"

    kind = "scale"

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.input,)


@dataclass(frozen=True)
class Pool:
    """Maximum or average over windows, channel by channel."""

    name: str
    input: str
    output: str
    window: Window
    op: Literal["max", "avg"] = "max"

    kind = "pool"

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.input,)


@dataclass(frozen=True)
class Add:
    """Element-wise sum of maps of one shape: a residual connection."""

    name: str
    inputs: tuple[str, ...]
    output: str
    activation: Activation = "none"

    kind = "add"


@dataclass(frozen=True)
class Concat:
    """Maps stacked along their channels. Costs nothing, because the parts stay where they are."""

    name: str
    inputs: tuple[str, ...]
    output: str

    kind = "concat"


Layer: TypeAlias = Conv | Pool | Add | Concat
