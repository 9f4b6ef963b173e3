"""The controller of a channel as its drivers see it: DRAMsim3's or Ramulator's."""

from __future__ import annotations

from accelsim.dram.kernel import ramulator, transactions
from accelsim.dram.kernel import tick as dramsim3
from accelsim.dram.parameters import P
from accelsim.dram.state import (
    N_TIMED,
    NONE,
    Bank,
    Channel,
    Count,
    Log,
    Queue,
    Rank,
    Slot,
    State,
)
from accelsim.jit import state_kernel

N_BANK, N_CHANNEL, N_COUNT, N_LOG = len(Bank), len(Channel), len(Count), len(Log)
N_QUEUE, N_RANK, N_SLOT = len(Queue), int(Rank.END), len(Slot)


@state_kernel
def has_known_widths(s: State) -> bool:
    """Always true. Asked once at the entry, it makes the widths of rows constants.

    Otherwise each access would multiply by a width that it loads.
    """
    return bool(
        s.bank.shape[1] == N_BANK
        and s.rank.shape[1] == N_RANK
        and s.channel.shape[1] == N_CHANNEL
        and s.queue.shape[1] == N_QUEUE
        and s.slot.shape[1] == N_SLOT
        and s.counts.shape[1] == N_COUNT
        and s.log.shape[1] == N_LOG
        and s.legal.shape[1] == N_TIMED
        and s.unwanted.shape[1] == N_TIMED
        and s.movable.shape[1] == 2
    )


@state_kernel
def tick(s: State, c: int, t: int) -> None:
    """Everything that channel ``c`` does in cycle ``t``, before requests are offered.

    A read burst issued leaves its requests in ``Channel.READ_TOKEN``; their data is there
    ``P.READ_DELAY`` cycles later. Nothing happens before ``Channel.NEXT`` without a request.
    """
    if s.par[P.RAMULATOR]:
        ramulator.tick(s, c, t)
    else:
        dramsim3.tick(s, c, t)


@state_kernel
def would_accept(s: State, c: int, key: int, is_write: int) -> bool:
    """True if channel ``c`` would accept this request now."""
    if transactions.has_room(s, c, is_write):
        return True
    # Unlike DRAMsim3, Ramulator answers for a buffered write even when it is full.
    return bool(s.par[P.RAMULATOR] and transactions.find(s, transactions.WRITES, key) != NONE)


@state_kernel
def accept(
    s: State, c: int, t: int, key: int, line: int, is_write: int, label: int, token: int
) -> int:
    """Offer one request to channel ``c`` after its cycle ``t``.

    Returns REFUSED, QUEUED or ANSWERED; an answered request completes ``P.ANSWER_DELAY``
    cycles later. A read's token is NONE-terminated into the chain of the burst it shares.
    """
    if s.par[P.RAMULATOR]:
        return int(ramulator.accept(s, c, t, key, line, is_write, label, token))
    return int(transactions.accept(s, c, t, key, line, is_write, label, token))
