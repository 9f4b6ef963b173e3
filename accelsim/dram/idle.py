"""The model of idle time: a memory without requests.

It gives in closed form what the controllers do in a pause, so that seconds of it cost nothing to
compute; the tests compare it with idling controllers.

The refresh timer keeps running. The first refresh of a pause closes the rows, on average half an
interval after the beginning; rows count as closed before that, too. From then on a rank is in
power-down or self-refresh as its controller would put it:

  power-down     each refresh wakes the rank, follows tXP later, and is followed by the usual
                 pause, or by tRFC if that is longer
  self-refresh   the rank sleeps from ``self_refresh_cycles`` after its rows were closed to
                 the next request, and needs no refresh

With ``compat="dramsim3"``, a rank that ever had a request never enters self-refresh again, nothing
is powered down, and if all ranks are due at once only the first is refreshed: the others keep their
rows open. Not counted: rows that stay open until the first refresh, and commands that wake a rank.
"""

from __future__ import annotations

from accelsim.dram.config import DramConfig
from accelsim.dram.events import DramEvents
from accelsim.dram.power_down import powers_down


def idle_background(config: DramConfig, cycles: int, pauses: int = 1) -> DramEvents:
    """The states and refreshes of ``pauses`` equal pauses that last ``cycles`` in all.

    >>> from accelsim.dram.standard import STANDARDS
    >>> ddr4 = STANDARDS["ddr4_2400_x16"].config()
    >>> idle_background(ddr4, 100 * ddr4.timing.tREFI).refreshes
    100
    """
    controller, n_ranks = config.controller, config.n_ranks
    strict = config.compat == "dramsim3"
    by_bank = controller.refresh_policy == "bank_staggered"
    interval = config.timing.tREFIb if by_bank else config.timing.tREFI
    asleep = 0
    if controller.self_refresh_cycles > 0 and not strict:
        asleep = max(0, cycles - pauses * _awake_before_sleep(config, interval))
    refreshes = (cycles - asleep) // interval
    if asleep:
        # The one that closes the rows, and those until the rank sleeps.
        refreshes = pauses * (_until_closed(config) + controller.self_refresh_cycles // interval)
    standby = cycles - asleep
    if powers_down(config):
        refreshing = config.timing.tRFCb if by_bank else config.timing.tRFC
        pause = max(controller.power_down_cycles, refreshing)
        standby = min(standby, refreshes * (config.timing.tXP + pause))
    # DRAMsim3 has one timer for the banks of all ranks, and refreshes the first rank alone if all
    # are due at once.
    is_alone = strict and controller.refresh_policy != "rank_staggered"
    # Ranks that are never refreshed keep their rows open.
    n_open = n_ranks - config.organisation.channels if is_alone and not by_bank else 0
    return DramEvents(
        refreshes=refreshes * (config.organisation.channels if is_alone else n_ranks),
        active_rank_cycles=cycles * n_open,
        idle_rank_cycles=standby * (n_ranks - n_open),
        idle_power_down_rank_cycles=(cycles - asleep - standby) * n_ranks,
        self_refresh_rank_cycles=asleep * n_ranks,
    )


def _until_closed(config: DramConfig) -> int:
    """Refreshes of a rank until its rows are closed: one, or one of each bank."""
    by_bank = config.controller.refresh_policy == "bank_staggered"
    return config.organisation.banks if by_bank else 1


def _awake_before_sleep(config: DramConfig, interval: int) -> int:
    """Cycles of a pause before its ranks sleep; the refresh timer is anywhere when it begins."""
    closed_after = (_until_closed(config) - 1) * interval + interval // 2
    return closed_after + config.controller.self_refresh_cycles
