"""What a reader must know about how figures came about, and what makes them doubtful."""

from __future__ import annotations

from accelsim.codecs.base import CODECS
from accelsim.codecs.named import base_name
from accelsim.energy.notes import dram_note
from accelsim.hardware.chip import Chip
from accelsim.mapping.measuring.measured import (
    calibration_images,
)
from accelsim.simulation.prepare import Prepared
from accelsim.workload.layer import Conv
from accelsim.workload.trace import Trace


def run_warnings(chip: Chip, trace: Trace, prepared: Prepared) -> tuple[str, ...]:
    """What makes the figures doubtful, each once; all warnings of a run are gathered here."""
    shadowed = CODECS.warnings(base_name(chip.codec.name))
    found = [*chip.warnings, *trace.facts.warnings, *shadowed]
    if chip.codec.layout != "linear" and not prepared.coded:
        found.append(
            f"codec {chip.codec.name} coded no map of this trace: every map is an image, holds "
            "logits or words that the codec cannot code, is smaller than its table, or stays on "
            "the chip; its area is wasted"
        )
    return tuple(dict.fromkeys(found))


def run_notes(chip: Chip, trace: Trace, prepared: Prepared) -> list[str]:
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
