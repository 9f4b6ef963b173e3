"""State of the front end: requesters, their transfers and blocks, lines in flight.

Each requester owns a ring of transfers, a ring of blocks and, if it has a decoder, its lanes;
numbers of transfers and blocks increase forever and index their ring modulo its size.
The constants here are frozen into kernels.
"""

from __future__ import annotations

from enum import IntEnum, auto
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.memory import Decoder
from accelsim.dram.state import FAR, NONE


class Requester(IntEnum):
    """One DMA engine."""

    AT = 0
    """First cycle at which its next line may be offered, or FAR while it waits."""
    BLOCK_AT = auto()
    """The same as far as the block being sent decides: FAR without one, or while its place in
    the decoder's FIFO is taken."""
    NEXT_LINE = auto()
    """The line that is offered next, of the block being sent."""
    END_LINE = auto()
    """The line behind that block."""
    BEGUN = auto()
    """1 if a line of that block is accepted."""
    IS_WRITE = auto()
    LABEL = auto()
    """Of that block's transfer."""
    DUE = auto()
    """Of that block's transfer: of several engines, the one whose line is due first is served."""
    IN_FLIGHT = auto()
    """Reads accepted whose data has not arrived."""
    BLOCKS = auto()
    """Blocks submitted so far."""
    SENT = auto()
    """Blocks sent completely: the number of the block being sent."""
    TRANSFERS = auto()
    RETIRED = auto()
    """Transfers reported so far; they are reported in order."""
    HEAD_SINCE = auto()
    """Cycle from which the present block could be offered as far as its order goes."""
    FREE_SINCE = auto()
    """Cycle at which a full set of reads in flight last became smaller."""
    LAST_FS = auto()
    """Arrival of the transfer reported last."""
    DECODED = auto()
    """Blocks submitted so far that pass the decoder."""
    LANES = auto()
    """Lanes of its decoder; 0: none."""
    FILL_FS = auto()
    FIFO = auto()
    PERIOD_FS = auto()


class Xfer(IntEnum):
    """One transfer."""

    NUMBER = 0
    IS_WRITE = auto()
    LABEL = auto()
    DUE = auto()
    SUBMITTED = auto()
    """First cycle at which it can be seen."""
    FIRST_BLOCK = auto()
    BLOCKS_LEFT = auto()
    """Blocks that are not done."""
    FIRST_FS = auto()
    ARRIVED_FS = auto()
    DONE_FS = auto()
    HELD = auto()
    """Cycles for which only the full FIFO of the decoder held back its next line."""


class Block(IntEnum):
    """One block."""

    FIRST_LINE = 0
    N_LINES = auto()
    READY = auto()
    """First cycle at which it may be sent."""
    DECODE_FS = auto()
    TRANSFER = auto()
    SEQUENCE = auto()
    """Position in the decoder's stream, or NONE."""
    LINES_LEFT = auto()
    """Lines that have not arrived (reads) or are not accepted (writes)."""
    ARRIVED_FS = auto()
    """NONE until then."""


class Lane(IntEnum):
    """One decoder lane."""

    FREE_FS = 0
    NEXT = auto()
    """Position in the decoder's stream that it serves next."""


class Front(IntEnum):
    """Single numbers of the front end."""

    NOW = 0
    """First cycle that is not executed."""
    FREE_TOKEN = auto()
    BURST_HEAD = auto()
    """Ring of reads whose burst is on its way; NEAR: of those answered from a write buffer."""
    BURST_COUNT = auto()
    NEAR_HEAD = auto()
    NEAR_COUNT = auto()
    DONE = auto()
    """Transfers that are done and not reported."""
    OUT = auto()
    """Completions written by this call."""
    TRAFFIC = auto()
    """Requests recorded."""
    OFFER_AT = auto()
    """The first of all ``Requester.AT``, or NONE: to be looked up."""
    EMPTY_BLOCKS = auto()
    """Blocks without lines that are submitted and not sent."""
    IDLE_TO_FS = auto()
    """Nothing happens before this time, unless a transfer is submitted."""


