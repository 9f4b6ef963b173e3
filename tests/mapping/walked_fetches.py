"""What single passes bring: to be read beside ``accelsim.mapping.tiling.fetch``, which finds what
all of them bring at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

from accelsim.mapping.stages.stage import Stage, StoredMap
from accelsim.mapping.tiling.tiles import Ranges
from accelsim.mapping.windows.window import Block
from tests.mapping.walked_passes import Pass
from tests.mapping.walked_windows import Window3, align, intersection, new_part


@dataclass(frozen=True, slots=True)
class Fetch:
    """What a pass brings from one stored map; windows count from the map's first channel."""

    stored: StoredMap
    needed: Window3
    """Values that become available to the array; may be empty."""
    fetched: Window3
    """Values that cross the DRAM bus: ``needed`` and the rest of its blocks."""


def fetches(
    stage: Stage, step: Pass, block_of: Callable[[StoredMap], Block | None]
) -> tuple[Fetch, ...]:
    """What ``step`` brings from each part of each input; nothing when it loads no ifmap.

    ``block_of`` gives the block of a compressed map, None for linear maps.
    """
    if not step.loads_ifmap:
        return ()
    found: list[Fetch] = []
    for parts in stage.inputs:
        found += _of_parts(parts, step.window, step.pieces, step.retained, block_of)
    return tuple(found)


def shortcut_fetches(
    stage: Stage, step: Pass, block_of: Callable[[StoredMap], Block | None]
) -> tuple[Fetch, ...]:
    """What the drain path adds when ``step`` finishes its tile: of the shortcut the tile itself.

    Nothing is kept from tile to tile: a block that two tiles share is fetched for both.
    """
    if not (step.last and stage.shortcut):
        return ()
    tile = step.computed
    pieces = (step.conv_rows,), (step.conv_cols,)
    return tuple(_of_parts(stage.shortcut, tile, pieces, None, block_of))


def _of_parts(
    parts: tuple[StoredMap, ...],
    window: Window3,
    pieces: tuple[Ranges, Ranges],
    retained: Window3 | None,
    block_of: Callable[[StoredMap], Block | None],
) -> list[Fetch]:
    """What a window of one map brings from each of its parts."""
    found, offset = [], 0
    for part in parts:
        extents = (part.channels, part.rows, part.cols)
        inside = _on_part(window, part, offset)
        held = retained and _on_part(retained, part, offset)
        offset += part.channels
        if not inside.n_values:
            continue
        block = block_of(part)
        _, block_rows, block_cols = block or (1, 1, 1)
        for r, q in product(_joined(pieces[0], block_rows), _joined(pieces[1], block_cols)):
            piece = Window3(inside.c0, inside.c1, *r, *q)
            needed = new_part(piece, held)
            fetched = new_part(align(piece, block, extents), held and align(held, block, extents))
            if needed.n_values or fetched.n_values:
                found.append(Fetch(part, needed, fetched))
    return found


def _joined(pieces: Ranges, block: int) -> Ranges:
    """Pieces with less than a block between them are read as one (as ``read_pieces`` says)."""
    if len(pieces) > 1 and pieces[1][0] - pieces[0][1] < block:
        return ((pieces[0][0], pieces[-1][1]),)
    return pieces


def _on_part(window: Window3, part: StoredMap, offset: int) -> Window3:
    shifted = window._replace(c0=window.c0 - offset, c1=window.c1 - offset)
    return intersection(shifted, Window3(0, part.channels, 0, part.rows, 0, part.cols))
