"""The units and pools of a chip: what a program can be written for.

One core: three DMA engines that read (maps through the decoder, weights, and what the
decoder needs to know of blocks), one that writes through the encoder, and the array, whose
turns the vector unit shares; and who reserves space in a shared buffer. Ifmap, weight and
ofmap buffers are pools. The order of the DMA engines is that of their queues at the memory.
"""

from __future__ import annotations

from enum import IntEnum

from accelsim.hardware.chip import Chip
from accelsim.program.units import DRAM, Cause, CodecStage, Pool, Unit


class Of(IntEnum):
    """Places in the table of units."""

    IFMAP = 0
    WEIGHT = 1
    INDEX = 2
    ARRAY = 3
    OFMAP = 4
    SPACE = 5


class In(IntEnum):
    """Places in the table of pools."""

    IFMAP = 0
    WEIGHT = 1
    OFMAP = 2


def units_of(chip: Chip) -> tuple[Unit, ...]:
    """In the order of ``Of``."""
    lanes, lane = chip.codec.lanes, chip.codec.hardware
    decoder = CodecStage(lanes, lane.decode_fill_cycles, chip.codec.fifo_blocks)
    encoder = CodecStage(lanes, lane.encode_fill_cycles)
    return (
        Unit("ifmap", 0, DRAM, "ifmap", Cause.IFMAP_DRAM, decoder, Cause.DECODER),
        Unit("weight", 0, DRAM, "weight", Cause.WEIGHT_DRAM),
        Unit("index", 0, DRAM, "codec", Cause.INDEX_DRAM),
        Unit("array", 0, "ifmap and weight", "ofmap"),
        Unit("ofmap", 0, "ofmap", DRAM, Cause.OFMAP_DRAM, encoder, Cause.ENCODER),
        Unit("space", 0, "shared", "shared"),
    )


def pools_of(chip: Chip) -> tuple[Pool, ...]:
    """In the order of ``In``."""
    return (
        Pool("ifmap", chip.buffers.ifmap_bytes),
        Pool("weight", chip.buffers.weight_bytes),
        Pool("ofmap", chip.buffers.ofmap_bytes),
    )
