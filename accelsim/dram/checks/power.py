"""Whether currents can be those of a real device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Final

from accelsim.dram.charges import charges
from accelsim.dram.power import Rail
from accelsim.dram.system import DramSystem
from accelsim.errors import ConfigError

RISING: Final = (("IDD2P", "IDD2N"), ("IDD3P", "IDD3N"), ("IDD2P", "IDD3P"), ("IDD2N", "IDD3N"))
"""Pairs of states of which the second never draws less."""
MOST_SHARE: Final = 2.0
"""Measured differences of currents may be above those of the data sheet's maxima."""


def check_power(config: DramSystem) -> None:
    """Currents are numbers; but for DRAMsim3's own files they also stand in order.

    What an imported file says is priced as DRAMsim3 prices it, whatever it is; its reader warns
    of commands that yield energy.
    """
    power = config.power
    if not power.rails:
        raise ConfigError(f"DRAM {config.name}", "has no supply rail", "give its IDD currents")
    for rail in power.rails:
        _check_values(config.name, rail)
    for share in fields(power.typical):
        value = getattr(power.typical, share.name)
        if not 0 <= value <= MOST_SHARE:
            raise ConfigError(
                f"DRAM {config.name}: typical.{share.name}",
                f"must be from 0 to {MOST_SHARE:g}, got {value}",
                "it is the share of the data sheet's maximum that devices draw",
            )
    if not 0 <= power.rho <= 1:
        raise ConfigError(
            f"DRAM {config.name}: rho",
            f"must be from 0 to 1, got {power.rho}",
            "it is the share of IDD3N - IDD2N that does not depend on how many banks are open",
        )
    if config.compat == "none":
        for rail in power.rails:
            _check_order(config.name, rail)
        for current, problem in commands_that_yield(config):
            raise ConfigError(
                f"DRAM {config.name}: {current}",
                problem,
                "compare the data sheet's IDD table; where it measures IDD3N with all banks "
                "open, give a rho below 1",
            )


def _check_values(name: str, rail: Rail) -> None:
    for key in fields(rail):
        value = getattr(rail, key.name)
        if key.name != "name" and not 0 <= value < 1e6:
            raise ConfigError(
                f"DRAM {name}: {rail.name}.{key.name}",
                f"must be a current in mA or a voltage, 0 or more, got {value}",
                "see the data sheet's IDD table",
            )


def _check_order(name: str, rail: Rail) -> None:
    for less, more in RISING:
        if getattr(rail, less) > getattr(rail, more):
            raise ConfigError(
                f"DRAM {name}: {rail.name}.{less}",
                f"{getattr(rail, less):g} mA is more than {more} = {getattr(rail, more):g} mA",
                "power-down saves, and open banks cost: compare the data sheet's IDD table",
            )


def commands_that_yield(config: DramSystem) -> Iterator[tuple[str, str]]:
    """(current, problem) for each command that would give energy back."""
    each = charges(config)
    by_bank = config.controller.refresh_policy == "bank_staggered"
    in_refresh = "IDD5PB" if by_bank and config.compat == "dramsim3" else "IDD5AB"
    for command, charge, current in (
        ("an ACT", each.activate, "IDD0"),
        ("an RD", each.read, "IDD4R"),
        ("a WR", each.write, "IDD4W"),
        ("a refresh", each.refresh, in_refresh),
    ):
        if charge < 0:
            draws = ", ".join(f"{getattr(rail, current):g} mA" for rail in config.power.rails)
            yield (
                current,
                f"{draws} is below the standby of the same time: {command} would have negative "
                "energy",
            )
