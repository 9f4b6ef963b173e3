"""A chip: every part as a frozen, complete, checked object. No file is read here.

``accelsim.hardware.read`` makes a ``Chip`` from YAML; ``accelsim.hardware.schema`` checks
it at the border and knows the unit of every key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from accelsim.codecs.base import BlockHardware
from accelsim.dram.config import DramConfig
from accelsim.units import Clock

Layout: TypeAlias = Literal["linear", "slotted", "packed"]
SRAM_NODES_NM: Final = (22, 32, 45, 65)
"""Process nodes of the SRAM table."""


@dataclass(frozen=True)
class PeArray:
    """A systolic array of ``rows`` x ``cols`` processing elements, one MAC per cycle each."""

    rows: int
    cols: int
    dataflow: str
    """A registered dataflow: output_stationary, weight_stationary, input_stationary."""
    fold_overlap: bool
    """Load the next fold while the present one streams (real arrays), or serially (SCALE-Sim)."""
    psum_bits: int


@dataclass(frozen=True)
class Buffers:
    """On-chip SRAM, in bytes. Each is double buffered: a tile may fill half of it."""

    ifmap_bytes: int
    weight_bytes: int
    ofmap_bytes: int
    port_bits: int
    """Width of one SRAM access, for energy."""


@dataclass(frozen=True)
class VectorUnit:
    """Pooling that is not fused, and element-wise sums: ``lanes`` values per core cycle."""

    lanes: int


@dataclass(frozen=True)
class CodecBlock:
    """The codec pair between DRAM and buffers.

    ``lanes`` lanes work on whole blocks in parallel; each lane is one ``hardware``.
    """

    name: str
    """Codec of feature maps; ``raw`` is none."""
    weight_name: str
    lanes: int
    block: tuple[int, int, int]
    """(channels, rows, cols) of one compressed block."""
    scan: Literal["chw", "hwc"]
    """Order of values inside a block, outermost first."""
    layout: Layout
    """Where blocks lie in DRAM; ``raw`` with ``linear`` has no blocks."""
    fifo_blocks: int
    """Blocks that may be on their way to the decoder, or in its input FIFO."""
    index_cache_entries: int
    hardware: BlockHardware


@dataclass(frozen=True)
class DramPort:
    """The memory behind the chip, resolved, and how tensors are placed in it."""

    config: DramConfig
    allocation: Literal["staggered", "packed"]
    """Row-aligned with staggered banks, or back to back."""
    policy: str
    """A registered policy: dramsim3, ramulator, ideal."""
    outstanding_reads: int
    """Read lines in flight for each DMA engine."""


@dataclass(frozen=True)
class EnergyChoice:
    """Which tables price the counts."""

    node_nm: int
    sram_cell: Literal["hp", "lop", "lstp"]
    mode: Literal["max", "typical"]
    """DRAM currents: data sheet maxima, or the measured typical fraction."""
    dram_data: Literal["pins", "vampire_a", "vampire_b", "vampire_c"] = "pins"
    """What data cost in DRAM: their levels on the pins, or the ones of VAMPIRE's modules."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """A node between two points of the SRAM table has an interpolated leakage."""
        if self.node_nm in SRAM_NODES_NM:
            return ()
        return (
            f"energy.node_nm: {self.node_nm} nm lies between points of the SRAM table; leakage "
            "there can be wrong by a factor of two",
        )


@dataclass(frozen=True)
class Chip:
    """A whole machine."""

    name: str
    description: str
    core: Clock
    array: PeArray
    buffers: Buffers
    vector: VectorUnit
    codec: CodecBlock
    dram: DramPort
    objective: Literal["latency", "traffic"]
    """What the planner minimises first."""
    energy: EnergyChoice
    frame_rate_hz: float | None
    sources: dict[str, str]
    """Dotted key to the source of its value."""
    resolved: dict[str, object]
    """The configuration as nested plain values: what a result file holds."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes figures of this chip doubtful: of its memory, and of its energy tables."""
        memory = self.dram.config
        return (
            *(f"memory {memory.name}: {text}" for text in memory.warnings),
            *self.energy.warnings,
        )
