"""What the passes of a stage bring from stored maps: windows, in whole blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from accelsim.mapping.stages.stage import Stage, StoredMap
from accelsim.mapping.tiling.passes import Passes
from accelsim.mapping.windows.window import (
    Block,
    Ints,
    Windows,
    aligned,
    inside,
    n_values,
    new_parts,
)
from accelsim.units import bits_to_bytes

BlockOf: TypeAlias = Callable[[StoredMap], Block | None]
"""The block of a compressed map, None for linear maps."""


@dataclass(frozen=True, eq=False)
class Fetches:
    """What the passes of a stage bring, in the order in which it comes.

    Of a pass first what its window needs, then the tile of the shortcut. Columns are
    [n_fetches]; windows count from their map's first channel.
    """

    step: Ints
    """Number of the pass."""
    is_shortcut: NDArray[np.bool_]
    stored: Ints
    """Number of the map in ``maps``."""
    needed: Windows
    """Values that become available to the array; may be empty."""
    fetched: Windows
    """Values that cross the DRAM bus: ``needed`` and the rest of their blocks."""
    maps: tuple[StoredMap, ...]
    new_bytes: Ints
    """[n_passes] what its fetched values occupy in the ifmap buffer, the shortcut's apart."""
    window_bytes: Ints
    """[n_passes] what the whole window of a pass that loads it occupies there, with all that was
    there before."""
    shortcut_bytes: Ints
    """[n_passes] what the tile of the shortcut occupies there."""

    def of(self, stored: int) -> Ints:
        """Numbers of the fetches from one of ``maps``."""
        return np.flatnonzero(self.stored == stored)


class _Part(NamedTuple):
    """Windows of several passes on one part of a map, some of them in pieces."""

    step: Ints  # [n_pieces]
    needed: Windows
    fetched: Windows
    whole: Ints
    """[n_pieces] values of the piece in whole blocks, were nothing there before."""


def fetches(stage: Stage, passes: Passes, block_of: BlockOf) -> Fetches:
    """What the passes bring from each part of each input, and of the shortcut.

    Of the shortcut nothing is kept from tile to tile: a block that two tiles share is fetched
    for both.
    """
    number = {part: i for i, part in enumerate(dict.fromkeys(stage.reads))}
    n, loads = passes.n_passes, np.flatnonzero(passes.loads_ifmap)
    new_bytes, window_bytes, shortcut_bytes = np.zeros((3, n), np.int64)
    found: list[tuple[int, bool, _Part]] = []
    for parts in stage.inputs:
        offset = 0
        for part in parts:
            piece = _of_windows(part, offset, passes, loads, block_of(part))
            offset += part.channels
            found.append((number[part], False, piece))
            value_bytes = bits_to_bytes(part.bits)
            np.add.at(new_bytes, piece.step, n_values(piece.fetched) * value_bytes)
            np.add.at(window_bytes, piece.step, piece.whole * value_bytes)
    offset, last = 0, np.flatnonzero(passes.last)
    for part in stage.shortcut:
        piece = _of_tiles(part, offset, passes.computed[last], last, block_of(part))
        offset += part.channels
        found.append((number[part], True, piece))
        np.add.at(shortcut_bytes, piece.step, piece.whole * bits_to_bytes(part.bits))
    step = np.concatenate([piece.step for *_, piece in found])
    needed, fetched = (np.concatenate([piece[i] for *_, piece in found]) for i in (1, 2))
    lengths = [len(piece.step) for *_, piece in found]
    stored, is_shortcut = (np.repeat([f[i] for f in found], lengths) for i in (0, 1))
    brings = (n_values(needed) > 0) | (n_values(fetched) > 0)
    order = np.argsort(2 * step + is_shortcut, kind="stable")
    order = order[brings[order]]
    return Fetches(
        step=step[order],
        is_shortcut=is_shortcut[order],
        stored=stored[order],
        needed=needed[order],
        fetched=fetched[order],
        maps=tuple(number),
        new_bytes=new_bytes,
        window_bytes=window_bytes,
        shortcut_bytes=shortcut_bytes,
    )


def _of_windows(
    part: StoredMap, offset: int, passes: Passes, loads: Ints, block: Block | None
) -> _Part:
    """What the windows of the passes ``loads`` bring from one part of their input."""
    extents = part.channels, part.rows, part.cols
    windows = inside(passes.window[loads], offset, extents)
    touches = n_values(windows) > 0
    step, windows = loads[touches], windows[touches]
    above = passes.retained[step]
    held = inside(passes.window[above], offset, extents)
    held[above < 0] = 0
    of, windows = _in_pieces(windows, step, passes, block or (1, 1, 1))
    step, held = step[of], held[of]
    whole = aligned(windows, block, extents)
    fetched = new_parts(whole, aligned(held, block, extents))
    return _Part(step, new_parts(windows, held), fetched, n_values(whole))


def _of_tiles(
    part: StoredMap, offset: int, tiles: Windows, step: Ints, block: Block | None
) -> _Part:
    """What tiles take of one part of the shortcut."""
    extents = part.channels, part.rows, part.cols
    needed = inside(tiles, offset, extents)
    touches = n_values(needed) > 0
    needed = needed[touches]
    fetched = aligned(needed, block, extents)
    return _Part(step[touches], needed, fetched, n_values(fetched))


def _in_pieces(windows: Windows, step: Ints, passes: Passes, block: Block) -> tuple[Ints, Windows]:
    """The windows of passes cut into the pieces that are read: of which window each is one, and
    the pieces. Rows, then columns."""
    rows, cols = passes.row_pieces.joined(block[1]), passes.col_pieces.joined(block[2])
    if rows.are_whole and cols.are_whole:
        return np.arange(len(step)), windows
    row, col = passes.row_key[step], passes.col_key[step]
    n_cols = cols.n_each[col]
    n_pieces = rows.n_each[row] * n_cols
    of = np.repeat(np.arange(len(step)), n_pieces)
    place = np.arange(len(of)) - np.repeat(np.cumsum(n_pieces) - n_pieces, n_pieces)
    pieces = windows[of]
    r, q = np.divmod(place, n_cols[of])
    pieces[:, 2:4] = rows.ends[rows.first[row[of]] + r]
    pieces[:, 4:] = cols.ends[cols.first[col[of]] + q]
    return of, pieces
