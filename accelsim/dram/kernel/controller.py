"""The controller of a channel as its drivers see it: DRAMsim3's or Ramulator's."""

from __future__ import annotations

from accelsim.dram.kernel import ramulator, transactions
from accelsim.dram.kernel import tick as dramsim3
from accelsim.dram.parameters import P
from accelsim.dram.state import NONE, ControllerState
from accelsim.jit import part


@part
def tick(s: ControllerState, c: int, t: int) -> None:
    """Everything that channel ``c`` does in cycle ``t``, before requests are offered.

    A read burst issued leaves its requests in ``Channel.READ_TOKEN``; their data is there
    ``P.READ_DELAY`` cycles later. Nothing happens before ``Channel.NEXT`` without a request.
    """
    if s.par[P.RAMULATOR]:
        ramulator.tick(s, c, t)
    else:
        dramsim3.tick(s, c, t)


@part
def would_accept(s: ControllerState, c: int, key: int, is_write: int) -> bool:
    """True if channel ``c`` would accept this request now."""
    if transactions.has_room(s, c, is_write):
        return True
    # Unlike DRAMsim3, Ramulator answers for a buffered write even when it is full.
    return bool(s.par[P.RAMULATOR] and transactions.find(s, transactions.WRITES, key) != NONE)


@part
def accept(
    s: ControllerState, c: int, t: int, key: int, line: int, is_write: int, label: int, token: int
) -> int:
    """Offer one request to channel ``c`` after its cycle ``t``.

    Returns REFUSED, QUEUED or ANSWERED; an answered request completes ``P.ANSWER_DELAY``
    cycles later. A read's token is NONE-terminated into the chain of the burst it shares.
    """
    if s.par[P.RAMULATOR]:
        return int(ramulator.accept(s, c, t, key, line, is_write, label, token))
    return int(transactions.accept(s, c, t, key, line, is_write, label, token))
