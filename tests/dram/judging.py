"""The controller before the judge: legal at its own level, and at JEDEC's but for what is known.

What is known is listed here rule by rule, and in ``docs/dram_legality.md`` in the same order.
"""

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.config import DramConfig
from accelsim.dram.legality import Violation, check
from accelsim.dram.rules.families import FAMILIES, family

SEVERAL_CLOCKS = ("LPDDR4", "LPDDR5", "DDR5")
"""Families of which some commands take more than one clock."""


def assert_legal(
    config: DramConfig, commands: NDArray[np.int64], controller: str = "dramsim3"
) -> None:
    """No violation at either level, except the deviations that ``docs/dram_legality.md`` admits."""
    strict = config.compat == "dramsim3"
    turns = strict and controller == "ramulator"
    found = check(config, commands, find_all=turns)
    new = [v for v in found if not (turns and is_turn_of_ramulator(config, v))]
    if config.protocol in FAMILIES:
        new += [
            v
            for v in check(config, commands, "jedec", find_all=True)
            if not is_known(config, v)
            and not (strict and is_fault_of_dramsim3(config, v))
            and not (turns and is_turn_of_ramulator(config, v))
        ]
    assert new == [], str(new[0])


def is_known(config: DramConfig, found: Violation) -> bool:
    """Whether every controller here is known not to keep this rule of the standards."""
    match found.rule:
        case "command bus":
            return config.protocol in SEVERAL_CLOCKS and found.actual_cycles != 0
        case "row command bus":
            # An ACT of HBM takes two clocks.
            return found.second.command == "ACT" and found.actual_cycles != 0
        case "commands of this family":
            # Bank by bank, on memories that refresh pairs of banks, or only whole ranks.
            return found.second.command == "REFB"
        case "tREFI, postponed" | "tREFI, apart":
            # The same: their tREFIb is that of several banks.
            by_bank = config.controller.refresh_policy == "bank_staggered"
            return by_bank and not family(config).bank_refresh
    return False


def is_fault_of_dramsim3(config: DramConfig, found: Violation) -> bool:
    """Whether it is a fault that ``compat: dramsim3`` keeps; natively there is none of these."""
    t, by_bank = config.timing, config.controller.refresh_policy == "bank_staggered"
    first, second = found.first.command if found.first else "", found.second.command
    match found.rule:
        case "tRTW":
            # tRTRS is all that lies between the bursts of a read and a write.
            assert found.actual_cycles is not None
            apart = t.read_latency + t.burst_cycles + t.tRTRS - t.write_latency
            return found.actual_cycles >= apart
        case "tRC":
            # After RDA the bank precharges no earlier than tRAS, which a refresh does not await.
            return first == "ACT" and second in ("REF", "REFB")
        case "tRFCpb" | "tRFCSB":
            # The refresh of a bank holds back all other banks, and not its own.
            return first == "REFB"
        case "tXSDLL":
            return True
        case "tREFI, postponed" | "tREFI, apart":
            # One timer for all ranks, which refreshes of banks miss under load; of ranks that
            # are refreshed together only the first is.
            return by_bank or config.controller.refresh_policy == "rank_simultaneous"
    return False


def is_turn_of_ramulator(config: DramConfig, found: Violation) -> bool:
    """Whether it keeps the turnarounds of Ramulator's DDR4 tables: two clocks after a burst.

    Between ranks these do not see that a read's burst comes later than a write's.
    """
    t, first = config.timing, found.first.command if found.first else ""
    least = {
        ("tRTW", "RD", "WR"): t.read_latency + t.burst_cycles + 2 - t.write_latency,
        ("tRTRS", "RD", "RD"): t.burst_cycles + 2,
        ("tRTRS", "RD", "WR"): t.burst_cycles + 2,
        ("tRTRS", "WR", "RD"): t.write_latency + t.burst_cycles + 2 - t.read_latency,
    }
    rule = (found.rule, first, found.second.command)
    return rule in least and found.actual_cycles is not None and found.actual_cycles >= least[rule]
