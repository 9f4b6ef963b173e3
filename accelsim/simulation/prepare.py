"""Everything before the run: tensors become sizes, sizes a plan, and the plan a program."""

from __future__ import annotations

from dataclasses import dataclass

from accelsim.codecs.measure import MapStats
from accelsim.codecs.size_cache import SizeCache
from accelsim.errors import TraceError
from accelsim.hardware.chip import Chip
from accelsim.mapping.lowering.lower import lower
from accelsim.mapping.measuring.measured import (
    bus_levels,
    measure_maps,
    planned_sizes,
)
from accelsim.mapping.measuring.operands import operands_of
from accelsim.mapping.placing.bus import NO_BUS, BusLevels, pins_of
from accelsim.mapping.residency.keep import plan_network
from accelsim.mapping.stages.form import storable_maps, stored_maps
from accelsim.mapping.stages.stage import StoredMap
from accelsim.mapping.tiling.fuse import Plans
from accelsim.program.table import Program
from accelsim.simulation.coded import coded_maps, output_edges
from accelsim.simulation.lanes import at_rates_of, with_lanes_for
from accelsim.workload.trace import Trace


@dataclass(frozen=True, repr=False)
class Prepared:
    """A program, and the statistics of its tensors in the codec of the chip."""

    chip: Chip
    """The chip, with codec lanes sized for the words to be coded."""
    program: Program
    plans: Plans
    maps: tuple[dict[StoredMap, MapStats], ...]
    """By image: statistics of every stored map, including those that stay linear."""
    coded: tuple[StoredMap, ...]
    """The maps that are stored in blocks."""
    levels: BusLevels
    """Costly bits and toggles of all other tensors on the memory's pins."""

    def __repr__(self) -> str:
        return (
            f"<Prepared: {len(self.program.rows.kind):,} operations of {len(self.plans)} stages, "
            f"{len(self.maps)} image{'s' * (len(self.maps) != 1)}, "
            f"{len(self.coded)} of {len(self.maps[0])} maps coded>"
        )


def prepare(chip: Chip, trace: Trace, *, images: int = 1, mapping: Plans | None = None) -> Prepared:
    """Everything before the simulation: sizes, plan, layout, program."""
    if not 1 <= images <= trace.facts.n_images:
        raise TraceError(
            trace.facts.name,
            f"{images} images asked for, the trace has {trace.facts.n_images}",
            f"choose 1 to {trace.facts.n_images}",
        )
    cache, pins = SizeCache(), pins_of(chip.dram.config)
    held = mapping and stored_maps(p.stage for p in mapping)
    first = measure_maps(trace, held or storable_maps(trace.graph), 0, chip.codec, cache, pins)
    in_blocks = coded_maps(chip, trace, first)
    sizes = planned_sizes(first, in_blocks, chip)
    plans = mapping or plan_network(trace.graph, chip, sizes, output_edges(trace.graph))
    stored = stored_maps(p.stage for p in plans)
    maps = [{m: first[m] for m in stored}]
    for image in range(1, images):
        maps.append(measure_maps(trace, stored, image, chip.codec, cache, pins))
    kept = frozenset[StoredMap]().union(*(plan.on_chip for plan in plans))
    coded = tuple(m for m in stored if m in in_blocks and m not in kept)
    chip = with_lanes_for(coded, chip)
    blocked = [{m: at_rates_of(chip, image[m]) for m in coded} for image in maps]
    levels = bus_levels(trace, maps, pins, cache) if pins else NO_BUS
    program = lower(plans, blocked, chip, levels, operands_of(trace, chip.array))
    return Prepared(chip, program, plans, tuple(maps), coded, levels)
