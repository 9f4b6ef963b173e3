"""Every tensor in its place in DRAM, and who wrote which part of it last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from accelsim.codecs.measure import MapStats
from accelsim.errors import MappingError
from accelsim.hardware.chip import Chip
from accelsim.mapping.placing.allocate import Allocator
from accelsim.mapping.placing.blocked import BlockedMap, block_grid, blocks_in
from accelsim.mapping.placing.bus import NO_BUS, BusLevels
from accelsim.mapping.placing.kept import KeptMap
from accelsim.mapping.placing.kernel import find_last_writers, mark_writers
from accelsim.mapping.placing.layout import MapLayout
from accelsim.mapping.placing.linear import LinearMap
from accelsim.mapping.placing.weights import WeightTiles
from accelsim.mapping.stages.stage import StoredMap
from accelsim.mapping.windows.window import Block, Ints, Windows
from accelsim.program.table import NONE
from accelsim.units import bits_to_bytes, ceil_div

ImageStats = Mapping[StoredMap, MapStats]
"""Statistics of the maps that are stored as compressed blocks; all others are linear."""
NO_TILES: Final = np.zeros((0, 6), np.int64)


class PlacedMap:
    """A map in its place, and the tiles of the network that its readers wait for."""

    def __init__(
        self,
        layout: MapLayout,
        codec_table: tuple[int, int],
        tiles: Windows,
        first_tile: int,
        block: Block,
    ) -> None:
        """``tiles`` [n, 6] are its windows in the order in which its producer writes them;
        ``first_tile`` is the number of the first in the network.

        Who waits for a value waits for all channels and columns of its ``block``.
        """
        self.layout = layout
        self.codec_table = codec_table
        """First line and lines of the codec's tables for this map."""
        self.written = layout.writes(tiles)
        """What it costs to write the tiles."""
        self._block, stored = block, layout.stored
        n_groups, n_cols = ceil_div(stored.channels, block[0]), ceil_div(stored.cols, block[2])
        self._writer = np.full((n_groups, stored.rows, n_cols), NONE, np.int64)
        mark_writers(tiles, first_tile, block[0], block[2], self._writer)
        self._table_writer = np.full(layout.table_lines, NONE, np.int64)
        n_lines = np.diff(self.written.first_table)
        known = first_tile + np.repeat(np.arange(len(tiles)), n_lines)
        self._table_writer[self.written.table_line - layout.table_line] = known

    def last_write(self, windows: Windows) -> Ints:
        """[n] the tile with which all of each window is stored; ``NONE`` for network inputs."""
        last = np.empty(len(windows), np.int64)
        find_last_writers(windows, self._block[0], self._block[2], self._writer, NONE, last)
        return last

    def table_write(self, lines: Ints) -> Ints:
        """[n] the tile with which each of these lines of the block table is stored."""
        return self._table_writer[lines - self.layout.table_line]


class Placement:
    """Places maps for one image after the other; weights and codec tables once."""

    def __init__(
        self, chip: Chip, levels: BusLevels = NO_BUS, kept: frozenset[StoredMap] = frozenset()
    ) -> None:
        """``kept`` maps stay on the chip."""
        self._kept = kept
        self._levels, self._linear_levels = levels, levels.of_image(0)
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
        self._linear_levels = self._levels.of_image(image)

    def __getitem__(self, stored: StoredMap) -> PlacedMap:
        return self._maps[stored]

    def weights(self, layer: str, n_values: Ints, bits: int) -> WeightTiles:
        """A place for the weights of a layer: tiles of ``n_values`` [n_tiles] of ``bits``."""
        levels = self._levels.weights.get(layer, self._levels.other)
        tiles = WeightTiles(n_values, bits, 0, self.line_bytes, levels)
        return tiles.moved_to(self._allocator.take(tiles.total_lines))

    def place(
        self,
        stored: StoredMap,
        stats: ImageStats,
        tiles: Windows = NO_TILES,
        first_tile: int = 0,
    ) -> PlacedMap:
        """The map's place, made on first use.

        ``tiles`` [n, 6] are the windows in the order in which its producer writes them, which
        packed layouts follow, from the network's tile ``first_tile`` on; network inputs have none
        and lie in block order. Raises
        ``MappingError`` when a tile is no union of the map's blocks.
        """
        if stored not in self._maps:
            placed = self._layout(stored, stats, tiles)
            is_coded = stored in stats and stored not in self._kept
            table = self._codec_table(stored, stats) if is_coded else (0, 0)
            block = self._codec.block
            self._maps[stored] = PlacedMap(placed, table, tiles, first_tile, block)
        return self._maps[stored]

    def _layout(self, stored: StoredMap, stats: ImageStats, tiles: Windows) -> MapLayout:
        if stored in self._kept:
            return KeptMap(stored)
        is_coded = stored in stats
        layout = self._blocked(stored, stats[stored], tiles) if is_coded else self._linear(stored)
        return layout.moved_to(self._allocator.take(layout.total_lines))

    def _linear(self, stored: StoredMap) -> LinearMap:
        levels = self._linear_levels.get(stored, self._levels.other)
        return LinearMap(stored, 0, self.line_bytes, self._codec.block[0], levels)

    def _blocked(self, stored: StoredMap, measured: MapStats, tiles: Windows) -> BlockedMap:
        block = self._codec.block
        if not len(tiles):
            tiles = np.array([[0, stored.channels, 0, stored.rows, 0, stored.cols]])
        _, order = blocks_in(tiles, block, block_grid(stored, block))
        if len(order) != measured.blocks.n_blocks:
            raise MappingError(
                f"map {stored.name}",
                f"the mapping's tiles cut blocks of {block}, which are coded whole",
                "plan for a codec with blocks of this shape",
            )
        produced = order if self._codec.layout == "packed" else None
        return BlockedMap(
            stored, block, measured.blocks, 0, self.line_bytes, produced, measured.beats
        )

    def _codec_table(self, stored: StoredMap, stats: ImageStats) -> tuple[int, int]:
        if stored not in self._codec_tables:
            lines = ceil_div(bits_to_bytes(stats[stored].table_bits), self.line_bytes)
            first = self._allocator.take(lines) if lines else 0
            self._codec_tables[stored] = first, lines
        return self._codec_tables[stored]
