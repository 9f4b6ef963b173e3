"""Notes on the mapping: what a reader must know about how the work of a run was planned."""

from __future__ import annotations

from collections.abc import Sequence

from accelsim.hardware.chip import Chip, PeArray
from accelsim.mapping.residency.lives import held_bytes, lives_of
from accelsim.mapping.stages.stage import StagePlan, StoredMap
from accelsim.units import in_kib
from accelsim.workload.layer import Conv
from accelsim.workload.trace import Trace


def mapping_notes(
    chip: Chip, plans: Sequence[StagePlan], *, images: int, is_coded: bool, is_held: bool
) -> list[str]:
    """Sentences for the result: where maps are stored, what is read again, what plans are based on.

    ``is_coded``: some map is stored in coded blocks, so its size depends on values. ``is_held``:
    the plan is that of another run.
    """
    where = _on_chip(chip, plans) or "every map is stored in DRAM"
    notes = [f"mapping: {chip.array.dataflow}; {where}; biases are not moved"]
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


def _on_chip(chip: Chip, plans: Sequence[StagePlan]) -> str:
    """How many maps stay in the shared buffer, and the most bytes that they hold at once."""
    kept = frozenset[StoredMap]().union(*(p.on_chip for p in plans))
    if not kept:
        return ""
    lives = lives_of([p.stage for p in plans])
    most_kib = in_kib(max(held_bytes(kept, lives, number) for number in range(len(plans))))
    return (
        f"{len(kept)} of {len(plans)} maps stay on the chip, in up to {most_kib:.1f} of "
        f"{in_kib(chip.buffers.shared_bytes):g} KiB; the others and the inputs are stored in DRAM"
    )


def zeros_notes(array: PeArray, trace: Trace, plans: Sequence[StagePlan]) -> list[str]:
    """Sentences for the result: which zeros are left out, and which could not be known."""
    if array.zeros == "none":
        return []
    whose = {"ifmap": "ifmaps", "weight": "weights", "both": "ifmaps and weights"}[array.zeros_of]
    verb = {"gate": "gated, which takes their cycles", "skip": "skipped"}[array.zeros]
    notes = [
        f"zeros: products with zeros of {whose}, as the trace holds them, are {verb}; plans are "
        "chosen as if no value were zero"
    ]
    if array.zeros_of != "ifmap":
        layers = [plan.stage.layer for plan in plans]
        convolutions = [layer.name for layer in layers if isinstance(layer, Conv)]
        unknown = sum(trace.weights(name) is None for name in convolutions)
        if unknown:
            notes.append(
                f"zeros: the trace has no weights of {unknown} of {len(convolutions)} layers; they "
                "are assumed to have no zeros"
            )
    return notes
