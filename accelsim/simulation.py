"""The whole simulation: a trace and a chip in, a result out.

``prepare`` turns tensors into sizes, sizes into a plan, and the plan into a program;
``simulate`` runs the program and prices its counts; ``compare`` does so for several codecs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path
from typing import Final, Literal

from accelsim.codecs.base import CODECS, Word
from accelsim.codecs.lane_costs import cycles_at
from accelsim.codecs.measure import MapStats
from accelsim.codecs.named import base_name, codec_of_any_width, takes
from accelsim.codecs.size_cache import SizeCache
from accelsim.dram.traces.traffic import write_traffic
from accelsim.dram.traces.write import TraceForm
from accelsim.energy.idle import frame_rate_warnings, idle_events, idle_seconds, price_idle
from accelsim.energy.notes import dram_note, energy_notes
from accelsim.energy.price import price
from accelsim.errors import TraceError
from accelsim.hardware.chip import Chip
from accelsim.hardware.read import chip_from_resolved
from accelsim.mapping.lowering.lower import lower
from accelsim.mapping.measuring.measured import (
    bus_levels,
    calibration_images,
    measure_maps,
    planned_sizes,
)
from accelsim.mapping.measuring.notes import mapping_notes
from accelsim.mapping.placing.bus import NO_BUS, BusLevels, pins_of
from accelsim.mapping.stages.form import storable_maps, stored_maps
from accelsim.mapping.stages.stage import StagePlan, StoredMap
from accelsim.mapping.tiling.fuse import plan_graph
from accelsim.program.table import Program
from accelsim.results.build import MapRates, build_result
from accelsim.results.comparison import Comparison
from accelsim.results.result import Result
from accelsim.sim.run import run
from accelsim.workload.graph import Graph
from accelsim.workload.layer import Concat, Conv
from accelsim.workload.trace import Trace

Plans = tuple[StagePlan, ...]


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


def simulate(
    chip: Chip,
    trace: Trace,
    *,
    codec: str | Mapping[str, str] | None = None,
    images: int = 1,
    mapping: Plans | None = None,
    dram_trace: Path | None = None,
    dram_trace_form: TraceForm | None = None,
) -> Result:
    """Run the first ``images`` images of ``trace`` on ``chip``.

    ``codec`` is the name of the codec for feature maps, or a mapping with keys ``ofmap`` and
    ``weight``; None takes that of the chip. ``mapping`` is a plan of another run, to be held fixed.
    ``dram_trace`` receives the traffic as a request trace in ``dram_trace_form``; by default its
    suffix decides between numpy's ``.npz`` and DRAMsim3's text form.

    Raises ``MappingError`` if a layer does not fit, ``TraceError`` and ``CodecError``
    for tensors that cannot be used, ``UnknownNameError`` for an unknown codec.

    >>> from accelsim import read_hardware, read_trace
    >>> result = simulate(read_hardware("edge_npu"), read_trace("squeezenet1_1"), codec="zvc")
    >>> result.totals.macs
    352540352
    """
    chip = with_codec(chip, codec)
    prepared = prepare(chip, trace, images=images, mapping=mapping)
    chip = prepared.chip
    played = run(prepared.program, chip, record_traffic=dram_trace is not None)
    if dram_trace is not None:
        write_traffic(dram_trace, played.memory, dram_trace_form)
    counts = played.counts
    coding = codec_of_any_width(chip.codec.name)
    return build_result(
        counts,
        [price(layer, chip).as_dict() for layer in counts.layers],
        _rates(prepared, trace, chip.dram.config.line_bytes),
        chip,
        trace.facts,
        codec=chip.codec.name,
        images=images,
        idle_seconds=idle_seconds(counts, chip),
        idle_counts=idle_events(counts, chip),
        idle_energy_pj=price_idle(counts, chip).as_dict(),
        closed_loop=coding.lossless,
        reconstruction=coding.reconstruction,
        codec_error=_codec_error(prepared, chip.dram.config.line_bytes),
        codec_area_kge=chip.codec.lanes * chip.codec.hardware.gates_kge,
        notes=[
            *mapping_notes(
                chip, images=images, is_coded=bool(prepared.coded), is_held=mapping is not None
            ),
            *_notes(chip, trace, prepared),
            *energy_notes(counts, chip),
        ],
        warnings=[*_warnings(chip, trace, prepared), *frame_rate_warnings(counts, chip)],
    )


def compare(
    chip: Chip,
    trace: Trace,
    codecs: Sequence[str],
    *,
    images: int = 1,
    mapping: Literal["replan", "fixed"] = "replan",
) -> Comparison:
    """The same run with each codec, by name, in the order given.

    ``replan`` gives each codec its own best mapping. ``fixed`` uses one mapping for all, so that
    only the sizes differ. It is the mapping of the first codec that stores blocks, because its
    tiles are unions of blocks, and maps without blocks can be cut anywhere. All codecs then code
    these blocks, even those that would prefer others.
    """
    chips = {name: with_codec(chip, name) for name in codecs}
    held: Plans | None = None
    if mapping == "fixed":
        # The chip to plan for: the first with blocks, otherwise the first one (min is stable).
        planner = min(chips.values(), key=lambda c: c.codec.layout == "linear")
        held = prepare(planner, trace, images=images).plans
        block = {"codec.block": list(planner.codec.block)}
        chips = {name: chip_from_resolved(c.resolved, block) for name, c in chips.items()}
    results = {
        name: simulate(with_this, trace, images=images, mapping=held)
        for name, with_this in chips.items()
    }
    return Comparison(results, mapping)


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
    in_blocks = _coded_maps(chip, trace, first)
    plans = mapping or plan_graph(trace.graph, chip, planned_sizes(first, in_blocks, chip))
    stored = stored_maps(p.stage for p in plans)
    maps = [{m: first[m] for m in stored}]
    for image in range(1, images):
        maps.append(measure_maps(trace, stored, image, chip.codec, cache, pins))
    coded = tuple(m for m in stored if m in in_blocks)
    chip = _with_lanes_for(coded, chip)
    blocked = [{m: _at_rates_of(chip, image[m]) for m in coded} for image in maps]
    levels = bus_levels(trace, maps, pins, cache) if pins else NO_BUS
    return Prepared(chip, lower(plans, blocked, chip, levels), plans, tuple(maps), coded, levels)


def with_codec(chip: Chip, codec: str | Mapping[str, str] | None) -> Chip:
    """The chip with another codec, and with the lane figures and layout of that codec."""
    if codec is None:
        return chip
    chosen = {"ofmap": codec} if isinstance(codec, str) else codec
    keys = {"ofmap": "codec.name", "weight": "codec.weight_name"}
    for name in chosen.values():
        codec_of_any_width(name)  # an unknown name says so itself, with the nearest
    overrides = {keys[tensor]: name for tensor, name in chosen.items()}
    return chip_from_resolved(chip.resolved, overrides)


def _with_lanes_for(coded: Sequence[StoredMap], chip: Chip) -> Chip:
    """The chip with lanes for the widest coded word, unless it sets their width itself."""
    origins = {origin.key: origin for origin in chip.origins}
    widest = max((stored.bits for stored in coded), default=chip.codec.word_bits)
    if widest == chip.codec.word_bits or not origins[_LANE_WIDTH].derived:
        return chip
    wide = chip_from_resolved(chip.resolved, {_LANE_WIDTH: widest})
    why = f"the widest of the coded maps has {widest} bits"
    found = (
        replace(o, source=why, derived=True) if o.key == _LANE_WIDTH else o for o in wide.origins
    )
    return replace(wide, origins=tuple(found))


_LANE_WIDTH: Final = "codec.word_bits"


def _at_rates_of(chip: Chip, measured: MapStats) -> MapStats:
    """The statistics with cycles scaled to the lane rates that the chip sets by hand."""
    own = codec_of_any_width(chip.codec.name, wanted_bits=chip.codec.word_bits).hardware
    lane, blocks = chip.codec.hardware, measured.blocks
    encode = lane.encode_values_per_cycle / own.encode_values_per_cycle
    decode = lane.decode_values_per_cycle / own.decode_values_per_cycle
    if encode == decode == 1:
        return measured
    encode_work = cycles_at(blocks.encode_work, encode)
    decode_work = cycles_at(blocks.decode_work, decode)
    timed = replace(blocks, encode_work=encode_work, decode_work=decode_work)
    return replace(measured, blocks=timed)


def _coded_maps(
    chip: Chip, trace: Trace, measured: Mapping[StoredMap, MapStats]
) -> frozenset[StoredMap]:
    """Which of the ``measured`` maps are stored in blocks; none if the layout is linear.

    Images and logits are not coded. Neither are maps of words that the codec does not take, or
    maps that are smaller than their own code table, such as the few wide values after a global
    average.
    """
    if chip.codec.layout == "linear":
        return frozenset()
    ends = ({*trace.graph.inputs} - {*trace.graph.cut}) | _output_edges(trace.graph)
    return frozenset(
        stored
        for stored in measured
        if stored.edge not in ends
        and takes(chip.codec.name, Word(stored.bits, stored.signed))
        and measured[stored].table_bits < stored.n_values * stored.bits
    )


def _output_edges(graph: Graph) -> set[str]:
    """The outputs of the network, and the parts of outputs that are concatenations.

    If the network was cut out of a larger one, its outputs are feature maps and not included.
    """
    found = set(graph.outputs) - set(graph.cut)
    for layer in reversed(graph.layers):
        if isinstance(layer, Concat) and layer.output in found:
            found.update(layer.inputs)
    return found


def _rates(prepared: Prepared, trace: Trace, burst_bytes: int) -> list[MapRates]:
    """By stage: rates of the feature map that it produces, before any padding, over all images.

    The network's outputs (logits) are not feature maps.
    """
    rates, outputs = [], _output_edges(trace.graph)
    for planned in prepared.plans:
        stage = planned.stage
        is_feature_map = stage.output.edge not in outputs
        measured = [maps[stage.output] for maps in prepared.maps if is_feature_map]
        rates.append(
            MapRates(
                n_values=stage.output.n_values * len(measured),
                entropy_bits=sum(m.entropy_bits for m in measured),
                huffman_bits=sum(m.huffman_bits for m in measured),
                stream_bits=sum(
                    int(m.as_stored(burst_bytes).bits.sum()) + m.table_bits
                    if stage.output in prepared.coded
                    else stage.output.n_values * stage.output.bits
                    for m in measured
                ),
            )
        )
    return rates


def _codec_error(prepared: Prepared, burst_bytes: int) -> float:
    coded = [maps[stored] for maps in prepared.maps for stored in prepared.coded]
    energy = sum(measured.energy for measured in coded)
    errors = sum(measured.stored_error_energy(burst_bytes) for measured in coded)
    return sqrt(errors / energy) if energy else 0.0


def _warnings(chip: Chip, trace: Trace, prepared: Prepared) -> tuple[str, ...]:
    """What makes the figures doubtful, each once; all warnings of a run are gathered here."""
    shadowed = CODECS.warnings(base_name(chip.codec.name))
    found = [*chip.warnings, *trace.facts.warnings, *shadowed]
    if chip.codec.layout != "linear" and not prepared.coded:
        found.append(
            f"codec {chip.codec.name} coded no map of this trace: every map is an image, holds "
            "logits or words that the codec cannot code, or is smaller than its table; its area "
            "is wasted"
        )
    return tuple(dict.fromkeys(found))


def _notes(chip: Chip, trace: Trace, prepared: Prepared) -> list[str]:
    """What a reader must know about how the figures were obtained."""
    n_images = trace.facts.n_images
    fitted = calibration_images(n_images, 0)
    notes = [dram_note(chip)]
    if chip.codec.layout != "linear":
        notes.append(_coded_share(prepared))
    if fitted == (0,):
        notes.append("codec tables are fitted to the image itself, because the trace has no other")
    else:
        several = f"the first {len(fitted)} other images" if len(fitted) > 1 else "the other image"
        notes.append(f"codec tables of each image are fitted to {several} of the trace")
    return [*notes, *_io_notes(chip, prepared)]


def _coded_share(prepared: Prepared) -> str:
    """How much of the stored data went through the codec."""
    every, coded = prepared.maps[0], set(prepared.coded)
    n_values = sum(stored.n_values for stored in every)
    n_coded = sum(stored.n_values for stored in coded)
    return (
        f"maps coded: {len(coded)} of {len(every)}, {n_coded:,} of {n_values:,} values per image; "
        "images and logits are not coded"
    )


def _io_notes(chip: Chip, prepared: Prepared) -> list[str]:
    pins = chip.dram.config.power.interface
    if pins is None:
        return []
    if chip.energy.dram_data != "pins":
        return [
            f"DRAM reads and writes: by ones in the data, as measured ({chip.energy.dram_data})"
        ]
    inversion = ", with data bus inversion" if pins.dbi else ""
    levels = ("zeros", "ones")[pins.costly_level]
    named = {p.stage.name for p in prepared.plans if isinstance(p.stage.layer, Conv)}
    unknown = len(named - {*prepared.levels.weights})
    weights = f"; weights of {unknown} layers are assumed random" if unknown else ""
    return [f"DRAM I/O: priced by the {levels} and toggles of the data{inversion}{weights}"]
