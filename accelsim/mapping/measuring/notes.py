"""What a reader must know about how the work of a run was made."""

from __future__ import annotations

from accelsim.hardware.chip import Chip


def mapping_notes(chip: Chip, *, images: int, is_coded: bool, is_held: bool) -> list[str]:
    """Sentences for the result: what lies where, what is read again, and what plans saw.

    ``is_coded``: some map lies in coded blocks, so that sizes depend on values. ``is_held``:
    the plan is that of another run.
    """
    notes = [f"mapping: {chip.array.dataflow}, every map in DRAM, biases not moved"]
    if images > 1:
        notes.append(
            "weights are read again for every image: no layer works on two images in a row"
        )
    if is_held:
        notes.append("plan: that of another run, held fixed")
    elif is_coded:
        notes.append(
            "plan: made for the coded sizes of image 0, which it is run on"
            + (", and used for all images" if images > 1 else "")
            + "; a compiler would know those of other images only"
        )
    return notes
