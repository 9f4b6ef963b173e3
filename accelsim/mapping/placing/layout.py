"""The contract of a layout: where a feature map lies, and what a window of it costs.

A layout says which lines of DRAM cross the bus for a window, what of them is payload, and
what a codec has to do. Whoever asks knows no more than that: not whether there are blocks,
nor whether the map lies in DRAM at all (no lines, no table: nothing moves). One file per
layout: ``linear`` (raw values without blocks), ``blocked`` (compressed blocks and a table of
their lengths).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from accelsim.mapping.stages.stage import StoredMap
from accelsim.mapping.windows.window import Block, Window3

Ints: TypeAlias = NDArray[np.int64]
NOTHING: Ints = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Extents:
    """The lines that one window costs, as runs in the order they are moved."""

    blocks: Ints
    """Numbers of the compressed blocks, one for each run; none for maps without blocks."""
    first_line: Ints
    n_lines: Ints
    decode_work: Ints
    encode_work: Ints
    coded_bytes: int
    padding_bytes: int
    overfetch_bytes: int
    encoded_values: int
    """Values that an encoder works on to write the window: of all blocks, also of those that
    are stored raw in the end."""
    decoded_values: int
    """Values that pass a decoder to read the window: those of blocks that are not stored raw."""
    fallback_blocks: int
    costly_bits: int = 0
    """On the data pins; see ``accelsim.mapping.placing.bus``."""
    toggles: int = 0


class MapLayout(Protocol):
    """Where one feature map lies."""

    @property
    def stored(self) -> StoredMap: ...

    @property
    def block(self) -> Block | None:
        """What is moved whole; None where any window is read exactly."""

    @property
    def total_lines(self) -> int:
        """Lines of DRAM that map and table occupy."""

    @property
    def table_line(self) -> int:
        """First line of the block table."""

    @property
    def table_lines(self) -> int:
        """Lines of the block table; 0 without one."""

    @property
    def entry_bits(self) -> int:
        """Bits of one block's entry; 0 without a table."""

    @property
    def all_blocks(self) -> Ints:
        """[n_blocks] numbers of all blocks with an entry in the table."""

    def extents(self, window: Window3, needed: Window3) -> Extents:
        """What it costs to move ``window`` for the values of ``needed``."""

    def entry_lines(self, blocks: Ints) -> Ints:
        """Lines of the table, counted from its start, that hold the entries of ``blocks``."""
