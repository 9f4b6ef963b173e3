"""Whether delays can be those of a real memory.

Those that contradict each other are refused natively, and warned of in DRAMsim3's files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from accelsim.dram.system import DramSystem, Timing
from accelsim.errors import ConfigError


def check_timing(config: DramSystem) -> None:
    """Delays are numbers that leave time for requests; natively they also fit together."""
    name, timing, organisation = config.name, config.timing, config.organisation
    if not 1e-3 <= timing.tCK_ns <= 1e3:
        problem = f"must be between 0.001 and 1000 ns, got {timing.tCK_ns}"
        fix = "tCK is the clock period in nanoseconds, 0.625 for DDR4-3200"
        raise ConfigError(f"DRAM {name}: tCK", problem, fix)
    positive = ("burst_cycles", "CL", "tRCDRD", "tRCDWR", "tRP", "tRAS", "tRFC", "tREFI", "tREFIb")
    for key in fields(timing):
        value = getattr(timing, key.name)
        least = 1 if key.name in positive else 0
        if not least <= value < 1 << 31:
            below = " and below 2^31" if value >= least else ""
            raise ConfigError(
                f"DRAM {name}: {key.name}",
                f"must be at least {least} cycles{below}, got {value}",
                "delays are in DRAM clock cycles",
            )
    if min(timing.tRCDRD, timing.tRCDWR) <= config.posted_cycles:
        problem = f"{timing.AL} reaches tRCD ({timing.tRCDRD}, {timing.tRCDWR})"
        raise ConfigError(f"DRAM {name}: AL", problem, "additive latency is smaller than tRCD")
    if timing.tRRD_L > timing.tRC or timing.tPPD > timing.tRC:
        raise ConfigError(
            f"DRAM {name}: tRRD_L, tPPD",
            f"{timing.tRRD_L}, {timing.tPPD} exceed tRC = tRAS + tRP = {timing.tRC}",
            "commands to different banks are closer together than to the same bank",
        )
    if timing.tRFC + timing.tRP + timing.tRAS >= timing.tREFI // organisation.ranks:
        raise ConfigError(
            f"DRAM {name}: tREFI",
            f"{timing.tREFI} for {organisation.ranks} rank(s) leaves no time beside "
            f"tRFC = {timing.tRFC} and tRC = {timing.tRC}",
            "the refresh interval is thousands of cycles; check its unit",
        )
    if config.compat == "none":
        for delay, problem, fix in contradictions(timing):
            raise ConfigError(f"DRAM {name}: {delay}", problem, fix)


def contradictions(timing: Timing) -> Iterator[tuple[str, str, str]]:
    """(key, problem, fix) of delays that no memory has, though DRAMsim3 runs with them."""
    if timing.tRAS < max(timing.tRCDRD, timing.tRCDWR):
        problem = f"{timing.tRAS} is shorter than tRCD ({timing.tRCDRD}, {timing.tRCDWR})"
        yield "tRAS", problem, "a row stays open until it can be accessed: tRAS is tRCD and more"
    if 0 < timing.tFAW < timing.tRRD_S:
        problem = f"{timing.tFAW} is shorter than tRRD_S = {timing.tRRD_S}"
        yield "tFAW", problem, "four activates take longer than two; 0 is no limit"
