"""The controller before the judge: legal at its own level, and at JEDEC's but for what is known."""

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.config import DramConfig
from accelsim.dram.legality import Violation, check
from accelsim.dram.rules.families import FAMILIES, family


def assert_legal(
    config: DramConfig, commands: NDArray[np.int64], controller: str = "dramsim3"
) -> None:
    """No violation, except the deviations from JEDEC that ``docs/dram.md`` admits."""
    turns = controller == "ramulator" and config.compat == "dramsim3"
    found = check(config, commands, find_all=turns)
    new = [v for v in found if not (turns and is_turn_of_ramulator(config, v))]
    if config.protocol in FAMILIES:
        found = check(config, commands, "jedec", find_all=True)
        new += [
            v
            for v in found
            if not known(config, v) and not (turns and is_turn_of_ramulator(config, v))
        ]
    assert new == [], str(new[0])


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


def known(config: DramConfig, found: Violation) -> bool:
    """Whether the controller is known not to keep this rule of the standards."""
    by_bank = config.controller.refresh_policy == "bank_staggered"
    first = found.first.command if found.first else ""
    match found.rule:
        case "tRTW":
            # DDR3 and DDR4 want two clocks between a read and a write; tRTRS is one of them.
            assert found.required_cycles is not None and found.actual_cycles is not None
            short = found.required_cycles - found.actual_cycles
            return config.protocol in ("DDR3", "DDR4") and short == 2 - config.timing.tRTRS
        case "tRC":
            # After RDA the bank precharges no earlier than tRAS, which a REF does not await.
            return (first, found.second.command) == ("ACT", "REF")
        case "command bus":
            # A command of LPDDR4 takes two or four clocks; of DDR5 ACT, RD and WR take two, of
            # LPDDR5 ACT does.
            several = ("LPDDR4", "LPDDR5", "DDR5")
            return config.protocol in several and found.actual_cycles != 0
        case "tRPab":
            # A refresh follows the precharge of all banks as it follows that of one.
            assert found.actual_cycles is not None
            return found.second.command == "REF" and found.actual_cycles >= config.timing.tRP
        case "row command bus":
            # An ACT of HBM takes two clocks.
            return found.second.command == "ACT" and found.actual_cycles != 0
        case "commands of this family":
            return by_bank and found.second.command == "REFB"
        case "tRREFD":
            # An ACT follows the refresh of another bank as it follows an ACT.
            assert found.actual_cycles is not None
            return (
                by_bank
                and found.second.command == "ACT"
                and found.actual_cycles >= config.timing.tRRD_S
            )
        case "tFAW":
            return by_bank
        case "tREFI, postponed" | "tREFI, apart":
            # One timer for the banks of all ranks, and for memories without such a refresh.
            return by_bank and (config.organisation.ranks > 1 or not family(config).bank_refresh)
    return False
