"""What the planner knows about stored tensors: how many bits their windows cost.

A plan is chosen by the bytes that its program will move, so both follow the same rule: raw maps
are arranged as in ``lines.Arrangement``, and each block of a compressed map takes the lines that
its layout assigns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np

from accelsim.mapping.stages.stage import StoredMap
from accelsim.mapping.windows.lines import Arrangement, line_counts
from accelsim.mapping.windows.occurrences import Floats, Ints, weighted_sum
from accelsim.mapping.windows.ranges import Ranges
from accelsim.mapping.windows.window import Block
from accelsim.units import ceil_div


@dataclass(frozen=True)
class LinearSize:
    """A raw map: exact windows."""

    values: Arrangement

    block = None

    @property
    def unit(self) -> int:
        """Channels that tiles should be multiples of: those of a pixel stored without gaps."""
        return 1 if self.values.rows * self.values.cols == 1 else self.values.depth

    def moved_bits(self, line_bits: int, channels: Ranges, rows: Ranges, cols: Ranges) -> Floats:
        """[n_channel_cuts, n_row_cuts, n_col_cuts] bits on the bus for all windows of the cuts."""
        return line_counts(self.values, line_bits, channels, rows, cols) * line_bits


@dataclass(frozen=True, eq=False)
class BlockedSize:
    """A compressed map: whole blocks, and a table with an entry for each."""

    block: Block
    block_lines: Ints
    """[blocks along channels, rows, columns] lines of each block."""
    entry_bits: int
    codec_table_lines: int = 0
    """Lines of the codec's own tables, which every stage that uses the map loads."""

    @cached_property
    def fingerprint(self) -> tuple[object, ...]:
        """The same for equal maps alone."""
        lines = np.ascontiguousarray(self.block_lines)
        held = hashlib.sha256(f"{lines.dtype.str} {lines.shape} ".encode() + lines.tobytes())
        return self.block, held.digest(), self.entry_bits, self.codec_table_lines

    @property
    def unit(self) -> int:
        """Channels that tiles must be multiples of."""
        return self.block[0]

    @property
    def entries(self) -> Arrangement:
        """The table of blocks: entries in the order of block numbers."""
        channels, rows, cols = self.block_lines.shape
        return Arrangement(channels, rows, cols, self.entry_bits, group=1)

    def table_lines(self, line_bits: int) -> int:
        """Lines of the table of blocks."""
        return ceil_div(self.entries.n_values * self.entry_bits, line_bits)

    def moved_bits(self, line_bits: int, channels: Ranges, rows: Ranges, cols: Ranges) -> Floats:
        """As of ``LinearSize``: every block that a window touches, whole."""
        axes = zip((channels, rows, cols), self.block, self.block_lines.shape, strict=True)
        touched = [ranges.touched(block, n) for ranges, block, n in axes]
        return weighted_sum(self.block_lines.astype(np.float64), *touched) * line_bits

    def entry_lines(self, line_bits: int, channels: Ranges, rows: Ranges, cols: Ranges) -> Floats:
        """Lines of the table that hold the entries of every window's blocks, window by window."""
        axes = zip((channels, rows, cols), self.block, strict=True)
        blocks = [ranges.in_blocks(block) for ranges, block in axes]
        return line_counts(self.entries, line_bits, *blocks)


@dataclass(frozen=True)
class KeptSize:
    """A map that stays on the chip: nothing of it moves, and tiles may cut it anywhere."""

    block = None
    unit = 1

    def moved_bits(self, line_bits: int, channels: Ranges, rows: Ranges, cols: Ranges) -> Floats:
        """[n_channel_cuts, n_row_cuts, n_col_cuts] none at all."""
        return np.zeros((channels.n_candidates, rows.n_candidates, cols.n_candidates))


MapSize: TypeAlias = LinearSize | BlockedSize | KeptSize


@dataclass(frozen=True)
class Sizes:
    """The stored sizes of a network."""

    maps: Mapping[str, MapSize]
    """By ``StoredMap.name``."""
    line_bytes: int
    """Bytes of one DRAM burst; 1 models exact bytes."""
    cached_entries: int = 0
    """Entries of block tables that the chip keeps."""

    @property
    def line_bits(self) -> int:
        return self.line_bytes * 8

    def is_kept(self, stored: StoredMap) -> bool:
        """Whether the map stays on the chip."""
        return isinstance(self.maps[stored.name], KeptSize)

    def keeping(self, kept: Iterable[StoredMap]) -> Sizes:
        """The same, with these maps on the chip."""
        return replace(self, maps={**self.maps, **{m.name: KeptSize() for m in kept}})

    @classmethod
    def raw(cls, maps: Iterable[StoredMap], line_bytes: int = 1, channel_group: int = 1) -> Sizes:
        """Every map linear and uncompressed."""
        return cls({m.name: linear_size(m, channel_group) for m in maps}, line_bytes)


def linear_size(stored: StoredMap, channel_group: int) -> LinearSize:
    """A raw map whose values lie in groups of so many channels."""
    shape = stored.channels, stored.rows, stored.cols
    return LinearSize(Arrangement(*shape, stored.bits, channel_group))
