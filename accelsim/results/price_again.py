"""The energy of an old result with other prices: from its counts, without another run.

Time and traffic do not depend on ``energy.*``, so another run would find the same counts as
those in the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from accelsim.energy.idle import price_pauses
from accelsim.energy.notes import dram_note
from accelsim.energy.price import price
from accelsim.errors import UserError
from accelsim.hardware.chip import Chip
from accelsim.hardware.document import Overrides, pairs
from accelsim.hardware.read import chip_from_resolved
from accelsim.results.build import energy_of
from accelsim.results.json_form import config_sha256
from accelsim.results.result import Result
from accelsim.results.versions import versions

KEYS: Final = ("energy.mode", "energy.node_nm", "energy.sram_cell")
"""What may be priced otherwise."""


def price_again(result: Result, overrides: Overrides = (), where: str = "the result") -> Result:
    """``result`` with the energy of its counts under its own configuration and ``overrides``.

    ``overrides`` are ``energy.mode=max`` and the like, or a mapping; only of ``KEYS``. Raises
    ``UserError`` for other keys, and for a result without counts; ``where`` names it.

    >>> from accelsim import read_hardware, read_trace, simulate
    >>> result = simulate(read_hardware("edge_npu"), read_trace("fmnist_resnet8_q8"))
    >>> price_again(result).totals.energy_pj == result.totals.energy_pj
    True
    >>> worst = price_again(result, {"energy.mode": "max"})
    >>> worst.totals.energy_pj["dram_read"] > result.totals.energy_pj["dram_read"]
    True
    """
    for key, value in pairs(overrides):
        if key not in KEYS:
            fix = f"set {', '.join(KEYS)}; for anything else run it again"
            raise UserError(f"--set {key}={value}", "changes more than prices", fix)
    before = chip_from_resolved(result.config)
    chip = _with_energy(before, overrides)
    layers = []
    for layer in result.layers:
        if layer.counts is None:
            raise _no_counts(where)
        layers.append(replace(layer, energy_pj=energy_of([price(layer.counts, chip).as_dict()])))
    idle = result.idle
    if idle is not None:
        if idle.counts is None:
            raise _no_counts(where)
        parts = price_pauses(idle.seconds, idle.counts, chip)
        idle = replace(idle, energy_pj=energy_of([parts.as_dict()]))
    parts_pj = [*(layer.energy_pj for layer in layers), idle.energy_pj if idle else {}]
    return replace(
        result,
        layers=tuple(layers),
        idle=idle,
        totals=replace(result.totals, energy_pj=energy_of(parts_pj)),
        config=chip.resolved,
        config_sha256=config_sha256(chip.resolved),
        notes=_notes(result, before, chip),
        warnings=_exchanged(result.warnings, before.energy.warnings, chip.energy.warnings),
    )


def _with_energy(chip: Chip, overrides: Overrides) -> Chip:
    """With other prices and nothing else: what followed from other keys or from the trace stays."""
    wanted = chip_from_resolved(chip.resolved, overrides)
    priced = {origin.key: origin for origin in wanted.origins if origin.key in KEYS}
    origins = tuple(priced.get(origin.key, origin) for origin in chip.origins)
    return replace(chip, energy=wanted.energy, origins=origins)


def _notes(result: Result, before: Chip, chip: Chip) -> tuple[str, ...]:
    notes = [dram_note(chip) if note == dram_note(before) else note for note in result.notes]
    own = versions(chip.resolved)
    if own != result.versions:
        by = f"accelsim {own['accelsim']}, source {own['source']}"
        notes.append(f"energy computed from the counts of an earlier run, by {by}")
    return tuple(notes)


def _exchanged(found: Sequence[str], old: Sequence[str], new: Sequence[str]) -> tuple[str, ...]:
    kept = [each for each in found if each not in old or each in new]
    return (*kept, *(each for each in new if each not in kept))


def _no_counts(where: str) -> UserError:
    problem = "holds no counts, because an earlier version of accelsim wrote it"
    return UserError(where, problem, "run it again; its config is a hardware file")
