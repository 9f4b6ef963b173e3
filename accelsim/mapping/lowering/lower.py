"""From planned stages to the program: every tile operation of the network as a row.

Nothing is decided here that a plan, a layout or the sizes have not decided: lowering
walks the passes of each stage, finds the lines that they move, and writes rows and bytes
down. Dependencies follow from who wrote which rows of which map last.

Not moved: biases (four bytes for each output channel), and factors and summands of scales.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import TypeAlias

import numpy as np

from accelsim.hardware.chip import Chip
from accelsim.mapping.dataflow import DATAFLOWS
from accelsim.mapping.lowering.reader import Reader, one_extent, runs
from accelsim.mapping.lowering.tally import Tally
from accelsim.mapping.lowering.units import In, Of, pools_of, units_of
from accelsim.mapping.placing.bus import NO_BUS, BusLevels
from accelsim.mapping.placing.layout import Ints
from accelsim.mapping.placing.place import ImageStats, PlacedMap, Placement
from accelsim.mapping.stages.stage import StagePlan, StoredMap
from accelsim.mapping.tiling.fetch import Fetch, fetches, shortcut_fetches
from accelsim.mapping.tiling.plan import psum_bytes_per_value, vector_operations
from accelsim.mapping.tiling.tiles import Pass, passes
from accelsim.mapping.windows.window import Block
from accelsim.program.table import NONE, Kind, Program
from accelsim.program.writer import ProgramWriter
from accelsim.units import bits_to_bytes, ceil_div
from accelsim.workload.layer import Conv

Steps: TypeAlias = tuple[Pass, ...]
"""All passes of a stage."""


def lower(
    plans: Sequence[StagePlan],
    images: Sequence[ImageStats],
    chip: Chip,
    levels: BusLevels = NO_BUS,
) -> Program:
    """The program of ``plans`` for each image in turn.

    ``images`` gives for each image the statistics of its compressed maps, ``levels`` what all
    else looks like on the memory's pins. Raises
    ``ConfigError`` when the tensors do not fit the DRAM, ``MappingError`` when a plan that
    was made for other blocks cuts those of this chip.
    """
    writer, placement = ProgramWriter(), Placement(chip, levels)
    tallies = [Tally(plan.stage, levels) for plan in plans]
    steps = [tuple(passes(plan.stage, plan.tiling)) for plan in plans]
    weights = [_WeightTiles(*planned, placement) for planned in zip(plans, steps, strict=True)]
    reader = Reader(writer, placement, chip)
    for image, stats in enumerate(images):
        placement.start_image(image)
        for number, plan in enumerate(plans):
            walk = _StageWalk(writer, placement, reader, chip, plan, tallies[number])
            walk.run(number, image, stats, steps[number], weights[number])
    return writer.program(
        units_of(chip),
        pools_of(chip),
        tuple(tally.work() for tally in tallies),
        n_images=len(images),
        total_lines=placement.total_lines,
    )


class _WeightTiles:
    """The weights of one stage in DRAM: tile after tile in the order of their first use."""

    def __init__(self, plan: StagePlan, steps: Steps, placement: Placement) -> None:
        self._tiles: dict[tuple[int, int], tuple[int, int, int]] = {}
        layer = plan.stage.layer
        if not isinstance(layer, Conv):
            return
        line_bytes, next_line = placement.line_bytes, 0
        for step in steps:
            key = (step.output.c0, step.part)
            if key not in self._tiles:
                n_bytes = bits_to_bytes(step.n_weights * layer.weight_bits)
                lines = ceil_div(n_bytes, line_bytes)
                self._tiles[key] = (next_line, lines, n_bytes)
                next_line += lines
        start, _ = placement.take_bytes(next_line * line_bytes)
        self._tiles = {k: (start + first, n, b) for k, (first, n, b) in self._tiles.items()}

    def __getitem__(self, step: Pass) -> tuple[int, int, int]:
        """First line, lines and bytes of the tile that ``step`` uses."""
        return self._tiles[step.output.c0, step.part]


class _StageWalk:
    """The rows of one stage for one image."""

    def __init__(
        self,
        writer: ProgramWriter,
        placement: Placement,
        reader: Reader,
        chip: Chip,
        plan: StagePlan,
        tally: Tally,
    ) -> None:
        self._writer, self._placement, self._reader = writer, placement, reader
        self._chip, self._plan, self._stage, self._tally = chip, plan, plan.stage, tally
        self._cost = cache(DATAFLOWS[chip.array.dataflow].cost)  # most passes are alike
        self._psum_bytes = psum_bytes_per_value(plan, chip)
        self._last_read = {Of.WEIGHT: NONE, Of.IFMAP: NONE}
        self._held = dict.fromkeys(In, 0)
        self._last_compute = NONE

    def run(
        self, number: int, image: int, stats: ImageStats, steps: Steps, weights: _WeightTiles
    ) -> None:
        """Write all rows of the stage."""
        label = {"stage": number, "image": image}
        output = self._place(stats, steps, label)
        for step in steps:
            if step.loads_weights:
                self._load_weights(weights[step], label)
            if step.loads_ifmap:
                self._load_ifmap(step, label)
            shortcut, shortcut_bytes = self._load_shortcut(step, label)
            self._compute(step, label)
            self._writer.need(self._last_compute, shortcut)
            self._writer.give(self._last_compute, In.IFMAP, shortcut_bytes)
            if step.last:
                self._write(step, output, label)
        for pool, n_bytes in self._held.items():
            self._release(pool, n_bytes)

    def _place(self, stats: ImageStats, steps: Steps, label: dict[str, int]) -> PlacedMap:
        for part in dict.fromkeys(self._stage.reads):
            placed = self._placement.place(part, stats)
            self._reader.codec_table(placed, self._tally, "ifmap", **label)
        tiles = [step.output for step in steps if step.last]
        output = self._placement.place(self._stage.output, stats, tiles)
        self._reader.codec_table(output, self._tally, "ofmap", **label)
        return output

    def _load_weights(self, tile: tuple[int, int, int], label: dict[str, int]) -> None:
        first_line, lines, n_bytes = tile
        if not self._plan.tiling.weights_resident:
            self._release(In.WEIGHT, self._held[In.WEIGHT])
        self._held[In.WEIGHT] += n_bytes
        extents = one_extent(first_line), one_extent(lines), one_extent(0)
        row = self._last_read[Of.WEIGHT] = self._writer.transfer(Of.WEIGHT, extents, **label)
        self._writer.take(row, In.WEIGHT, n_bytes)
        self._tally.loaded_weights(n_bytes, lines * self._placement.line_bytes - n_bytes)

    def _load_ifmap(self, step: Pass, label: dict[str, int]) -> None:
        found = fetches(self._stage, step, self._block_of)
        fetched = self._fetched_bytes(found)
        if not self._plan.tiling.ifmap_resident:
            kept = self._window_bytes(step) - fetched if step.retained else 0
            self._release(In.IFMAP, self._held[In.IFMAP] - kept)
        self._held[In.IFMAP] += fetched
        if found:
            self._last_read[Of.IFMAP] = self._reader.maps(found, fetched, self._tally, **label)
            self._tally.filled_ifmap(fetched)
            if self._stage.read_scale:
                self._tally.scaled(sum(f.fetched.n_values for f in found))

    def _load_shortcut(self, step: Pass, label: dict[str, int]) -> tuple[int, int]:
        """Read what the drain path adds to a finished tile: the row, and its bytes.

        The tile waits in the ifmap buffer, apart from the windows, for that COMPUTE alone.
        """
        found = shortcut_fetches(self._stage, step, self._block_of)
        if not found:
            return NONE, 0
        n_bytes = self._fetched_bytes(found)
        row = self._reader.maps(found, n_bytes, self._tally, **label)
        self._tally.filled_ifmap(n_bytes)
        added_bytes = sum(self._buffer_bytes(f.stored, f.needed.n_values) for f in found)
        self._tally.added(step.computed.n_values, added_bytes)
        return row, n_bytes

    def _compute(self, step: Pass, label: dict[str, int]) -> None:
        tiling, layer = self._plan.tiling, self._stage.layer
        if isinstance(layer, Conv):
            array = self._chip.array
            cost = self._cost(step.of(layer), array)
            kind, cycles = Kind.COMPUTE, cost.cycles
            self._tally.computed(cost, layer.weight_bits, array.psum_bits, self._psum_bytes)
        else:
            operations = vector_operations(layer, step)
            kind, cycles = Kind.VECTOR, ceil_div(operations, self._chip.vector.lanes)
            read = self._buffer_bytes(self._stage.inputs[0][0], step.window.n_values)
            made = self._buffer_bytes(self._stage.output, step.output.n_values)
            self._tally.vectored(operations, read * len(self._stage.inputs), made)
        row = self._last_compute = self._writer.add(kind, Of.ARRAY, cycles=cycles, **label)
        for read in self._last_read.values():
            self._writer.need(row, read)
        if step.first:
            self._writer.take(row, In.OFMAP, tiling.ofmap_tile_bytes)
        if tiling.line_buffer_bytes > self._held[In.OFMAP]:
            self._held[In.OFMAP] = tiling.line_buffer_bytes
            self._writer.take(row, In.OFMAP, tiling.line_buffer_bytes)

    def _write(self, step: Pass, output: PlacedMap, label: dict[str, int]) -> None:
        stored = self._stage.output
        extents = output.layout.extents(step.output, step.output)
        rows = [self._write_row(extents.first_line, extents.n_lines, extents.encode_work, label)]
        output.wrote(step.output, rows[0])
        self._tally.moved("ofmap", extents, step.output.n_values, stored.bits, write=True)
        computed = step.m * step.n * step.groups
        if self._stage.fused_scale:
            self._tally.scaled(computed)
        pooled = computed if self._stage.fused_pool else 0
        self._tally.drained(computed * self._psum_bytes, pooled)
        if output.layout.table_lines:
            complete = output.complete_table_lines(extents.blocks)
            if len(complete):
                first, n_lines = runs(output.layout.table_line + complete)
                rows.append(self._write_row(first, n_lines, np.zeros_like(first), label))
                output.wrote_table(complete, rows[-1])
                n_bytes = len(complete) * self._placement.line_bytes
                self._tally.moved_table("ofmap", "index_bytes", n_bytes, write=True)
        self._writer.give(rows[-1], In.OFMAP, self._plan.tiling.ofmap_tile_bytes)

    def _write_row(self, first_line: Ints, n_lines: Ints, work: Ints, label: dict[str, int]) -> int:
        row = self._writer.transfer(Of.OFMAP, (first_line, n_lines, work), **label)
        self._writer.need(row, self._last_compute)
        return row

    def _release(self, pool: In, n_bytes: int) -> None:
        """Give bytes back with the last COMPUTE so far, which is the last that used them."""
        self._writer.give(self._last_compute, pool, n_bytes)
        self._held[pool] -= n_bytes

    def _window_bytes(self, step: Pass) -> int:
        """Bytes that the whole window of a pass occupies in the ifmap buffer."""
        whole = replace(step, retained=None)
        return self._fetched_bytes(fetches(self._stage, whole, self._block_of))

    def _fetched_bytes(self, found: Sequence[Fetch]) -> int:
        return sum(self._buffer_bytes(f.stored, f.fetched.n_values) for f in found)

    def _block_of(self, stored: StoredMap) -> Block | None:
        return self._placement[stored].layout.block

    @staticmethod
    def _buffer_bytes(stored: StoredMap, n_values: int) -> int:
        """Bytes of ``n_values`` in a buffer, where every value has whole bytes."""
        return n_values * bits_to_bytes(stored.bits)
