"""Delays around the refresh of one bank: a part of the controller's timing table."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Final

from accelsim.dram.config import DramConfig

REFRESH_TO_ACT_NS: Final[Mapping[str, float]] = dict.fromkeys(("HBM", "HBM2", "HBM3"), 8.0)
"""tRREFD, from the refresh of one bank to an ACT of another, where there is one (JESD235A)."""


def bank_refresh_delays(config: DramConfig) -> dict[str, int]:
    """Cycles by the names of ``accelsim.dram.parameters.P``; SAME and OTHER are banks.

    DRAMsim3 delays every bank but the refreshed one, by the times of a whole rank, and lets
    a refresh wait tRC after each ACT of the rank: under load refreshes hardly ever come.

    >>> from accelsim.dram.standard import STANDARDS
    >>> bank_refresh_delays(STANDARDS["lpddr4_3200_x16"].config())["REFB_TO_ACT_SAME"]  # tRFCpb
    144
    """
    t = config.timing
    by_bank = config.controller.refresh_policy == "bank_staggered"
    if config.compat == "dramsim3":
        return {
            **dict.fromkeys(("ACT_TO_REFB_L", "ACT_TO_REFB_S"), t.tRC if by_bank else 0),
            **dict.fromkeys(("REFB_TO_ACT_SAME", "REFB_TO_REFB_SAME"), 0),
            "REFB_TO_ACT_OTHER": t.tRFC,
            "REFB_TO_REFB_OTHER": t.tREFI,
        }
    # A refreshed bank counts in tFAW. Of four ACTs on one side of it the farthest is three
    # tRRD from the nearest, at least: this gap keeps the window without counting.
    gap = max(t.tRRD_S, t.tFAW - 3 * t.tRRD_S)
    long_rrd = t.tRRD_L if config.organisation.bankgroups > 1 else t.tRRD_S
    own_gap = ceil(REFRESH_TO_ACT_NS.get(config.protocol, 0.0) / t.tCK_ns)
    return {
        "ACT_TO_REFB_L": max(gap, long_rrd) if by_bank else 0,
        "ACT_TO_REFB_S": gap if by_bank else 0,
        **dict.fromkeys(("REFB_TO_ACT_SAME", "REFB_TO_REFB_SAME", "REFB_TO_REFB_OTHER"), t.tRFCb),
        "REFB_TO_ACT_OTHER": max(gap, own_gap),
    }
