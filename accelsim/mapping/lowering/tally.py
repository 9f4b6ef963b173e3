"""The running count of a stage's work while it is lowered; see ``StageWork``."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from accelsim.array.dataflow import PassCost
from accelsim.mapping.placing.bus import NO_LEVELS, Levels
from accelsim.mapping.placing.layout import Counts
from accelsim.mapping.stages.stage import Stage, StoredMap
from accelsim.mapping.windows.window import Ints
from accelsim.program.work import (
    TENSOR_KINDS,
    BusCounts,
    ByteCounts,
    SramCounts,
    StageWork,
)
from accelsim.units import bits_to_bytes


class Tally:
    """Adds up one stage over its passes and images."""

    def __init__(self, stage: Stage, levels: Levels = NO_LEVELS) -> None:
        """``levels`` are those of tables."""
        self._stage, self._tables = stage, levels
        self._bus, self._weight_bus = dict.fromkeys(_BUS, 0), dict.fromkeys(_BUS, 0)
        self._bytes = {kind: dict.fromkeys(_BYTES, 0) for kind in TENSOR_KINDS}
        self._sram = dict.fromkeys(_SRAM, 0)
        self._macs = self._encoded = self._decoded = self._vector = self._pooled = self._values = 0
        self._register_bits = self._skipped = 0
        self._rests = {"ifmap_rests": 0, "weight_rests": 0, "psum_rests": 0}

    def moved(self, kind: str, counts: Counts[Ints], *, write: bool) -> None:
        """Windows of a map crossed the DRAM bus."""
        total = counts.totals()
        self._values += total.needed_values
        self._add_counts(kind, write, total)
        self._drive(write, total.costly_bits, total.toggles)
        if write:
            self._encoded += total.codec_values
        else:
            self._decoded += total.codec_values

    def moved_table(self, kind: str, column: str, n_bytes: Ints, *, write: bool) -> None:
        """Lines of block tables (``index_bytes``) or of codec tables (``table_bytes``), in pieces
        of so many bytes [n]."""
        if not len(n_bytes):
            return
        total_bytes = int(n_bytes.sum())
        self._add_bytes(kind, write, total_bytes, **{column: total_bytes})
        costly_bits, toggles = self._tables.of(8 * n_bytes)
        self._drive(write, int(costly_bits.sum()), int(toggles.sum()))

    def loaded_weights(self, counts: Counts[Ints]) -> None:
        """Tiles of weights came into their buffer."""
        total = counts.totals()
        self._add_counts("weight", False, total)
        self._weight_bus["read_costly_bits"] += total.costly_bits
        self._weight_bus["read_toggles"] += total.toggles
        self._sram["weight_write_bytes"] += total.needed_bytes

    def filled_ifmap(self, n_bytes: int) -> None:
        """DMA or decoder wrote into the ifmap buffer."""
        self._sram["ifmap_write_bytes"] += n_bytes

    def computed(self, cost: PassCost[Ints], psum_bits: int, psum_bytes: int) -> None:
        """The array made passes. Sums have ``psum_bits`` in the PEs, ``psum_bytes`` outside."""
        value_bits, weight_bits = self._stage.value_bits, self._stage.weight_bits
        weight_bytes = cost.weight_reads * weight_bits // 8
        columns = np.array([getattr(cost, name) for name in PassCost.__slots__])
        total = PassCost(*columns.sum(axis=1).tolist())
        self._macs += total.macs
        self._skipped += total.skipped_macs
        for name in self._rests:
            self._rests[name] += getattr(total, name)
        self._register_bits += (
            total.ifmap_registers * value_bits
            + total.weight_registers * weight_bits
            + total.psum_registers * psum_bits
        )
        self._sram["ifmap_read_bytes"] += total.ifmap_reads * bits_to_bytes(value_bits)
        self._sram["weight_read_bytes"] += int(weight_bytes.sum())
        self._sram["ofmap_read_bytes"] += total.psum_reads * psum_bytes
        self._sram["ofmap_write_bytes"] += total.psum_writes * psum_bytes

    def vectored(self, operations: int, read_bytes: int, write_bytes: int) -> None:
        """The vector unit worked on tiles."""
        self._vector += operations
        self._sram["ifmap_read_bytes"] += read_bytes
        self._sram["ofmap_write_bytes"] += write_bytes

    def added(self, n_values: int, read_bytes: int) -> None:
        """The drain path added tiles of the shortcut, one operation a value."""
        self._vector += n_values
        self._sram["ifmap_read_bytes"] += read_bytes

    def scaled(self, n_values: int) -> None:
        """The read or drain path scaled values on their way, one operation each."""
        self._vector += n_values

    def drained(self, read_bytes: int, pooled_values: int) -> None:
        """Finished tiles left the ofmap buffer, through the pooling of the drain path if fused."""
        self._sram["ofmap_read_bytes"] += read_bytes
        self._pooled += pooled_values

    def kept(self, read_bytes: int, stored: StoredMap, pooled_values: int) -> None:
        """The drain path read sums of so many bytes, and wrote a map that stays on the chip."""
        if read_bytes:
            self._sram["ofmap_read_bytes"] += read_bytes
            self._sram["ofmap_write_bytes"] += stored.n_values * bits_to_bytes(stored.bits)
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
            skipped_macs=self._skipped,
            **self._rests,
            bus=BusCounts(**self._bus),
            weight_bus=BusCounts(**self._weight_bus),
        )

    def _drive(self, write: bool, costly_bits: int, toggles: int) -> None:
        driven = "written" if write else "read"
        self._bus[f"{driven}_costly_bits"] += costly_bits
        self._bus[f"{driven}_toggles"] += toggles

    def _add_counts(self, kind: str, write: bool, total: Counts[int]) -> None:
        self._add_bytes(
            kind,
            write,
            total.coded_bytes + total.padding_bytes,
            needed_bytes=total.needed_bytes,
            coded_bytes=total.coded_bytes,
            overfetch_bytes=total.overfetch_bytes,
            padding_bytes=total.padding_bytes,
            fallback_blocks=total.fallback_blocks,
        )

    def _add_bytes(self, kind: str, write: bool, moved_bytes: int, **columns: int) -> None:
        counts = self._bytes[kind]
        counts["written_bytes" if write else "read_bytes"] += moved_bytes
        for column, amount in columns.items():
            counts[column] += amount


_BUS, _BYTES, _SRAM = (
    tuple(field.name for field in fields(kind)) for kind in (BusCounts, ByteCounts, SramCounts)
)
