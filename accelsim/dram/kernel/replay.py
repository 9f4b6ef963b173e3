"""The simulators' own driver: a request trace, one requester, one line per clock in order.

It stops where the reference drivers do: everything accepted and returned, command queues
empty; with DRAMsim3's controller at most eight writes left in each write buffer, with
Ramulator's none.
"""

from __future__ import annotations

from enum import IntEnum, auto

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.kernel.by_address import state_at
from accelsim.dram.kernel.commands import account
from accelsim.dram.kernel.controller import accept, tick, would_accept
from accelsim.dram.kernel.power_down import book_until
from accelsim.dram.kernel.transactions import ANSWERED, DRAIN_THRESHOLD, REFUSED, channel_of
from accelsim.dram.parameters import P
from accelsim.dram.standard import STANDARDS
from accelsim.dram.state import FAR, LOG_MARGIN, NONE, Channel, ControllerState, Misc, new_state
from accelsim.jit import Ints, addresses, part, state_kernel


class Driver(IntEnum):
    """What the driver remembers between calls."""

    NOW = 0
    """Next cycle to be executed."""
    REQUEST = auto()
    """First request that is not accepted yet."""
    FINISHED = auto()
    """1 when everything is drained; ``NOW`` is then the number of cycles executed."""
    STOP = auto()
    """It stops before offering this request: the last of a chunk, since what follows the last
    one that is offered depends on the next; NONE: the trace ends here."""


@part
def last_cycle(s: ControllerState, t: int) -> int:
    """Cycle at which a fully accepted trace is drained if nothing else happens, or FAR."""
    last, left = t, 0 if s.par[P.RAMULATOR] else DRAIN_THRESHOLD
    for c in range(s.par[P.N_CHANNELS]):
        busy = s.channel[c, Channel.READ_LENGTH] + s.channel[c, Channel.QUEUED]
        if busy > 0 or s.channel[c, Channel.DRAIN] > 0:
            return FAR
        if s.channel[c, Channel.WRITE_LENGTH] > left:
            return FAR
        last = max(last, s.channel[c, Channel.LAST_RETURN])
    return last


@state_kernel
def replay(
    state: Ints,  # addresses of a State
    driver: NDArray[np.int64],  # [len(Driver)]
    key: NDArray[np.int64],  # [n] requests with equal keys meet in the buffers
    line: NDArray[np.int64],  # [n] burst addresses
    is_write: NDArray[np.int64],  # [n]
    arrival: NDArray[np.int64],  # [n] first cycle in which the request may be offered
    accepted: NDArray[np.int64],  # [n] out: cycle in which the request was accepted
    done: NDArray[np.int64],  # [n] out: cycle at which the request is answered
) -> None:
    """Run until the trace is drained, request ``STOP`` is next, or the log is nearly full."""
    s = state_at(state)
    n, n_channels = len(line), s.par[P.N_CHANNELS]
    t, k = driver[Driver.NOW], driver[Driver.REQUEST]
    last = FAR
    while True:
        for c in range(n_channels):
            if s.channel[c, Channel.NEXT] > t:
                continue
            tick(s, c, t)
            token = s.channel[c, Channel.READ_TOKEN]
            while token != NONE:
                done[token] = t + s.par[P.READ_DELAY]
                token = s.chain[token]
        following = FAR
        if k < n and arrival[k] <= t:
            answer = accept(s, channel_of(s, line[k]), t, key[k], line[k], is_write[k], 0, k)
            if answer != REFUSED:
                accepted[k] = t
                if answer == ANSWERED or is_write[k]:
                    done[k] = t + s.par[P.ANSWER_DELAY]
                k += 1
        if k < n:
            if would_accept(s, channel_of(s, line[k]), key[k], is_write[k]):
                following = max(t + 1, arrival[k])
        else:
            last = last_cycle(s, t)
        for c in range(n_channels):
            following = min(following, s.channel[c, Channel.NEXT])
        if k == n and last < following:
            driver[Driver.NOW], driver[Driver.FINISHED] = last + 1, 1
            break
        t = following
        is_full = s.misc[Misc.LOG_LENGTH] + LOG_MARGIN * n_channels > len(s.log) > 0
        if is_full or k == driver[Driver.STOP]:
            driver[Driver.NOW] = t
            break
    driver[Driver.REQUEST] = k


@state_kernel
def account_all(s: ControllerState, t: int) -> None:
    """Bring the state time of every rank up to cycle ``t``."""
    for r in range(s.rank.shape[0]):
        account(s, r, t)
        book_until(s, r, t)


def warm_up() -> None:
    """Compile with the types of production."""
    state = new_state(STANDARDS["ddr4_2400_x16"].config(), 1, 1)
    one = np.zeros(1, np.int64)
    driver = np.zeros(len(Driver), np.int64)
    driver[Driver.STOP] = NONE
    replay(addresses(state), driver, one, one, one, one, one.copy(), one.copy())
    account_all(state, 1)
