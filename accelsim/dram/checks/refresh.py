"""Whether refreshes, and sleeping ranks that refresh themselves, leave time for requests."""

from __future__ import annotations

from accelsim.dram.system import DramSystem
from accelsim.errors import ConfigError


def check_bank_refresh(config: DramSystem) -> None:
    """Refreshing bank by bank must leave time for requests."""
    if config.controller.refresh_policy != "bank_staggered":
        return
    t, name, ranks = config.timing, config.name, config.organisation.ranks
    if config.compat == "none" and t.tRFCb + t.tRC >= t.tREFIb // ranks:
        raise ConfigError(
            f"DRAM {name}: tREFIb",
            f"{t.tREFIb} for {ranks} rank(s) leaves no time beside tRFCb = {t.tRFCb} and "
            f"tRC = {t.tRC}",
            "tREFIb is tREFI over the number of banks; or refresh whole ranks",
        )
    if config.compat == "dramsim3" and config.controller.queue_structure == "per_rank":
        raise ConfigError(
            f"DRAM {name}: refresh_policy",
            "bank_staggered with one queue per rank serves no request in DRAMsim3, ever",
            "use queue_structure PER_BANK, or compat none",
        )


def check_self_refresh(config: DramSystem) -> None:
    """A rank sleeps and wakes as its standard allows."""
    t, cycles = config.timing, config.controller.self_refresh_cycles
    if not 0 <= cycles < 1 << 31:
        raise ConfigError(
            f"DRAM {config.name}: self_refresh_cycles",
            f"must be 0 or more, got {cycles}",
            "idle cycles after which a rank enters self-refresh; 0 is never",
        )
    if cycles == 0 or config.compat == "dramsim3":
        return
    if not any(rail.IDD6 > 0 for rail in config.power.rails):
        raise ConfigError(
            f"DRAM {config.name}: IDD6",
            "self-refresh has no current here, so it would cost nothing",
            "give the data sheet's IDD6, or leave self_refresh_cycles at 0",
        )
    if t.tXS < t.tRFC or t.tCKESR < 1:
        raise ConfigError(
            f"DRAM {config.name}: tXS, tCKESR",
            f"{t.tXS}, {t.tCKESR} do not allow self-refresh beside tRFC = {t.tRFC}",
            "a rank that wakes may be in the middle of a refresh: tXS is tRFC and 10 ns in DDR4",
        )