class Token(IntEnum):
    """One read line in flight."""

    REQUESTER = 0
    BLOCK = auto()
    NEXT = auto()


class Arrival(IntEnum):
    CYCLE = 0
    TOKEN = auto()


class Out(IntEnum):
    """One completion, as ``accelsim.dram.memory.Completion``."""

    TRANSFER = 0
    FIRST_FS = auto()
    ARRIVED_FS = auto()
    DONE_FS = auto()
    HELD_FS = auto()


class FrontState(NamedTuple):
    """All state of the front end. Kernels change it in place."""

    requester: NDArray[np.int64]  # [n_requesters, len(Requester)]
    xfer: NDArray[np.int64]  # [n_requesters, ring, len(Xfer)]
    block: NDArray[np.int64]  # [n_requesters, ring, len(Block)]
    stream: NDArray[np.int64]  # [n_requesters, ring] block at each position of the decoder stream
    lane: NDArray[np.int64]  # [n_requesters, n_lanes, len(Lane)]
    start: NDArray[np.int64]  # [n_requesters, fifo] decoding start by stream position, or NONE
    token: NDArray[np.int64]  # [n_tokens, len(Token)]
    arrival: NDArray[np.int64]  # [2, n_tokens, len(Arrival)] rings: bursts, near answers
    granted: NDArray[np.int64]  # [n_channels] requester granted last
    front: NDArray[np.int64]  # [len(Front)]
    out: NDArray[np.int64]  # [n, len(Out)]
    traffic: NDArray[np.int64]  # [n, 3] cycle, line, is_write; no rows: not recorded
    fixed: NDArray[np.int64]  # period of the DRAM clock in fs, outstanding reads


PERIOD_FS, OUTSTANDING = 0, 1


def new_front(
    period_fs: int,
    n_requesters: int,
    n_channels: int,
    outstanding: int,
    decoders: dict[int, Decoder],
    n_traffic: int = 0,
) -> FrontState:
    """A front end without work."""
    n_tokens = n_requesters * outstanding
    requester = np.zeros((n_requesters, len(Requester)), np.int64)
    requester[:, [Requester.AT, Requester.BLOCK_AT]] = FAR
    lanes = max((decoder.lanes for decoder in decoders.values()), default=1)
    lane = np.zeros((n_requesters, lanes, len(Lane)), np.int64)
    lane[:, :, Lane.NEXT] = np.arange(lanes)
    for r, decoder in decoders.items():
        requester[r, Requester.LANES] = decoder.lanes
        requester[r, Requester.FILL_FS] = decoder.fill_fs
        requester[r, Requester.FIFO] = decoder.fifo_blocks
        requester[r, Requester.PERIOD_FS] = decoder.period_fs
    fifo = max((decoder.fifo_blocks for decoder in decoders.values()), default=1)
    token = np.zeros((n_tokens, len(Token)), np.int64)
    token[:, Token.NEXT] = np.arange(1, n_tokens + 1)
    token[-1, Token.NEXT] = NONE
    front = np.zeros(len(Front), np.int64)
    front[Front.OFFER_AT] = NONE
    return FrontState(
        requester=requester,
        xfer=np.zeros((n_requesters, 4, len(Xfer)), np.int64),
        block=np.zeros((n_requesters, 64, len(Block)), np.int64),
        stream=np.zeros((n_requesters, 64), np.int64),
        lane=lane,
        start=np.full((n_requesters, fifo), NONE, np.int64),
        token=token,
        arrival=np.zeros((2, n_tokens, len(Arrival)), np.int64),
        granted=np.full(n_channels, n_requesters - 1, np.int64),
        front=front,
        out=np.zeros((4 * n_requesters, len(Out)), np.int64),
        traffic=np.zeros((n_traffic, 3), np.int64),
        fixed=np.array([period_fs, outstanding], np.int64),
    )
