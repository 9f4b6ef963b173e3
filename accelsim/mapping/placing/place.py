"""Every tensor in its place in DRAM, and who wrote which part of it last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from accelsim.codecs.measure import MapStats
from accelsim.errors import MappingError
from accelsim.hardware.chip import Chip
from accelsim.mapping.placing.allocate import Allocator
from accelsim.mapping.placing.blocked import BlockedMap, block_grid, blocks_in
from accelsim.mapping.placing.bus import NO_BUS, BusLevels
from accelsim.mapping.placing.layout import Ints, MapLayout
from accelsim.mapping.placing.linear import LinearMap
from accelsim.mapping.stages.stage import StoredMap
from accelsim.mapping.windows.window import Block, Window3
from accelsim.program.table import NONE
from accelsim.units import bits_to_bytes, ceil_div

ImageStats = Mapping[StoredMap, MapStats]
"""Statistics of the maps that are stored as compressed blocks; all others are linear."""


class PlacedMap:
    """A map in DRAM, and the WRITE rows that its readers wait for."""

    def __init__(self, layout: MapLayout, codec_table: tuple[int, int], block: Block) -> None:
        """Who waits for a value waits for all channels and columns of its ``block``."""
        self.layout = layout
        self.codec_table = codec_table
        """First line and lines of the codec's tables for this map."""
        self._block, stored = block, layout.stored
        n_groups, n_cols = ceil_div(stored.channels, block[0]), ceil_div(stored.cols, block[2])
        self._written = np.full((n_groups, stored.rows, n_cols), NONE, np.int64)
        self._entry_written = np.full(layout.table_lines, NONE, np.int64)
        self._entries_missing = self._entries_of(layout.all_blocks)

    def wrote(self, window: Window3, row: int) -> None:
        """Remember that WRITE ``row`` stored ``window``."""
        self._written[self._cells(window)] = row

    def last_write(self, window: Window3) -> int:
        """The WRITE row after which all of ``window`` is stored; ``NONE`` for network inputs."""
        return int(self._written[self._cells(window)].max(initial=NONE))

    def _cells(self, window: Window3) -> tuple[slice, slice, slice]:
        (bc, _, bq), w = self._block, window
        groups, cols = slice(w.c0 // bc, ceil_div(w.c1, bc)), slice(w.q0 // bq, ceil_div(w.q1, bq))
        return groups, slice(w.r0, w.r1), cols

    def complete_table_lines(self, blocks: Ints) -> Ints:
        """Lines of the block table that become complete when ``blocks`` are known, rising."""
        known = self._entries_of(blocks)
        self._entries_missing -= known
        return np.flatnonzero((known > 0) & (self._entries_missing == 0))

    def table_lines(self, blocks: Ints) -> Ints:
        """Lines of the block table with entries of ``blocks``, rising."""
        return np.flatnonzero(self._entries_of(blocks))

    def _entries_of(self, blocks: Ints) -> Ints:
        """[n_table_lines] how many entries of ``blocks`` each line of the table holds."""
        lines = self.layout.entry_lines(blocks)
        return np.bincount(lines, minlength=self.layout.table_lines)

    def wrote_table(self, lines: Ints, row: int) -> None:
        """Remember that WRITE ``row`` stored these lines of the block table."""
        self._entry_written[lines] = row

    def last_table_write(self, lines: Ints) -> int:
        """The WRITE row after which these lines of the block table are stored."""
        return int(self._entry_written[lines].max(initial=NONE))


class Placement:
    """Places maps for one image after the other; weights and codec tables once."""

    def __init__(self, chip: Chip, levels: BusLevels = NO_BUS) -> None:
        self._bus_levels, self._linear = levels, levels.of_image(0)
        self._codec, self.line_bytes = chip.codec, chip.dram.config.line_bytes
        self._allocator = Allocator(chip.dram.config, chip.dram.allocation)
        self._maps: dict[StoredMap, PlacedMap] = {}
        self._codec_tables: dict[StoredMap, tuple[int, int]] = {}

    @property
    def total_lines(self) -> int:
        """Lines handed out so far, gaps included."""
        return self._allocator.next_line

    def start_image(self, image: int) -> None:
        """Forget the maps of the image before; the new one gets fresh places."""
        self._maps = {}
        self._linear = self._bus_levels.of_image(image)

    def take_bytes(self, n_bytes: int) -> tuple[int, int]:
        """A new tensor of ``n_bytes``: its first line and its lines."""
        lines = ceil_div(n_bytes, self.line_bytes)
        return self._allocator.take(lines), lines

    def __getitem__(self, stored: StoredMap) -> PlacedMap:
        return self._maps[stored]

    def place(
        self, stored: StoredMap, stats: ImageStats, tiles: Sequence[Window3] = ()
    ) -> PlacedMap:
        """The map's place, made on first use.

        ``tiles`` are the windows in the order in which its producer writes them, which
        packed layouts follow; network inputs have none and lie in block order. Raises
        ``MappingError`` when a tile is no union of the map's blocks.
        """
        if stored not in self._maps:
            self._maps[stored] = self._new(stored, stats, tiles)
        return self._maps[stored]

    def _new(self, stored: StoredMap, stats: ImageStats, tiles: Sequence[Window3]) -> PlacedMap:
        block = self._codec.block
        if stored not in stats:
            lines = LinearMap.size_lines(stored, self.line_bytes)
            start = self._allocator.take(lines)
            levels = self._linear.get(stored, self._bus_levels.other)
            layout = LinearMap(stored, start, self.line_bytes, block[0], levels)
            return PlacedMap(layout, (0, 0), block)
        measured = stats[stored]
        whole = Window3(0, stored.channels, 0, stored.rows, 0, stored.cols)
        grid = block_grid(stored, block)
        order = np.concatenate([blocks_in(t, block, grid) for t in tiles or (whole,)])
        if len(order) != measured.blocks.n_blocks:
            raise MappingError(
                f"map {stored.name}",
                f"the mapping's tiles cut blocks of {block}, which are coded whole",
                "plan for a codec with blocks of this shape",
            )
        placed_order = order if self._codec.layout == "packed" else None
        at_zero = BlockedMap(
            stored, block, measured.blocks, 0, self.line_bytes, placed_order, measured.beats
        )
        blocked = at_zero.moved_to(self._allocator.take(at_zero.total_lines))
        if stored not in self._codec_tables:
            table_bytes = bits_to_bytes(measured.table_bits)
            self._codec_tables[stored] = self.take_bytes(table_bytes) if table_bytes else (0, 0)
        return PlacedMap(blocked, self._codec_tables[stored], block)
