"""A trace: the graph of a network and its real tensors for one set of inputs.

A trace returns tensors one at a time, so memory is bounded by the largest map.
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
    """Facts about a trace."""

    name: str
    n_images: int
    sha256: str
    """Hash of the file's content: the key of everything computed from it."""
    accuracy: dict[str, float] = field(default_factory=dict)
    """Accuracy figures, such as ``{"top1": 0.70, "n_images": 20}``; empty if unknown."""
    training: dict[str, str] = field(default_factory=dict)
    provenance: dict[str, str] = field(default_factory=dict)
    """Tool, versions, date, sources of weights and images, licence."""
    codec_in_loop: str | None = None
    """The lossy codec that was active when the network was recorded, if any."""
    warnings: tuple[str, ...] = ()
    """What makes figures computed from the trace doubtful."""


class Trace(Protocol):
    """The interface of a trace to the rest of the package."""

    @property
    def facts(self) -> TraceFacts: ...

    @property
    def graph(self) -> Graph: ...

    def values(self, edge: str, image: int) -> Values:
        """The integers of one map of one image, shape (channels, rows, cols).

        Pooled and concatenated maps that are not stored are derived.
        Raises ``TraceError`` if the tensor is missing, broken or out of range.
        """
        ...

    def weights(self, layer: str) -> Values | None:
        """Integer weights, shape (out_channels, in_channels / groups, rows, cols), or None."""
        ...
