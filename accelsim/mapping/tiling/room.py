"""The on-chip space that the tiles of one stage may take, buffer by buffer."""

from __future__ import annotations

from dataclasses import dataclass

from accelsim.hardware.chip import Buffers
from accelsim.mapping.tiling.search import Variant
from accelsim.mapping.windows.occurrences import Floats


@dataclass(frozen=True)
class Room:
    """Bytes by buffer: own ones for ifmaps, weights and ofmaps, or one that is shared."""

    ifmap_bytes: int
    weight_bytes: int
    ofmap_bytes: int
    shared_bytes: int = 0
    """In place of those that are 0."""

    @property
    def memories(self) -> tuple[tuple[str, int], ...]:
        """Name and bytes of each buffer.

        >>> Room(0, 64, 0, 256).memories
        (('shared', 256), ('weight', 64))
        """
        own = (
            ("ifmap", self.ifmap_bytes),
            ("weight", self.weight_bytes),
            ("ofmap", self.ofmap_bytes),
        )
        if not self.shared_bytes:
            return own
        return (("shared", self.shared_bytes), *(each for each in own if each[1]))


def room_of(buffers: Buffers, held_bytes: int = 0) -> Room:
    """All that a chip has, but for ``held_bytes`` of its shared buffer."""
    shared = buffers.shared_bytes - held_bytes if buffers.shared_bytes else 0
    return Room(buffers.ifmap_bytes, buffers.weight_bytes, buffers.ofmap_bytes, shared)


def memory_needs(variant: Variant, room: Room) -> tuple[Floats, ...]:
    """What the cuts of a variant need of each of ``room.memories``."""
    own = {
        "ifmap": variant.ifmap_need_bytes,
        "weight": variant.weight_need_bytes,
        "ofmap": variant.ofmap_need_bytes,
    }
    if not room.shared_bytes:
        return tuple(own.values())
    has = dict(room.memories)
    together = [need for name, need in own.items() if name not in has]
    return sum(together[1:], start=together[0]), *(own[name] for name in has if name in own)
