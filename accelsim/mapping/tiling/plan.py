"""The best tiling of each stage for the given buffers, array and stored sizes.

All candidate cuts of a stage are evaluated at once (``search``). Candidates do not depend on
the buffers, so for the traffic objective a larger buffer never gives more modelled traffic.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from accelsim.errors import MappingError
from accelsim.hardware.chip import Chip
from accelsim.mapping.stages.stage import Stage, StagePlan, Tiling
from accelsim.mapping.tiling.known import Objective, known_or
from accelsim.mapping.tiling.needs import keeps_psums
from accelsim.mapping.tiling.room import Room, memory_needs, room_of
from accelsim.mapping.tiling.search import StageSearch, Variant
from accelsim.mapping.tiling.sizes import Sizes
from accelsim.mapping.tiling.spans import col_axis, largest_computed, row_axis
from accelsim.mapping.windows.occurrences import Floats
from accelsim.units import KIB, Count, bits_to_bytes, ceil_div
from accelsim.workload.layer import Add, Conv, Pool, Scale

TIME_TOLERANCE = 0.02
"""Tilings whose modelled times differ by less count as equally fast: the model is no better."""


def plan(
    stages: Sequence[Stage], chip: Chip, sizes: Sizes, objective: Objective = "traffic"
) -> tuple[StagePlan, ...]:
    """Cut every stage for ``chip``, with all its buffers for each; see ``plan_stage``."""
    room = room_of(chip.buffers)
    return tuple(plan_stage(stage, chip, sizes, objective, room) for stage in stages)


def plan_stage(
    stage: Stage, chip: Chip, sizes: Sizes, objective: Objective, room: Room
) -> StagePlan:
    """Cut a stage for ``chip`` so that its tiles fit ``room``.

    ``traffic``: fewest modelled DRAM bytes; among equals the fewest passes of those whose
    modelled time is shortest, within ``TIME_TOLERANCE``. ``latency``: the fewest bytes, then
    passes, among all whose modelled time is shortest, within the same.
    Time is the longer of DRAM time at peak bandwidth and array cycles, plus the time that nothing
    hides: of the first tiles of both operands and the last output tile. Raises
    ``MappingError`` if a stage does not fit the buffers in any way.
    """
    on_chip = frozenset(m for m in (*stage.reads, stage.output) if sizes.is_kept(m))
    return StagePlan(stage, known_or(_tiling, stage, chip, sizes, objective, room), on_chip)


def vector_operations(layer: Pool | Add | Scale, n_outputs: Count) -> Count:
    """Operations of the vector unit for this number of outputs, one per lane and cycle.

    A pooling folds in every value of its windows (padding included), a sum every operand
    but the first; a scale multiplies and adds once.
    """
    if isinstance(layer, Scale):
        return n_outputs
    if isinstance(layer, Add):
        return n_outputs * (len(layer.inputs) - 1)
    rows, cols = layer.window.kernel
    return n_outputs * rows * cols


def psum_bytes_per_value(plan: StagePlan, chip: Chip) -> int:
    """Bytes that one output of the array occupies in the ofmap buffer before it is drained.

    Wide partial sums if later passes or folds add to them, finished values otherwise.
    """
    stage, layer, array = plan.stage, plan.stage.layer, chip.array
    finished = bits_to_bytes(stage.output.bits)
    if not isinstance(layer, Conv):
        return finished
    tiling = plan.tiling
    rows = largest_computed(row_axis(stage), tiling.out_rows)
    cols = largest_computed(col_axis(stage), tiling.out_cols)
    kept = keeps_psums(
        stage,
        array,
        tiling.out_channels,
        tiling.in_channels,
        tiling.kernel or layer.window.kernel,
        (rows, cols),
    )
    return bits_to_bytes(array.psum_bits) if kept else finished


def _tiling(stage: Stage, chip: Chip, sizes: Sizes, objective: Objective, room: Room) -> Tiling:
    search = StageSearch(stage, chip, sizes)
    traffic = np.stack([search.traffic_bits(v) for v in search.variants])
    fits = np.stack([_fits(search, v, room) for v in search.variants])
    if not fits.any():
        raise _does_not_fit(search, room)
    if objective == "traffic":
        fits &= traffic == traffic[fits].min()
    v, *where = np.nonzero(fits)
    p, r, q = where
    bits = traffic[fits]
    streams = np.stack([search.stream_bits(v) for v in search.variants])[fits]
    time = search.time_cycles(bits, streams, (p, r, q))
    slow = time > time.min() * (1 + TIME_TOLERANCE)
    steps = search.cuts.n_channel_steps * search.cuts.n_places
    n_passes = np.broadcast_to(steps, search.cuts.shape)[p, r, q]
    best = np.lexsort((time, n_passes, bits, slow))[0]
    return _as_tiling(search, int(v[best]), (int(p[best]), int(r[best]), int(q[best])))


def _fits(search: StageSearch, variant: Variant, room: Room) -> NDArray[np.bool_]:
    fits = np.ones(search.cuts.shape, np.bool_)
    for need, (_, has) in zip(memory_needs(variant, room), room.memories, strict=True):
        fits &= need <= has
    return fits


def _as_tiling(search: StageSearch, v: int, where: tuple[int, int, int]) -> Tiling:
    variant, cuts, needs = search.variants[v], search.cuts, search.needs
    p, r, q = where

    def at(values: Floats) -> int:
        return int(np.broadcast_to(values, cuts.shape)[where])

    return Tiling(
        out_channels=int(cuts.channels.out_channels[p]),
        out_rows=cuts.row_extents[r],
        out_cols=cuts.col_extents[q],
        in_channels=int(cuts.channels.in_channels[p]),
        order=variant.order,
        ifmap_resident=variant.ifmap_resident,
        weights_resident=variant.weights_resident,
        ifmap_tile_bytes=at(variant.ifmap_need_bytes),
        weight_tile_bytes=at(variant.weight_need_bytes) // 2,
        ofmap_tile_bytes=at(needs.ofmap_tile_bytes),
        traffic_bytes=ceil_div(at(search.traffic_bits(variant)), 8),
        line_buffer_bytes=at(needs.line_buffer_bytes(variant.order)),
        ofmap_space_bytes=at(variant.ofmap_need_bytes),
        kernel=cuts.channels.kernels[cuts.channels.kernel_of_pair[p]],
    )


def _does_not_fit(search: StageSearch, room: Room) -> MappingError:
    """Names the buffer that is too small for every cut, or in the cut that comes closest."""
    stage = search.cuts.stage
    names, sizes = zip(*room.memories, strict=True)
    needs = np.concatenate([_needs(search, v, room) for v in search.variants])
    excess = needs / np.maximum(sizes, 1)
    least = needs.min(axis=0)
    if (least <= sizes).all():
        least = needs[np.argmin(excess.max(axis=1))]
    buffer = int(np.argmax(least / np.maximum(sizes, 1)))
    need, name = int(least[buffer]), names[buffer]
    fused = {"ofmap": stage.fused_pool, "ifmap": stage.fused_add}.get(name)
    or_unfuse = f", or run {fused.name!r} on the vector unit" if fused else ""
    return MappingError(
        f"layer {stage.name!r}",
        f"its smallest tile needs {need} bytes of the {name} buffer, which has {sizes[buffer]}",
        f"set buffers.{name}_kib to at least {ceil_div(need, KIB)}{or_unfuse}",
    )


def _needs(search: StageSearch, variant: Variant, room: Room) -> Floats:
    """[n_candidates, n_memories] bytes of the buffers."""
    needs = memory_needs(variant, room)
    return np.stack([np.broadcast_to(n, search.cuts.shape).ravel() for n in needs], axis=-1)
