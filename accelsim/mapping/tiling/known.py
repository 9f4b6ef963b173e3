"""Tilings found before, by everything that determines them: equal problems are searched once.

Names do not matter: stages of the same shape are the same problem, within a network or across
several design points of a process.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import fields
from typing import Any, Literal, TypeAlias

from accelsim.array.dataflow import DATAFLOWS
from accelsim.dram.reach import reachable_gb_s
from accelsim.hardware.chip import Chip
from accelsim.mapping.stages.stage import Stage, Tiling
from accelsim.mapping.tiling.room import Room
from accelsim.mapping.tiling.sizes import BlockedSize, MapSize, Sizes

Objective: TypeAlias = Literal["traffic", "latency"]
MOST = 4096
"""Number of tilings kept: enough for more than a hundred networks."""
NAMES = frozenset({"name", "input", "inputs", "output"})

_found: dict[Hashable, Tiling] = {}


def known_or(
    search: Callable[[Stage, Chip, Sizes, Objective, Room], Tiling],
    stage: Stage,
    chip: Chip,
    sizes: Sizes,
    objective: Objective,
    room: Room,
) -> Tiling:
    """What ``search`` finds, or found for an equal problem."""
    key = (room, problem(stage, chip, sizes, objective))
    tiling = _found.pop(key, None) or search(stage, chip, sizes, objective, room)
    _found[key] = tiling  # the one used last comes last
    if len(_found) > MOST:
        del _found[next(iter(_found))]
    return tiling


def forget() -> None:
    """Forget all tilings, so that they are searched again."""
    _found.clear()


def problem(stage: Stage, chip: Chip, sizes: Sizes, objective: Objective) -> Hashable:
    """All that decides what a stage's cuts cost; equal for equal problems."""
    port, array = chip.dram, chip.array
    number = {m: i for i, m in enumerate(dict.fromkeys((*stage.reads, stage.output)))}
    parts = (*stage.inputs, stage.shortcut, (stage.output,))
    passed = (stage.fused_pool, stage.fused_add, stage.fused_scale, stage.read_scale)
    return (
        tuple(tuple(number[m] for m in part) for part in parts),
        tuple((m.channels, m.rows, m.cols, m.bits, m.signed) for m in number),
        tuple(_size(sizes.maps[m.name]) for m in number),
        tuple(map(_shape, (stage.layer, *passed))),
        (stage.conv_size, stage.scaled_bits, objective),
        (sizes.line_bytes, sizes.cached_entries, chip.codec.block[0], chip.core.period_fs),
        # A bound method is hashed by whose it is, however its dataflow compares.
        (array, DATAFLOWS[array.dataflow].cost),
        port.config.peak_gb_s,
        reachable_gb_s(port.config, port.outstanding_reads, port.policy),
    )


def _shape(layer: Any) -> Hashable:
    """A layer without its names."""
    if layer is None:
        return None
    n_inputs = len(getattr(layer, "inputs", ("one",)))
    values = (getattr(layer, f.name) for f in fields(layer) if f.name not in NAMES)
    return (type(layer), n_inputs, *values)


def _size(size: MapSize) -> Hashable:
    return size.fingerprint if isinstance(size, BlockedSize) else size
