"""What a run counted, by layer. Energy, power and ratios are pure functions of this."""

from __future__ import annotations

from dataclasses import dataclass

from accelsim.dram.events import DramEvents
from accelsim.program.units import STALL_CAUSES as STALL_CAUSES
from accelsim.program.work import NO_COUNTS, StageWork
from accelsim.program.work import TENSOR_KINDS as TENSOR_KINDS
from accelsim.program.work import BusCounts as BusCounts
from accelsim.program.work import ByteCounts as ByteCounts
from accelsim.program.work import SramCounts as SramCounts


@dataclass(frozen=True)
class LayerCounts:
    """One layer: its work, and what time made of it; all images together.

    ``cycles == compute_cycles + vector_cycles + sum(stall_cycles.values())``.
    """

    work: StageWork
    """What mapping counted: MACs, bytes, accesses, values. Encoded values are those that the
    encoder worked on, also of blocks that it then left raw; decoded ones those that passed the
    decoder, of blocks that are not stored raw."""
    cycles: int
    """Core clock cycles from the previous layer's last PE cycle to this one's."""
    compute_cycles: int
    vector_cycles: int
    stall_cycles: dict[str, int]
    """By cause, every cause of ``STALL_CAUSES`` present."""
    dram: DramEvents
    """Commands that the layer caused; states and time on the bus while it ran."""
    bus: BusCounts = NO_COUNTS
    """Costly bits and toggles on the memory's data pins, of the bursts in ``dram``."""


@dataclass(frozen=True)
class RunCounts:
    """A whole run: the layers in execution order (summed over images), and the ends of images."""

    layers: tuple[LayerCounts, ...]
    cycles: int
    """Core cycles from start to the last byte in DRAM; the sum over layers."""
    image_end_cycles: tuple[int, ...]
    """Core cycle at which the last layer of each image had its last PE cycle."""
    drain_writes: int = 0
    memory_cycles: int = 0
