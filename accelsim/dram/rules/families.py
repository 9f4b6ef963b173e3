"""Properties of DRAM families beyond the timing of a configuration, with sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from accelsim.dram.command import Command
from accelsim.dram.config import DramConfig
from accelsim.dram.rules.rule import COLUMN, REFRESHES
from accelsim.errors import ConfigError


@dataclass(frozen=True)
class SelfRefresh:
    """How long a rank stays in self-refresh, and how long other commands wait afterwards."""

    stay_ns: float
    stay_cycles: int
    """At least ``stay_ns``, and not less than this."""
    stay_more_cycles: int
    exit_ns: float
    """Time to the next command, in addition to tRFC."""
    exit_cycles: int
    """Least number of cycles, if tRFC is shorter."""
    lock_cycles: tuple[tuple[float, int], ...] = ()
    """(up to MT/s, clocks to the next read): the DLL has to lock."""
    stay_name: str = "tCKESR"
    exit_name: str = "tXS"


@dataclass(frozen=True)
class Family:
    """One family: its command buses, turnarounds, and ways to refresh."""

    turn_ns: float
    """From the last beat of a read to the first of a write to the same rank, rounded up; ..."""
    turn_cycles: int
    """... plus this number of clocks."""
    bank_refresh: str = ""
    """Name of the delay after the refresh of one bank; empty if there is none."""
    between_bank_refreshes_ns: float = 0.0
    """From the refresh of one bank to that of another or to an ACT; 0: as a refresh, and tRRD."""
    split_bus: bool = False
    """Row commands have their own bus."""
    bus_cycles: Mapping[Command, int] = field(default_factory=dict)
    """Clocks for which a command occupies its bus, up to its own clock, if more than one."""
    self_refresh: SelfRefresh | None = None
    """None: the times of the configuration, and no self-refresh if it has none."""
    all_banks_ns: float = 0.0
    """From a precharge of all banks to commands that need idle banks, if longer than of one."""
    postponed: int = 8
    """Refreshes that may be postponed, and that may be issued in advance."""


_DDR3_LOCK: Final = ((float("inf"), 512),)
_DDR4_LOCK: Final = ((1866, 597), (2400, 768), (2666, 854), (2933, 940), (float("inf"), 1024))
_HBM: Final = Family(
    # JESD235A leaves tRTW to the vendor; one clock is the least at which the bus can turn.
    turn_ns=0.0,
    turn_cycles=1,
    bank_refresh="tRFCSB",
    between_bank_refreshes_ns=8.0,  # tRREFD
    split_bus=True,
    bus_cycles={Command.ACT: 2},
)

FAMILIES: Final[Mapping[str, Family]] = {
    # JESD79-3F: a preamble and a turn, tCKESR = tCKE + 1, tXS, tXSDLL = tDLLK.
    "DDR3": Family(0.0, 2, self_refresh=SelfRefresh(5.0, 3, 1, 10.0, 5, _DDR3_LOCK)),
    # JESD79-4B, the same with tDLLK by speed.
    "DDR4": Family(0.0, 2, self_refresh=SelfRefresh(5.0, 3, 1, 10.0, 0, _DDR4_LOCK)),
    # JESD209-4: tDQSCK(max) and tWPRE; two edges for each half of a command; tSR, tXSR.
    "LPDDR4": Family(
        turn_ns=3.5,
        turn_cycles=2,
        bank_refresh="tRFCpb",
        bus_cycles={
            **dict.fromkeys((Command.ACT, *COLUMN), 4),
            **dict.fromkeys((Command.PRE, Command.PREA, *REFRESHES, Command.SRE, Command.SRX), 2),
        },
        self_refresh=SelfRefresh(15.0, 3, 0, 7.5, 2, (), "tSR", "tXSR"),
        all_banks_ns=21.0,  # tRPab
    ),
    # JESD79-5: two clocks of postamble and offset, two of tWPRE; two-clock commands; at most
    # four normal refreshes postponed. REFsb names a bank of every group: not checked.
    "DDR5": Family(0.0, 4, bus_cycles=dict.fromkeys((Command.ACT, *COLUMN), 2), postponed=4),
    # JESD209-5: tWCKDQO(max); ACT-1 and ACT-2; tSR, tXSR; tRPab. REFpb names two banks: not
    # judged.
    "LPDDR5": Family(
        turn_ns=1.6,
        turn_cycles=0,
        bus_cycles={Command.ACT: 2},
        self_refresh=SelfRefresh(15.0, 2, 0, 7.5, 2, (), "tSR", "tXSR"),
        all_banks_ns=21.0,
    ),
    # JESD250 leaves delays to the vendor, tRTW to the system: one clock is the least at which
    # the bus can turn. REFp2b names two banks: not judged.
    "GDDR6": Family(turn_ns=0.0, turn_cycles=1),
    "HBM": _HBM,
    "HBM2": _HBM,
    # JESD238: the same names and buses.
    "HBM3": _HBM,
}


def family(config: DramConfig) -> Family:
    """The family of ``config``. Raises ``ConfigError`` for one whose rules are not here."""
    if config.protocol not in FAMILIES:
        raise ConfigError(
            f"DRAM {config.name}: level jedec",
            f"has no rules of {config.protocol}",
            f"use level model; jedec knows {', '.join(FAMILIES)}",
        )
    return FAMILIES[config.protocol]


def in_cycles(ns: float, config: DramConfig) -> int:
    """The first clock edge not before ``ns``, as the standards round.

    They allow for 2.5 % of a clock, since the clock of a speed bin is itself rounded.

    >>> from accelsim.dram.standard import STANDARDS
    >>> in_cycles(7.5, STANDARDS["ddr4_3200_x64"].config())
    12
    """
    return ceil(ns / config.timing.tCK_ns - 0.025)
