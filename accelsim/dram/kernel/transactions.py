"""Requests between acceptance and command queue: merging, forwarding, write drain.

Requests with equal keys (addresses) meet in a hash table: a read of a buffered write is
answered at once, a read of a waiting read shares its burst, a write over a buffered write
replaces it.
"""

from __future__ import annotations

from accelsim.dram.kernel.power_down import begin_work
from accelsim.dram.kernel.queues import append, changed, list_movable, unlist_movable
from accelsim.dram.kernel.turns import renew_turn_of
from accelsim.dram.parameters import P
from accelsim.dram.state import FAR, NONE, Channel, ControllerState, Misc, Queue, Slot
from accelsim.jit import part

READS, WRITES = 0, 1
"""Added to a column name of reads, they give the one of writes."""
DRAIN_THRESHOLD = 8
"""Idle channels drain the write buffer only above this many writes."""

REFUSED, QUEUED, ANSWERED = 0, 1, 2
"""What ``accept`` returns; ``ANSWERED`` needs no read burst."""


@part
def bucket_of(s: ControllerState, key: int) -> int:
    return int((key ^ (key >> 6) ^ (key >> 15)) & (s.bucket.shape[1] - 1))


@part
def find(s: ControllerState, is_write: int, key: int) -> int:
    """Slot of the waiting request with this key, or NONE."""
    i = s.bucket[is_write, bucket_of(s, key)]
    while i != NONE and s.slot[i, Slot.KEY] != key:
        i = s.slot[i, Slot.NEXT]
    return int(i)


@part
def unlink(s: ControllerState, i: int) -> None:
    """Requests with the key of slot ``i`` do not find it any more."""
    is_write, head = s.slot[i, Slot.IS_WRITE], bucket_of(s, s.slot[i, Slot.KEY])
    j = s.bucket[is_write, head]
    if j == i:
        s.bucket[is_write, head] = s.slot[i, Slot.NEXT]
    else:
        while s.slot[j, Slot.NEXT] != i:
            j = s.slot[j, Slot.NEXT]
        s.slot[j, Slot.NEXT] = s.slot[i, Slot.NEXT]


@part
def free(s: ControllerState, i: int) -> None:
    """Slot ``i`` may hold another request."""
    s.slot[i, Slot.NEXT] = s.misc[Misc.FREE_SLOT]
    s.misc[Misc.FREE_SLOT] = i


@part
def release(s: ControllerState, i: int) -> None:
    """Forget the request in slot ``i``: its column command was issued."""
    unlink(s, i)
    free(s, i)


@part
def channel_of(s: ControllerState, line: int) -> int:
    return int((line >> s.par[P.CH_SHIFT]) & s.par[P.CH_MASK])


@part
def has_room(s: ControllerState, c: int, is_write: int) -> bool:
    """True if channel ``c`` would accept such a request now."""
    if is_write and not s.par[P.UNIFIED]:
        return bool(s.channel[c, Channel.WRITE_LENGTH] < s.par[P.TRANSACTIONS])
    return bool(s.channel[c, Channel.READ_LENGTH] < s.par[P.TRANSACTIONS])


@part
def new_slot(
    s: ControllerState, c: int, key: int, line: int, is_write: int, label: int, token: int
) -> int:
    """Decode ``line`` into a free slot and enter it in the hash table."""
    par, i = s.par, s.misc[Misc.FREE_SLOT]
    s.misc[Misc.FREE_SLOT] = s.slot[i, Slot.NEXT]
    r = c * par[P.N_RANKS] + ((line >> par[P.RA_SHIFT]) & par[P.RA_MASK])
    g = r * par[P.N_GROUPS] + ((line >> par[P.BG_SHIFT]) & par[P.BG_MASK])
    b = g * par[P.N_BANKS_PER_GROUP] + ((line >> par[P.BA_SHIFT]) & par[P.BA_MASK])
    head = bucket_of(s, key)
    s.slot[i, Slot.KEY] = key
    s.slot[i, Slot.IS_WRITE] = is_write
    s.slot[i, Slot.RANK] = r
    s.slot[i, Slot.GROUP] = g
    s.slot[i, Slot.BANK] = b
    s.slot[i, Slot.ROW] = (line >> par[P.RO_SHIFT]) & par[P.RO_MASK]
    s.slot[i, Slot.COLUMN] = (line >> par[P.CO_SHIFT]) & par[P.CO_MASK]
    s.slot[i, Slot.QUEUE] = b if par[P.PER_BANK] else r
    s.slot[i, Slot.LABEL] = label
    s.slot[i, Slot.TOKEN] = token
    s.slot[i, Slot.NEXT] = s.bucket[is_write, head]
    s.bucket[is_write, head] = i
    return int(i)


