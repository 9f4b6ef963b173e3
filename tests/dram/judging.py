"""The controller before the judge: legal at its own level, and at JEDEC's but for what is known."""

import numpy as np
from numpy.typing import NDArray

from accelsim.dram.config import DramConfig
from accelsim.dram.legality import Violation, check


def assert_legal(config: DramConfig, commands: NDArray[np.int64]) -> None:
    """No violation, except the deviations from JEDEC that ``docs/dram.md`` admits."""
    assert check(config, commands) == ()
    new = [v for v in check(config, commands, "jedec", find_all=True) if not known(config, v)]
    assert new == [], str(new[0])


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
            # A command of LPDDR4 takes two or four clocks.
            return config.protocol == "LPDDR4" and found.actual_cycles != 0
        case "row command bus":
            # An ACT of HBM takes two clocks.
            return found.second.command == "ACT" and found.actual_cycles != 0
        case "commands of this family":
            return by_bank and found.second.command == "REFB"
        case "tFAW":
            return by_bank
        case "tREFI, 8 postponed" | "tREFI, 9 apart":
            # One timer for the banks of all ranks, and for DDR4, which has no such refresh.
            return by_bank and (config.organisation.ranks > 1 or config.protocol == "DDR4")
    return False
