"""Conversion of units; no other file converts any.

Inside the simulator there are only integers, and each name carries its unit:
``_cycles`` (of the block's own clock), ``_fs`` (simulated time), ``_bits``, ``_bytes``.
Energy is a float in picojoules (``_pj``) and appears only after the run.
GB is 1e9 bytes, KiB is 1024 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

FS_PER_S = 10**15
KIB = 1024
PJ_PER_MW_S = 1e9
Count = TypeVar("Count", int, NDArray[np.int64])
"""An integer, or an array of them."""


def ceil_div(numerator: Count, denominator: int) -> Count:
    """Round a non-negative quotient up, in exact integer arithmetic.

    >>> ceil_div(9, 8)
    2
    """
    quotient: Count = -(-numerator // denominator)
    return quotient


def bits_to_bytes(n_bits: Count) -> Count:
    """Bytes needed to hold ``n_bits``; a started byte counts."""
    return ceil_div(n_bits, 8)


@dataclass(frozen=True)
class Clock:
    """A clock, and the only conversion between its cycles and simulated time.

    The period is an integer number of femtoseconds, so events of different clocks
    compare exactly: 833.333 ps (1.2 GHz) is 833_333 fs, wrong by 4e-7.

    >>> Clock.from_mhz(1000).period_fs
    1000000
    """

    period_fs: int

    def __post_init__(self) -> None:
        if self.period_fs <= 0:
            raise ValueError(f"a clock period must be positive, got {self.period_fs} fs")

    @classmethod
    def from_mhz(cls, mhz: float) -> Clock:
        return cls(round(FS_PER_S / (mhz * 1e6)))

    def to_fs(self, cycles: int) -> int:
        return cycles * self.period_fs

    def edge_at_or_after(self, time_fs: int) -> int:
        """First cycle whose edge is at or after ``time_fs``."""
        return ceil_div(time_fs, self.period_fs)


def in_kib(n_bytes: int) -> int | float:
    """Bytes as KiB, exactly; an integer if possible."""
    return n_bytes // KIB if n_bytes % KIB == 0 else n_bytes / KIB


def in_mhz(clock: Clock) -> float:
    """The shortest decimal number of MHz that has this period.

    >>> in_mhz(Clock.from_mhz(700)), in_mhz(Clock(1_428_571))
    (700.0, 700.0)
    """
    exact = FS_PER_S / 1e6 / clock.period_fs
    rounded = (round(exact, digits) for digits in range(16))
    return next((mhz for mhz in rounded if mhz and Clock.from_mhz(mhz) == clock), exact)
