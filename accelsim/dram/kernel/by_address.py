"""The state of a memory, found by the addresses of its arrays (see ``accelsim.jit``).

Row ``k`` of a table is the ``k``-th array of the NamedTuple. Row lengths are constants
here, which the compiler turns into cheaper indices.
"""

from __future__ import annotations

from typing import Final

from accelsim.dram.command import Log
from accelsim.dram.front import (
    Arrival,
    Block,
    Front,
    FrontState,
    Lane,
    Out,
    Requester,
    Token,
    Xfer,
)
from accelsim.dram.parameters import P
from accelsim.dram.state import (
    N_TIMED,
    Bank,
    Channel,
    ControllerState,
    Count,
    Misc,
    Queue,
    Rank,
    Slot,
)
from accelsim.jit import Ints, array_at, part

PARAMETERS: Final = len(P)
BANK, RANK, CHANNEL, TIMED = len(Bank), int(Rank.END), len(Channel), N_TIMED
QUEUE, SLOT, COUNT, MISC, LOG = len(Queue), len(Slot), len(Count), len(Misc), len(Log)
REQUESTER, XFER, BLOCK, LANE = len(Requester), len(Xfer), len(Block), len(Lane)
TOKEN, ARRIVAL, FRONT, OUT = len(Token), len(Arrival), len(Front), len(Out)


@part
def state_at(a: Ints) -> ControllerState:
    return ControllerState(
        par=array_at(a[0, 0], (PARAMETERS,)),
        bank=array_at(a[1, 0], (a[1, 1], BANK)),
        rank=array_at(a[2, 0], (a[2, 1], RANK)),
        channel=array_at(a[3, 0], (a[3, 1], CHANNEL)),
        legal=array_at(a[4, 0], (a[4, 1], TIMED, a[4, 3])),
        unwanted=array_at(a[5, 0], (a[5, 1], TIMED, a[5, 3])),
        queue=array_at(a[6, 0], (a[6, 1], QUEUE)),
        entry=array_at(a[7, 0], (a[7, 1], a[7, 2])),
        wanted=array_at(a[8, 0], (a[8, 1], a[8, 2])),
        movable=array_at(a[9, 0], (a[9, 1], 2, a[9, 3])),
        slot=array_at(a[10, 0], (a[10, 1], SLOT)),
        bucket=array_at(a[11, 0], (2, a[11, 2])),
        counts=array_at(a[12, 0], (a[12, 1], COUNT)),
        chain=array_at(a[13, 0], (a[13, 1],)),
        misc=array_at(a[14, 0], (MISC,)),
        log=array_at(a[15, 0], (a[15, 1], LOG)),
    )


@part
def front_at(a: Ints) -> FrontState:
    return FrontState(
        requester=array_at(a[0, 0], (a[0, 1], REQUESTER)),
        xfer=array_at(a[1, 0], (a[1, 1], a[1, 2], XFER)),
        block=array_at(a[2, 0], (a[2, 1], a[2, 2], BLOCK)),
        stream=array_at(a[3, 0], (a[3, 1], a[3, 2])),
        lane=array_at(a[4, 0], (a[4, 1], a[4, 2], LANE)),
        start=array_at(a[5, 0], (a[5, 1], a[5, 2])),
        token=array_at(a[6, 0], (a[6, 1], TOKEN)),
        arrival=array_at(a[7, 0], (2, a[7, 2], ARRIVAL)),
        granted=array_at(a[8, 0], (a[8, 1],)),
        front=array_at(a[9, 0], (FRONT,)),
        out=array_at(a[10, 0], (a[10, 1], OUT)),
        traffic=array_at(a[11, 0], (a[11, 1], 3)),
        fixed=array_at(a[12, 0], (2,)),
    )
