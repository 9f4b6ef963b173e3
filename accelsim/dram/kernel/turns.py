"""Which command queue issues next, and when: queues are asked in turn after the last one.

The answer is renewed after each command and each entry, so that no cycle is looked at in
vain. It is ``Channel.EARLIEST``, the first cycle at which a queue is ready, and
``Channel.TURN``, of the queues ready then the first behind ``Channel.POINTER``. Queues are
counted from the first of the channel.
"""

from __future__ import annotations

from accelsim.dram.kernel.queues import ask_bank_queue, bank_queue_ready
from accelsim.dram.kernel.rank_queues import ask_rank_queue, rank_queue_ready
from accelsim.dram.parameters import P
from accelsim.dram.state import FAR, Channel, ControllerState
from accelsim.jit import part

NEVER = 1 << 46
"""Cycles from now, longer than any delay: no queue waits so long for a command."""
PLACE_BITS = 16
"""There are fewer queues than 2 to that power."""


@part
def rank_of(ready: int, start: int, k: int, pointer: int, n: int) -> int:
    """Queue ``k`` in the order of turns from cycle ``start`` on: by cycle, then by place.

    Cycle and place in one number make the search a single minimum without branches.
    """
    place = k - pointer - 1
    if place < 0:
        place += n
    return (min(max(ready - start, 0), NEVER) << PLACE_BITS) + place


@part
def renew_turn(s: ControllerState, c: int, start: int) -> None:
    """Find out which queue issues next, in cycle ``start`` or later."""
    n, pointer = s.par[P.N_QUEUES], s.channel[c, Channel.POINTER]
    first = NEVER << PLACE_BITS
    if s.par[P.PER_BANK]:
        for k in range(n):
            first = min(first, rank_of(bank_queue_ready(s, c, k), start, k, pointer, n))
    else:
        for k in range(n):
            first = min(first, rank_of(rank_queue_ready(s, c, k), start, k, pointer, n))
    turn = pointer + 1 + (first & ((1 << PLACE_BITS) - 1))
    s.channel[c, Channel.TURN] = turn if turn < n else turn - n
    wait = first >> PLACE_BITS
    s.channel[c, Channel.EARLIEST] = FAR if wait == NEVER else start + wait


@part
def renew_turn_of(s: ControllerState, c: int, q: int, start: int) -> None:
    """Queue ``q`` alone changed, and no command issues before ``start``: the same."""
    n, pointer = s.par[P.N_QUEUES], s.channel[c, Channel.POINTER]
    k, turn, earliest = q - c * n, s.channel[c, Channel.TURN], s.channel[c, Channel.EARLIEST]
    ready = bank_queue_ready(s, c, k) if s.par[P.PER_BANK] else rank_queue_ready(s, c, k)
    new, old = rank_of(ready, start, k, pointer, n), rank_of(earliest, start, turn, pointer, n)
    if new < old:
        s.channel[c, Channel.TURN] = k
        s.channel[c, Channel.EARLIEST] = max(ready, start)
    elif new > old and k == turn:
        renew_turn(s, c, start)


@part
def choose(s: ControllerState, c: int, t: int) -> int:
    """The command of the queue whose turn it is in cycle ``t``; moves the pointer there."""
    k = s.channel[c, Channel.TURN]
    s.channel[c, Channel.POINTER] = k
    q = c * s.par[P.N_QUEUES] + k
    if s.par[P.PER_BANK]:
        return int(ask_bank_queue(s, c, q, t))
    return int(ask_rank_queue(s, c, q, t))
