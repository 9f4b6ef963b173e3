"""What a run counted, by layer. Energy, power and ratios are pure functions of this."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from accelsim.program.work import NO_COUNTS
from accelsim.program.work import TENSOR_KINDS as TENSOR_KINDS
from accelsim.program.work import BusCounts as BusCounts
from accelsim.program.work import ByteCounts as ByteCounts
from accelsim.program.work import SramCounts as SramCounts

STALL_CAUSES: Final = (
    "ifmap_dram",
    "weight_dram",
    "index_dram",
    "outstanding",
    "decoder",
    "encoder",
    "ofmap_dram",
    "buffer_full",
    "dependency",
    "drain",
)


@dataclass(frozen=True)
class DramEvents:
    """DRAM commands and states that a layer owns: commands by cause, states by time.

    ``reads`` and ``writes`` are bursts on the bus: fewer than the lines that were asked for,
    where the write buffer answers a read or merges a write.
    """

    activates: int = 0
    precharges: int = 0
    reads: int = 0
    writes: int = 0
    row_hits: int = 0
    refreshes: int = 0
    active_rank_cycles: int = 0
    idle_rank_cycles: int = 0
    self_refresh_rank_cycles: int = 0
    open_bank_cycles: int = 0
    active_power_down_rank_cycles: int = 0
    idle_power_down_rank_cycles: int = 0
    bus_fs: int = 0
    """Time in which the data buses were busy while the layer ran, whoever moved the data."""

    def __add__(self, other: DramEvents) -> DramEvents:
        return DramEvents(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True)
class LayerCounts:
    """One layer. ``cycles == compute_cycles + vector_cycles + sum(stall_cycles.values())``."""

    name: str
    kind: str
    cycles: int
    """Core clock cycles from the previous layer's last PE cycle to this one's."""
    compute_cycles: int
    vector_cycles: int
    stall_cycles: dict[str, int]
    """By cause, every cause of ``STALL_CAUSES`` present."""
    macs: int
    bytes_by_tensor: dict[str, ByteCounts]
    """By kind, every kind of ``TENSOR_KINDS`` present."""
    sram: SramCounts
    dram: DramEvents
    encoded_values: int
    """Values that the encoder worked on, also of blocks that it then left raw."""
    decoded_values: int
    """Values that passed the decoder: those of blocks that are not stored raw."""
    vector_values: int
    """Values through the vector unit: element-wise sums and pooling that is not fused."""
    fused_pool_values: int = 0
    """Values through the pooling of the drain path."""
    map_values: int = 0
    """Values of feature maps that tiles read from DRAM or wrote to it."""
    value_bits: int = 8
    """Width of the values that it reads."""
    weight_bits: int = 8
    """Width of its weights; 0 without any."""
    register_bits: int = 0
    """Bits read from and written to the registers of the PEs."""
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
    dram_lines_submitted: int = 0
