"""The running count of a stage's work while it is lowered; see ``StageWork``."""

from __future__ import annotations

from dataclasses import fields

from accelsim.mapping.dataflow import PassCost
from accelsim.mapping.placing.bus import NO_BUS, BusLevels
from accelsim.mapping.placing.layout import Extents
from accelsim.mapping.stages.stage import Stage
from accelsim.program.work import (
    NO_COUNTS,
    TENSOR_KINDS,
    BusCounts,
    ByteCounts,
    SramCounts,
    StageWork,
)
from accelsim.units import bits_to_bytes


class Tally:
    """Adds up one stage over its passes and images."""

    def __init__(self, stage: Stage, levels: BusLevels = NO_BUS) -> None:
        """``levels`` are those of weights and tables."""
        self._stage, self._tables = stage, levels.other
        self._weights = levels.weights.get(stage.name, levels.other)
        self._bus = {f.name: 0 for f in fields(BusCounts)}
        self._weight_bus = NO_COUNTS
        self._bytes = {kind: _zeros(ByteCounts) for kind in TENSOR_KINDS}
        self._sram = _zeros(SramCounts)
        self._macs = self._encoded = self._decoded = self._vector = self._pooled = self._values = 0
        self._register_bits = 0

    def moved(
        self, kind: str, extents: Extents, n_needed: int, word_bits: int, *, write: bool
    ) -> None:
        """A window of a map crossed the DRAM bus, for ``n_needed`` of its values."""
        self._values += n_needed
        self._add_bytes(
            kind,
            write,
            extents.coded_bytes + extents.padding_bytes,
            needed_bytes=bits_to_bytes(n_needed * word_bits),
            coded_bytes=extents.coded_bytes,
            overfetch_bytes=extents.overfetch_bytes,
            padding_bytes=extents.padding_bytes,
            fallback_blocks=extents.fallback_blocks,
        )
        self._drive(write, extents.costly_bits, extents.toggles)
        if write:
            self._encoded += extents.encoded_values
        else:
            self._decoded += extents.decoded_values

    def moved_table(self, kind: str, column: str, n_bytes: int, *, write: bool) -> None:
        """Lines of a block table (``index_bytes``) or of codec tables (``table_bytes``)."""
        self._add_bytes(kind, write, n_bytes, **{column: n_bytes})
        self._drive(write, *self._tables.of(8 * n_bytes))

    def loaded_weights(self, n_bytes: int, padding_bytes: int) -> None:
        """A tile of weights, stored raw, came into its buffer."""
        self._add_bytes(
            "weight",
            False,
            n_bytes + padding_bytes,
            needed_bytes=n_bytes,
            coded_bytes=n_bytes,
            padding_bytes=padding_bytes,
        )
        self._weight_bus += BusCounts(*self._weights.of(8 * n_bytes))
        self._sram["weight_write_bytes"] += n_bytes

    def filled_ifmap(self, n_bytes: int) -> None:
        """DMA or decoder wrote into the ifmap buffer."""
        self._sram["ifmap_write_bytes"] += n_bytes

    def computed(
        self, cost: PassCost[int], weight_bits: int, psum_bits: int, psum_bytes: int
    ) -> None:
        """The array made one pass. Sums have ``psum_bits`` in the PEs, ``psum_bytes`` outside."""
        value_bits = self._stage.value_bits
        value_bytes = bits_to_bytes(value_bits)
        self._macs += cost.macs
        self._register_bits += (
            cost.ifmap_registers * value_bits
            + cost.weight_registers * weight_bits
            + cost.psum_registers * psum_bits
        )
        self._sram["ifmap_read_bytes"] += cost.ifmap_reads * value_bytes
        self._sram["weight_read_bytes"] += cost.weight_reads * weight_bits // 8
        self._sram["ofmap_read_bytes"] += cost.psum_reads * psum_bytes
        self._sram["ofmap_write_bytes"] += cost.psum_writes * psum_bytes

    def vectored(self, operations: int, read_bytes: int, write_bytes: int) -> None:
        """The vector unit worked on one tile."""
        self._vector += operations
        self._sram["ifmap_read_bytes"] += read_bytes
        self._sram["ofmap_write_bytes"] += write_bytes

    def added(self, n_values: int, read_bytes: int) -> None:
        """The drain path added a tile of the shortcut, one operation a value."""
        self._vector += n_values
        self._sram["ifmap_read_bytes"] += read_bytes

    def scaled(self, n_values: int) -> None:
        """The read or drain path scaled values on their way, one operation each."""
        self._vector += n_values

    def drained(self, read_bytes: int, pooled_values: int) -> None:
        """A finished tile left the ofmap buffer, through the pooling of the drain path if fused."""
        self._sram["ofmap_read_bytes"] += read_bytes
        self._pooled += pooled_values

    def work(self) -> StageWork:
        """The finished count."""
        return StageWork(
            name=self._stage.name,
            kind=self._stage.layer.kind,
            macs=self._macs,
            bytes_by_tensor={kind: ByteCounts(**b) for kind, b in self._bytes.items()},
            sram=SramCounts(**self._sram),
            encoded_values=self._encoded,
            decoded_values=self._decoded,
            vector_values=self._vector,
            fused_pool_values=self._pooled,
            map_values=self._values,
            value_bits=self._stage.value_bits,
            weight_bits=self._stage.weight_bits,
            register_bits=self._register_bits,
            bus=BusCounts(**self._bus),
            weight_bus=self._weight_bus,
        )

    def _drive(self, write: bool, costly_bits: int, toggles: int) -> None:
        driven = "written" if write else "read"
        self._bus[f"{driven}_costly_bits"] += costly_bits
        self._bus[f"{driven}_toggles"] += toggles

    def _add_bytes(self, kind: str, write: bool, moved_bytes: int, **columns: int) -> None:
        counts = self._bytes[kind]
        counts["written_bytes" if write else "read_bytes"] += moved_bytes
        for column, amount in columns.items():
            counts[column] += amount


def _zeros(counts: type[ByteCounts] | type[SramCounts]) -> dict[str, int]:
    return {f.name: 0 for f in fields(counts)}
