"""Power-down of idle ranks: whether a memory can, and its part of the timing table."""

from __future__ import annotations

from accelsim.dram.system import DramSystem
from accelsim.errors import ConfigError


def powers_down(config: DramSystem) -> bool:
    """Whether idle ranks are powered down: ``compat: dramsim3`` passes over the threshold."""
    return config.compat == "none" and config.controller.power_down_cycles > 0


def check_power_down(config: DramSystem) -> None:
    """A rank is powered down and wakes as its standard allows."""
    t, cycles = config.timing, config.controller.power_down_cycles
    if not 0 <= cycles < 1 << 31:
        raise ConfigError(
            f"DRAM {config.name}: power_down_cycles",
            f"must be 0 or more, got {cycles}",
            "idle cycles after which a rank is powered down; 0 is never",
        )
    if powers_down(config) and min(t.tXP, t.tCKE) < 1:
        raise ConfigError(
            f"DRAM {config.name}: tXP, tCKE",
            f"{t.tXP}, {t.tCKE} do not allow power-down",
            "give both delays of the data sheet, or leave power_down_cycles at 0",
        )


def power_down_delays(config: DramSystem) -> dict[str, int]:
    """Cycles by the names of ``accelsim.dram.parameters.P``.

    >>> from accelsim.dram.standard import STANDARDS
    >>> delays = power_down_delays(STANDARDS["ddr4_3200_x64"].config())
    >>> delays["RD_TO_DOWN"], delays["WR_TO_DOWN"], delays["UP_TO_ANY"]   # 22+4+1, 16+4+24
    (27, 44, 10)
    """
    t, controller = config.timing, config.controller
    by_bank = controller.refresh_policy == "bank_staggered"
    closes = controller.page_policy == "close"
    return {
        "POWER_DOWN": controller.power_down_cycles if powers_down(config) else 0,
        # JEDEC's tRDPDEN, and tWRPDEN; tWRAPDEN is one more.
        "RD_TO_DOWN": t.read_latency + t.burst_cycles + 1,
        "WR_TO_DOWN": t.write_latency + t.burst_cycles + t.tWR + closes,
        "REF_TO_DOWN": t.tRFCb if by_bank else t.tRFC,
        "DOWN_TO_UP": t.tCKE,
        "UP_TO_ANY": t.tXP,
        "UP_TO_RD": max(t.tXP, t.tXPDLL),
    }
