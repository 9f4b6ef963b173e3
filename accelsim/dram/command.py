"""DRAM commands by name, and one of them as it is recorded. The numbers are frozen into kernels."""

from __future__ import annotations

from enum import IntEnum, auto
from typing import Final


class Log(IntEnum):
    """One command as recorded."""

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
    WRA = auto()
    REF = auto()
    REFB = auto()
    PREAB = auto()
    SREF_ENTER = auto()
    SREF_EXIT = auto()
