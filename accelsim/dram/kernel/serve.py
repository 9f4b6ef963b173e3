"""The co-simulated memory: several requesters, all channels, in global time order.

In each DRAM cycle: data that arrives now is booked; every channel ticks; then each channel
takes at most one line, from the first requester after the one it served last whose next
line is for it and is not refused. A line accepted in cycle t is acknowledged at the end of
the cycle, (t + 1) * period.
"""

from __future__ import annotations

from accelsim.dram.front import (
    OUTSTANDING,
    PERIOD_FS,
    Arrival,
    Block,
    Front,
    FrontState,
    Requester,
    Token,
    Xfer,
    new_front,
)
from accelsim.dram.kernel.by_address import front_at, state_at
from accelsim.dram.kernel.completion import block_arrived, retire
from accelsim.dram.kernel.controller import accept, tick, would_accept
from accelsim.dram.kernel.transactions import ANSWERED, channel_of
from accelsim.dram.parameters import P
from accelsim.dram.standard import STANDARDS
from accelsim.dram.state import FAR, LOG_MARGIN, NONE, Channel, Misc, State, new_state
from accelsim.jit import Ints, addresses, state_kernel

BURSTS, NEAR = 0, 1


@state_kernel
def renew(f: FrontState, r: int) -> None:
    """Find out when the next line of requester ``r`` may be offered."""
    requester, ring = f.requester, f.block.shape[1]
    b = requester[r, Requester.SENT]
    if b == requester[r, Requester.BLOCKS]:
        requester[r, Requester.AT] = FAR
        return
    x = f.block[r, b & (ring - 1), Block.TRANSFER] & (f.xfer.shape[1] - 1)
    at = max(f.block[r, b & (ring - 1), Block.READY], f.xfer[r, x, Xfer.SUBMITTED])
    if not f.xfer[r, x, Xfer.IS_WRITE]:
        if requester[r, Requester.IN_FLIGHT] >= f.fixed[OUTSTANDING]:
            at = FAR
        sequence = f.block[r, b & (ring - 1), Block.SEQUENCE]
        if sequence >= requester[r, Requester.FIFO]:
            start = f.start[r, sequence % requester[r, Requester.FIFO]]
            at = FAR if start == NONE else max(at, -(-start // f.fixed[PERIOD_FS]))
    requester[r, Requester.AT] = at


@state_kernel
def note_hold(f: FrontState, r: int, b: int) -> None:
    """Block ``b`` is offered for the first time: book what the decoder alone cost it."""
    requester, ring = f.requester, f.block.shape[1]
    sequence = f.block[r, b & (ring - 1), Block.SEQUENCE]
    if sequence < requester[r, Requester.FIFO] or requester[r, Requester.LINE] > 0:
        return
    x = f.block[r, b & (ring - 1), Block.TRANSFER] & (f.xfer.shape[1] - 1)
    start = f.start[r, sequence % requester[r, Requester.FIFO]]
    other = max(f.block[r, b & (ring - 1), Block.READY], f.xfer[r, x, Xfer.SUBMITTED])
    other = max(other, requester[r, Requester.HEAD_SINCE], requester[r, Requester.FREE_SINCE])
    f.xfer[r, x, Xfer.HELD] += max(0, -(-start // f.fixed[PERIOD_FS]) - other)


@state_kernel
def block_sent(f: FrontState, r: int, b: int, t: int) -> None:
    """The next block of ``r`` has its turn; ``b`` now holds its place in the decoder's FIFO."""
    sequence = f.block[r, b & (f.block.shape[1] - 1), Block.SEQUENCE]
    f.requester[r, Requester.HEAD_SINCE] = t + 1
    if sequence != NONE:
        f.start[r, sequence % f.requester[r, Requester.FIFO]] = NONE
    f.requester[r, Requester.LINE] = 0
    f.requester[r, Requester.SENT] = b + 1


@state_kernel
def pass_empty_blocks(f: FrontState, r: int, t: int) -> None:
    """Send blocks without lines; each arrives with the block before it."""
    requester, ring = f.requester, f.block.shape[1]
    while requester[r, Requester.AT] <= t:
        b = requester[r, Requester.SENT]
        if f.block[r, b & (ring - 1), Block.N_LINES] > 0:
            return
        note_hold(f, r, b)
        block_sent(f, r, b, t)
        before = (b - 1) & (ring - 1)
        if b == 0 or f.block[r, before, Block.ARRIVED_FS] != NONE:
            block_arrived(f, r, b, (t + 1) * f.fixed[PERIOD_FS])
        renew(f, r)


@state_kernel
def next_line(f: FrontState, r: int) -> int:
    b = f.requester[r, Requester.SENT] & (f.block.shape[1] - 1)
    return int(f.block[r, b, Block.FIRST_LINE] + f.requester[r, Requester.LINE])


@state_kernel
def head_is_write(f: FrontState, r: int) -> int:
    b = f.requester[r, Requester.SENT] & (f.block.shape[1] - 1)
    x = f.block[r, b, Block.TRANSFER] & (f.xfer.shape[1] - 1)
    return int(f.xfer[r, x, Xfer.IS_WRITE])


@state_kernel
def offer(s: State, f: FrontState, r: int, c: int, t: int) -> None:
    """Hand the next line of ``r`` to channel ``c``, which has room for it."""
    requester, ring = f.requester, f.block.shape[1]
    b = requester[r, Requester.SENT]
    x = f.block[r, b & (ring - 1), Block.TRANSFER] & (f.xfer.shape[1] - 1)
    is_write, line = f.xfer[r, x, Xfer.IS_WRITE], next_line(f, r)
    token = f.front[Front.FREE_TOKEN]
    answer = accept(s, c, t, line, line, is_write, f.xfer[r, x, Xfer.LABEL], token)
    now_fs = (t + 1) * f.fixed[PERIOD_FS]
    if f.xfer[r, x, Xfer.FIRST_FS] == NONE:
        f.xfer[r, x, Xfer.FIRST_FS] = now_fs
    if f.front[Front.TRAFFIC] < f.traffic.shape[0]:
        n = f.front[Front.TRAFFIC]
        f.traffic[n, 0], f.traffic[n, 1], f.traffic[n, 2] = t, line, is_write
        f.front[Front.TRAFFIC] = n + 1
    note_hold(f, r, b)
    requester[r, Requester.LINE] += 1
    if requester[r, Requester.LINE] == f.block[r, b & (ring - 1), Block.N_LINES]:
        block_sent(f, r, b, t)
        if is_write:
            block_arrived(f, r, b, now_fs)
    if not is_write:
        f.front[Front.FREE_TOKEN] = f.token[token, Token.NEXT]
        f.token[token, Token.REQUESTER] = r
        f.token[token, Token.BLOCK] = b
        requester[r, Requester.IN_FLIGHT] += 1
        if answer == ANSWERED:
            await_arrival(f, NEAR, t + s.par[P.ANSWER_DELAY], token)
    renew(f, r)


@state_kernel
def await_arrival(f: FrontState, which: int, cycle: int, token: int) -> None:
    """Append to a ring; cycles never fall, since the delay of each ring is constant."""
    head = Front.NEAR_HEAD if which == NEAR else Front.BURST_HEAD
    count = Front.NEAR_COUNT if which == NEAR else Front.BURST_COUNT
    k, size = f.front[head] + f.front[count], f.arrival.shape[1]
    k = k if k < size else k - size
    f.arrival[which, k, Arrival.CYCLE] = cycle
    f.arrival[which, k, Arrival.TOKEN] = token
    f.front[count] += 1


@state_kernel
def next_arrival(f: FrontState) -> int:
    """Cycle of the next data to arrive, or FAR."""
    soonest = FAR
    if f.front[Front.BURST_COUNT] > 0:
        soonest = f.arrival[BURSTS, f.front[Front.BURST_HEAD], Arrival.CYCLE]
    if f.front[Front.NEAR_COUNT] > 0:
        soonest = min(soonest, f.arrival[NEAR, f.front[Front.NEAR_HEAD], Arrival.CYCLE])
    return soonest


@state_kernel
def book_arrivals(f: FrontState, t: int, until_fs: int) -> int:
    """Book all data that arrives in cycle ``t``; the bound that its completions leave."""
    now_fs = t * f.fixed[PERIOD_FS]
    ring = f.block.shape[1]
    for which in range(2):
        head = Front.NEAR_HEAD if which == NEAR else Front.BURST_HEAD
        count = Front.NEAR_COUNT if which == NEAR else Front.BURST_COUNT
        while f.front[count] > 0:
            k = f.front[head]
            if f.arrival[which, k, Arrival.CYCLE] > t:
                break
            token = f.arrival[which, k, Arrival.TOKEN]
            f.front[head] = k + 1 if k + 1 < f.arrival.shape[1] else 0
            f.front[count] -= 1
            r, b = f.token[token, Token.REQUESTER], f.token[token, Token.BLOCK]
            f.token[token, Token.NEXT] = f.front[Front.FREE_TOKEN]
            f.front[Front.FREE_TOKEN] = token
            if f.requester[r, Requester.IN_FLIGHT] == f.fixed[OUTSTANDING]:
                f.requester[r, Requester.FREE_SINCE] = t
            f.requester[r, Requester.IN_FLIGHT] -= 1
            f.block[r, b & (ring - 1), Block.LINES_LEFT] -= 1
            if f.block[r, b & (ring - 1), Block.LINES_LEFT] == 0:
                block_arrived(f, r, b, now_fs)
            renew(f, r)
    if f.front[Front.DONE] > 0:
        for r in range(f.requester.shape[0]):
            until_fs = retire(f, r, until_fs)
    return until_fs


@state_kernel
def next_offer(s: State, f: FrontState, t: int) -> int:
    """First cycle from ``t`` on at which some requester can be served, as known now."""
    soonest, ring = FAR, f.block.shape[1]
    for r in range(f.requester.shape[0]):
        at = f.requester[r, Requester.AT]
        if at > t:
            soonest = min(soonest, at)
            continue
        b = f.requester[r, Requester.SENT] & (ring - 1)
        line = next_line(f, r)
        empty = f.block[r, b, Block.N_LINES] == 0
        if empty or would_accept(s, channel_of(s, line), line, head_is_write(f, r)):
            return t
    return soonest


@state_kernel
def serve_channel(s: State, f: FrontState, c: int, t: int) -> None:
    """Let channel ``c`` take at most one line in cycle ``t``."""
    n, r = f.requester.shape[0], f.granted[c]
    for _ in range(n):
        r = r + 1 if r + 1 < n else 0
        if f.requester[r, Requester.AT] > t or channel_of(s, next_line(f, r)) != c:
            continue
        if would_accept(s, c, next_line(f, r), head_is_write(f, r)):
            offer(s, f, r, c, t)
            f.granted[c] = r
            pass_empty_blocks(f, r, t)
            return


@state_kernel
def full(s: State, f: FrontState) -> bool:
    """True if a log has no room for another cycle."""
    n_channels = s.par[P.N_CHANNELS]
    n_log, n_traffic = s.log.shape[0], f.traffic.shape[0]
    log_full = n_log > 0 and s.misc[Misc.LOG_LENGTH] + LOG_MARGIN * n_channels > n_log
    return bool(log_full or (n_traffic > 0 and f.front[Front.TRAFFIC] + n_channels > n_traffic))


@state_kernel
def flushed(s: State) -> bool:
    """True if the memory is being flushed and nothing waits any more."""
    if s.misc[Misc.FLUSH] == 0:
        return False
    waiting = 0
    for c in range(s.par[P.N_CHANNELS]):
        waiting += s.channel[c, Channel.READ_LENGTH] + s.channel[c, Channel.WRITE_LENGTH]
        waiting += s.channel[c, Channel.QUEUED]
    return bool(waiting == 0)


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
    f.front[Front.OUT] = 0
    for r in range(n_requesters):
        renew(f, r)
    while not full(s, f) and not flushed(s):
        t = next_offer(s, f, f.front[Front.NOW])
        for c in range(n_channels):
            t = min(t, s.channel[c, Channel.NEXT])
        arrival = next_arrival(f)
        if min(t, arrival) * period >= until_fs or min(t, arrival) == FAR:
            break
        if arrival <= t:
            f.front[Front.NOW] = arrival
            until_fs = book_arrivals(f, arrival, until_fs)
            continue
        for r in range(n_requesters):
            pass_empty_blocks(f, r, t)
        for c in range(n_channels):
            if s.channel[c, Channel.NEXT] <= t:
                tick(s, c, t)
                token = s.channel[c, Channel.READ_TOKEN]
                while token != NONE:
                    await_arrival(f, BURSTS, t + s.par[P.READ_DELAY], token)
                    token = s.chain[token]
            serve_channel(s, f, c, t)
        f.front[Front.NOW] = t + 1
        if f.front[Front.DONE] > 0:
            for r in range(n_requesters):
                until_fs = retire(f, r, until_fs)
    return int(f.front[Front.OUT])


def warm_up() -> None:
    """Compile with the types of production."""
    config = STANDARDS["ddr4_2400_x16"].config()
    state, front = new_state(config, 1, 1), new_front(1, 1, 1, 1, {})
    serve(addresses(state), addresses(front), 0)
