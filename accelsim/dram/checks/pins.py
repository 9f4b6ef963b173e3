"""Whether pins, and what prices their bits, can be those of a real memory."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from accelsim.dram.interface import Interface
from accelsim.dram.system import DramSystem
from accelsim.errors import ConfigError

MOST_VOLTS, MOST_PF, MOST_PJ_PER_BIT = 10.0, 1e3, 1e4


def check_pins(config: DramSystem) -> None:
    """Voltages, resistances and energies of a bit are above or at zero, and of a sane size."""
    power = config.power
    for key, value, most in (
        ("io_pj_per_bit", power.io_pj_per_bit, MOST_PJ_PER_BIT),
        ("phy_pj_per_bit", power.phy_pj_per_bit, MOST_PJ_PER_BIT),
    ):
        if not 0 <= value <= most:
            raise ConfigError(
                f"DRAM {config.name}: {key}",
                f"must be from 0 to {most:g} pJ/bit, got {value}",
                "memories take 1 to 30 pJ for a bit",
            )
    if power.interface is None:
        return
    rails = [rail.name for rail in power.rails]
    for key, problem in _impossible(power.interface, rails):
        raise ConfigError(
            f"DRAM {config.name}: interface.{key}", problem, "see dram.interface for the circuit"
        )


def _impossible(pins: Interface, rails: list[str]) -> Iterator[tuple[str, str]]:
    if not 0 < pins.volts <= MOST_VOLTS:
        yield "volts", f"must be above 0 and at most {MOST_VOLTS:g} V, got {pins.volts}"
    if not 0 <= pins.pads_pf <= MOST_PF:
        yield "pads_pf", f"must be from 0 to {MOST_PF:g} pF, got {pins.pads_pf}"
    for direction, path in (("read", pins.read), ("write", pins.write)):
        if not 0 < path.driver_ohm < inf:
            yield f"{direction}.driver_ohm", f"must be above 0 Ohm, got {path.driver_ohm}"
        if not path.termination_ohm > 0:
            problem = f"must be above 0 Ohm (infinite: none), got {path.termination_ohm}"
            yield f"{direction}.termination_ohm", problem
    if pins.held is not None:
        if pins.held.rail not in rails:
            yield "held.rail", f"{pins.held.rail!r} is none of the rails {', '.join(rails)}"
        for direction, share in (("read", pins.held.read), ("write", pins.held.write)):
            if not 0 <= share <= 1:
                yield f"held.{direction}", f"must be a share from 0 to 1, got {share}"
