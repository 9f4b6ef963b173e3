"""DRAM commands by name, and one of them as it is recorded. The numbers are frozen into kernels."""

from __future__ import annotations

from enum import IntEnum, auto
from typing import Final


class Log(IntEnum):
    """The columns of a command, in a log or in a command trace."""

    CYCLE = 0
    COMMAND = auto()
    CHANNEL = auto()
    RANK = auto()
    GROUP = auto()
    BANK = auto()
    ROW = auto()
    COLUMN = auto()


COMMANDS: Final = (
    "activate",
    "precharge",
    "read",
    "write",
    "read_p",
    "write_p",
    "refresh",
    "refresh_bank",
    "precharge_all",
    "self_refresh_enter",
    "self_refresh_exit",
)


class Command(IntEnum):
    """Position in ``COMMANDS``."""

    ACT = 0
    PRE = auto()
    RD = auto()
    WR = auto()
    RDA = auto()
    """Read, and precharge afterwards."""
    WRA = auto()
    REF = auto()
    """Refresh of a whole rank."""
    REFB = auto()
    """Refresh of one bank (REFpb of LPDDR4, REFSB of HBM)."""
    PREA = auto()
    """Precharge of all banks of a rank: a PRE of each in one clock."""
    SRE = auto()
    """Self-refresh begins."""
    SRX = auto()
    """Self-refresh ends."""
