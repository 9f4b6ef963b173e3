"""The work of a stage that does not depend on time: bytes, buffer accesses, values."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

TENSOR_KINDS: Final = ("ifmap", "weight", "ofmap", "psum")


@dataclass(frozen=True)
class ByteCounts:
    """DRAM bytes of one kind of tensor. See docs/concepts.md for the exact meaning of each.

    needed: uncompressed bytes of the values that tiles read or write. coded: payload bytes
    of the blocks touched. overfetch: the part of coded for values not needed. fetched =
    coded + padding + index + table = read + written.
    """

    needed_bytes: int = 0
    coded_bytes: int = 0
    overfetch_bytes: int = 0
    padding_bytes: int = 0
    index_bytes: int = 0
    table_bytes: int = 0
    read_bytes: int = 0
    written_bytes: int = 0
    fallback_blocks: int = 0

    @property
    def fetched_bytes(self) -> int:
        return self.coded_bytes + self.padding_bytes + self.index_bytes + self.table_bytes

    def __add__(self, other: ByteCounts) -> ByteCounts:
        return ByteCounts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True)
class SramCounts:
    """Buffer traffic in bytes: what DMA and array write into and read from each buffer."""

    ifmap_read_bytes: int = 0
    ifmap_write_bytes: int = 0
    weight_read_bytes: int = 0
    weight_write_bytes: int = 0
    ofmap_read_bytes: int = 0
    """Psums read back, and finished values read by the drain path."""
    ofmap_write_bytes: int = 0

    def __add__(self, other: SramCounts) -> SramCounts:
        return SramCounts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True)
class BusCounts:
    """Events on the data pins: what DRAM drives when read, and the chip when it writes."""

    read_costly_bits: int = 0
    read_toggles: int = 0
    written_costly_bits: int = 0
    written_toggles: int = 0

    @property
    def costly_bits(self) -> int:
        return self.read_costly_bits + self.written_costly_bits

    @property
    def toggles(self) -> int:
        return self.read_toggles + self.written_toggles

    def __add__(self, other: BusCounts) -> BusCounts:
        return BusCounts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


NO_COUNTS: Final = BusCounts()


@dataclass(frozen=True)
class StageWork:
    """What a stage does, summed over images: everything that does not depend on time."""

    name: str
    kind: str
    macs: int
    bytes_by_tensor: dict[str, ByteCounts]
    sram: SramCounts
    encoded_values: int
    decoded_values: int
    vector_values: int
    fused_pool_values: int
    map_values: int
    """Values of feature maps that tiles read from DRAM or wrote to it."""
    value_bits: int
    """Width of the values that it reads."""
    weight_bits: int
    """Width of its weights; 0 without any."""
    register_bits: int
    """Bits read from and written to the registers of the PEs."""
    bus: BusCounts = NO_COUNTS
    """Of all lines but those of weights, were each a burst of its own."""
    weight_bus: BusCounts = NO_COUNTS
    """Of the lines of weights."""
    skipped_macs: int = 0
    """Of ``macs`` those that no PE makes, because an operand is zero."""
    ifmap_rests: int = 0
    """Of ``macs`` those for which the ifmap register of the PE is neither read nor written."""
    weight_rests: int = 0
    psum_rests: int = 0

    @property
    def effective_macs(self) -> int:
        """Those that PEs make."""
        return self.macs - self.skipped_macs
