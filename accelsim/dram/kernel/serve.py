"""The co-simulated memory: several requesters, all channels, in global time order.

In each DRAM cycle: data that arrives now is booked; every channel ticks; then each channel
takes at most one line that is for it and is not refused: of the requesters' next lines that
which is due first, and of several the first after the requester it served last. A line
accepted in cycle t is acknowledged at the end of the cycle, (t + 1) * period.
"""

from __future__ import annotations

from accelsim.dram.front import PERIOD_FS, Front, FrontState, Requester, new_front
from accelsim.dram.kernel.arbitration import next_offer, would_take
from accelsim.dram.kernel.by_address import front_at, state_at
from accelsim.dram.kernel.completion import retire
from accelsim.dram.kernel.controller import accept, tick
from accelsim.dram.kernel.lines import (
    BURSTS,
    NEAR,
    await_arrival,
    book_arrivals,
    line_accepted,
    next_arrival,
    pass_empty_blocks,
)
from accelsim.dram.kernel.requester import offer_at
from accelsim.dram.kernel.transactions import ANSWERED, channel_of
from accelsim.dram.parameters import P
from accelsim.dram.standard import STANDARDS
from accelsim.dram.state import FAR, LOG_MARGIN, NONE, Channel, ControllerState, Misc, new_state
from accelsim.jit import Ints, addresses, part, state_kernel


@part
def offer(s: ControllerState, f: FrontState, r: int, c: int, t: int) -> None:
    """Hand the next line of ``r`` to channel ``c``, which has room for it."""
    requester, token = f.requester, f.front[Front.FREE_TOKEN]
    line, is_write = requester[r, Requester.NEXT_LINE], requester[r, Requester.IS_WRITE]
    answer = accept(s, c, t, line, line, is_write, requester[r, Requester.LABEL], token)
    line_accepted(f, r, t)
    if answer == ANSWERED and not is_write:
        await_arrival(f, NEAR, t + s.par[P.ANSWER_DELAY], token)


@part
def serve_channel(s: ControllerState, f: FrontState, c: int, t: int) -> None:
    """Let channel ``c`` take at most one line in cycle ``t``."""
    if offer_at(f) > t:
        return
    requester, n, r = f.requester, f.requester.shape[0], f.granted[c]
    chosen, due = NONE, FAR
    for _ in range(n):
        r = r + 1 if r + 1 < n else 0
        line = requester[r, Requester.NEXT_LINE]
        if requester[r, Requester.AT] > t or channel_of(s, line) != c:
            continue
        if requester[r, Requester.DUE] >= due:
            continue
        if would_take(s, f, c, r, t):
            chosen, due = r, requester[r, Requester.DUE]
    if chosen != NONE:
        offer(s, f, chosen, c, t)
        f.granted[c] = chosen


@part
def full(s: ControllerState, f: FrontState) -> bool:
    """True if a log has no room for another cycle."""
    n_channels = s.par[P.N_CHANNELS]
    n_log, n_traffic = s.log.shape[0], f.traffic.shape[0]
    log_full = n_log > 0 and s.misc[Misc.LOG_LENGTH] + LOG_MARGIN * n_channels > n_log
    return bool(log_full or (n_traffic > 0 and f.front[Front.TRAFFIC] + n_channels > n_traffic))


@part
def flushed(s: ControllerState) -> bool:
    """True if the memory is being flushed and nothing waits any more."""
    if s.misc[Misc.FLUSH] == 0:
        return False
    waiting = 0
    for c in range(s.par[P.N_CHANNELS]):
        waiting += s.channel[c, Channel.READ_LENGTH] + s.channel[c, Channel.WRITE_LENGTH]
        waiting += s.channel[c, Channel.QUEUED]
    return bool(waiting == 0)


@part
def next_event(s: ControllerState, f: FrontState, arrival: int) -> int:
    """First cycle not executed in which anything can happen, or FAR."""
    now, soonest = f.front[Front.NOW], arrival
    for c in range(s.par[P.N_CHANNELS]):
        soonest = min(soonest, s.channel[c, Channel.NEXT])
    if soonest > now:
        soonest = min(soonest, next_offer(s, f, now))
    return int(max(soonest, now))


@part
def await_read_data(s: ControllerState, f: FrontState, c: int, t: int) -> None:
    """If channel ``c`` issued a read burst in cycle ``t``, its requests wait for the data."""
    token = s.channel[c, Channel.READ_TOKEN]
    while token != NONE:
        await_arrival(f, BURSTS, t + s.par[P.READ_DELAY], token)
        token = s.chain[token]


@state_kernel
def serve(state: Ints, front: Ints, until_fs: int) -> int:
    """Take all decisions before ``until_fs`` or the first completion; fill ``out``.

    ``state`` and ``front`` are the ``addresses`` of a ``State`` and a ``FrontState``.
    Returns the number of completions. Stops early, without one, when a log is full, or
    when all is flushed.
    """
    s, f = state_at(state), front_at(front)
    n_channels, n_requesters = s.par[P.N_CHANNELS], f.requester.shape[0]
    period = f.fixed[PERIOD_FS]
    until = -(-until_fs // period)
    may_stop = s.log.shape[0] > 0 or f.traffic.shape[0] > 0 or s.misc[Misc.FLUSH] > 0
    f.front[Front.OUT] = 0
    while True:
        if f.front[Front.DONE] > 0:
            for r in range(n_requesters):
                until = min(until, retire(f, r) // period)
        if may_stop and (full(s, f) or flushed(s)):
            f.front[Front.IDLE_TO_FS] = 0
            break
        arrival = next_arrival(f)
        t = next_event(s, f, arrival)
        if t >= until:
            f.front[Front.IDLE_TO_FS] = t * period if t < FAR else FAR
            break
        f.front[Front.NOW] = t
        if arrival <= t:
            book_arrivals(f, t)
            if f.front[Front.DONE] > 0:
                # Whoever waited may submit work in this very cycle.
                continue
        # A range, since numba would compile everything once more for the constant c = 0.
        for c in range(n_channels + 1):
            # Before the first channel, and behind each, whose line may have ended a block.
            pass_empty_blocks(f, t)
            if c == n_channels:
                break
            if s.channel[c, Channel.NEXT] <= t:
                tick(s, c, t)
                await_read_data(s, f, c, t)
            serve_channel(s, f, c, t)
        f.front[Front.NOW] = t + 1
    return int(f.front[Front.OUT])


def warm_up() -> None:
    """Compile with the types of production."""
    config = STANDARDS["ddr4_2400_x16"].config()
    state, front = new_state(config, 1, 1), new_front(1, 1, 1, 1, {})
    serve(addresses(state), addresses(front), 0)
