"""The interface of a memory to the simulator: transfers in, completions out, in exact time.

A memory is advanced lazily. ``advance(until_fs)`` takes every decision strictly before
``until_fs``; the first completion of a transfer that it finds lowers that bound, because
the process that waits for it may then submit new work. So the memory never takes a decision that a
later request could have changed, and it does not matter how often it is woken.

A *line* is one burst of that DRAM, the unit of every address here. A transfer is a list
of *blocks*, each a run of consecutive lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.config import DramConfig
from accelsim.dram.events import DramEvents
from accelsim.registry import Registry


class Transfer(NamedTuple):
    """Blocks that one requester reads or writes, in order.

    Blocks of zero lines are allowed: they complete with the block before them.
    """

    requester: int
    """Index of the DMA engine; each has its own queue, served in order."""
    label: int
    """The layer that the commands are charged to, 0 <= label < n_labels."""
    is_write: bool
    first_line: NDArray[np.int64]  # [n_blocks]
    n_lines: NDArray[np.int64]  # [n_blocks]
    ready_fs: NDArray[np.int64] | None = None
    """[n_blocks] rising times before which a block cannot be sent (the output of an encoder)."""
    decode_fs: NDArray[np.int64] | None = None
    """[n_blocks] time that a decoder lane spends on each block; None bypasses the decoder."""
    due: int = 0
    """Priority: of several requesters with a line to offer, the smallest number is served first."""


class Completion(NamedTuple):
    """Completion of one transfer. All times are in femtoseconds."""

    transfer: int
    """The number that ``submit`` returned."""
    first_fs: int
    """Time at which the first line was accepted."""
    arrived_fs: int
    """Reads: the last beat of the last line arrived. Writes: the last line was accepted."""
    done_fs: int
    """Reads: the last block left the decoder; otherwise ``arrived_fs``."""
    held_fs: int = 0
    """Reads: how long a full decoder FIFO alone held back the next line of this transfer."""


@dataclass(frozen=True)
class Decoder:
    """The decoder behind one requester.

    Lane i serves blocks i, i + lanes, ... of the requester's stream. Block b starts when
    it has arrived and its lane is free; it is done after ``decode_fs`` of the block, and
    visible ``fill_fs`` later. At most ``fifo_blocks`` blocks may be requested that no lane
    has started: a slow decoder holds back its DMA.
    """

    lanes: int
    fill_fs: int
    fifo_blocks: int
    period_fs: int
    """Clock of the decoder: a block starts on one of its edges."""


@dataclass(frozen=True)
class DramCounts:
    """Counts of what a memory did."""

    by_label: tuple[DramEvents, ...]
    """The commands, by the label of the transfer that caused them."""
    background: DramEvents
    """Events that depend on time only: states of ranks, refreshes, the bus; over the whole run."""
    cycles: int
    """DRAM clock cycles simulated."""
    drain_writes: int
    """Writes that waited in write buffers when the run ended and were flushed."""


class Memory(Protocol):
    """A memory system with all its channels."""

    @property
    def line_bytes(self) -> int: ...

    def submit(self, now_fs: int, transfer: Transfer) -> int:
        """Queue ``transfer`` behind the requester's earlier ones; returns its number.

        ``now_fs`` must not lie before a bound that was already advanced to.
        """
        ...

    def advance(self, until_fs: int | None) -> list[Completion]:
        """Take all decisions before ``until_fs`` (None: up to the first completion).

        Returns completions whose time is now known, in order of time, none earlier than
        the last decision taken. Empty only if nothing completes before ``until_fs``.
        """
        ...

    def background_at(self, time_fs: int) -> DramEvents:
        """State counters up to ``time_fs``, which is not behind the last decision."""
        ...

    def finish(self, now_fs: int) -> int:
        """Flush buffered writes; returns the time at which the last command ended, at least now."""
        ...

    def counts(self) -> DramCounts:
        """Everything counted so far; complete after ``finish``."""
        ...


class Policy(Protocol):
    """Opens a memory: the controller of a named simulator, or an ideal memory."""

    def __call__(
        self,
        config: DramConfig,
        n_requesters: int,
        n_labels: int,
        decoders: dict[int, Decoder],
        outstanding_reads: int = 32,
        record_traffic: bool = False,
    ) -> Memory:
        """``decoders`` by requester; ``outstanding_reads`` lines in flight for each.

        ``record_traffic`` keeps every line accepted, for ``accelsim.dram.traces.traffic``.
        """
        ...


POLICIES: Registry[Policy] = Registry(
    "DRAM policy", "accelsim.dram.policies", "POLICY", "accelsim.dram_policies"
)
