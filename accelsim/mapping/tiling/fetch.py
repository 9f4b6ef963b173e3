"""What the passes of a stage bring from stored maps: windows, in whole blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from accelsim.mapping.stages.stage import Stage, StoredMap
from accelsim.mapping.tiling.kernel import bring
from accelsim.mapping.tiling.passes import Passes
from accelsim.mapping.windows.window import Block, Ints, Windows, n_values
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


class KeptWindows(NamedTuple):
    """What passes read of a map that lies on the chip."""

    stored: StoredMap
    step: Ints
    windows: Windows
    is_shortcut: bool

    @property
    def n_values(self) -> int:
        """Of all windows."""
        return int(n_values(self.windows).sum())

    @property
    def n_bytes(self) -> int:
        """Of all windows, on the chip."""
        return self.n_values * bits_to_bytes(self.stored.bits)


class _Part(NamedTuple):
    """What windows of several passes bring from one part of a map, some of them in pieces."""

    step: Ints  # [n_pieces]
    needed: Windows
    fetched: Windows
    whole: Ints
    """[n_pieces] values of the piece in whole blocks, were nothing there before."""
    stored: int
    is_shortcut: bool


def fetches(
    stage: Stage, passes: Passes, block_of: BlockOf, kept: frozenset[StoredMap] = frozenset()
) -> Fetches:
    """What the passes bring from each part of each input, and of the shortcut.

    Of ``kept`` maps, which lie on the chip, nothing. Of the shortcut nothing is kept from tile to
    tile: a block that two tiles share is fetched for both.
    """
    maps = tuple(part for part in dict.fromkeys(stage.reads) if part not in kept)
    (loads,), (last,) = np.nonzero(passes.loads_ifmap), np.nonzero(passes.last)
    above = passes.retained[loads]
    retained = passes.window[above]
    retained[above < 0] = 0
    windows, tiles = passes.window[loads], passes.computed[last]
    found = []
    for parts in (*stage.inputs, stage.shortcut):
        offset, is_shortcut = 0, parts is stage.shortcut
        for part in parts:
            if part in kept:
                offset += part.channels
                continue
            block = block_of(part) or (1, 1, 1)
            step, asked, held = loads, windows, retained
            if is_shortcut:
                step, asked, held = last, tiles, np.zeros_like(tiles)
            elif not (passes.row_pieces.are_whole and passes.col_pieces.are_whole):
                of, asked = _in_pieces(windows, loads, passes, block)
                step, held = loads[of], retained[of]
            extents = part.channels, part.rows, part.cols
            needed, fetched = np.empty((2, *asked.shape), np.int64)
            whole = np.empty(len(asked), np.int64)
            bring(asked, held, offset, extents, block, needed, fetched, whole)
            found.append(_Part(step, needed, fetched, whole, maps.index(part), is_shortcut))
            offset += part.channels
    return _in_order(found, maps, passes.n_passes)


def kept_windows(stage: Stage, passes: Passes, kept: frozenset[StoredMap]) -> Iterator[KeptWindows]:
    """What the passes read of maps that lie on the chip, part by part of each operand."""
    (loads,), (last,) = np.nonzero(passes.loads_ifmap), np.nonzero(passes.last)
    for parts in (*stage.inputs, stage.shortcut):
        offset, is_shortcut = 0, parts is stage.shortcut
        step = last if is_shortcut else loads
        windows = passes.computed[last] if is_shortcut else passes.window[loads]
        for part in parts:
            if part in kept:
                inside = windows.copy()
                inside[:, :2] = np.clip(windows[:, :2] - offset, 0, part.channels)
                yield KeptWindows(part, step, inside, is_shortcut)
            offset += part.channels


def _in_order(found: Sequence[_Part], maps: tuple[StoredMap, ...], n_passes: int) -> Fetches:
    if not found:  # every map lies on the chip
        nothing, windows = np.zeros(0, np.int64), np.zeros((0, 6), np.int64)
        return Fetches(
            step=nothing,
            is_shortcut=nothing > 0,
            stored=nothing,
            needed=windows,
            fetched=windows,
            maps=maps,
            new_bytes=np.zeros(n_passes, np.int64),
            window_bytes=np.zeros(n_passes, np.int64),
            shortcut_bytes=np.zeros(n_passes, np.int64),
        )
    lengths = [len(part.step) for part in found]
    step, needed, fetched, whole = (np.concatenate([p[i] for p in found]) for i in range(4))
    stored = np.repeat([part.stored for part in found], lengths)
    is_shortcut = np.repeat([part.is_shortcut for part in found], lengths)
    value_bytes = np.array([bits_to_bytes(stored.bits) for stored in maps])[stored]
    n_fetched = np.where(whole > 0, n_values(fetched), 0)
    n_bytes = np.zeros((3, n_passes), np.int64)
    np.add.at(n_bytes[0], step, n_fetched * value_bytes)
    np.add.at(n_bytes[1], step, whole * value_bytes)
    if is_shortcut.any():
        np.add.at(n_bytes[2], step[is_shortcut], (whole * value_bytes)[is_shortcut])
        n_bytes[:2] -= n_bytes[2]  # a shortcut's tile is fetched whole
    # What is neither needed now nor crosses the bus, is no fetch.
    brings = (whole > 0) & ((n_fetched > 0) | (n_values(needed) > 0))
    order = np.argsort(2 * step + is_shortcut, kind="stable")
    order = order[brings[order]]
    new_bytes, window_bytes, shortcut_bytes = n_bytes
    return Fetches(
        step=step[order],
        is_shortcut=is_shortcut[order],
        stored=stored[order],
        needed=needed[order],
        fetched=fetched[order],
        maps=maps,
        new_bytes=new_bytes,
        window_bytes=window_bytes,
        shortcut_bytes=shortcut_bytes,
    )


def _in_pieces(windows: Windows, step: Ints, passes: Passes, block: Block) -> tuple[Ints, Windows]:
    """The windows of passes cut into the pieces that are read: of which window each is one, and
    the pieces. Rows, then columns."""
    rows, cols = passes.row_pieces.joined(block[1]), passes.col_pieces.joined(block[2])
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
