"""Delays that contradict each other: refused in our own memories, warned of in DRAMsim3's files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accelsim.dram.config import Timing


def contradictions(timing: Timing) -> Iterator[tuple[str, str, str]]:
    """(key, problem, fix) of delays that no memory has, though DRAMsim3 runs with them."""
    if timing.tRAS < max(timing.tRCDRD, timing.tRCDWR):
        problem = f"{timing.tRAS} is shorter than tRCD ({timing.tRCDRD}, {timing.tRCDWR})"
        yield "tRAS", problem, "a row stays open until it can be accessed: tRAS is tRCD and more"
    if 0 < timing.tFAW < timing.tRRD_S:
        problem = f"{timing.tFAW} is shorter than tRRD_S = {timing.tRRD_S}"
        yield "tFAW", problem, "four activates take longer than two; 0 is no limit"
