"""How long maps are held that stay on the chip, and the bytes that they take."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from accelsim.mapping.residency.choose import Life
from accelsim.mapping.stages.stage import Stage, StoredMap
from accelsim.units import bits_to_bytes


def lives_of(stages: Sequence[Stage], outputs: Collection[str] = ()) -> dict[StoredMap, Life]:
    """Every map that could stay: from the stage that makes it to the last one that reads it.

    ``outputs`` are edges that leave the network, and so the chip.
    """
    made = {stage.output: number for number, stage in enumerate(stages)}
    last = {part: number for number, stage in enumerate(stages) for part in stage.reads}
    return {
        stored: Life(first, last[stored], kept_bytes(stored))
        for stored, first in made.items()
        if stored in last and stored.edge not in outputs
    }


def kept_bytes(stored: StoredMap) -> int:
    """Bytes of a map on the chip, where every value has whole bytes."""
    return stored.n_values * bits_to_bytes(stored.bits)


def held_bytes(kept: Collection[StoredMap], lives: Mapping[StoredMap, Life], stage: int) -> int:
    """Bytes of the kept maps that are held while a stage runs."""
    held = [lives[m] for m in kept if lives[m].first <= stage <= lives[m].last]
    return sum(life.n_bytes for life in held)