@part
def push(s: ControllerState, c: int, which: int, i: int) -> None:
    """Append slot ``i`` to the read queue or write buffer of channel ``c``."""
    q, queue, channel = s.slot[i, Slot.QUEUE], s.queue, s.channel
    channel[c, Channel.READ_LENGTH + which] += 1
    channel[c, Channel.ACCEPTED] += 1
    s.slot[i, Slot.AGE] = channel[c, Channel.ACCEPTED]
    s.slot[i, Slot.WAIT_NEXT] = NONE
    last = queue[q, Queue.LAST_READ + which]
    queue[q, Queue.LAST_READ + which] = i
    if last != NONE:
        s.slot[last, Slot.WAIT_NEXT] = i
        return
    queue[q, Queue.FIRST_READ + which] = i
    if queue[q, Queue.LENGTH] < s.par[P.QUEUE_DEPTH]:
        list_movable(s, c, which, q)


@part
def accept(
    s: ControllerState, c: int, t: int, key: int, line: int, is_write: int, label: int, token: int
) -> int:
    """Offer one request to channel ``c`` after its cycle ``t``.

    An answered read completes at ``t + 2``. A read's token is NONE-terminated into the
    chain of the burst that it shares.
    """
    if not has_room(s, c, is_write):
        return REFUSED
    channel = s.channel
    if is_write:
        channel[c, Channel.LAST_RETURN] = max(channel[c, Channel.LAST_RETURN], t + 2)
        if find(s, WRITES, key) != NONE:
            return ANSWERED
    else:
        if find(s, WRITES, key) != NONE:
            channel[c, Channel.LAST_RETURN] = max(channel[c, Channel.LAST_RETURN], t + 2)
            return ANSWERED
        same = find(s, READS, key)
        if same != NONE:
            s.chain[token] = s.slot[same, Slot.TOKEN]
            s.slot[same, Slot.TOKEN] = token
            return QUEUED
        s.chain[token] = NONE
    i = new_slot(s, c, key, line, is_write, label, token)
    push(s, c, WRITES if is_write and not s.par[P.UNIFIED] else READS, i)
    room = s.queue[s.slot[i, Slot.QUEUE], Queue.LENGTH] < s.par[P.QUEUE_DEPTH]
    if is_write or room:
        channel[c, Channel.MOVE_AT] = t + 1
        channel[c, Channel.NEXT] = min(channel[c, Channel.NEXT], t + 1)
    return QUEUED


@part
def enqueue(s: ControllerState, c: int, which: int, i: int, t: int) -> None:
    """Move the transaction in slot ``i`` into its command queue, which has room, in ``t``."""
    q, queue, channel = s.slot[i, Slot.QUEUE], s.queue, s.channel
    following = s.slot[i, Slot.WAIT_NEXT]
    before = queue[q, Queue.FIRST_READ + which]
    if before == i:
        queue[q, Queue.FIRST_READ + which] = following
        before = NONE
    else:
        while s.slot[before, Slot.WAIT_NEXT] != i:
            before = s.slot[before, Slot.WAIT_NEXT]
        s.slot[before, Slot.WAIT_NEXT] = following
    if following == NONE:
        queue[q, Queue.LAST_READ + which] = before
    channel[c, Channel.READ_LENGTH + which] -= 1

    append(s, c, q, i)
    begin_work(s, c, s.slot[i, Slot.RANK], t)
    if queue[q, Queue.LENGTH] == s.par[P.QUEUE_DEPTH]:
        unlist_movable(s, c, READS, q)
        unlist_movable(s, c, WRITES, q)
    elif queue[q, Queue.FIRST_READ + which] == NONE:
        unlist_movable(s, c, which, q)
    changed(s, c, q)
    renew_turn_of(s, c, q, t + 1)


