"""On-chip space as pools: those of a chip's own buffers, or of each stage in a shared one.

In a shared buffer every stage reserves what its plan needs before its first row, in the order
of the stages: its tiles then circulate in pools of their own, so that no prefetch can take the
bytes that the array waits for. A map that stays is reserved with the stage that makes it, and
given back with the last pass of the last stage that reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from accelsim.hardware.chip import Chip
from accelsim.mapping.lowering.units import In, pools_of
from accelsim.mapping.residency.lives import lives_of
from accelsim.mapping.stages.stage import StagePlan
from accelsim.mapping.windows.window import Ints
from accelsim.program.table import NONE
from accelsim.program.units import Pool


class KeptMaps(NamedTuple):
    """Maps that stay: [n] the stages that make and last read them, and their bytes."""

    first: Ints
    last: Ints
    n_bytes: Ints


class Space(NamedTuple):
    """The pools of a program, and what its stages reserve."""

    pools: tuple[Pool, ...]
    pool: Ints
    """[n_stages, len(In)] the pool in which each stage holds its tiles of each kind."""
    shared: int
    """The pool of the shared buffer; ``NONE`` without one."""
    inputs_bytes: Ints
    """[n_stages] reserved until the last pass: windows and weights."""
    outputs_bytes: Ints
    """[n_stages] reserved until the last tile is written, if it is."""
    kept: KeptMaps


def space_of(plans: Sequence[StagePlan], chip: Chip) -> Space:
    """The pools that ``plans`` need on ``chip``."""
    buffers, n = chip.buffers, len(plans)
    nothing = np.zeros(n, np.int64)
    if not buffers.shared_bytes:
        pool = np.broadcast_to(np.arange(len(In)), (n, len(In)))
        none: Ints = np.zeros(0, np.int64)
        return Space(pools_of(chip), pool, NONE, nothing, nothing, KeptMaps(none, none, none))
    ifmap = np.array([p.tiling.ifmap_tile_bytes for p in plans])
    weight = np.array([2 * p.tiling.weight_tile_bytes for p in plans])
    ofmap = np.array([p.tiling.ofmap_space_bytes for p in plans])
    pools = [Pool("shared", buffers.shared_bytes)]
    of_stage = np.empty((n, len(In)), np.int64)
    for kind, name, n_bytes in (
        (In.IFMAP, "ifmap", ifmap),
        (In.WEIGHT, "weight", weight),
        (In.OFMAP, "ofmap", ofmap),
    ):
        if kind is In.WEIGHT and buffers.weight_bytes:
            of_stage[:, kind] = len(pools)
            pools.append(Pool(name, buffers.weight_bytes))
            weight = nothing
        else:
            of_stage[:, kind] = len(pools) + np.arange(n)
            pools += [Pool(name, size) for size in n_bytes.tolist()]
    return Space(tuple(pools), of_stage, 0, ifmap + weight, ofmap, _kept(plans))


def _kept(plans: Sequence[StagePlan]) -> KeptMaps:
    on_chip = frozenset().union(*(p.on_chip for p in plans))
    lives = [x for m, x in lives_of([p.stage for p in plans]).items() if m in on_chip]
    columns = ([x.first for x in lives], [x.last for x in lives], [x.n_bytes for x in lives])
    return KeptMaps(*(np.array(column, np.int64) for column in columns))
