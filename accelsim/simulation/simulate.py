"""A run of one network on one chip, and of one network with several codecs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from accelsim.codecs.named import codec_of_any_width
from accelsim.dram.traces.traffic import write_traffic
from accelsim.dram.traces.write import TraceForm
from accelsim.energy.idle import frame_rate_warnings, idle_events, idle_seconds, price_idle
from accelsim.energy.notes import energy_notes
from accelsim.energy.price import price
from accelsim.hardware.chip import Chip
from accelsim.hardware.read import chip_from_resolved
from accelsim.mapping.measuring.notes import mapping_notes, zeros_notes
from accelsim.mapping.tiling.fuse import Plans
from accelsim.results.build import build_result
from accelsim.results.comparison import Comparison
from accelsim.results.result import Result
from accelsim.sim.run import run
from accelsim.simulation.lanes import with_codec
from accelsim.simulation.notes import run_notes, run_warnings
from accelsim.simulation.prepare import prepare
from accelsim.simulation.rates import error_of_codec, map_rates
from accelsim.workload.trace import Trace


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
        map_rates(prepared, trace, chip.dram.config.line_bytes),
        chip,
        trace.facts,
        codec=chip.codec.name,
        images=images,
        idle_seconds=idle_seconds(counts, chip),
        idle_counts=idle_events(counts, chip),
        idle_energy_pj=price_idle(counts, chip).as_dict(),
        closed_loop=coding.lossless,
        reconstruction=coding.reconstruction,
        codec_error=error_of_codec(prepared, chip.dram.config.line_bytes),
        codec_area_kge=chip.codec.lanes * chip.codec.hardware.gates_kge,
        notes=[
            *mapping_notes(
                chip,
                prepared.plans,
                images=images,
                is_coded=bool(prepared.coded),
                is_held=mapping is not None,
            ),
            *zeros_notes(chip.array, trace, prepared.plans),
            *run_notes(chip, trace, prepared),
            *energy_notes(counts, chip),
        ],
        warnings=[*run_warnings(chip, trace, prepared), *frame_rate_warnings(counts, chip)],
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
