"""The machine as two tables: units that take rows in order, and pools of on-chip bytes.

Which of them exist is the chip's affair (``accelsim.mapping.lowering.units``); the
simulation plays whatever it is given, so that a second core, another buffer or a decoder
of weights are rows of these tables and no new code.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

DRAM: Final = "dram"
"""The level outside the chip; every other level is a name of on-chip storage."""


class Cause(IntEnum):
    """Why an array stood still: the label of an edge or a unit."""

    IFMAP_DRAM = 0
    WEIGHT_DRAM = 1
    INDEX_DRAM = 2
    OUTSTANDING = 3
    DECODER = 4
    ENCODER = 5
    OFMAP_DRAM = 6
    BUFFER_FULL = 7
    DEPENDENCY = 8
    DRAIN = 9


STALL_CAUSES: Final = tuple(cause.name.lower() for cause in Cause)
"""The names under which results list the causes."""


@dataclass(frozen=True)
class CodecStage:
    """The codec lanes behind a unit that reads, or before one that writes."""

    lanes: int
    fill_cycles: int
    """From a lane's last value to the block being there, or ready to be sent."""
    fifo_blocks: int = 1
    """Decoders: blocks that may be requested which no lane has started."""


@dataclass(frozen=True)
class Unit:
    """Something that takes its rows in order: a DMA engine, or an array.

    A unit with DRAM at one end is a DMA engine and has a queue of its own at the memory. What
    it reads passes ``codec`` behind the memory, what it writes before it.
    """

    name: str
    core: int
    source: str
    """The level that it reads, ``DRAM`` or a buffer."""
    destination: str
    dram_cause: Cause = Cause.DEPENDENCY
    """Charged for time in which the memory has its lines."""
    codec: CodecStage | None = None
    codec_cause: Cause = Cause.DEPENDENCY

    @property
    def reads_dram(self) -> bool:
        return self.source == DRAM

    @property
    def writes_dram(self) -> bool:
        return self.destination == DRAM

    @property
    def is_dma(self) -> bool:
        return self.reads_dram or self.writes_dram


@dataclass(frozen=True)
class Pool:
    """On-chip bytes that rows take and give back."""

    name: str
    capacity_bytes: int
