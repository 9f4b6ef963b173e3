"""A trace: a network's graph and the real tensors of one set of inputs.

A trace gives tensors one at a time, so that memory stays bounded by the largest map.
``accelsim.workload.trace_file`` reads and writes them; see ``docs/trace_format.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from accelsim.workload.graph import Graph

Values = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class TraceFacts:
    """What a trace says about itself."""

    name: str
    n_images: int
    sha256: str
    """Hash of the file's content: the key of everything computed from it."""
    accuracy: dict[str, float] = field(default_factory=dict)
    """Such as ``{"top1": 0.70, "n_images": 20}``; empty when unknown."""
    training: dict[str, str] = field(default_factory=dict)
    provenance: dict[str, str] = field(default_factory=dict)
    """Tool, versions, date, sources of weights and images, licence."""
    codec_in_loop: str | None = None
    """The lossy codec through which the recorded network already ran, if any."""
    warnings: tuple[str, ...] = ()
    """What makes figures computed from it doubtful."""


class Trace(Protocol):
    """What the rest of the house needs of a trace."""

    @property
    def facts(self) -> TraceFacts: ...

    @property
    def graph(self) -> Graph: ...

    def values(self, edge: str, image: int) -> Values:
        """The integers of one map of one image, shape (channels, rows, cols).

        Pooled and concatenated maps are derived from what is stored.
        Raises ``TraceError`` when the tensor is missing, broken or out of range.
        """
        ...

    def weights(self, layer: str) -> Values | None:
        """Integer weights, shape (out_channels, in_channels / groups, rows, cols), or None."""
        ...
