"""A trained network before quantisation: a graph, and its constants as real numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from accelsim.workload.graph import Graph


@dataclass(frozen=True)
class TrainedWord:
    """How a network was trained to store one map: unsigned, zero point 0.

    A stored integer ``q`` of 0 to ``2**bits - 1`` stands for ``q * scale``.
    """

    bits: int
    scale: float


@dataclass(frozen=True)
class Word:
    """How a network says itself that one map is stored: ``(q - zero_point) * scale``."""

    bits: int
    signed: bool
    scale: float
    zero_point: int

    @property
    def low(self) -> int:
        """The smallest integer."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        """The largest integer."""
        return self.low + (1 << self.bits) - 1


@dataclass(frozen=True, kw_only=True)
class FloatNetwork:
    """A feed-forward network in inference, as layers and arrays.

    ``graph`` gives names and shapes; the words of its edges are not chosen yet. Layers have
    the names of their modules with ``/`` for ``.``, and an edge that of the layer that makes
    it. The network sees ``(pixels - input_mean) / input_std`` by channel, where pixels are
    0 to 255.
    """

    name: str
    graph: Graph
    weights: dict[str, NDArray[np.float32]]
    """By convolution or fully connected layer: [out_channels, in_channels / groups, rows, cols],
    batch normalisation folded in."""
    biases: dict[str, NDArray[np.floating]]
    """By convolution or fully connected layer: [out_channels]."""
    input_mean: tuple[float, ...]
    input_std: tuple[float, ...]
    trained_words: dict[str, TrainedWord] = field(default_factory=dict)
    """By edge: what compression-aware training learned."""
    given_words: dict[str, Word] = field(default_factory=dict)
    """By edge: the word of a network that came quantised; it is kept as it is."""
    weight_scales: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    """By layer that came quantised: [out_channels] the step of its weights, which are whole
    numbers of it."""
    real_inputs: bool = False
    """True where images come as the real numbers that the network sees, and not as pixels."""
    source: str
    """Where the weights come from, and their licence."""
