"""Notes on the mapping: what a reader must know about how the work of a run was planned."""

from __future__ import annotations

from accelsim.hardware.chip import Chip


def mapping_notes(chip: Chip, *, images: int, is_coded: bool, is_held: bool) -> list[str]:
    """Sentences for the result: where maps are stored, what is read again, what plans are based on.

    ``is_coded``: some map is stored in coded blocks, so its size depends on values. ``is_held``:
    the plan is that of another run.
    """
    notes = [f"mapping: {chip.array.dataflow}; every map is stored in DRAM; biases are not moved"]
    if images > 1:
        notes.append(
            "weights are read again for every image: no layer works on two images in a row"
        )
    if is_held:
        notes.append("plan: taken from another run and held fixed")
    elif is_coded:
        notes.append(
            "plan: based on the coded sizes of image 0, which it is also run on"
            + (", and used for all images" if images > 1 else "")
            + "; a compiler would only know those of other images"
        )
    return notes
