"""The plan of a network whose chip can keep maps: which stay, and every stage cut for the rest.

Without a shared buffer no map can stay, since the ofmap buffer is not the one that the array
reads inputs from. Network inputs and outputs always lie in DRAM.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from accelsim.hardware.chip import Chip
from accelsim.mapping.residency.choose import choose
from accelsim.mapping.residency.costs import StageCosts
from accelsim.mapping.residency.lives import held_bytes, lives_of
from accelsim.mapping.stages.stage import Stage, StagePlan, StoredMap
from accelsim.mapping.tiling.fuse import plan_graph
from accelsim.mapping.tiling.plan import plan_stage
from accelsim.mapping.tiling.room import Room, room_of
from accelsim.mapping.tiling.sizes import Sizes
from accelsim.workload.graph import Graph


def plan_network(
    graph: Graph, chip: Chip, sizes: Sizes, outputs: Collection[str]
) -> tuple[StagePlan, ...]:
    """The plan of a network: its stages, which maps stay on the chip, and every stage's cut.

    ``sizes`` has every map of ``form.storable_maps``; ``outputs`` are the edges that leave the
    network. Raises ``MappingError`` when a stage fits in no way.
    """
    plans = plan_graph(graph, chip, sizes)
    if not (chip.buffers.shared_bytes and chip.mapping.on_chip):
        return plans
    return plan_with_kept_maps([p.stage for p in plans], chip, sizes, outputs)


def plan_with_kept_maps(
    stages: Sequence[Stage], chip: Chip, sizes: Sizes, outputs: Collection[str]
) -> tuple[StagePlan, ...]:
    """Plan every stage, with the maps on the chip that make the whole cheapest.

    ``outputs`` are the edges that leave the network. Raises ``MappingError`` when a stage fits
    in no way.
    """
    lives, room = lives_of(stages, outputs), room_of(chip.buffers)
    costs = StageCosts(chip, sizes, room)
    choice = choose(
        lives,
        len(stages),
        chip.buffers.shared_bytes,
        lambda stage, kept, left: costs.cost(stages[stage], kept, left),
    )
    kept = choice.kept if choice else frozenset[StoredMap]()
    sizes, objective = sizes.keeping(kept), chip.mapping.objective

    def left(number: int) -> Room:
        return room_of(chip.buffers, held_bytes(kept, lives, number))

    return tuple(plan_stage(s, chip, sizes, objective, left(i)) for i, s in enumerate(stages))