@part
def oldest_movable(s: ControllerState, c: int, which: int, skip_blocked: bool) -> int:
    """Slot of the oldest transaction whose command queue has room, or NONE.

    ``skip_blocked`` passes over writes whose address a waiting read still wants.
    """
    oldest, age = NONE, FAR
    for k in range(s.channel[c, Channel.MOVABLE_READS + which]):
        i = s.queue[s.movable[c, which, k], Queue.FIRST_READ + which]
        if skip_blocked:
            while i != NONE and find(s, READS, s.slot[i, Slot.KEY]) != NONE:
                i = s.slot[i, Slot.WAIT_NEXT]
        if i != NONE and s.slot[i, Slot.AGE] < age:
            oldest, age = i, s.slot[i, Slot.AGE]
    return int(oldest)


@part
def drain_due(s: ControllerState, c: int) -> bool:
    """True if the write buffer is full, or long enough to be drained by an idle channel."""
    n = s.channel[c, Channel.WRITE_LENGTH]
    if s.misc[Misc.FLUSH] == 1:
        return bool(n > 0)
    idle = s.channel[c, Channel.QUEUED] == 0
    return bool(n >= s.par[P.TRANSACTIONS] or (idle and n > DRAIN_THRESHOLD))


@part
def move(s: ControllerState, c: int, t: int) -> None:
    """Move at most one transaction of channel ``c`` to its command queue in cycle ``t``."""
    channel, strict = s.channel, s.par[P.STRICT]
    channel[c, Channel.MOVE_AT] = FAR
    was_draining = channel[c, Channel.DRAIN] > 0
    if not was_draining and not s.par[P.UNIFIED]:
        reads_turn = channel[c, Channel.READ_TURN] > 0 and channel[c, Channel.READ_LENGTH] > 0
        if not reads_turn and drain_due(s, c):
            channel[c, Channel.DRAIN] = channel[c, Channel.WRITE_LENGTH]

    reads_may_move, which, i = True, WRITES, NONE
    if channel[c, Channel.DRAIN] > 0:
        i = oldest_movable(s, c, WRITES, not strict)
        # Our own rule: if every write that has room waits for a read, reads go on.
        reads_may_move = not strict and channel[c, Channel.MOVABLE_WRITES] > 0
        if strict and i != NONE and find(s, READS, s.slot[i, Slot.KEY]) != NONE:
            # DRAMsim3 stops the drain here. With idle command queues it would start it again
            # with the same write, for ever: only then our own rule takes over.
            channel[c, Channel.DRAIN] = 0
            if channel[c, Channel.QUEUED] > 0 or not drain_due(s, c):
                if was_draining:
                    channel[c, Channel.MOVE_AT] = t + 1
                return
            reads_may_move, i = True, oldest_movable(s, c, WRITES, True)
            channel[c, Channel.DRAIN] = 1 if i != NONE else 0
    if i == NONE and reads_may_move:
        which, i = READS, oldest_movable(s, c, READS, False)
    if i == NONE:
        return

    enqueue(s, c, which, i, t)
    channel[c, Channel.MOVE_AT] = t + 1
    if which == WRITES:
        channel[c, Channel.DRAIN] -= 1
        if channel[c, Channel.DRAIN] == 0 and not strict:
            # DRAMsim3 would let a writer that never pauses lock out all reads.
            channel[c, Channel.READ_TURN] = channel[c, Channel.READ_LENGTH]
        return
    channel[c, Channel.READ_TURN] = max(0, channel[c, Channel.READ_TURN] - 1)
    if channel[c, Channel.MOVABLE_READS] == 0 and not drain_due(s, c):
        channel[c, Channel.MOVE_AT] = FAR
